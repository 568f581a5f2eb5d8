//! A connection's life at the command line, without a terminal: shared, suspended, used, let go, removed.

use super::Person;
use super::person::{ADMINISTRATOR, words};
use crate::stories::sharing::{shared_sftp, until_can_use};
use crate::support::World;
use crate::support::manifests::{dataset, enrichment, sftp, sftp_export, sftp_import};
use connection_operator::api::{Connection, Enrichment, Export, SharedConnection};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};

const CONTRIBUTOR: &[&str] = &["connections-contributor"];

#[tokio::test]
async fn a_connection_is_shared_with_contributors_and_taken_back() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    Person::with_roles(&world, "carol", CONTRIBUTOR).await;
    world.connect(sftp("partner")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;

    let told = ada.runs(&["share", "connection/partner"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let unfit = ada.fails(2, &["unshare", "export/partner"]);
    assert!(unfit.starts_with("This command is not for \"export\""), "{unfit}");
    assert!(
        told.err
            .starts_with("partner is shared with all contributors of the namespace"),
        "{told:?}"
    );
    until_can_use(&world, "carol", "partner", true).await;
    assert_eq!(
        ada.runs(&["share", "partner"]).err,
        "partner is shared with all contributors already. Nothing is to do.\n"
    );

    let told = ada.runs(&["unshare", "partner"]);
    assert_eq!(
        told.err,
        "partner is no longer shared with contributors. 1 export on it keep running; contributors can't change them any more. \
         To stop them: kubectl connections suspend partner\n"
    );
    until_can_use(&world, "carol", "partner", false).await;
    world.until_active::<Export>("nightly").await;

    world.apply(sftp_import("provider")).await;
    world
        .until::<SharedConnection>("provider", "it's open to all", |_| true)
        .await;
    let told = ada.fails(1, &["unshare", "provider"]);
    assert!(
        told.starts_with("The connection provider is for enrichments"),
        "{told}"
    );
}

#[tokio::test]
async fn a_connection_is_shared_with_one_person_by_whoever_may_grant_rights() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let almighty = Person::almighty(&world);
    world.connect(sftp("partner")).await;

    let told = ada.fails(1, &["share", "partner", "--with", "erin"]);
    assert!(
        told.starts_with("You may not grant rights in the namespace"),
        "{told}"
    );
    let told = almighty.fails(1, &["share", "partner", "--with-group", "system:authenticated"]);
    assert!(told.contains("would be everyone"), "{told}");

    for user in ["erin", "dave"] {
        let told = almighty.runs(&["share", "partner", "--with", user]);
        assert!(
            told.err.starts_with(&format!("user {user} may make, change")),
            "{told:?}"
        );
        until_can_use(&world, user, "partner", true).await;
    }
    let told = almighty.runs(&["share", "partner", "--with", "erin"]);
    assert_eq!(told.err, "user erin may use partner already. Nothing is to do.\n");
    until_can_use(&world, "mallory", "partner", false).await;

    let told = almighty.runs(&["unshare", "partner", "--with", "erin"]);
    assert!(
        told.err.starts_with("user erin may no longer use partner"),
        "{told:?}"
    );
    until_can_use(&world, "erin", "partner", false).await;
    until_can_use(&world, "dave", "partner", true).await;
    almighty.does(&["unshare", "partner", "--with", "dave"]);
    world.until_gone::<RoleBinding>("use-connection-partner").await;

    // A grant goes with the connection that it is for: another one of its name is nobody's.
    almighty.does(&["share", "partner", "--with", "erin"]);
    almighty.does(&["remove", "partner", "--yes"]);
    world.until_gone::<Role>("use-connection-partner").await;
    world.until_gone::<RoleBinding>("use-connection-partner").await;
}

#[tokio::test]
async fn contributors_attach_detach_and_suspend_what_is_theirs() {
    let world = World::furnished().await;
    let carol = Person::with_roles(&world, "carol", CONTRIBUTOR).await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.connect(shared_sftp("partner")).await;
    world.connect(sftp("private")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    until_can_use(&world, "carol", "partner", true).await;

    let told = carol.runs(&["detach", "nightly"]);
    assert_eq!(
        told.err,
        "The export nightly is detached: it keeps its configuration, and does nothing. To put it back: kubectl connections \
         attach nightly --to partner\n"
    );
    world.until_inactive::<Export>("nightly", "Detached").await;
    let told = carol.fails(1, &["attach", "nightly", "--to", "private"]);
    assert!(told.starts_with("You may not use a connection"), "{told}");
    let told = carol.fails(2, &["attach", "nightly"]);
    assert!(
        told.ends_with("Over which connection? Answer it by --to CONNECTION.\n"),
        "{told}"
    );
    let told = carol.runs(&["attach", "nightly", "--to", "partner"]);
    assert_eq!(
        (told.code, &*told.err),
        (Some(0), "The export nightly is Active.\n")
    );

    let told = carol.runs(&["suspend", "export/nightly"]);
    assert!(
        told.err
            .starts_with("The export nightly is suspended: nothing runs"),
        "{told:?}"
    );
    world.until_inactive::<Export>("nightly", "Suspended").await;
    carol.does(&["resume", "export/nightly"]);
    world.until_active::<Export>("nightly").await;
    assert_eq!(
        carol.runs(&["suspend", "partner"]).code,
        Some(1),
        "connections are not theirs"
    );

    let told = ada.runs(&["suspend", "partner"]);
    assert!(
        told.err
            .starts_with("The connection partner is suspended: 1 export on it no longer runs,"),
        "{told:?}"
    );
    world.until_inactive::<Export>("nightly", "Suspended").await;
    ada.does(&["resume", "partner"]);
    world.until_active::<Export>("nightly").await;
}

#[tokio::test]
async fn a_connection_in_use_is_removed_only_with_a_word_about_its_users() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.apply(dataset("companies", "Output")).await;
    world.connect(sftp("partner")).await;
    world.connect(sftp_import("provider")).await;
    for name in ["nightly", "weekly"] {
        world.apply(sftp_export(name, "partner")).await;
        world.until_active::<Export>(name).await;
    }
    world.apply(enrichment("companies", "provider")).await;
    world.until_active::<Enrichment>("companies").await;

    let told = ada.fails(1, &["remove", "partner", "--yes"]);
    assert!(told.contains("  ├─ export/nightly  Active  nightly\n"), "{told}");
    assert!(
        told.contains("partner is in use by 2 exports, so it stays, and nothing has changed."),
        "{told}"
    );
    let told = ada.fails(2, &["remove", "partner", "--detach-all"]);
    assert!(
        told.starts_with("Before it goes:\n  export/nightly  detached, and keeps its configuration\n"),
        "{told}"
    );
    assert!(
        told.ends_with("for good, type its name: Answer it by --yes.\n"),
        "{told}"
    );
    world.until_active::<Export>("nightly").await;

    let told = ada.runs(&["remove", "partner", "--detach-all", "--yes"]);
    assert_eq!(
        (told.code, &*told.err),
        (
            Some(0),
            "export/nightly detached\nexport/weekly detached\npartner is removed. Who consented to what stays on record.\n"
        )
    );
    world.until_gone::<Connection>("partner").await;
    world.until_inactive::<Export>("nightly", "Detached").await;
    let told = ada.fails(1, &["remove", "partner", "--yes"]);
    assert!(told.starts_with("There is no connection \"partner\""), "{told}");

    ada.does(&["deactivate", "companies"]);
    world.until_inactive::<Enrichment>("companies", "Detached").await;
    let told = ada.runs(&["activate", "companies", "--to", "provider"]);
    assert_eq!(told.err, "The enrichment companies is Active.\n");
    let told = ada.runs(&["remove", "provider", "--remove-all", "--yes"]);
    assert!(told.err.starts_with("enrichment/companies removed\n"), "{told:?}");
    world.until_gone::<Enrichment>("companies").await;
    world.until_gone::<Connection>("provider").await;
}

#[tokio::test]
async fn a_page_tells_all_that_somebody_may_know() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let carol = Person::with_roles(&world, "carol", CONTRIBUTOR).await;
    world.apply(shared_sftp("partner")).await;
    world
        .until_ready_says::<Connection>("partner", "ConsentRequired")
        .await;
    let page = ada.does(&["describe", "partner"]);
    assert!(
        page.starts_with("partner  partner\n\nConsentRequired\n  "),
        "{page}"
    );
    assert!(
        page.contains("\n  Next: kubectl connections consent partner\n"),
        "{page}"
    );

    world.consent("partner").await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    world
        .until_ready_says::<SharedConnection>("partner", "Ready")
        .await;
    let page = ada.does(&["describe", "partner"]);
    for part in [
        "hostname: \"sftp.partner.example\"",
        "Consent       given by admin at ",
        "password: Secret partner, key password, version ",
        "└─ export/nightly  Active",
        "Events\n",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("not-a-real-one"), "no value of a secret: {page}");

    let page = carol.does(&["describe", "partner"]);
    assert_eq!(
        words(&page)[2],
        ["Type", "sftp-export,", "for", "exports"],
        "{page}"
    );
    assert!(page.contains("It can be used."), "{page}");
    assert!(page.contains("└─ export/nightly  Active"), "{page}");
    for private in ["sftp.partner.example", "/in", "password", "admin at"] {
        assert!(!page.contains(private), "{private} in {page}");
    }
    let private = carol.fails(1, &["describe", "other"]);
    assert!(
        private.starts_with("There is no connection that is shared with you, called \"other\""),
        "{private}"
    );
    let told = ada.fails(1, &["describe", "partnr"]);
    assert!(told.ends_with("Did you mean partner?\n"), "{told}");
}
