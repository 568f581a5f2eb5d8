//! What is in use can't be lost by accident, and what nobody uses goes at once. Here the API server lets every deletion
//! through, so that the finalizer must hold what is in use.

use crate::support::manifests::{dataset, enrichment, sftp, sftp_export, sftp_import, with};
use crate::support::{Conditioned, World};
use connection_operator::api::names::IN_USE_FINALIZER;
use connection_operator::api::{Condition, ConditionStatus, ConditionType};
use connection_operator::api::{Connection, Dataset, Enrichment, Export};
use connection_operator::reconcile::Governed;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use serde_json::json;

/// Waits until an object waits for its users, and gives what it says about them.
async fn waits<K: crate::support::Kind + Conditioned>(world: &World, name: &str) -> Condition {
    let deleting = |object: &K| {
        let deleting = object.condition(ConditionType::Deleting);
        deleting.is_some_and(|deleting| deleting.status == ConditionStatus::True)
    };
    let object = world.until::<K>(name, "it waits for its users", deleting).await;
    object
        .condition(ConditionType::Deleting)
        .expect("just seen")
        .clone()
}

#[tokio::test]
async fn a_removal_names_five_users_counts_the_rest_and_ends_after_the_last() {
    let world = World::unrefused().await.furnish().await;
    world.connect(sftp("partner")).await;
    let names: Vec<String> = (0..7).map(|i| format!("x{i}")).collect();
    for name in &names {
        world.apply(sftp_export(name, "partner")).await;
    }
    for name in &names {
        world.until_active::<Export>(name).await;
    }
    world.delete::<Connection>("partner").await;
    let told = waits::<Connection>(&world, "partner").await;
    let start = "It is removed once nothing uses it any more: 7 exports (x0, x1, x2, x3, x4 and 2 more). To detach \
                 the first and keep its configuration: kubectl patch export x0 ";
    assert!(told.message.starts_with(start), "{}", told.message);

    let (last, others) = names.split_last().expect("seven");
    let off = json!({"spec": {"connectionRef": null}});
    for name in others {
        world.merge::<Export>(name, off.clone()).await;
    }
    world
        .until::<Connection>("partner", "one is left", |connection| {
            let deleting = connection.condition(ConditionType::Deleting);
            deleting.is_some_and(|deleting| deleting.message.contains("1 export (x6)"))
        })
        .await;
    world.merge::<Export>(last, off).await;
    world.until_gone::<Connection>("partner").await;
}

/// The watches don't wait for each other: that of connections may bring a deletion before another one brings who uses it.
#[tokio::test]
async fn a_connection_that_an_export_was_put_on_a_moment_ago_counts_as_used() {
    let world = World::unrefused().await.furnish().await;
    world.connect(sftp("partner")).await;
    let connection = world.until::<Connection>("partner", "it's there", |_| true).await;
    let used = || async { connection.is_still_used(&world.client).await.expect("an answer") };
    assert!(!used().await, "nothing is on it");
    world.apply(sftp_export("nightly", "partner")).await;
    world.apply(sftp_export("weekly", "another")).await;
    assert!(used().await, "an export is");
    world.delete::<Export>("nightly").await;
    assert!(!used().await, "it is gone");
    world.apply(enrichment("companies", "partner")).await;
    assert!(used().await, "an enrichment is, whether or not it can be");
}

#[tokio::test]
async fn a_dataset_in_use_is_held_until_nothing_names_it() {
    let world = World::unrefused().await.furnish().await;
    world.connect(sftp("partner")).await;
    world.connect(sftp_import("provider")).await;
    world.apply(dataset("results", "Output")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.apply(enrichment("results", "provider")).await;
    world.until_active::<Export>("nightly").await;
    world.until_active::<Enrichment>("results").await;

    world.delete::<Dataset>("customers").await;
    let told = waits::<Dataset>(&world, "customers").await;
    assert_eq!(told.reason, "DependentsRemain");
    assert_eq!(
        told.message,
        format!(
            "It is removed once nothing uses it any more: 1 export (nightly) and 1 enrichment (results). Name another \
             dataset in export nightly, or remove it: kubectl delete export nightly -n {}",
            world.namespace
        )
    );
    world
        .until_inactive::<Export>("nightly", "DatasetBeingRemoved")
        .await;
    world.delete::<Export>("nightly").await;
    world.delete::<Enrichment>("results").await;
    world.until_gone::<Dataset>("customers").await;
}

#[tokio::test]
async fn what_nobody_uses_goes_at_once() {
    let world = World::unrefused().await.furnish().await;
    world.connect(sftp("partner")).await;
    world.delete::<Connection>("partner").await;
    world.until_gone::<Connection>("partner").await;
    world.delete::<Dataset>("customers").await;
    world.until_gone::<Dataset>("customers").await;
}

#[tokio::test]
async fn what_somebody_else_holds_while_it_is_removed_runs_no_more() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    world.connect(sftp_import("provider")).await;
    let held = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    world.apply(with(sftp_export("nightly", "partner"), &held)).await;
    world.apply(dataset("results", "Output")).await;
    world.apply(with(enrichment("results", "provider"), &held)).await;
    world.until_active::<Export>("nightly").await;
    world.until_active::<Enrichment>("results").await;
    world.delete::<Export>("nightly").await;
    world.delete::<Enrichment>("results").await;
    let told = world.until_inactive::<Export>("nightly", "BeingRemoved").await;
    assert!(told.message.contains("metadata.finalizers"), "{}", told.message);
    world
        .until_inactive::<Enrichment>("results", "BeingRemoved")
        .await;
    let released = json!({"metadata": {"finalizers": null}});
    world.merge::<Export>("nightly", released.clone()).await;
    world.merge::<Enrichment>("results", released).await;
    world.until_gone::<Export>("nightly").await;
    world.until_gone::<Enrichment>("results").await;
}

#[tokio::test]
async fn a_namespace_being_deleted_goes_with_everything_in_it() {
    let world = World::unrefused().await.furnish().await;
    world.connect(sftp("partner")).await;
    world.connect(sftp_import("provider")).await;
    world.apply(dataset("results", "Output")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.apply(enrichment("results", "provider")).await;
    world.until_active::<Export>("nightly").await;
    world.until_active::<Enrichment>("results").await;
    world.delete::<Connection>("partner").await;
    waits::<Connection>(&world, "partner").await;

    world.end().await;
}

#[tokio::test]
async fn a_finalizer_is_not_taken_off_by_hand() {
    let world = World::unrefused().await.furnish().await;
    world.connect(sftp("partner")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;

    world.delete::<Connection>("partner").await;
    waits::<Connection>(&world, "partner").await;
    let off = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let refused = world
        .api::<Connection>()
        .patch("partner", &PatchParams::default(), &off)
        .await;
    let refused = refused.expect_err("it is refused").to_string();
    let told =
        "the operator takes the finalizer connections.dev/in-use off once nothing uses partner any more";
    assert!(refused.contains(told), "{refused}");
    world.delete::<Export>("nightly").await;
    world.until_gone::<Connection>("partner").await;
}

#[tokio::test]
async fn a_finalizer_taken_off_while_nothing_is_deleted_comes_back() {
    let world = World::unrefused().await.furnish().await;
    world.connect(sftp("partner")).await;
    world
        .merge::<Connection>("partner", json!({"metadata": {"finalizers": null}}))
        .await;
    world
        .until::<Connection>("partner", "it is held again", |connection| {
            connection
                .finalizers()
                .iter()
                .any(|finalizer| finalizer == IN_USE_FINALIZER)
        })
        .await;
}
