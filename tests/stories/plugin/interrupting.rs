//! Control-C at each question of each dialogue: nothing is half made.

use super::Person;
use super::person::{ADD, ADMINISTRATOR, HOST_KEY, WIDE, terminal};
use crate::stories::sharing::{shared_sftp, until_can_use};
use crate::support::manifests::{dataset, sftp, sftp_export, sftp_import};
use crate::support::terminal::{Key, Terminal};
use crate::support::{Kind, World};
use connection_operator::api::{Connection, Enrichment, Export, KeyVault};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;

/// A question, and what leads to the next one.
#[derive(Clone, Copy)]
enum Step {
    Types(&'static str, &'static str),
    Chooses(&'static str, usize),
}

use Step::{Chooses, Types};

impl Step {
    const fn question(self) -> &'static str {
        match self {
            Types(question, _) | Chooses(question, _) => question,
        }
    }

    fn is_taken(self, dialogue: &mut Terminal) {
        match self {
            Types(question, answer) => dialogue.answers(question, answer),
            Chooses(question, down) => dialogue.chooses(question, down),
        }
    }
}

/// Interrupts a dialogue at each of its questions.
fn interrupted_at_each(person: &Person, arguments: &[&str], steps: &[Step]) {
    for (last, step) in steps.iter().enumerate() {
        let mut dialogue = terminal(person, arguments, WIDE);
        for step in &steps[..last] {
            step.is_taken(&mut dialogue);
        }
        dialogue.until(step.question());
        dialogue.presses(Key::ControlC);
        let (code, screen) = dialogue.ends();
        assert_eq!(code, 130, "{arguments:?} at {}: {screen}", step.question());
        assert!(screen.contains("Interrupted; nothing has changed."), "{screen}");
    }
}

/// What is in the namespace: each object's name and generation; of Secrets, which have none, the version.
async fn all(world: &World) -> Vec<String> {
    async fn of<K: Kind>(world: &World) -> Vec<String> {
        let listed = world.api::<K>().list(&ListParams::default()).await;
        let objects = listed.expect("a list").items;
        let told = objects.iter().map(|object| {
            let meta = object.meta();
            let version = meta.generation.is_none().then_some(&meta.resource_version);
            format!(
                "{} {:?} {:?} {version:?}",
                K::kind(&()),
                meta.name,
                meta.generation
            )
        });
        told.collect()
    }
    [
        of::<Connection>(world).await,
        of::<Export>(world).await,
        of::<Enrichment>(world).await,
        of::<KeyVault>(world).await,
        of::<Secret>(world).await,
    ]
    .concat()
}

/// What exports and enrichments are asked for first.
const fn begun(name: &'static str) -> [Step; 3] {
    [
        Chooses("Over which connection?", 0),
        Types("What do people call it?", name),
        Types("What is it called in the cluster?", "mine"),
    ]
}

#[tokio::test]
async fn an_interrupted_dialogue_of_an_administrator_changes_nothing() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.connect(shared_sftp("used")).await;
    world.apply(sftp_export("nightly", "used")).await;
    world.until_active::<Export>("nightly").await;
    world.until_used_by::<Connection>("used", 1).await;
    world.apply(sftp("asked")).await;
    world
        .until_ready_says::<Connection>("asked", "ConsentRequired")
        .await;
    let before = all(&world).await;

    let rest = [
        "--set",
        "port=22",
        "--set",
        HOST_KEY,
        "--secret",
        "username=partner/username",
    ];
    interrupted_at_each(
        &ada,
        &[&ADD[..], &rest].concat(),
        &[
            Chooses("By which of password and privateKey?", 1),
            Chooses("privateKey: where does it come from?", 0),
            Chooses("Which Secret?", 0),
            Types("Under which key?", "password"),
            Chooses("Does it have another secret?", 1),
            Chooses("passphrase: where does it come from?", 2),
            Types("Which file?", "/dev/null"),
        ],
    );
    let typed = ["--secret", "password=partner/password"];
    interrupted_at_each(
        &ada,
        &[&ADD[..], &rest, &typed].concat(),
        &[
            Chooses("Who may make exports on it?", 1),
            Types("Do you agree, as ada?", "no"),
            Types("Make it all the same", "no"),
        ],
    );
    interrupted_at_each(
        &ada,
        &["vault", "link"],
        &[
            Types("What is it called in the cluster?", "company-vault"),
            Chooses("Which vault is it?", 1),
            Types("Where is the key-value engine mounted?", "secret"),
            Types("What is its address?", "https://vault.company.example"),
            Types("By which role is it asked?", "marketing"),
            Types("Do you agree, as ada?", "no"),
        ],
    );
    interrupted_at_each(
        &ada,
        &["consent", "asked"],
        &[Types("Do you agree, as ada?", "no")],
    );
    interrupted_at_each(
        &ada,
        &["remove", "used"],
        &[
            Chooses("What is to become of them?", 1),
            Types("type its name:", "used"),
        ],
    );
    assert_eq!(all(&world).await, before);
}

#[tokio::test]
async fn an_interrupted_dialogue_of_a_contributor_changes_nothing() {
    let world = World::furnished().await;
    let carol = Person::with_roles(&world, "carol", &["connections-contributor"]).await;
    world.apply(dataset("companies", "Output")).await;
    world.connect(shared_sftp("partner")).await;
    world.connect(sftp_import("provider")).await;
    until_can_use(&world, "carol", "partner", true).await;
    until_can_use(&world, "carol", "provider", true).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    let before = all(&world).await;

    let out = [
        Types("? subfolder", ""),
        Types("? compression", ""),
        Types("? delimiter", ""),
        Types("When does it run?", "0 6 * * *"),
        Chooses("Which dataset goes out?", 0),
        Types("Which columns of", ""),
        Types("Which rows of", ""),
        Chooses("Which else?", 0),
        Types("Make this export?", "no"),
    ];
    interrupted_at_each(
        &carol,
        &["export", "create"],
        &[&begun("partner"), &out[..]].concat(),
    );
    let back = [
        Types("? subfolder", ""),
        Types("? fileName", "companies.csv"),
        Types("? delimiter", ""),
        Types("When does it run?", ""),
        Chooses("Which dataset is enriched?", 1),
        Chooses("Where do the results go?", 0),
        Types("Which columns does the service get?", "email=email"),
        Types("Make this enrichment?", "no"),
    ];
    interrupted_at_each(
        &carol,
        &["enrich", "create"],
        &[&begun("provider"), &back[..]].concat(),
    );
    interrupted_at_each(
        &carol,
        &["attach", "nightly"],
        &[Chooses("Over which connection?", 0)],
    );
    assert_eq!(all(&world).await, before);
}
