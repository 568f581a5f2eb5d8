//! What a pipeline may not do, whatever is in git.

use super::repository::{CONNECTION, Repository};
use connection_operator::api::Connection;

/// The words of whoever may write exports and enrichments alone.
const REFUSED: [&str; 3] = [
    "connections.connections.dev",
    "is forbidden",
    "contributors-pipeline",
];

#[tokio::test]
async fn the_contributors_pipeline_cant_touch_connections() {
    let (repository, administrators, contributors) = Repository::applied().await;
    let world = &repository.world;
    let before = world.api::<Connection>().get("sftp-partner").await;
    for attempt in [
        &["get", "connection", "sftp-partner"][..],
        &["delete", "connection", "sftp-partner"],
        &[
            "annotate",
            "connection",
            "sftp-partner",
            "connections.dev/consent-",
        ],
        &["get", "secret", "sftp-partner"],
        &["get", "consentrecords"],
        &["delete", "configmap", "connections"],
    ] {
        contributors.actor.kubectl(attempt).is_refused(&["orbidden"]);
    }
    let connection = repository.read(CONNECTION);
    let other = connection.replace("name: sftp-partner\n  namespace", "name: smuggled\n  namespace");
    assert_ne!(connection, other);
    for smuggled in [connection, other] {
        repository.write("exports/smuggled.yaml", &smuggled);
        repository.commit("Put a connection among the exports");
        // A check of the pull request, before anything is merged, leaves nothing behind.
        contributors.sync_with(&["--dry-run=server"]).is_refused(&REFUSED);
        repository.revert();
        contributors.sync().is_clean();
    }
    let after = world.api::<Connection>().get("sftp-partner").await;
    assert_eq!(after.expect("it is there"), before.expect("it is there"));
    administrators.sync().is_clean();
}

#[tokio::test]
async fn a_connection_once_among_the_exports_is_remembered_until_it_is_taken_out_of_the_set() {
    let (repository, _, contributors) = Repository::applied().await;
    let smuggled = repository.read(CONNECTION);
    repository.write("exports/smuggled.yaml", &smuggled);
    repository.commit("Put a connection among the exports");
    contributors.sync().is_refused(&REFUSED);
    repository.revert();
    contributors
        .sync()
        .is_refused(&["for pruning", "cannot list resource"]);
    contributors
        .actor
        .kubectl(&[
            "annotate",
            "configmap",
            "exports",
            "--overwrite",
            "applyset.kubernetes.io/contains-group-kinds=Export.connections.dev,Enrichment.connections.dev",
        ])
        .is_clean();
    for _ in 0..2 {
        contributors.sync().is_clean();
    }
}
