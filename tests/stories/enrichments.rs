//! Contributors and their enrichments.

use crate::support::World;
use crate::support::manifests::{connection_type, dataset, enrichment, plain_connection, sftp_import, with};
use connection_operator::api::{Connection, Enrichment};
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
