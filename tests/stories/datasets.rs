//! Administrators and the datasets that exports and enrichments name.

use crate::support::World;
use crate::support::manifests::{dataset, enrichment, export, secret, sftp, sftp_export, sftp_import, with};
use connection_operator::api::{Dataset, Enrichment, Export};
use serde_json::json;

#[tokio::test]
async fn an_export_waits_for_a_dataset_that_comes_later() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    let orders = json!({"spec": {"payload": [{"dataset": "orders"}]}});
    world.apply(with(export("nightly", "partner"), &orders)).await;
    let told = world.until_inactive::<Export>("nightly", "DatasetNotFound").await;
    let expected = format!(
        "spec.payload names the dataset orders, which doesn't exist: correct the name, or ask an administrator to create it. \
         To see those there are: kubectl get datasets -n {}",
        world.namespace
    );
    assert_eq!(told.message, expected);
    world.apply(dataset("orders", "Source")).await;
    world.until_active::<Export>("nightly").await;
}

#[tokio::test]
async fn a_dataset_whose_credentials_are_missing_keeps_its_users_waiting_until_they_are_there() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    let locked =
        json!({"spec": {"credentials": {"accessKeyId": {"secretKeyRef": {"name": "lake", "key": "id"}}}}});
    world.apply(with(dataset("customers", "Source"), &locked)).await;
    world.apply(export("nightly", "partner")).await;

    let told = world.until_inactive::<Export>("nightly", "DatasetNotReady").await;
    assert_eq!(
        told.message,
        format!(
            "spec.payload names the dataset customers, which isn't ready. To see why: kubectl describe dataset \
             customers -n {}",
            world.namespace
        )
    );
    let told = world
        .until_ready_says::<Dataset>("customers", "SecretNotFound")
        .await;
    assert_eq!(
        told.message,
        format!(
            "spec.credentials.accessKeyId names the Secret lake, which doesn't exist in namespace {}: create it with \
             the key id.",
            world.namespace
        )
    );
    world.apply(secret("lake", &[("id", "not-a-real-one")])).await;
    world.until_active::<Export>("nightly").await;
}

#[tokio::test]
async fn a_dataset_serves_only_what_its_role_is_for() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    world.connect(sftp_import("provider")).await;
    for (name, role) in [("refused", "Rejects"), ("sent", "State"), ("results", "Output")] {
        world.apply(dataset(name, role)).await;
    }
    let exports = [
        (
            "rows that were refused aren't sent again",
            "sends-refused",
            json!({"payload": [{"dataset": "refused"}]}),
            "spec.payload names the dataset refused of role Rejects, expected Source or Output: name another.",
        ),
        (
            "what was sent is nobody's payload",
            "sends-state",
            json!({"payload": [{"dataset": "sent"}]}),
            "spec.payload names the dataset sent of role State, expected Source or Output: name another.",
        ),
        (
            "a source is never written to",
            "rejects-to-source",
            json!({"rejects": {"dataset": "customers"}}),
            "spec.rejects names the dataset customers of role Source, expected Rejects: name another. spec.payload and \
             spec.rejects name the same dataset customers: what is read is never changed, so name another in \
             spec.rejects.",
        ),
    ];
    for (why, name, spec, expected) in exports {
        world
            .apply(with(export(name, "partner"), &json!({"spec": spec})))
            .await;
        let told = world.until_inactive::<Export>(name, "DatasetIneligible").await;
        assert_eq!(told.message, expected, "{why}");
    }
    let to_source = json!({"spec": {"input": {"dataset": "results"}, "output": {"dataset": "customers"}}});
    world
        .apply(with(enrichment("backwards", "provider"), &to_source))
        .await;
    let told = world
        .until_inactive::<Enrichment>("backwards", "DatasetIneligible")
        .await;
    assert_eq!(
        told.message,
        "spec.output names the dataset customers of role Source, expected Output: name another."
    );
    let results = json!({"spec": {"payload": [{"dataset": "results"}]}});
    world
        .apply(with(export("sends-results", "partner"), &results))
        .await;
    world.until_active::<Export>("sends-results").await;
}

#[tokio::test]
async fn a_dataset_whose_role_changes_is_judged_anew_by_its_users() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    world.apply(export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    world
        .merge::<Dataset>("customers", json!({"spec": {"role": "State"}}))
        .await;
    world
        .until_inactive::<Export>("nightly", "DatasetIneligible")
        .await;
    world
        .merge::<Dataset>("customers", json!({"spec": {"role": null}}))
        .await;
    world.until_active::<Export>("nightly").await;
}

#[tokio::test]
async fn a_second_writer_is_told_who_was_first_and_takes_over_when_the_first_is_removed() {
    let world = World::furnished().await;
    world.connect(sftp_import("provider")).await;
    world.apply(dataset("results", "Output")).await;
    let to_results = json!({"spec": {"output": {"dataset": "results"}}});
    // Both may be of one second; then the name decides, so the first is first by either.
    for name in ["a-first", "b-second"] {
        world.apply(with(enrichment(name, "provider"), &to_results)).await;
    }
    world.until_active::<Enrichment>("a-first").await;
    let told = world
        .until_inactive::<Enrichment>("b-second", "OutputTaken")
        .await;
    assert_eq!(
        told.message,
        "spec.output names the dataset results, which belongs to enrichment a-first, the older of the two: name another."
    );
    world.delete::<Enrichment>("a-first").await;
    world.until_active::<Enrichment>("b-second").await;
}

#[tokio::test]
async fn refused_rows_of_two_exports_never_share_a_dataset() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    world.apply(dataset("refused", "Rejects")).await;
    let rejects = json!({"spec": {"rejects": {"dataset": "refused"}}});
    for name in ["a-first", "b-second"] {
        world.apply(with(sftp_export(name, "partner"), &rejects)).await;
    }
    world.until_active::<Export>("a-first").await;
    let told = world.until_inactive::<Export>("b-second", "OutputTaken").await;
    assert_eq!(
        told.message,
        "spec.rejects names the dataset refused, which belongs to export a-first, the older of the two: name another."
    );
    world
        .merge::<Export>("a-first", json!({"spec": {"rejects": null}}))
        .await;
    world.until_active::<Export>("b-second").await;
}
