//! A consent that was taken back, and what syncs do to it.

use super::actor::Actor;
use super::consent::{PERSON, consent, on_record, recorded};
use super::repository::{ADMINISTRATORS, CONNECTION, Pipeline, Repository, stamped};
use crate::support::World;
use connection_operator::api::Connection;
use kube::ResourceExt;

/// The example with consent given by its pipeline, and the digest of that.
async fn consented() -> (Repository, Pipeline, String) {
    let repository = Repository::new().await;
    let administrators = repository.administrators();
    administrators.sync().is_clean();
    until(&repository.world, "Ready").await;
    let digest = consent(&repository.world).await.required.expect("a digest");
    (repository, administrators, digest)
}

/// Waits until the connection gives this reason, and returns the message.
async fn until(world: &World, reason: &str) -> String {
    world
        .until_ready_says::<Connection>("sftp-partner", reason)
        .await
        .message
}

async fn connection(world: &World) -> Connection {
    let found = world.api::<Connection>().get("sftp-partner").await;
    found.expect("it is there")
}

/// Takes the annotation off the connection, as the messages of the operator say.
fn withdraw(by: &Actor) {
    by.kubectl(&[
        "annotate",
        "connection",
        "sftp-partner",
        "connections.dev/consent-",
    ])
    .is_clean();
}

fn given() -> (String, String, String) {
    recorded("Given", PERSON, ADMINISTRATORS)
}

#[tokio::test]
async fn a_withdrawn_consent_is_not_given_again_by_any_sync_but_by_a_person() {
    if !stamped() {
        return; // tried below
    }
    let (repository, administrators, digest) = consented().await;
    let world = &repository.world;
    let ada = Actor::person(world, "ada");
    let withdrawn = recorded("Withdrawn", "ada", "");
    withdraw(&ada);
    until(world, "ConsentWithdrawn").await;
    for _ in 0..4 {
        administrators.sync().is_clean();
        let now = connection(world).await;
        assert_eq!(
            now.annotations()["connections.dev/consent"],
            digest,
            "as git says"
        );
        assert_eq!(
            now.annotations()["connections.dev/consented-by"],
            format!("withdrawn {digest} ada")
        );
        let again = |connection: &Connection| {
            let status = connection.status.as_ref();
            status.is_some_and(|status| {
                let mut conditions = status.conditions.iter();
                conditions.any(|condition| condition.message.contains("A pipeline has set it again"))
            })
        };
        world
            .until("sftp-partner", "it tells what the sync did", again)
            .await;
        until(world, "ConsentWithdrawn").await;
        assert!(!consent(world).await.given);
        assert_eq!(on_record(world).await, [given(), withdrawn.clone()]);
    }

    withdraw(&ada);
    let give = format!("connections.dev/consent={digest}");
    ada.kubectl(&["annotate", "connection", "sftp-partner", &give])
        .is_clean();
    until(world, "Ready").await;
    for _ in 0..2 {
        administrators.sync().is_clean();
        let stands = consent(world).await;
        assert_eq!((stands.by.as_deref(), stands.via), (Some("ada"), None));
        let by_ada = recorded("Given", "ada", "");
        assert_eq!(on_record(world).await, [given(), withdrawn.clone(), by_ada]);
    }
}

#[tokio::test]
async fn after_a_withdrawal_a_pull_request_for_another_destination_is_a_new_decision() {
    if !stamped() {
        return; // tried below
    }
    let (repository, administrators, _) = consented().await;
    let world = &repository.world;
    withdraw(&Actor::person(world, "ada"));
    until(world, "ConsentWithdrawn").await;

    repository.edit(CONNECTION, "folder: /in", "folder: /elsewhere");
    let digest = repository.agree();
    repository.commit("Send it elsewhere, as Ana decided");
    administrators.sync().is_clean();
    until(world, "Ready").await;
    let consent = consent(world).await;
    assert_eq!(
        (consent.required, consent.by.as_deref(), consent.via.as_deref()),
        (Some(digest), Some(PERSON), Some(ADMINISTRATORS))
    );

    // The first destination was withdrawn, and git going back to it gives nothing.
    repository.revert();
    administrators.sync().is_clean();
    until(world, "ConsentWithdrawn").await;
}

#[tokio::test]
async fn a_pull_request_that_takes_consent_out_withdraws_it() {
    if !stamped() {
        return; // the manifest would have to state the withdrawal
    }
    let (repository, administrators, _) = consented().await;
    repository.disagree();
    repository.commit("Stop it, as Ana decided");
    administrators.sync().is_clean();
    until(&repository.world, "ConsentWithdrawn").await;
    let withdrawn = recorded("Withdrawn", PERSON, ADMINISTRATORS);
    assert_eq!(on_record(&repository.world).await, [given(), withdrawn]);
}

#[tokio::test]
async fn where_git_states_the_stamp_a_sync_after_a_withdrawal_is_refused_until_git_says_nothing() {
    if stamped() {
        return; // tried above
    }
    let (repository, administrators, digest) = consented().await;
    let world = &repository.world;
    let ada = Actor::person(world, "ada");
    let annotate = |consent: &str, stamp: &str| {
        let stamp = format!("connections.dev/consented-by={stamp} {digest} ada");
        let what = ["annotate", "connection", "sftp-partner", "--overwrite"];
        ada.kubectl(&[&what[..], &[consent, &stamp]].concat()).is_clean();
    };
    annotate("connections.dev/consent-", "withdrawn");
    until(world, "ConsentWithdrawn").await;
    for _ in 0..2 {
        administrators.sync().is_refused(&["conflict", "consented-by"]);
        administrators
            .sync_with(&["--force-conflicts"])
            .is_refused(&[&format!("must be \"withdrawn {digest} ada\"")]);
    }
    repository.disagree();
    repository.commit("Stop it");
    for _ in 0..2 {
        administrators.sync().is_clean();
        until(world, "ConsentWithdrawn").await;
    }
    annotate(&format!("connections.dev/consent={digest}"), "given");
    for _ in 0..2 {
        administrators.sync().is_clean();
        until(world, "Ready").await;
    }
    let decisions = [
        given(),
        recorded("Withdrawn", "ada", ""),
        recorded("Given", "ada", ""),
    ];
    assert_eq!(on_record(world).await, decisions);
    repository.revert();
    administrators.sync().is_refused(&["conflict", "consented-by"]);
}
