//! What leaves git leaves the cluster, but for what is in use.

use super::repository::{CONNECTION, EXPORT, Repository};
use connection_operator::api::{Connection, ConsentRecord, Dataset, Export};
use kube::ResourceExt;
use kube::api::ListParams;

#[tokio::test]
async fn what_is_in_use_is_not_pruned_and_the_next_sync_with_it_restored_is_clean() {
    let (repository, administrators, contributors) = Repository::applied().await;
    let world = &repository.world;
    let before = world
        .api::<Connection>()
        .get("sftp-partner")
        .await
        .expect("it is there");
    for file in [CONNECTION, "connections/customers.yaml"] {
        repository.remove(file);
        // An empty folder isn't in git, and nothing to apply is no sync.
        repository.write("connections/spare.yaml", &spare(&world.namespace));
        repository.commit("Remove what is in use");
        for _ in 0..2 {
            administrators
                .sync()
                .is_refused(&["is in use by 1 export (nightly-customers), so it stays"]);
        }
        contributors.sync().is_clean();
        world.until_active::<Export>("nightly-customers").await;
        repository.revert();
        for _ in 0..2 {
            administrators.sync().is_clean();
        }
    }
    let after = world
        .api::<Connection>()
        .get("sftp-partner")
        .await
        .expect("it is there");
    assert_eq!(
        (
            after.metadata.deletion_timestamp.as_ref(),
            &after.metadata.generation
        ),
        (None, &before.metadata.generation)
    );
    assert_eq!((after.uid(), after.status), (before.uid(), before.status));
    world.until_gone::<Dataset>("spare").await;
}

fn spare(namespace: &str) -> String {
    format!(
        "apiVersion: connections.dev/v1alpha1\nkind: Dataset\nmetadata: {{name: spare, namespace: {namespace}}}\n\
         spec: {{location: {{url: \"s3://warehouse/spare\"}}, format: {{type: Parquet}}}}\n"
    )
}

#[tokio::test]
async fn a_connection_and_its_export_leave_in_one_pull_request() {
    let (repository, administrators, contributors) = Repository::applied().await;
    let world = &repository.world;
    for file in [CONNECTION, EXPORT] {
        repository.remove(file);
    }
    let other = format!(
        "apiVersion: connections.dev/v1alpha1\nkind: Export\nmetadata: {{name: spare, namespace: {}}}\n\
         spec: {{displayName: Spare, payload: [{{dataset: customers}}]}}\n",
        world.namespace
    );
    repository.write("exports/spare.yaml", &other);
    repository.commit("End the partnership");

    administrators
        .sync()
        .is_refused(&["sftp-partner is in use by 1 export (nightly-customers)"]);
    contributors.sync().is_clean();
    world.until_gone::<Export>("nightly-customers").await;
    world.until_unused::<Connection>("sftp-partner").await;
    administrators.sync().is_clean();
    world.until_gone::<Connection>("sftp-partner").await;
    for _ in 0..2 {
        administrators.sync().is_clean();
        contributors.sync().is_clean();
    }
    let records = world.api::<ConsentRecord>().list(&ListParams::default()).await;
    assert_eq!(
        records.expect("a list").items.len(),
        1,
        "what was agreed to stays on record"
    );
}
