//! Exports that a service would refuse are refused before anything runs.

use crate::support::World;
use crate::support::manifests::{connection_type, dataset, export, plain_connection, with};
use connection_operator::api::{Condition, Connection, Dataset, Export};
use serde_json::{Value, json};

/// A world with a connection of a type that has such terms, consented to.
async fn with_terms(terms: &Value) -> World {
    let world = World::furnished().await;
    let type_ = world.type_name("choosy");
    world
        .apply(with(connection_type(&type_), &json!({"spec": terms})))
        .await;
    world.connect(plain_connection("choosy", &type_)).await;
    world
}

impl World {
    async fn until_refused(&self, name: &str, reason: &str, says: &str) -> Condition {
        let told = self.until_inactive::<Export>(name, reason).await;
        assert!(told.message.contains(says), "{}", told.message);
        assert!(
            !told.message.contains("service.example"),
            "that is the administrators' business: {}",
            told.message
        );
        told
    }
}

/// An export of all rows.
fn whole(name: &str) -> Value {
    let payload = json!([{"dataset": "customers"}]);
    with(export(name, "choosy"), &json!({"spec": {"payload": payload}}))
}

#[tokio::test]
async fn an_export_without_the_columns_that_its_service_goes_by_waits_for_them() {
    let world =
        with_terms(&json!({"identity": {"anyOf": [{"all": ["phone"]}, {"all": ["email", "country"]}]}}))
            .await;
    world.apply(export("nightly", "choosy")).await;
    world
        .until_refused(
            "nightly",
            "IdentityMissing",
            "takes phone, or email with country: name another dataset",
        )
        .await;
    let phone = json!([{"column": "email", "holds": "email"}, {"column": "tel", "holds": "phone"}]);
    world
        .merge::<Dataset>("customers", json!({"spec": {"identity": phone}}))
        .await;
    world.until_active::<Export>("nightly").await;
    let payload = json!([{"dataset": "customers", "columns": ["email"]}]);
    world
        .merge::<Export>("nightly", json!({"spec": {"payload": payload}}))
        .await;
    world
        .until_refused("nightly", "IdentityMissing", "add tel to its columns")
        .await;
}

#[tokio::test]
async fn which_columns_a_service_goes_by_may_depend_on_what_is_chosen() {
    let key = json!({"name": "key", "type": "Enum", "description": "By what.", "values": ["Email", "Phone"], "default": "Phone"});
    let any_of = json!([
        {"all": ["email"], "when": {"parameter": "key", "value": "Email"}},
        {"all": ["phone"], "when": {"parameter": "key", "value": "Phone"}},
    ]);
    let world = with_terms(&json!({"exportParameters": [key], "identity": {"anyOf": any_of}})).await;
    world.apply(export("nightly", "choosy")).await;
    world
        .until_refused(
            "nightly",
            "IdentityMissing",
            "takes phone, as spec.parameters.key is \"Phone\" by default: set spec.parameters.key to \"Email\"",
        )
        .await;
    world
        .merge::<Export>("nightly", json!({"spec": {"parameters": {"key": "Email"}}}))
        .await;
    world.until_active::<Export>("nightly").await;
    let fixed = |key: Value| json!({"spec": {"fixedExportParameters": key}});
    world
        .merge::<Export>("nightly", json!({"spec": {"parameters": null}}))
        .await;
    world
        .merge::<Connection>("choosy", fixed(json!({"key": "Email"})))
        .await;
    world.until_active::<Export>("nightly").await;
    world
        .merge::<Connection>("choosy", fixed(json!({"key": "Phone"})))
        .await;
    world
        .until_refused(
            "nightly",
            "IdentityMissing",
            "takes phone, as its connection says by key",
        )
        .await;
}

#[tokio::test]
async fn members_and_datasets_are_counted_before_anything_runs() {
    let world =
        with_terms(&json!({"limits": {"minMembers": 100, "maxMembers": 1000, "maxDatasets": 1}})).await;
    world.apply(whole("nightly")).await;
    world.until_active::<Export>("nightly").await; // nobody says how many there are
    let members = |members: i64| json!({"spec": {"members": members}});
    world.merge::<Dataset>("customers", members(99)).await;
    world
        .until_refused("nightly", "TooFewMembers", "of 99 members, and the type")
        .await;
    world.merge::<Dataset>("customers", members(1001)).await;
    world
        .until_refused("nightly", "TooManyMembers", "1001 members would go out")
        .await;
    world.merge::<Dataset>("customers", members(1000)).await;
    world.until_active::<Export>("nightly").await;
    world.apply(dataset("more", "Source")).await;
    let payload = json!([{"dataset": "customers"}, {"dataset": "more"}]);
    world
        .merge::<Export>("nightly", json!({"spec": {"payload": payload}}))
        .await;
    world
        .until_refused("nightly", "TooManyDatasets", "2 datasets, and the type")
        .await;
}

#[tokio::test]
async fn exports_of_one_connection_share_what_its_service_takes_in_all() {
    let world = with_terms(&json!({"limits": {"maxMembers": 1000, "maxMembersPer": "Destination"}})).await;
    let sending = |name: &str, dataset: &str| {
        let payload = json!({"spec": {"payload": [{"dataset": dataset}]}});
        with(export(name, "choosy"), &payload)
    };
    for (name, members) in [("first", 600), ("second", 600)] {
        world
            .apply(with(
                dataset(name, "Source"),
                &json!({"spec": {"members": members}}),
            ))
            .await;
        world.apply(sending(name, name)).await;
    }
    world.until_active::<Export>("first").await;
    world
        .until_refused(
            "second",
            "TooManyMembers",
            "older exports on the connection send 600 already",
        )
        .await;
    world
        .merge::<Dataset>("first", json!({"spec": {"members": 400}}))
        .await;
    world.until_active::<Export>("second").await;
    world
        .merge::<Dataset>("first", json!({"spec": {"members": 500}}))
        .await;
    world.until_refused("second", "TooManyMembers", "").await;
    world
        .merge::<Export>("first", json!({"spec": {"connectionRef": null}}))
        .await;
    world.until_active::<Export>("second").await;
}

#[tokio::test]
async fn the_same_rows_are_sent_to_the_same_place_by_the_older_export_only() {
    let world = with_terms(&json!({})).await;
    world.apply(whole("a-first")).await;
    world.until_active::<Export>("a-first").await;
    world.apply(whole("b-second")).await;
    world
        .until_refused(
            "b-second",
            "DatasetSentTwice",
            "and the export a-first, the older of the two, writes the same file of it",
        )
        .await;
    world
        .merge::<Export>("b-second", json!({"spec": {"parameters": {"listId": "2"}}}))
        .await;
    world.until_active::<Export>("b-second").await;
    world
        .merge::<Export>("b-second", json!({"spec": {"parameters": {"listId": "1"}}}))
        .await;
    world.until_refused("b-second", "DatasetSentTwice", "").await;
    world
        .merge::<Export>("a-first", json!({"spec": {"parameters": {"listId": "3"}}}))
        .await;
    world.until_active::<Export>("b-second").await;
    world.until_active::<Export>("a-first").await;
    world
        .merge::<Export>("a-first", json!({"spec": {"parameters": null}}))
        .await;
    world.until_refused("b-second", "DatasetSentTwice", "").await;
    world.delete::<Export>("a-first").await;
    world.until_active::<Export>("b-second").await;
}
