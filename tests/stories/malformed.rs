//! An object that was written before a rule existed is told of and left out; the others go on.

use crate::support::manifests::{export, partner_secret, sftp, with};
use crate::support::operator::{Operator, own_cluster};
use crate::support::{PATIENCE, World, manifests};
use connection_operator::api::{Connection, Export};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::runtime::watcher::{Config, watcher};
use kube::runtime::{WatchStreamExt, wait::await_condition};
use local_cluster::Options;
use serde_json::{Value, json};
use std::time::Duration;

/// Takes the demand for a display name away, as if it had not been there from the start.
pub async fn loosen(world: &World) {
    let api: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/required";
    let patch = serde_json::from_value(json!([{"op": "remove", "path": place}])).expect("a patch");
    let loosened = api
        .patch(
            "connections.connections.dev",
            &PatchParams::default(),
            &Patch::<()>::Json(patch),
        )
        .await;
    loosened.expect("the definition is taken");
}

/// Demands a display name again.
pub async fn tighten(world: &World) {
    let api: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/required";
    let patch =
        serde_json::from_value(json!([{"op": "add", "path": place, "value": ["displayName", "type"]}]));
    let patch = Patch::<()>::Json(patch.expect("a patch"));
    let tightened = api
        .patch("connections.connections.dev", &PatchParams::default(), &patch)
        .await;
    tightened.expect("the definition is taken");
}

/// Stores an object, as soon as the API server has taken in the looser definition.
pub async fn store(world: &World, manifest: &Value) {
    let attempt = async {
        while world.try_apply(manifest).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, attempt)
        .await
        .expect("it is taken in time");
}

/// Waits for an event about the object of this name.
async fn told(world: &World, name: &str, reason: &str) -> String {
    let events = watcher(world.api::<Event>(), Config::default()).applied_objects();
    let wanted = futures::StreamExt::filter_map(events, |event| {
        let note = event.ok().filter(|event| {
            event.reason.as_deref() == Some(reason)
                && event
                    .regarding
                    .as_ref()
                    .and_then(|regarding| regarding.name.as_deref())
                    == Some(name)
        });
        std::future::ready(note.and_then(|event| event.note))
    });
    let mut wanted = Box::pin(wanted);
    let first = tokio::time::timeout(PATIENCE, futures::StreamExt::next(&mut wanted));
    first.await.expect("in time").expect("the watch goes on")
}

#[tokio::test]
async fn an_object_from_before_a_rule_is_told_of_and_can_still_be_removed_while_others_go_on() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await;
    world.apply(partner_secret()).await;
    world.apply(manifests::dataset("customers", "Source")).await;
    loosen(&world).await;
    let nameless = with(sftp("nameless"), &json!({"spec": {"displayName": null}}));
    store(&world, &nameless).await;
    let held = json!({"metadata": {"name": "held", "finalizers": ["connections.dev/in-use"]}});
    store(&world, &with(nameless, &held)).await;
    tighten(&world).await;

    let operator = Operator::govern(&control_plane).await;
    world.connect(sftp("healthy")).await;
    world.apply(export("nightly", "healthy")).await;
    world.until_active::<Export>("nightly").await;
    let note = told(&world, "nameless", "SchemaMismatch").await;
    assert!(
        note.starts_with("It doesn't fit its schema, so the operator leaves it out."),
        "{note}"
    );
    assert!(operator.counted("connections_malformed_objects_total", r#"kind="Connection""#) >= 2);

    world.apply(export("weekly", "nameless")).await;
    world
        .until_inactive::<Export>("weekly", "ConnectionNotFound")
        .await;
    // It can't be read as a Connection, by us neither.
    let api: Api<DynamicObject> = Api::namespaced_with(
        world.client.clone(),
        &world.namespace,
        &ApiResource::erase::<Connection>(&()),
    );
    for name in ["held", "nameless"] {
        api.delete(name, &kube::api::DeleteParams::default())
            .await
            .expect("the deletion is accepted");
        let gone = await_condition(api.clone(), name, |object: Option<&DynamicObject>| {
            object.is_none()
        });
        tokio::time::timeout(PATIENCE, gone)
            .await
            .expect("nothing is stuck")
            .expect("the watch works");
    }
}
