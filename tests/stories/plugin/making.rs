//! What is made by flags alone: connections, links to vaults, exports and enrichments; and what is looked at afterwards.

use super::Person;
use super::person::words;
use crate::stories::sharing::{shared_sftp, until_can_use};
use crate::support::World;
use crate::support::manifests::{dataset, export, sftp, sftp_import};
use connection_operator::api::{Connection, Enrichment, Export, KeyVault};
use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const ADMINISTRATOR: &[&str] = &["connections-admin"];
const CONTRIBUTOR: &[&str] = &["connections-contributor"];
const ADD: [&str; 9] = [
    "add",
    "sftp-export",
    "partner",
    "--display-name",
    "Partner drop",
    "--set",
    "hostname=sftp.partner.example",
    "--set",
    "folder=/in",
];
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
    let told = ada.fails(2, &["vault", "unlink", "company"]);
    assert!(told.ends_with("Answer it by --yes.\n"), "{told}");
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

#[tokio::test]
async fn an_audit_tells_who_consented_to_what_after_the_connection_is_gone_too() {
    let world = World::furnished().await;
    let oscar = Person::with_roles(&world, "oscar", &["connections-auditor"]).await;
    let carol = Person::with_roles(&world, "carol", CONTRIBUTOR).await;
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
