//! Whole dialogues at a terminal.

use super::Person;
use super::person::{ADMINISTRATOR, WIDE, terminal};
use crate::stories::sharing::{shared_sftp, until_can_use};
use crate::support::World;
use crate::support::manifests::{dataset, sftp, sftp_import, with};
use crate::support::terminal::Key;
use connection_operator::api::{Connection, Enrichment, Export, SharedConnection};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::ListParams;

#[tokio::test]
async fn a_connection_is_added_from_nothing_to_ready() {
    let world = World::new().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let mut dialogue = terminal(&ada, &["add", "sftp-export"], WIDE);
    dialogue.answers("What do people call it?", "Nightly drop");
    dialogue.answers("What is it called in the cluster?", "");
    dialogue.answers("? hostname", "https://sftp.partner.example");
    dialogue.until("spec.parameters.hostname is");
    dialogue.retypes(
        "? hostname",
        "https://sftp.partner.example",
        "sftp.partner.example",
    );
    dialogue.answers("? port", "");
    dialogue.answers("? folder", "/in");
    dialogue.answers("? hostKey", "");
    dialogue.chooses("username: where does it come from?", 0);
    dialogue.answers("username (not shown)", "acme");
    dialogue.chooses("By which of password and privateKey?", 0);
    dialogue.chooses("password: where does it come from?", 0);
    let screen = dialogue.until("password (not shown)");
    assert!(!screen.contains("acme"), "{screen}");
    dialogue.types("hunter2");
    dialogue.presses(Key::Enter);
    dialogue.chooses("Who may make exports on it?", 1);
    dialogue.answers("Do you agree, as ada?", "yes");
    dialogue.until("Type \"I agree\", or no.");
    for _ in 0..3 {
        dialogue.types("\x7f");
    }
    dialogue.types("I agree");
    dialogue.presses(Key::Enter);
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("The connection nightly-drop is made. It is ready."),
        "{screen}"
    );
    assert!(!screen.contains("hunter2"), "{screen}");
    world
        .until_ready_says::<Connection>("nightly-drop", "Ready")
        .await;
    let secret = world
        .api::<Secret>()
        .get("nightly-drop")
        .await
        .expect("it is made");
    assert_eq!(secret.data.expect("it holds something")["password"].0, b"hunter2");
}

#[tokio::test]
async fn an_interruption_at_any_question_leaves_nothing_behind() {
    let world = World::new().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let steps: [(&str, &str); 8] = [
        ("What do people call it?", "Nightly drop"),
        ("What is it called in the cluster?", ""),
        ("? hostname", "sftp.partner.example"),
        ("? port", ""),
        ("? folder", "/in"),
        ("? hostKey", ""),
        ("username: where does it come from?", ""),
        ("username (not shown)", "acme"),
    ];
    for last in 0..steps.len() {
        let mut dialogue = terminal(&ada, &["add", "sftp-export"], WIDE);
        for (question, answer) in &steps[..last] {
            dialogue.answers(question, answer);
        }
        dialogue.until(steps[last].0);
        dialogue.presses(if last % 2 == 0 { Key::ControlC } else { Key::Escape });
        let (code, screen) = dialogue.ends();
        assert_eq!(code, 130, "at {}: {screen}", steps[last].0);
        assert!(screen.contains("Interrupted; nothing has changed."), "{screen}");
    }
    let connections = world
        .api::<Connection>()
        .list(&ListParams::default())
        .await
        .expect("a list");
    let secrets = world
        .api::<Secret>()
        .list(&ListParams::default())
        .await
        .expect("a list");
    assert_eq!((connections.items.len(), secrets.items.len()), (0, 0));
}

#[tokio::test]
async fn consent_is_given_by_its_word_and_by_nothing_less() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.apply(sftp("partner")).await;
    world
        .until_ready_says::<Connection>("partner", "ConsentRequired")
        .await;

    let mut dialogue = terminal(&ada, &["consent", "partner"], 80);
    let screen = dialogue.until("Do you agree, as ada?");
    assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
    dialogue.presses(Key::Enter);
    dialogue.until("Type \"I agree\", or no.");
    dialogue.types("no");
    dialogue.presses(Key::Enter);
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 1, "{screen}");
    assert!(
        screen.contains("You haven't agreed; nothing has changed."),
        "{screen}"
    );

    let mut dialogue = terminal(&ada, &["consent", "partner"], 80);
    dialogue.until("Do you agree, as ada?");
    dialogue.resize(50);
    dialogue.answers("Do you agree", "I agree");
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 0, "{screen}");
    world.until_ready_says::<Connection>("partner", "Ready").await;
}

#[tokio::test]
async fn a_contributor_makes_an_export_on_what_is_shared() {
    let world = World::furnished().await;
    let carol = Person::with_roles(&world, "carol", &["connections-contributor"]).await;
    world.apply(dataset("orders", "Source")).await;
    world.connect(shared_sftp("partner")).await;
    world.connect(sftp("private")).await;
    until_can_use(&world, "carol", "partner", true).await;
    world.until("partner", "it's told of", is_told_of).await;

    let mut dialogue = terminal(&carol, &["export", "create"], WIDE);
    dialogue.until("Over which connection?");
    let screen = dialogue.until("type to filter"); // the last that is drawn
    assert!(screen.contains("partner  (partner, sftp-export"), "{screen}");
    assert!(!screen.contains("private"), "{screen}");
    dialogue.presses(Key::Enter);
    dialogue.answers("What do people call it?", "Customers, every night");
    dialogue.answers("What is it called in the cluster?", "customers");
    let type_ = world
        .types()
        .get("sftp-export")
        .await
        .expect("it is in the catalog");
    for parameter in &type_.spec.export_parameters {
        dialogue.answers(&format!("? {}", parameter.name), "");
    }
    dialogue.answers("When does it run?", "0 25 * * *");
    dialogue.until("spec.schedule.cron is");
    dialogue.retypes("When does it run?", "0 25 * * *", "0 6 * * *");
    dialogue.chooses("Which dataset goes out?", 0);
    dialogue.answers("Which columns of customers?", "email, country");
    dialogue.answers("Which rows of customers?", "country = 'FR'");
    dialogue.chooses("Which else?", 0);
    dialogue.answers("Make this export?", "yes");
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("The export customers is Active."), "{screen}");
    let export = world.api::<Export>().get("customers").await.expect("it is made");
    assert_eq!(export.spec.payload[0].where_.as_deref(), Some("country = 'FR'"));
    assert_eq!(export.name_any(), "customers");
}

#[tokio::test]
async fn a_contributor_makes_an_enrichment_and_puts_it_on_another_connection() {
    let world = World::furnished().await;
    let carol = Person::with_roles(&world, "carol", &["connections-contributor"]).await;
    world.apply(dataset("companies", "Output")).await;
    for name in ["first", "second"] {
        world.connect(sftp_import(name)).await;
        until_can_use(&world, "carol", name, true).await;
        world.until(name, "it's told of", is_told_of).await;
    }

    let mut dialogue = terminal(&carol, &["enrich", "create"], WIDE);
    dialogue.chooses("Over which connection?", 0);
    dialogue.answers("What do people call it?", "Company names");
    dialogue.answers("What is it called in the cluster?", "");
    dialogue.answers("? subfolder", "");
    dialogue.answers("? fileName", "companies.csv");
    dialogue.answers("? delimiter", "");
    dialogue.answers("When does it run?", "");
    dialogue.chooses("Which dataset is enriched?", 1);
    dialogue.chooses("Where do the results go?", 0);
    dialogue.answers("Which columns does the service get?", "email");
    dialogue.until("Write FIELD=COLUMN");
    dialogue.retypes("Which columns does the service get?", "email", "email=email");
    dialogue.answers("Make this enrichment?", "yes");
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("The enrichment company-names is Active."),
        "{screen}"
    );
    let enrichment = async || world.api::<Enrichment>().get("company-names").await;
    let spec = enrichment().await.expect("it is made").spec;
    assert_eq!(
        (spec.input.dataset.as_str(), spec.output.dataset.as_str()),
        ("customers", "companies")
    );

    let mut dialogue = terminal(&carol, &["activate", "company-names"], WIDE);
    dialogue.until("Over which connection?");
    let screen = dialogue.until("type to filter"); // the last that is drawn
    assert!(screen.contains("first  (first, sftp-import"), "{screen}");
    dialogue.types("second");
    dialogue.presses(Key::Enter);
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 0, "{screen}");
    let on = enrichment().await.expect("it is there").spec.connection_ref;
    assert_eq!(on.expect("a connection").name.as_str(), "second");
}

/// Whether the operator has said how a shared connection stands.
fn is_told_of(shared: &SharedConnection) -> bool {
    let status = shared.status.as_ref();
    status.is_some_and(|status| !status.conditions.is_empty())
}

#[tokio::test]
async fn screens_fit_narrow_and_wide_terminals() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let named = serde_json::json!({"spec": {"displayName": "Nightly drop of everything that the partner in 東京 asked for"}});
    world.connect(with(sftp("partner"), &named)).await;
    for columns in [60, 80, 120] {
        for arguments in [&["list"][..], &["describe", "partner"], &["discover", "sftp"]] {
            let (code, screen) = terminal(&ada, arguments, columns).ends();
            assert_eq!(code, 0, "{screen}");
            let torn: Vec<&str> = screen.lines().filter(|line| line.starts_with('…')).collect();
            assert_eq!(torn, [""; 0], "no line runs over its end: {screen}");
            assert!(!screen.contains('\u{1b}'), "{screen}");
        }
    }
    let (_, screen) = terminal(&ada, &["list"], 80).ends();
    assert!(screen.contains("partner") && screen.contains("True"), "{screen}");
}
