//! A removal at a terminal: nothing happens before all is decided, and to nobody else.

use super::Person;
use super::person::{ADMINISTRATOR, WIDE, terminal};
use crate::support::World;
use crate::support::manifests::{sftp, sftp_export, with};
use crate::support::terminal::{Key, Terminal};
use connection_operator::api::{Connection, Export};

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
    let to = serde_json::json!({"spec": {"parameters": {"folder": "/other"}}});
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
