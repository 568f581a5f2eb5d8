//! What is looked at afterwards: an audit, a diagnosis, and what shells offer.

use super::Person;
use super::person::ADMINISTRATOR;
use crate::stories::sharing::{shared_sftp, until_can_use};
use crate::support::World;
use crate::support::manifests::{export, sftp};
use connection_operator::api::Connection;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const CONTRIBUTOR: &[&str] = &["connections-contributor"];

/// Lets somebody see who may do what, but not what ClusterRoles allow.
fn reading_rights(user: &str) -> [Value; 2] {
    let (group, name) = ("rbac.authorization.k8s.io", "reads-rights");
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name},
        "rules": [{"apiGroups": [group], "resources": ["roles", "rolebindings"], "verbs": ["list"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    });
    [role, binding]
}

#[tokio::test]
async fn an_audit_tells_who_consented_to_what_after_the_connection_is_gone_too() {
    let world = World::furnished().await;
    let oscar = Person::with_roles(&world, "oscar", &["connections-auditor"]).await;
    let carol = Person::with_roles(&world, "carol", CONTRIBUTOR).await;
    let erin = Person::with_roles(&world, "erin", &["connections-auditor"]).await;
    for manifest in reading_rights("erin") {
        world.apply(manifest).await;
    }
    world.connect(sftp("partner")).await;
    world.delete::<Connection>("partner").await;
    world.until_gone::<Connection>("partner").await;
    let page = oscar.does(&["audit", "--since", "1h", "--connection", "partner"]);
    assert!(
        page.contains("Given") && page.contains("connection/partner") && page.contains("admin"),
        "{page}"
    );
    assert!(page.contains("You may not see bindings here."), "{page}");
    let csv = oscar.does(&["audit", "-o", "csv"]);
    assert!(
        csv.starts_with("what,at,who,did,subject,via,destination,notice,digest\r\n"),
        "{csv}"
    );
    assert!(
        csv.contains("\"admin\",\"Given\",\"connection/partner\""),
        "{csv}"
    );
    let told = carol.fails(1, &["audit"]);
    assert!(
        told.starts_with("You may not read the records of consent"),
        "{told}"
    );
    let page = Person::almighty(&world).does(&["audit"]);
    assert!(
        page.contains("user carol") && page.contains("uses those that are shared"),
        "{page}"
    );
    // A role of Kubernetes' own is looked into by whoever may, and told of by whoever may not.
    Person::with_roles(&world, "dave", &["cluster-admin"]).await;
    let page = Person::almighty(&world).does(&["audit"]);
    assert!(
        page.contains("changes, consents to, uses, sees all connections"),
        "{page}"
    );
    let page = erin.does(&["audit"]);
    assert!(
        page.contains("what clusterrole/cluster-admin allows, which you may not look into"),
        "{page}"
    );
}

#[tokio::test]
async fn the_doctor_looks_at_all_that_somebody_may_see() {
    let world = World::furnished().await;
    let almighty = Person::almighty(&world);
    world.connect(sftp("partner")).await;
    let page = almighty.runs(&["doctor"]).out;
    assert!(page.contains("knows all kinds of connections.dev."), "{page}");
    assert!(
        page.contains("admission policies are there, each with its binding."),
        "{page}"
    );
    assert!(page.contains("Nothing is stuck among"), "{page}"); // the connection, and the dataset
    world.apply(sftp("waiting")).await;
    world
        .until_ready_says::<Connection>("waiting", "ConsentRequired")
        .await;
    let told = almighty.runs(&["doctor"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.out.contains("Somebody has to consent: connection/waiting."),
        "{told:?}"
    );
    let stranger = Person::with_roles(&world, "stranger", &[]).await;
    let told = stranger.runs(&["doctor"]);
    assert_eq!(told.code, Some(0), "nothing is wrong that they can see: {told:?}");
    assert!(
        told.out.contains("You may do nothing with connections"),
        "{told:?}"
    );
}

#[tokio::test]
async fn shells_are_offered_live_names() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let carol = Person::with_roles(&world, "carol", CONTRIBUTOR).await;
    world.connect(shared_sftp("partner")).await;
    world.apply(sftp("private")).await;
    world.apply(export("nightly", "partner")).await;
    until_can_use(&world, "carol", "partner", true).await;
    world
        .until_ready_says::<connection_operator::api::SharedConnection>("partner", "Ready")
        .await;
    let offered = |person: &Person, words: &[&str]| person.does(&[&["__complete", "--"], words].concat());
    assert_eq!(offered(&ada, &["describe", ""]), "partner\nprivate\n:4\n");
    assert_eq!(offered(&carol, &["describe", "p"]), "partner\n:4\n");
    assert_eq!(offered(&carol, &["detach", ""]), "nightly\n:4\n");
    assert_eq!(offered(&ada, &["vault", "un"]), "unlink\n:4\n");
    assert_eq!(offered(&ada, &["list", "--kubeconfig", ""]), ":0\n");

    // As bash does it.
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("completion.bash");
    std::fs::write(&script, ada.does(&["completion", "bash"])).expect("it is written");
    let program = ada.program(&[]);
    let place = std::path::Path::new(program.get_program())
        .parent()
        .expect("a folder")
        .to_owned();
    let mut bash = Command::new("bash");
    for (name, value) in program.get_envs() {
        bash.env(name, value.expect("none is taken away"));
    }
    let path = format!("{}:{}", place.display(), std::env::var("PATH").expect("a path"));
    let typed = format!(
        "source {}; COMP_WORDS=(kubectl-connections remove pa); COMP_CWORD=2; _kubectl_connections; echo \"${{COMPREPLY[@]}}\"",
        script.display()
    );
    let told = bash
        .env("PATH", path)
        .args(["-c", &typed])
        .output()
        .expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&told.stdout), "partner\n", "{told:?}");

    let kubectl = folder.path().join("kubectl_complete-connections");
    std::fs::write(&kubectl, ada.does(&["completion", "kubectl"])).expect("it is written");
    std::fs::set_permissions(&kubectl, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    assert!(
        ada.does(&["completion", "zsh"])
            .starts_with("#compdef kubectl-connections\n")
    );
    assert!(
        ada.does(&["completion", "fish"])
            .contains("complete -c kubectl-connections")
    );
}
