//! Objects that don't fit their schema, as those are that were written before a rule existed.

use super::{PATIENCE, World};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{Patch, PatchParams};
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
