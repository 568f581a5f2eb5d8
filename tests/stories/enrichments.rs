//! Contributors and their enrichments.

use crate::support::World;
use crate::support::manifests::{connection_type, dataset, enrichment, plain_connection, sftp_import, with};
use connection_operator::api::{Connection, Dataset, Enrichment};
use serde_json::json;

#[tokio::test]
async fn a_deactivated_enrichment_keeps_its_configuration_and_comes_back_on_another_connection_of_the_same_type()
 {
    let world = World::furnished().await;
    world.apply(dataset("firmographics", "Output")).await;
    world.connect(sftp_import("first")).await;
    world.connect(sftp_import("second")).await;
    world.apply(enrichment("firmographics", "first")).await;
    let before = world.until_active::<Enrichment>("firmographics").await.spec;

    world
        .merge::<Enrichment>("firmographics", json!({"spec": {"connectionRef": null}}))
        .await;
    let told = world
        .until_inactive::<Enrichment>("firmographics", "Detached")
        .await;
    assert_eq!(
        told.message,
        "The enrichment is deactivated: it names no connection, keeps its whole configuration and does nothing. To \
         use it again, set spec.connectionRef.name."
    );
    world
        .merge::<Enrichment>(
            "firmographics",
            json!({"spec": {"connectionRef": {"name": "second"}}}),
        )
        .await;
    let mut after = world.until_active::<Enrichment>("firmographics").await.spec;
    after.connection_ref.clone_from(&before.connection_ref);
    assert_eq!(after, before, "nothing but the connection has changed");
}

#[tokio::test]
async fn an_enrichment_moved_to_a_connection_of_another_type_hears_which_of_its_parameters_do_not_fit() {
    let world = World::furnished().await;
    world.apply(dataset("firmographics", "Output")).await;
    let lookups = world.type_name("lookups");
    let for_enrichments = json!({"spec": {"usedFor": "Enrichment"}});
    world
        .apply(with(connection_type(&lookups), &for_enrichments))
        .await;
    world.connect(plain_connection("lookups", &lookups)).await;
    world.apply(enrichment("firmographics", "lookups")).await;

    let told = world
        .until_inactive::<Enrichment>("firmographics", "ParametersInvalid")
        .await;
    assert_eq!(
        told.message,
        format!(
            "Its connection is of type {lookups}. spec.parameters has \"fileName\", which the type doesn't know: it \
             knows listId."
        )
    );
    world
        .merge::<Enrichment>("firmographics", json!({"spec": {"parameters": null}}))
        .await;
    world.until_active::<Enrichment>("firmographics").await;
}

#[tokio::test]
async fn a_suspended_enrichment_rests_alone_and_a_suspended_connection_stops_all_on_it() {
    let world = World::furnished().await;
    world.connect(sftp_import("provider")).await;
    for name in ["companies", "prospects"] {
        world.apply(dataset(name, "Output")).await;
        world.apply(enrichment(name, "provider")).await;
        world.until_active::<Enrichment>(name).await;
    }
    world
        .merge::<Enrichment>("prospects", json!({"spec": {"suspend": true}}))
        .await;
    world.until_inactive::<Enrichment>("prospects", "Suspended").await;
    world.until_active::<Enrichment>("companies").await;

    world
        .merge::<Connection>("provider", json!({"spec": {"suspend": true}}))
        .await;
    world.until_inactive::<Enrichment>("companies", "Suspended").await;
    world
        .merge::<Connection>("provider", json!({"spec": {"suspend": false}}))
        .await;
    world.until_active::<Enrichment>("companies").await;
    world.until_inactive::<Enrichment>("prospects", "Suspended").await;
}

#[tokio::test]
async fn an_output_lies_neither_among_what_is_read_nor_where_an_older_one_does() {
    let world = World::furnished().await;
    world.connect(sftp_import("provider")).await;
    world.apply(dataset("results", "Output")).await;
    world.apply(enrichment("results", "provider")).await;
    world.until_active::<Enrichment>("results").await;

    let here = |name: &str, role: &str, path: &str| {
        with(
            dataset(name, role),
            &json!({"spec": {"location": {"volume": {"path": path}}}}),
        )
    };
    world.apply(here("younger", "Output", "results")).await;
    world.apply(enrichment("younger", "provider")).await;
    let told = world.until_inactive::<Enrichment>("younger", "OutputTaken").await;
    assert_eq!(
        told.message,
        "spec.output names the dataset younger, which lies at the place of the dataset results, the older of the two: name another, or \
         ask an administrator to give it another place."
    );
    world.until_active::<Enrichment>("results").await;

    world.apply(here("folder", "Source", "./")).await;
    let told = world
        .until_inactive::<Enrichment>("results", "DatasetIneligible")
        .await;
    assert_eq!(
        told.message,
        "spec.output names the dataset results, which lies among the files of the dataset folder, and what is read is never changed: \
         name another, or ask an administrator to give it another place."
    );
    let elsewhere = |path: &str| json!({"spec": {"location": {"volume": {"path": path}}}});
    world.merge::<Dataset>("folder", elsewhere("raw")).await;
    world.until_active::<Enrichment>("results").await;
    world.merge::<Dataset>("younger", elsewhere("younger")).await;
    world.until_active::<Enrichment>("younger").await;
}
