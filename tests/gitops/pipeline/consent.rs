//! Consent by pull request.

use super::repository::{ADMINISTRATORS, CONNECTION, Repository, stamped};
use crate::support::World;
use connection_operator::api::connection::ConsentStatus;
use connection_operator::api::{Connection, ConsentRecord, Export};
use kube::api::ListParams;

pub const PERSON: &str = "ana@example.com";

/// Decision, by whom, and through which pipeline: all that is on record, in the order of the decisions.
pub async fn on_record(world: &World) -> Vec<(String, String, String)> {
    let records = world.api::<ConsentRecord>().list(&ListParams::default()).await;
    let mut records = records.expect("a list").items;
    records.sort_by_key(|record| record.metadata.name.clone());
    let told = records.into_iter().map(|record| {
        let decision = format!("{:?}", record.spec.decision);
        (decision, record.spec.by, record.spec.via)
    });
    told.collect()
}

pub fn recorded(decision: &str, by: &str, via: &str) -> (String, String, String) {
    (decision.to_owned(), by.to_owned(), via.to_owned())
}

pub async fn consent(world: &World) -> ConsentStatus {
    let connection = world.api::<Connection>().get("sftp-partner").await;
    let status = connection.expect("it is there").status.expect("it is judged");
    status.consent.expect("it is judged")
}

/// The person of the manifest consented, through the administrators' pipeline.
async fn assert_consented_by_pull_request(world: &World) {
    let consent = consent(world).await;
    assert_eq!(
        (consent.by.as_deref(), consent.via.as_deref()),
        (Some(PERSON), Some(ADMINISTRATORS))
    );
}

#[tokio::test]
async fn consent_comes_by_pull_request_in_the_name_of_the_person_who_decided() {
    let repository = Repository::new().await;
    let (administrators, contributors) = (repository.administrators(), repository.contributors());
    let world = &repository.world;
    contributors
        .sync()
        .is_refused(&["you may not use a connection sftp-partner"]);

    administrators.sync().is_clean();
    world
        .until_ready_says::<Connection>("sftp-partner", "Ready")
        .await;
    assert_consented_by_pull_request(world).await;
    assert_eq!(
        on_record(world).await,
        [recorded("Given", PERSON, ADMINISTRATORS)]
    );

    contributors.actor.until_may_use("sftp-partner");
    contributors.sync().is_clean();
    world.until_active::<Export>("nightly-customers").await;
}

#[tokio::test]
async fn a_digest_for_another_destination_counts_for_nothing() {
    let repository = Repository::new().await;
    let administrators = repository.administrators();
    repository.edit(CONNECTION, "folder: /in", "folder: /elsewhere");
    repository.commit("Send it elsewhere, and forget to ask");
    administrators.sync().is_clean();
    let world = &repository.world;
    world
        .until_ready_says::<Connection>("sftp-partner", "ConsentStale")
        .await;
    assert_eq!(on_record(world).await, []);
}

#[tokio::test]
async fn a_stamp_in_git_counts_for_nothing() {
    let repository = Repository::new().await;
    let (administrators, world) = (repository.administrators(), &repository.world);
    if !stamped() {
        return; // the manifest states the stamp, and a false one is refused
    }
    let forged = "annotations:\n    connections.dev/consented-by: given by mallory";
    repository.edit(CONNECTION, "annotations:", forged);
    repository.commit("Forge a stamp");
    for _ in 0..2 {
        administrators.sync().is_clean();
        world
            .until_ready_says::<Connection>("sftp-partner", "Ready")
            .await;
        assert_consented_by_pull_request(world).await;
    }
    repository.revert();
    administrators.sync().is_clean();
    world
        .until_ready_says::<Connection>("sftp-partner", "Ready")
        .await;
    assert_eq!(
        on_record(world).await,
        [recorded("Given", PERSON, ADMINISTRATORS)]
    );
}
