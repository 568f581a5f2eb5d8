//! A removal at a terminal: nothing happens before all is decided, and to nobody else.

use super::Person;
use super::person::{ADMINISTRATOR, WIDE, terminal};
use crate::support::manifests::{sftp, sftp_export, with};
use crate::support::terminal::{Key, Terminal};
use crate::support::{PATIENCE, World, shared};
use connection_operator::api::{Connection, Export};
use kube::api::{Patch, PatchParams};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_connection_is_removed_with_a_fate_for_each_of_its_users() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.connect(sftp("partner")).await;
    for name in ["nightly", "weekly"] {
        world.apply(sftp_export(name, "partner")).await;
        world.until_active::<Export>(name).await;
    }
    world.until_used_by::<Connection>("partner", 2).await;

    let mut dialogue = terminal(&ada, &["remove", "partner"], WIDE);
    dialogue.until("partner is in use by 2 exports, so it can't be removed yet:");
    dialogue.chooses("What is to become of them?", 0);
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("partner stays. Nothing has changed."), "{screen}");

    // Nothing happens before the name is typed, whatever was chosen.
    let mut dialogue = terminal(&ada, &["remove", "partner"], WIDE);
    fates_of_two(&mut dialogue);
    dialogue.presses(Key::ControlC);
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 130, "{screen}");
    assert!(screen.contains("Interrupted; nothing has changed."), "{screen}");
    for name in ["nightly", "weekly"] {
        let export = world.api::<Export>().get(name).await.expect("it is there");
        assert!(export.spec.connection_ref.is_some(), "{name} is where it was");
    }

    let mut dialogue = terminal(&ada, &["remove", "partner"], WIDE);
    fates_of_two(&mut dialogue);
    dialogue.types("partnr");
    dialogue.presses(Key::Enter);
    dialogue.until("That isn't its name.");
    dialogue.retypes("type its name:", "partnr", "partner");
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("export/nightly detached\nexport/weekly removed\npartner is removed."),
        "{screen}"
    );
    world.until_inactive::<Export>("nightly", "Detached").await;
    world.until_gone::<Export>("weekly").await;
    world.until_gone::<Connection>("partner").await;
}

/// Detaches the first, removes the second, and comes to the question for the name.
fn fates_of_two(dialogue: &mut Terminal) {
    dialogue.chooses("What is to become of them?", 3);
    dialogue.chooses("export/nightly (nightly)?", 1);
    dialogue.chooses("export/weekly (weekly)?", 2);
    dialogue.until("export/nightly  detached, and keeps its configuration");
    dialogue.until("export/weekly   removed for good");
    dialogue.until("To remove partner in the namespace");
    dialogue.until("for good, type its name:");
}

#[tokio::test]
async fn a_removal_lets_be_what_has_moved_and_asks_about_what_has_come() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.connect(sftp("partner")).await;
    let to = json!({"spec": {"parameters": {"folder": "/other"}}});
    world.connect(with(sftp("other"), &to)).await;
    for name in ["nightly", "weekly"] {
        world.apply(sftp_export(name, "partner")).await;
        world.until_active::<Export>(name).await;
    }
    world.until_used_by::<Connection>("partner", 2).await;

    let mut dialogue = terminal(&ada, &["remove", "partner"], WIDE);
    fates_of_two(&mut dialogue);
    // While the name is asked for one of them goes elsewhere, and another one comes.
    world.apply(sftp_export("weekly", "other")).await;
    world.until_used_by::<Connection>("other", 1).await;
    world.apply(sftp_export("yearly", "partner")).await;
    world.until_active::<Export>("yearly").await;
    dialogue.types("partner");
    dialogue.presses(Key::Enter);
    dialogue.until("Meanwhile partner is in use by 1 export more:");
    let again = |screen: &str| screen.matches("What is to become of them?").count() == 2;
    dialogue.until_screen("the question anew", again);
    dialogue.presses(Key::Enter);
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("partner stays."), "{screen}");
    world.until_active::<Export>("weekly").await;
    world.until_active::<Export>("yearly").await;

    let mut dialogue = terminal(&ada, &["remove", "partner"], WIDE);
    dialogue.chooses("What is to become of them?", 1);
    dialogue.answers("type its name:", "partner");
    assert_eq!(dialogue.ends().0, 0);
    world.until_gone::<Connection>("partner").await;
    world.until_active::<Export>("weekly").await;
}

#[tokio::test]
async fn a_removal_ends_where_something_puts_back_whatever_goes() {
    if !shared().mutates().expect("an answer") {
        // Only a policy that changes what is written puts it back without fail, and this API server has none.
        return;
    }
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.connect(sftp("partner")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    world.until_used_by::<Connection>("partner", 1).await;
    puts_back(&world).await;

    let told = ada.runs(&["remove", "partner", "--detach-all", "--yes"]);
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(
        told.err
            .contains("Something goes on putting export/nightly on partner, so it stays for now"),
        "{told:?}"
    );
    assert!(
        told.err.ends_with("Done so far: export/nightly detached.\n"),
        "{told:?}"
    );
    world.until_active::<Export>("nightly").await;
}

/// Has the API server put exports of the namespace back on the connection partner, and waits until it does.
async fn puts_back(world: &World) {
    let (group, name) = (
        "admissionregistration.k8s.io",
        format!("back-{}", world.namespace),
    );
    let policy = json!({
        "apiVersion": format!("{group}/v1"), "kind": "MutatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.namespace}},
                "resourceRules": [{"apiGroups": ["connections.dev"], "apiVersions": ["*"], "resources": ["exports"],
                                   "operations": ["UPDATE"]}],
            },
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression":
                "[JSONPatch{op: 'add', path: '/spec/connectionRef', value: {'name': 'partner'}}]"}}],
        },
    });
    let binding = json!({
        "apiVersion": format!("{group}/v1"), "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {"policyName": name},
    });
    for manifest in [policy, binding] {
        world.apply(manifest).await;
    }
    let detached = Patch::Merge(json!({"spec": {"connectionRef": null}}));
    let only_try = PatchParams {
        dry_run: true,
        ..PatchParams::default()
    };
    let started = Instant::now();
    loop {
        let tried = world.api::<Export>().patch("nightly", &only_try, &detached).await;
        if tried.is_ok_and(|export| export.spec.connection_ref.is_some()) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "the policy never takes effect");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
