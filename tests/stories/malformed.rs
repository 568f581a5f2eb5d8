//! An object that was written before a rule existed is told of and left out; the others go on.

use crate::support::malformed::{loosen, store, tighten};
use crate::support::manifests::{export, partner_secret, sftp, with};
use crate::support::operator::{Operator, own_cluster};
use crate::support::{Conditioned, PATIENCE, World, manifests};
use connection_operator::api::{ConditionType, Connection, ConnectionType, Export};
use connection_operator::cli::catalog::Present;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::runtime::watcher::{Config, watcher};
use kube::runtime::{WatchStreamExt, wait::await_condition};
use local_cluster::Options;
use serde_json::json;

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

/// Lets a notice before end at a time that no clock here knows, as if no rule had ever refused it.
async fn forget_the_end_of_time(world: &World) {
    let api: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/notice/properties/previous/properties/\
                 until/x-kubernetes-validations";
    let patch = serde_json::from_value(json!([{"op": "remove", "path": place}])).expect("a patch");
    let name = "connectiontypes.connections.dev";
    let loosened = api
        .patch(name, &PatchParams::default(), &Patch::<()>::Json(patch))
        .await;
    loosened.expect("the definition is taken");
}

#[tokio::test]
async fn what_has_consent_goes_on_while_its_type_cannot_be_read_and_is_told_where() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await;
    world.apply(partner_secret()).await;
    world.apply(manifests::dataset("customers", "Source")).await;
    forget_the_end_of_time(&world).await;
    let _operator = Operator::govern(&control_plane).await;
    let type_ = world.type_name("own");
    world.apply(manifests::connection_type(&type_)).await;
    world.connect(manifests::plain_connection("own", &type_)).await;
    world.apply(export("nightly", "own")).await;
    world.until_active::<Export>("nightly").await;

    let endless = with(manifests::notice("0"), &json!({"until": "9999-12-31T23:59:59Z"}));
    let endless = json!({"spec": {"notice": {"previous": endless}}});
    store(&world, &with(manifests::connection_type(&type_), &endless)).await;
    let kept = world
        .until::<Connection>("own", "it goes on", |connection| {
            let valid = connection.condition(ConditionType::Valid);
            valid.is_some_and(|valid| valid.reason == "LastGoodType")
        })
        .await;
    let ready = kept.condition(ConditionType::Ready).expect("it is always there");
    let told = format!(
        "It goes on by what its type {type_} said before an edit that this version of the operator can't read."
    );
    assert!(ready.message.contains(&told), "{}", ready.message);
    world.until_active::<Export>("nightly").await;
    world.apply(manifests::plain_connection("new", &type_)).await;
    let waits = world.until_ready_says::<Connection>("new", "TypeNotReady").await;
    let place = format!("can't read the connection type {type_}, at spec.notice.previous.until:");
    assert!(waits.message.contains(&place), "{}", waits.message);

    let present = Present::read(&world.client, Some(&world.namespace)).await;
    let present = present.expect("the others can be read");
    assert_eq!(present.connections.len(), 2);
    let unread = format!(
        "The connectiontype {type_} can't be read by this version, at spec.notice.previous.until: it was left out."
    );
    assert_eq!(present.unread, [unread]);

    world.apply(manifests::connection_type(&type_)).await;
    let right = json!({"spec": {"notice": {"previous": null}}});
    let api: Api<DynamicObject> =
        Api::all_with(world.client.clone(), &ApiResource::erase::<ConnectionType>(&()));
    let corrected = api
        .patch(&type_, &PatchParams::default(), &Patch::Merge(right))
        .await;
    corrected.expect("it is taken");
    world
        .until::<Connection>("own", "it is as declared", |connection| {
            let valid = connection.condition(ConditionType::Valid);
            valid.is_some_and(|valid| valid.reason == "AsDeclared")
        })
        .await;
    api.delete(&type_, &kube::api::DeleteParams::default())
        .await
        .expect("the deletion is accepted");
    world.until_ready_says::<Connection>("own", "TypeNotFound").await;
}
