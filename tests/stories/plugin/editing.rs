//! A connection in somebody's editor.

use super::Person;
use super::person::{ADMINISTRATOR, WIDE};
use crate::support::World;
use crate::support::manifests::sftp;
use crate::support::terminal::{Key, Terminal};
use connection_operator::api::Connection;

/// What somebody wrote in an editor, by the file that is told of.
fn written(screen: &str) -> String {
    let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    let file = words
        .split_once("What you wrote is in ")
        .expect("a file is told of")
        .1;
    let file = file.split(' ').next().expect("a path").trim_end_matches('.');
    let text = std::fs::read_to_string(file).expect("it is kept");
    std::fs::remove_file(file).expect("it is ours");
    text
}

/// What an editor does in a story: one line is another.
const EDITOR: &str = "sed -i s/sftp.partner.example/other.example/";

#[tokio::test]
async fn an_edit_says_what_goes_stale_before_it_saves() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.connect(sftp("partner")).await;
    let mut program = ada.program(&["edit", "partner"]);
    program.env("KUBE_EDITOR", EDITOR);
    let mut dialogue = Terminal::running(&program, WIDE);
    let screen = dialogue.until("Save it?");
    assert!(
        screen.contains("parameters.hostname: \"sftp.partner.example\" → \"other.example\""),
        "{screen}"
    );
    assert!(
        screen.contains("Consent isn't for this destination any more"),
        "{screen}"
    );
    dialogue.answers("Save it?", "no");
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 1, "{screen}");
    assert!(written(&screen).contains("hostname: other.example"), "{screen}");
    let kept = world
        .api::<Connection>()
        .get("partner")
        .await
        .expect("it is there");
    assert_eq!(kept.spec.parameters["hostname"], "sftp.partner.example");

    let mut dialogue = Terminal::running(&program, WIDE);
    dialogue.answers("Save it?", "yes");
    assert_eq!(dialogue.ends().0, 0);
    world
        .until_ready_says::<Connection>("partner", "ConsentStale")
        .await;
}

#[tokio::test]
async fn what_was_written_survives_whatever_goes_wrong_after_the_editor() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.connect(sftp("partner")).await;
    let mut program = ada.program(&["edit", "partner"]);

    program.env("KUBE_EDITOR", "").env("EDITOR", EDITOR); // what is empty isn't set
    let mut dialogue = Terminal::running(&program, WIDE);
    dialogue.until("Save it?");
    let named = serde_json::json!({"spec": {"displayName": "Somebody else's"}});
    world.merge::<Connection>("partner", named).await;
    dialogue.answers("Save it?", "yes");
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 1, "{screen}");
    assert!(
        screen.contains("Somebody else changed it at the same moment"),
        "{screen}"
    );
    assert!(written(&screen).contains("hostname: other.example"), "{screen}");

    // Ctrl-C in the editor is the editor's: what was written before is kept all the same.
    let folder = tempfile::tempdir().expect("a folder");
    let editor = folder.path().join("editor");
    std::fs::write(
        &editor,
        "trap 'exit 3' INT\nsed -i s/sftp.partner.example/other.example/ \"$1\"\necho edited\nwhile :; do sleep 0.1; done\n",
    )
    .expect("it is written");
    program.env("KUBE_EDITOR", format!("sh {}", editor.display()));
    let mut dialogue = Terminal::running(&program, WIDE);
    dialogue.until("edited");
    dialogue.presses(Key::ControlC);
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 2, "{screen}");
    assert!(screen.contains("ended with exit status: 3."), "{screen}");
    assert!(written(&screen).contains("hostname: other.example"), "{screen}");
}
