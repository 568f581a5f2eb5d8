//! Contributors and their exports.

use crate::support::manifests::{connection_type, export, plain_connection, sftp, sftp_export, with};
use crate::support::{Active, World};
use connection_operator::api::{Connection, Export};
use serde_json::json;

/// An export that has chosen much of what it can choose.
fn elaborate(name: &str, connection: &str) -> serde_json::Value {
    let choices = json!({"spec": {
        "payload": [{"dataset": "customers", "columns": ["email"], "where": "country = 'DE'", "rename": {"email": "mail"}}],
        "parameters": {"subfolder": "customers/weekly", "compression": "Gzip"},
        "schedule": {"cron": "0 6 * * MON", "timeZone": "Europe/Berlin"},
    }});
    with(export(name, connection), &choices)
}

#[tokio::test]
async fn a_detached_export_keeps_its_configuration_and_comes_back_on_another_connection_of_the_same_type() {
    let world = World::furnished().await;
    world.connect(sftp("first")).await;
    world.connect(sftp("second")).await;
    world.apply(elaborate("weekly", "first")).await;
    let before = world.until_active::<Export>("weekly").await.spec;

    world
        .merge::<Export>("weekly", json!({"spec": {"connectionRef": null}}))
        .await;
    let told = world.until_inactive::<Export>("weekly", "Detached").await;
    assert_eq!(
        told.message,
        "The export is detached: it names no connection, keeps its whole configuration and does nothing. To use it \
         again, set spec.connectionRef.name."
    );
    world
        .merge::<Export>("weekly", json!({"spec": {"connectionRef": {"name": "second"}}}))
        .await;
    let mut after = world.until_active::<Export>("weekly").await.spec;
    after.connection_ref.clone_from(&before.connection_ref);
    assert_eq!(after, before, "nothing but the connection has changed");
}

#[tokio::test]
async fn an_export_moved_to_a_connection_of_another_type_hears_which_of_its_parameters_do_not_fit() {
    let world = World::furnished().await;
    let lists = world.type_name("lists");
    let asks = json!({"spec": {"exportParameters": [
        {"name": "listId", "type": "Integer", "description": "A list.", "required": true, "example": "7"},
    ]}});
    world.apply(with(connection_type(&lists), &asks)).await;
    world.connect(plain_connection("lists", &lists)).await;
    world.apply(elaborate("weekly", "lists")).await;

    let told = world
        .until_inactive::<Export>("weekly", "ParametersInvalid")
        .await;
    assert_eq!(
        told.message,
        format!(
            "Its connection is of type {lists}. spec.parameters has \"compression\", which the type doesn't know: it \
             knows listId. spec.parameters has \"subfolder\", which the type doesn't know: it knows listId. \
             spec.parameters.listId is missing: add it, such as \"7\"."
        )
    );
    let fitting = json!({"spec": {"parameters": {"subfolder": null, "compression": null, "listId": "7"}}});
    world.merge::<Export>("weekly", fitting).await;
    world.until_active::<Export>("weekly").await;
}

#[tokio::test]
async fn a_suspended_export_rests_alone_and_a_suspended_connection_stops_all_on_it() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.apply(sftp_export("weekly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    world.until_active::<Export>("weekly").await;

    world
        .merge::<Export>("weekly", json!({"spec": {"suspend": true}}))
        .await;
    let told = world.until_inactive::<Export>("weekly", "Suspended").await;
    assert_eq!(
        told.message,
        "It is suspended: nothing runs until spec.suspend is false."
    );
    world.until_active::<Export>("nightly").await;

    world
        .merge::<Connection>("partner", json!({"spec": {"suspend": true}}))
        .await;
    let told = world.until_inactive::<Export>("nightly", "Suspended").await;
    assert_eq!(
        told.message,
        "The connection partner is suspended: nothing on it runs until it is resumed."
    );

    world
        .merge::<Connection>("partner", json!({"spec": {"suspend": null}}))
        .await;
    world.until_active::<Export>("nightly").await;
    world.until_inactive::<Export>("weekly", "Suspended").await;
}

#[tokio::test]
async fn one_connection_serves_many_exports_and_counts_them() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    for i in 0..12 {
        world.apply(sftp_export(&format!("x{i:02}"), "partner")).await;
    }
    for i in 0..12 {
        world.until_active::<Export>(&format!("x{i:02}")).await;
    }
    let connection = world
        .until::<Connection>("partner", "it counts all", |connection| {
            let dependents = connection
                .status
                .as_ref()
                .and_then(|status| status.dependents.as_ref());
            dependents.is_some_and(|dependents| dependents.total == 12)
        })
        .await;
    let dependents = connection
        .status
        .and_then(|status| status.dependents)
        .expect("just seen");
    assert_eq!(
        dependents.summary,
        "12 exports (x00, x01, x02, x03, x04 and 7 more)"
    );
}

#[tokio::test]
async fn nothing_is_called_active_that_no_connector_could_send() {
    let world = World::furnished().await;
    let rows = [
        (
            "names a connector that isn't there",
            "other",
            json!({"connector": "carrier-pigeon"}),
            "needs the connector carrier-pigeon, which this installation doesn't run: ask whoever installed the operator to \
             add it to the chart's value connectors, or name a connection of another type.",
        ),
        (
            "names none",
            "none",
            json!({"connector": null}),
            "names no connector, so there is nothing yet that could run it: name a connection of another type.",
        ),
    ];
    for (why, name, connector, expected) in rows {
        let type_ = world.type_name(name);
        world
            .apply(with(connection_type(&type_), &json!({"spec": connector})))
            .await;
        world.connect(plain_connection(name, &type_)).await;
        world.apply(export(name, name)).await;
        let told = world.until_inactive::<Export>(name, "NoConnector").await;
        assert_eq!(told.message, format!("The type {type_} {expected}"), "{why}");
    }
}

#[tokio::test]
async fn an_export_may_come_before_its_connection_and_outlives_one_that_is_not_there() {
    let world = World::furnished().await;
    world.apply(export("nightly", "partner")).await;
    let told = world
        .until_inactive::<Export>("nightly", "ConnectionNotFound")
        .await;
    assert_eq!(
        told.message,
        "There is no connection partner in this namespace that this export can use: name another, or ask an administrator for one."
    );
    world.connect(sftp("partner")).await;
    world.until_active::<Export>("nightly").await;
}

#[tokio::test]
async fn an_export_does_not_choose_what_its_connection_has_fixed() {
    let world = World::furnished().await;
    let fixed = json!({"spec": {"fixedExportParameters": {"subfolder": "drop"}}});
    world.connect(with(sftp("partner"), &fixed)).await;
    world.apply(elaborate("weekly", "partner")).await;
    let told = world
        .until_inactive::<Export>("weekly", "ParametersInvalid")
        .await;
    assert_eq!(
        told.message,
        "Its connection is of type sftp-export. spec.parameters.subfolder is fixed by the connection: leave it out."
    );
    world
        .merge::<Export>("weekly", json!({"spec": {"parameters": {"subfolder": null}}}))
        .await;
    world.until_active::<Export>("weekly").await;
}

#[tokio::test]
async fn an_export_keeps_running_when_its_connection_is_no_longer_shared() {
    let world = World::furnished().await;
    let shared = json!({"spec": {"access": {"exports": "Contributors"}}});
    world.connect(with(sftp("partner"), &shared)).await;
    world.apply(export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;

    world
        .merge::<Connection>(
            "partner",
            json!({"spec": {"access": {"exports": "Administrators"}}}),
        )
        .await;
    let seen = |connection: &Connection| {
        let status = connection.status.as_ref();
        status.and_then(|status| status.observed_generation) == connection.metadata.generation
    };
    world
        .until::<Connection>("partner", "the change was seen", seen)
        .await;
    let export = world.api::<Export>().get("nightly").await.expect("it is there");
    assert!(
        export.is_active(),
        "sharing decides who may change it, not whether it runs"
    );
}
