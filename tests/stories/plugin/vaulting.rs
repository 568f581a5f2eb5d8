//! The vault's dialogues: it is linked, and a secret chosen from its list.

use super::Person;
use super::person::{ADD, ADMINISTRATOR, HOST_KEY, WIDE, terminal};
use crate::support::World;
use crate::support::terminal::Key;
use crate::support::vault::{SECRET_ID, listed, login, start, start_trusting};
use connection_operator::api::{Connection, KeyVault};
use kube::ResourceExt;

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_is_linked_in_a_dialogue() {
    let world = World::new().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let vault = start_trusting(&world).await;
    world.apply(login(&vault, SECRET_ID)).await;
    let link = [
        "vault",
        "link",
        "--ca-bundle",
        "vault-login/ca.crt",
        "--mount",
        "kv",
    ];
    let mut dialogue = terminal(&ada, &link, WIDE);
    dialogue.answers("What is it called in the cluster?", "company-vault");
    dialogue.answers("What is its address?", &vault.url());
    dialogue.answers("By which role is it asked?", "connections");
    let screen = dialogue.until("Do you agree, as ada?");
    assert!(screen.contains("role: connections"), "{screen}");
    dialogue.answers("Do you agree, as ada?", "I agree");
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("company-vault is linked and answers."),
        "{screen}"
    );
    let linked = world.api::<KeyVault>().get("company-vault").await;
    assert_eq!(linked.expect("it is linked").name_any(), "company-vault");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_chosen_from_the_vaults_list() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let vault = start();
    world.link(&vault).await;
    let is_listed = |vault: &KeyVault| !listed(vault).is_empty();
    world
        .until("company-vault", "its secrets are listed", is_listed)
        .await;

    let rest = ["--set", "port=22", "--set", HOST_KEY, "--share"];
    let from_secret = ["--secret", "username=partner/username"];
    let mut dialogue = terminal(&ada, &[&ADD[..], &rest, &from_secret].concat(), WIDE);
    dialogue.chooses("By which of password and privateKey?", 0);
    let screen = dialogue.until("the vault company-vault");
    assert!(screen.contains("a Secret that is there"), "{screen}");
    dialogue.chooses("password: where does it come from?", 3);
    dialogue.until("Which secret of it?");
    let screen = dialogue.until("type to filter"); // the last that is drawn
    assert!(screen.contains("crm") && screen.contains("team/sftp"), "{screen}");
    dialogue.types("sftp");
    dialogue.presses(Key::Enter);
    dialogue.answers("Under which key?", "password");
    dialogue.answers("Do you agree, as ada?", "I agree");
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("The connection partner is made. It is ready."),
        "{screen}"
    );
    assert!(!screen.contains("canary"), "{screen}");
    let made = world
        .api::<Connection>()
        .get("partner")
        .await
        .expect("it is made");
    let named = made.spec.secrets["password"].key_vault_ref.as_ref();
    assert_eq!(named.expect("a reference").secret.as_str(), "team/sftp");
}
