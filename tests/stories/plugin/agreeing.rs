//! Consent at the command line, without a terminal.

use super::Person;
use crate::support::World;
use crate::support::manifests::{sftp, vault_by_run_account, with};
use connection_operator::api::names::CONSENTED_BY_ANNOTATION;
use connection_operator::api::{Connection, KeyVault};
use kube::ResourceExt;
use serde_json::json;

/// The digest at the end of what `consent --show` prints.
fn digest(page: &str) -> &str {
    let line = page.lines().find_map(|line| line.strip_prefix("Digest: "));
    line.unwrap_or_else(|| panic!("no digest in {page}"))
}

#[tokio::test]
async fn consent_is_given_to_what_was_shown_and_by_whoever_gives_it() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", &["connections-admin"]).await;
    world.apply(sftp("partner")).await;
    world
        .until_ready_says::<Connection>("partner", "ConsentRequired")
        .await;

    let page = ada.does(&["consent", "partner", "--show"]);
    for line in [
        "The notice, version 1:",
        "  - hostname: \"sftp.partner.example\"",
        "  - username: key username of Secret partner",
        "As the operator sees it: ConsentRequired",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} in {page}");
    }
    let told = ada.runs(&["consent", "partner"]);
    assert_eq!(
        (told.code, &*told.out),
        (Some(2), &*page),
        "it is shown: {told:?}"
    );
    let expected = format!(
        "There is no terminal to ask at: Do you agree, as ada? Answer it by --agree-to {}, once you have read what is above.\n",
        digest(&page)
    );
    assert_eq!(told.err, expected);
    let told = ada.runs(&["consent", "partner", "--agree-to", "deadbeef"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.err
            .starts_with("deadbeef is not the digest of what there is now"),
        "{told:?}"
    );

    let told = ada.runs(&["consent", "partner", "--agree-to", digest(&page)]);
    assert_eq!(
        (told.code, &*told.err),
        (
            Some(0),
            "Consent is given by ada. The connection partner is ready (Ready).\n"
        )
    );
    let connection = world
        .api::<Connection>()
        .get("partner")
        .await
        .expect("it is there");
    assert_eq!(
        connection.annotations().get(CONSENTED_BY_ANNOTATION),
        Some(&format!("given {} ada", digest(&page)))
    );
    let told = ada.runs(&["consent", "partner"]);
    assert_eq!((told.code, &*told.out), (Some(0), ""), "{told:?}");
    assert!(told.err.starts_with("Consent stands since"), "{told:?}");

    let moved = json!({"spec": {"parameters": {"hostname": "other.example"}}});
    world.merge::<Connection>("partner", moved).await;
    world
        .until_ready_says::<Connection>("partner", "ConsentStale")
        .await;
    let page = ada.does(&["consent", "partner", "--show"]);
    assert!(page.contains("The last consent to it was by ada at "), "{page}");
    let changed = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let difference =
        "it was for hostname \"sftp.partner.example\", where there is hostname \"other.example\" now.";
    assert!(changed.contains(difference), "{page}");
}

#[tokio::test]
async fn consent_is_withdrawn_by_whoever_may_and_given_again() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", &["connections-admin"]).await;
    world.connect(sftp("partner")).await;

    let told = ada.fails(2, &["withdraw", "partner"]);
    assert!(told.starts_with("Nothing that is active uses it.\n"), "{told}");
    assert!(
        told.ends_with(&format!(
            "Withdraw consent to the connection partner in the namespace {} (context {})? Answer it by --yes.\n",
            world.namespace,
            ada.context()
        )),
        "{told}"
    );
    let told = ada.runs(&["withdraw", "connection/partner", "--yes"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.err.contains("Consent is withdrawn by ada."), "{told:?}");
    world
        .until_ready_says::<Connection>("partner", "ConsentWithdrawn")
        .await;
    let told = ada.runs(&["withdraw", "partner"]);
    assert_eq!(
        (told.code, &*told.err),
        (
            Some(0),
            "There is no consent to the connection partner. Nothing is to do.\n"
        )
    );

    let page = ada.does(&["consent", "partner", "--show"]);
    let told = ada.runs(&["consent", "partner", "--agree-to", digest(&page)]);
    assert_eq!(told.code, Some(0), "{told:?}");
    world.until_ready_says::<Connection>("partner", "Ready").await;
}

#[tokio::test]
async fn whoever_may_not_consent_is_told_so_and_changes_nothing() {
    let world = World::furnished().await;
    let carol = Person::with_roles(&world, "carol", &["connections-contributor"]).await;
    let oscar = Person::with_roles(&world, "oscar", &["connections-auditor"]).await;
    world.apply(sftp("partner")).await;
    world
        .until_ready_says::<Connection>("partner", "ConsentRequired")
        .await;

    let told = carol.fails(1, &["consent", "partner"]);
    assert!(
        told.starts_with("You may not read connections in the namespace"),
        "{told}"
    );
    assert_eq!(
        told,
        carol.fails(1, &["consent", "no-such"]),
        "one that isn't there reads the same"
    );
    let page = oscar.does(&["consent", "partner", "--show"]);
    let told = oscar.runs(&["consent", "partner", "--agree-to", digest(&page)]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.ends_with("Nothing has changed.\n"), "{told:?}");
    let told = oscar.fails(1, &["consent", "partnr"]);
    assert!(told.ends_with("Did you mean partner?\n"), "{told}");
    let told = oscar.fails(2, &["consent", "export/partner"]);
    assert!(told.starts_with("This command is not for \"export\""), "{told}");
}

#[tokio::test]
async fn a_link_to_a_vault_is_agreed_to_alike() {
    let world = World::new().await;
    let ada = Person::with_roles(&world, "ada", &["connections-admin"]).await;
    world.apply(vault_by_run_account("company")).await;
    world
        .until_ready_says::<KeyVault>("company", "ConsentRequired")
        .await;
    let page = ada.does(&["consent", "keyvault/company", "--show"]);
    assert!(page.contains("\"https://vault.company.example\""), "{page}");
    let told = ada.runs(&["consent", "kvault/company", "--agree-to", digest(&page)]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let given = |vault: &KeyVault| {
        let consent = vault.status.as_ref().and_then(|status| status.consent.as_ref());
        consent.is_some_and(|consent| consent.given && consent.by.as_deref() == Some("ada"))
    };
    world.until::<KeyVault>("company", "ada consented", given).await;
    let told = ada.runs(&["withdraw", "keyvault/company", "--yes"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.err.contains("Nobody asks the vault any more"), "{told:?}");
}

#[tokio::test]
async fn what_a_pull_request_agrees_to_is_told_without_a_cluster() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", &["connections-admin"]).await;
    world.apply(sftp("partner")).await;
    world
        .until_ready_says::<Connection>("partner", "ConsentRequired")
        .await;
    let page = ada.does(&["consent", "partner", "--show"]);

    let manifest = with(
        sftp("partner"),
        &json!({"metadata": {"namespace": world.namespace}}),
    );
    let told = ada.runs_with(
        &["consent", "-f", "-", "--offline", "--kubeconfig", "/nowhere"],
        &manifest.to_string(),
    );
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.contains(digest(&page)), "the same digest: {told:?}");
    let told = ada.runs_with(&["consent", "-f", "-", "--offline"], "kind: [");
    assert_eq!((told.code, &*told.out), (Some(2), ""), "{told:?}");
    let told = ada.fails(2, &["consent", "-f", "x.yaml"]);
    assert!(told.contains("--offline"), "{told}");
}
