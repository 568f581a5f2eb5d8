//! Administrators and their connections.

use crate::support::Conditioned;
use crate::support::World;
use crate::support::manifests::{dataset, enrichment, sftp, sftp_export, sftp_import};
use connection_operator::api::{ConditionStatus, ConditionType};
use connection_operator::api::{Connection, ConnectionType, Enrichment, Export};
use connection_operator::connection_type::catalog::connection_types;
use kube::ResourceExt;
use serde_json::json;

#[tokio::test]
async fn a_connection_is_ready_once_somebody_consented_and_its_export_becomes_active() {
    let world = World::furnished().await;
    world.apply(sftp("partner")).await;
    world.apply(sftp_export("nightly", "partner")).await;

    let asks = world
        .until_ready_says::<Connection>("partner", "ConsentRequired")
        .await;
    assert!(
        asks.message.contains("kubectl annotate connection partner"),
        "it says how to consent: {}",
        asks.message
    );
    world
        .until_ready_says::<Export>("nightly", "ConnectionNotReady")
        .await;

    world.consent("partner").await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
    let export = world.until_active::<Export>("nightly").await;
    assert_eq!(
        export.status.and_then(|status| status.type_).as_deref(),
        Some("sftp-export")
    );
}

#[tokio::test]
async fn a_connection_in_use_goes_once_its_last_user_is_detached_and_the_export_keeps_its_configuration() {
    let world = World::unrefused().await.furnish().await;
    world.apply(sftp("partner")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.apply(sftp_export("weekly", "partner")).await;
    world.consent("partner").await;
    world.until_active::<Export>("nightly").await;

    world.delete::<Connection>("partner").await;
    let waiting = world
        .until::<Connection>("partner", "waits for its users", |connection| {
            connection
                .condition(ConditionType::Deleting)
                .is_some_and(|deleting| deleting.status == ConditionStatus::True)
        })
        .await;
    let deleting = waiting.condition(ConditionType::Deleting).expect("just seen");
    assert_eq!(deleting.reason, "DependentsRemain");
    assert!(
        deleting.message.contains("2 exports (nightly, weekly)"),
        "it names them: {}",
        deleting.message
    );
    world
        .until_ready_says::<Export>("weekly", "ConnectionBeingRemoved")
        .await;

    world.delete::<Export>("weekly").await;
    world
        .merge::<Export>("nightly", json!({"spec": {"connectionRef": null}}))
        .await;
    world.until_gone::<Connection>("partner").await;
    world.until_ready_says::<Export>("nightly", "Detached").await;
    let kept = world.api::<Export>().get("nightly").await.expect("it is there");
    assert_eq!(kept.spec.payload[0].dataset.as_str(), "customers");
}

#[tokio::test]
async fn a_changed_destination_needs_consent_again_and_stops_everything_on_it() {
    let world = World::furnished().await;
    world.apply(sftp("partner")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.consent("partner").await;
    world.until_active::<Export>("nightly").await;

    world
        .merge::<Connection>(
            "partner",
            json!({"spec": {"parameters": {"hostname": "elsewhere.example"}}}),
        )
        .await;
    let told = world
        .until_ready_says::<Connection>("partner", "ConsentStale")
        .await;
    let difference = "It was for hostname \"sftp.partner.example\", where there is hostname \"elsewhere.example\" now. To read";
    assert!(told.message.contains(difference), "{}", told.message);
    world
        .until_inactive::<Export>("nightly", "ConnectionNotReady")
        .await;

    world
        .merge::<Connection>(
            "partner",
            json!({"spec": {"parameters": {"hostname": "sftp.partner.example"}}}),
        )
        .await;
    world.until_active::<Export>("nightly").await;
}

#[tokio::test]
async fn an_enrichment_runs_on_its_own_kind_of_connection_only() {
    let world = World::furnished().await;
    world.apply(dataset("firmographics", "Output")).await;
    world.apply(sftp("out")).await;
    world.apply(sftp_import("in")).await;
    world.apply(enrichment("firmographics", "out")).await;
    world.consent("in").await;

    let told = world
        .until_ready_says::<Enrichment>("firmographics", "TypeMismatch")
        .await;
    assert!(
        told.message.contains("which is for exports"),
        "it says why: {}",
        told.message
    );
    world
        .merge::<Enrichment>(
            "firmographics",
            json!({"spec": {"connectionRef": {"name": "in"}}}),
        )
        .await;
    world.until_active::<Enrichment>("firmographics").await;
}

#[tokio::test]
async fn the_catalog_is_there_and_fits_together() {
    let world = World::new().await;
    let types = kube::Api::<ConnectionType>::all(world.client.clone());
    for type_ in connection_types().expect("the catalog can be read") {
        let ready = |type_: Option<&ConnectionType>| {
            type_.is_some_and(|type_| {
                type_
                    .condition(ConditionType::Ready)
                    .is_some_and(|ready| ready.reason == "Ready")
            })
        };
        let name = type_.name_any();
        let waiting = kube::runtime::wait::await_condition(types.clone(), &name, ready);
        tokio::time::timeout(crate::support::PATIENCE, waiting)
            .await
            .expect("it becomes ready")
            .expect("the watch works");
    }
}
