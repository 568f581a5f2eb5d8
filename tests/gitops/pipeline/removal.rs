//! What leaves git leaves the cluster, but for what is in use.

use super::actor::Answer;
use super::repository::{CONNECTION, DOCS, EXPORT, Pipeline, Repository};
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

/// The command of the docs that deletes what an ApplySet holds.
fn delete_the_rest(pipeline: &Pipeline, namespace: &str) -> Answer {
    let docs = std::fs::read_to_string(DOCS).expect("it can be read");
    let (_, after) = docs
        .split_once("```console\nkubectl delete exports,enrichments")
        .expect("a command");
    let (rest, _) = after.split_once("```").expect("an end");
    let command = format!("kubectl delete exports,enrichments{rest}").replace("marketing", namespace);
    pipeline.actor.shell(&command)
}

#[tokio::test]
async fn the_last_file_of_a_folder_is_not_pruned_but_by_the_command_or_beside_another() {
    let (repository, _, contributors) = Repository::applied().await;
    let world = &repository.world;
    let keep = format!(
        "apiVersion: connections.dev/v1alpha1\nkind: Export\nmetadata: {{name: keep, namespace: {}}}\n\
         spec: {{displayName: Keeps the folder, payload: [{{dataset: customers}}]}}\n",
        world.namespace
    );
    repository.remove(EXPORT);
    repository.commit("Remove the last export");
    contributors
        .sync()
        .is_refused(&["the path \"exports/\" does not exist"]);
    let empty = [
        ("exports/.gitkeep", "", "recognized file extensions are"),
        ("exports/keep.yaml", "# none\n", "no objects passed to apply"),
    ];
    for (file, text, refusal) in empty {
        repository.write(file, text);
        repository.commit("Keep the folder");
        contributors.sync().is_refused(&[refusal]);
    }
    world.until_active::<Export>("nightly-customers").await;
    repository.write("exports/keep.yaml", &keep);
    repository.commit("Keep the folder by an export");
    contributors.sync().is_clean();
    world.until_gone::<Export>("nightly-customers").await;

    world.apply(spare_export()).await;
    repository.remove("exports/keep.yaml");
    repository.commit("Remove it too");
    contributors
        .sync()
        .is_refused(&["recognized file extensions are"]);
    delete_the_rest(&contributors, &world.namespace).is_clean();
    world.until_gone::<Export>("keep").await;
    let others = world.api::<Export>().get("spare").await;
    others.expect("what another applied stays");
}

fn spare_export() -> serde_json::Value {
    serde_json::json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Export", "metadata": {"name": "spare"},
        "spec": {"displayName": "Spare", "payload": [{"dataset": "customers"}]},
    })
}
