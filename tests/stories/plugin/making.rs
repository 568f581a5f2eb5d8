//! What is made by flags alone: connections, links to vaults, exports and enrichments.

use super::Person;
use super::person::{ADD, ADMINISTRATOR, words};
use crate::stories::sharing::{shared_sftp, until_can_use};
use crate::support::World;
use crate::support::manifests::{dataset, sftp, sftp_import};
use connection_operator::api::{Connection, Enrichment, Export, KeyVault};
use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;

const CONTRIBUTOR: &[&str] = &["connections-contributor"];
const SECRETS: [&str; 4] = [
    "--secret",
    "username=partner/username",
    "--secret",
    "password=partner/password",
];

/// The digest that a page ends in.
fn digest(page: &str) -> String {
    let line = page.lines().find_map(|line| line.strip_prefix("Digest: "));
    line.unwrap_or_else(|| panic!("no digest in {page}")).to_owned()
}

#[tokio::test]
async fn a_connection_is_added_by_a_script_that_has_read_the_notice() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let told = ada.fails(2, &ADD);
    assert!(
        told.contains("username: where does it come from? Answer it by --secret username=SECRET/KEY"),
        "{told}"
    );
    let whole = [&ADD[..], &SECRETS].concat();
    let tried = ada.runs(&[&whole[..], &["--dry-run"]].concat());
    assert_eq!(tried.code, Some(0), "{tried:?}");
    let manifest: Value = serde_saphyr::from_str(&tried.out).expect("YAML");
    assert_eq!(manifest["spec"]["parameters"]["hostname"], "sftp.partner.example");
    assert!(
        world
            .api::<Connection>()
            .get_opt("partner")
            .await
            .expect("an answer")
            .is_none()
    );

    // By this program alone nothing is tried, so a namespace that isn't there is none the wiser.
    let named = ada.does(&[&whole[..], &["--dry-run=client", "-o", "name", "-n", "nowhere"]].concat());
    assert_eq!(named, "connection.connections.dev/partner\n");
    let told = ada.fails(2, &[&whole[..], &["--dry-run", "-o", "wide"]].concat());
    assert!(
        told.contains("there are json, yaml, name and jsonpath=TEMPLATE"),
        "{told}"
    );

    let told = ada.runs(&whole);
    assert_eq!(told.code, Some(2), "nobody agreed: {told:?}");
    assert!(
        world
            .api::<Connection>()
            .get_opt("partner")
            .await
            .expect("an answer")
            .is_none()
    );
    let digest = digest(&tried.err);
    let told = ada.runs(&[&whole[..], &["--agree-to", &digest, "-o", "name"]].concat());
    assert_eq!(
        (told.code, &*told.out),
        (Some(0), "connection.connections.dev/partner\n"),
        "{told:?}"
    );
    assert!(
        told.err
            .ends_with("The connection partner is made. It is ready.\n"),
        "{told:?}"
    );
    let told = ada.runs(&[&whole[..], &["--without-consent"]].concat());
    assert_eq!(told.code, Some(1), "it's there already: {told:?}");
}

#[tokio::test]
async fn no_value_of_a_secret_is_ever_repeated() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    for arguments in [
        ["--secret", "password=hunter2"],
        ["--set", "password=hunter2"],
        ["--secret-file", "password=hunter2"],
        ["--vault-secret", "password=hunter2 so secret"],
    ] {
        let told = ada.fails(2, &[&ADD[..], &arguments].concat());
        assert!(!told.contains("hunter2"), "{told}");
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "hunter2\n").expect("it is written");
    let from = format!("password={}", file.path().display());
    let line = [
        &ADD[..],
        &SECRETS[..2],
        &["--secret-file", &from, "--without-consent"],
    ]
    .concat();
    let told = ada.runs(&line);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
    // A Secret of the connection's name is there already.
    let secret = world.api::<Secret>().get("partner-2").await.expect("it is made");
    assert_eq!(secret.data.expect("it holds something")["password"].0, b"hunter2");
    world
        .until_ready_says::<Connection>("partner", "ConsentRequired")
        .await;
}

#[tokio::test]
async fn what_does_not_fit_its_type_is_refused_before_anything_is_made() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let told = ada.fails(1, &["add", "sftp-exprt", "x"]);
    assert!(
        told.starts_with("There is no connection type \"sftp-exprt\". Did you mean sftp-export?"),
        "{told}"
    );
    let line = [&ADD[..], &SECRETS, &["--set", "port=many", "--without-consent"]].concat();
    let told = ada.fails(1, &line);
    assert!(told.contains("spec.parameters.port is \"many\""), "{told}");
    let carol = Person::with_roles(&world, "carol", CONTRIBUTOR).await;
    let told = carol.fails(1, &[&ADD[..], &SECRETS, &["--without-consent"]].concat());
    assert!(told.ends_with("Nothing has been made.\n"), "{told}");
}

#[tokio::test]
async fn a_vault_is_linked_listed_and_unlinked() {
    let world = World::new().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    assert!(
        ada.runs(&["vault", "list"])
            .err
            .starts_with("No vault is linked here.")
    );
    let link = [
        "vault",
        "link",
        "company",
        "--address",
        "https://vault.company.example",
        "--mount",
        "secret",
        "--kubernetes-role",
        "marketing",
    ];
    let tried = ada.runs(&[&link[..], &["--dry-run"]].concat());
    assert_eq!(tried.code, Some(0), "{tried:?}");
    let told = ada.runs(&[&link[..], &["--agree-to", &digest(&tried.err)]].concat());
    assert_eq!(told.code, Some(0), "{told:?}");
    let given = |vault: &KeyVault| {
        let consent = vault.status.as_ref().and_then(|status| status.consent.as_ref());
        consent.is_some_and(|consent| consent.given)
    };
    world.until::<KeyVault>("company", "ada consented", given).await;
    let list = ada.does(&["vault", "list"]);
    assert_eq!(
        words(&list)[1][..3],
        ["company", "vault", "https://vault.company.example"],
        "{list}"
    );
    let one = ada.does(&["vault", "list", "company"]);
    assert!(
        one.starts_with("company  https://vault.company.example\n"),
        "{one}"
    );
    let told = ada.fails(2, &["vault", "unlink", "keyvault/company"]);
    let place = format!("in the namespace {} (context {})", world.namespace, ada.context());
    assert_eq!(
        told,
        format!(
            "There is no terminal to ask at: Nothing uses company. To take the link away {place}, type its name: Answer it by \
             --yes.\n"
        )
    );
    ada.does(&["vault", "unlink", "company", "--yes"]);
    world.until_gone::<KeyVault>("company").await;
}

#[tokio::test]
async fn exports_and_enrichments_are_made_by_flags() {
    let world = World::furnished().await;
    let carol = Person::with_roles(&world, "carol", CONTRIBUTOR).await;
    world.apply(dataset("companies", "Output")).await;
    world.connect(shared_sftp("partner")).await;
    world.connect(sftp("private")).await;
    world.connect(sftp_import("provider")).await;
    until_can_use(&world, "carol", "partner", true).await;
    until_can_use(&world, "carol", "provider", true).await;

    let create = |connection: &'static str| {
        [
            "export",
            "create",
            "nightly",
            "--display-name",
            "Nightly",
            "--connection",
            connection,
            "--dataset",
            "customers=email",
            "--cron",
            "0 6 * * *",
            "--time-zone",
            "Europe/Paris",
        ]
    };
    let told = carol.fails(1, &create("private"));
    assert!(told.starts_with("You may not use a connection"), "{told}");
    assert_eq!(
        told.replace("private", "missing"),
        carol.fails(1, &create("missing")),
        "either reads the same"
    );
    let told = carol.runs(&create("partner"));
    assert_eq!(
        (told.code, &*told.err),
        (Some(0), "The export nightly is Active.\n"),
        "{told:?}"
    );
    world.until_active::<Export>("nightly").await;

    let told = carol.runs(&[
        "enrich",
        "create",
        "companies",
        "--display-name",
        "Companies",
        "--connection",
        "provider",
        "--input",
        "customers",
        "--into",
        "companies",
        "--map",
        "email=email",
        "--set",
        "fileName=companies.csv",
        "-o",
        "name",
    ]);
    assert_eq!(
        (told.code, &*told.out),
        (Some(0), "enrichment.connections.dev/companies\n"),
        "{told:?}"
    );
    world.until_active::<Enrichment>("companies").await;
    let told = carol.fails(
        2,
        &[
            "export",
            "create",
            "x",
            "--display-name",
            "X",
            "--connection",
            "partner",
        ],
    );
    assert!(
        told.ends_with("Which dataset goes out? Answer it by --dataset DATASET.\n"),
        "{told}"
    );
}

#[tokio::test]
async fn an_edit_by_flags_tells_what_it_asks_for() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.connect(sftp("partner")).await;
    let told = ada.runs(&["edit", "partner", "--display-name", "Drop", "--yes"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(
        told.err
            .contains("Consent stands: where data goes stays the same."),
        "{told:?}"
    );
    world.until_ready_says::<Connection>("partner", "Ready").await;
    let told = ada.fails(2, &["edit", "partner", "--set", "hostname=other.example"]);
    assert!(
        told.contains("Consent isn't for this destination any more"),
        "{told}"
    );
    let told = ada.fails(1, &["edit", "partner", "--set", "port=many", "--yes"]);
    assert!(told.contains("Nothing has changed."), "{told}");
    let told = ada.fails(2, &["edit", "partner"]);
    assert!(told.starts_with("There is no terminal to edit at"), "{told}");
}
