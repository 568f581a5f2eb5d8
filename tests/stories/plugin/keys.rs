//! Secrets of several lines, typed and pasted.

use super::Person;
use super::person::{ADD, ADMINISTRATOR, HOST_KEY, WIDE, terminal};
use crate::support::World;
use crate::support::terminal::{Key, Terminal};
use connection_operator::api::Connection;
use k8s_openapi::api::core::v1::Secret;

const REST: [&str; 8] = [
    "--set",
    "port=22",
    "--set",
    HOST_KEY,
    "--secret",
    "username=partner/username",
    "--share",
    "--without-consent",
];
const KEY: &str =
    "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0IGxpbmU=\n-----END OPENSSH PRIVATE KEY-----\n";

#[tokio::test]
async fn a_key_of_several_lines_is_taken_whole_or_not_at_all_and_never_shown() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let line = [&ADD[..], &REST].concat();
    let until_hidden = |dialogue: &mut Terminal| {
        dialogue.chooses("By which of password and privateKey?", 1);
        dialogue.chooses("privateKey: where does it come from?", 1);
        dialogue.until("privateKey (not shown)");
    };

    // A terminal that doesn't tell where a paste ends hands it over as if it were typed.
    let mut dialogue = terminal(&ada, &line, WIDE);
    until_hidden(&mut dialogue);
    dialogue.types(&KEY.replace('\n', "\r"));
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 2, "{screen}");
    assert!(
        screen.contains("That has several lines: use --secret-file privateKey=FILE. Nothing has been made."),
        "{screen}"
    );
    assert!(!screen.contains("c2VjcmV0"), "{screen}");
    assert!(!screen.contains("END OPENSSH"), "{screen}");
    let made = world
        .api::<Connection>()
        .get_opt("partner")
        .await
        .expect("an answer");
    assert!(made.is_none());

    let mut dialogue = terminal(&ada, &line, WIDE);
    until_hidden(&mut dialogue);
    dialogue.pastes(KEY);
    dialogue.presses(Key::Enter);
    dialogue.until("passphrase: The passphrase of privateKey, if it has one.");
    dialogue.chooses("Does it have another secret?", 0);
    dialogue.until("Digest:");
    assert!(!dialogue.tells_of_pastes(), "the terminal is left as it was");
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains("c2VjcmV0"), "{screen}");
    assert!(
        screen.contains("kind: Secret"),
        "it is shown what is made: {screen}"
    );
    assert!(screen.contains("privateKey: (not shown)"), "{screen}");

    let secret = world.api::<Secret>().get("partner-2").await.expect("it is made");
    assert_eq!(
        secret.data.expect("it holds something")["privateKey"].0,
        KEY.as_bytes()
    );
    // The Secret that was made for it goes with it; the one that it merely names stays.
    let connection = world
        .api::<Connection>()
        .get("partner")
        .await
        .expect("it is made");
    let owners = secret.metadata.owner_references.unwrap_or_default();
    assert_eq!(
        owners.first().map(|owner| &owner.uid),
        connection.metadata.uid.as_ref()
    );
    let mut dialogue = terminal(&ada, &["remove", "partner"], WIDE);
    let screen = dialogue.until("type its name:");
    assert!(
        screen.contains("The Secret partner-2 was made for it, and goes with it."),
        "{screen}"
    );
    dialogue.types("partner");
    dialogue.presses(Key::Enter);
    assert_eq!(dialogue.ends().0, 0);
    world.until_gone::<Connection>("partner").await;
}
