//! What may happen to a small world, one step at a time.

use crate::support::manifests::{connection_type, dataset, notice, secret, with};
use crate::support::{World, given, withdrawn};
use connection_operator::api::names::CONSENT_ANNOTATION;
use connection_operator::api::{Connection, ConnectionType};
use connection_operator::governance::consent::{Subject, required};

use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The kinds and names of all that the steps are about, in the order in which one would make them.
pub const PLACES: [(&str, &str); 11] = [
    ("Secret", "partner"),
    ("ConnectionType", "lists"),
    ("ConnectionType", "lookups"),
    ("Dataset", "customers"),
    ("Dataset", "orders"),
    ("Dataset", "results"),
    ("Connection", "first"),
    ("Connection", "second"),
    ("Export", "nightly"),
    ("Export", "weekly"),
    ("Enrichment", "companies"),
];

/// One thing that somebody does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Makes an object, or changes it: the place, and the choices that make one variant differ from another.
    Put(usize, [bool; 4]),
    /// Deletes an object.
    Delete(usize),
    /// Agrees to what a connection asks for just now.
    Consent(usize),
    /// Takes consent away.
    Withdraw(usize),
}

/// Where the connections stand in [`PLACES`].
const CONNECTIONS: std::ops::Range<usize> = 6..8;

/// Steps of any kind, more of them making than breaking.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = 0..PLACES.len();
    let step = prop_oneof![
        6 => (place.clone(), any::<[bool; 4]>()).prop_map(|(place, choices)| Step::Put(place, choices)),
        2 => place.prop_map(Step::Delete),
        3 => CONNECTIONS.prop_map(Step::Consent),
        1 => CONNECTIONS.prop_map(Step::Withdraw),
    ];
    // At first most of it is made, in any order; otherwise half of all steps would be about nothing.
    let all: Vec<usize> = (0..PLACES.len()).collect();
    let beginning = (Just(all).prop_shuffle(), any::<[[bool; 4]; 11]>()).prop_map(|(order, choices)| {
        let puts = order.into_iter().zip(choices);
        puts.map(|(place, choices)| Step::Put(place, choices))
            .collect::<Vec<_>>()
    });
    (beginning, prop::collection::vec(step, 8..24)).prop_map(|(beginning, rest)| [beginning, rest].concat())
}

/// Does one step. What the API server refuses, such as another type for a connection, has simply not happened.
pub async fn take(world: &World, step: &Step) {
    match step {
        Step::Put(place, choices) => {
            let _ = world.try_apply(&manifest(world, *place, *choices)).await;
        }
        Step::Delete(place) => {
            let api = world.place(*place);
            let _ = api.delete(&world.name_at(*place), &DeleteParams::default()).await;
        }
        Step::Consent(place) => {
            if let Some(digest) = asked_for(world, *place).await {
                annotate(world, *place, Some(&digest)).await;
            }
        }
        Step::Withdraw(place) => annotate(world, *place, None).await,
    }
}

/// Consents, or takes consent back, if the connection is there.
pub async fn annotate(world: &World, place: usize, consent: Option<&str>) {
    let (_, name) = PLACES[place];
    let connections = world.api::<Connection>();
    let Some(connection) = connections.get_opt(name).await.expect("an answer") else {
        return;
    };
    let before = connection.annotations().get(CONSENT_ANNOTATION);
    let change = match (consent, before) {
        (Some(digest), _) => given(digest),
        (None, Some(digest)) => withdrawn(digest),
        (None, None) => return,
    };
    let _ = connections
        .patch(name, &PatchParams::default(), &Patch::Merge(change))
        .await;
}

/// The digest that a connection needs as it is now, if its type is there.
pub async fn asked_for(world: &World, place: usize) -> Option<String> {
    let (_, name) = PLACES[place];
    let connection: Connection = world.api().get_opt(name).await.expect("an answer")?;
    let type_name = connection.spec.type_.as_str();
    let type_: ConnectionType = world.types().get_opt(type_name).await.expect("an answer")?;
    let subject = Subject {
        kind: "Connection",
        namespace: &world.namespace,
        name,
    };
    Some(required(subject, &connection.spec, &type_.spec).current)
}

impl World {
    /// The name of what stands at a place: types are cluster-wide, and belong to one world alone.
    pub fn name_at(&self, place: usize) -> String {
        match PLACES[place] {
            ("ConnectionType", name) => self.type_name(name),
            (_, name) => name.to_owned(),
        }
    }
}

/// One variant of what stands at a place.
fn manifest(world: &World, place: usize, [a, b, c, d]: [bool; 4]) -> Value {
    let (kind, name) = PLACES[place];
    let manifest = match kind {
        "Secret" => {
            let keys: &[(&str, &str)] = match (a, b) {
                (false, _) => &[("token", "not-a-real-one"), ("id", "x")],
                (true, false) => &[("token", ""), ("id", "x")],
                (true, true) => &[("id", "x")],
            };
            secret(name, keys)
        }
        "ConnectionType" => type_manifest(world, name, [a, b, c]),
        "Dataset" => dataset_manifest(name, [a, b]),
        "Connection" => connection_manifest(world, name, [a, b, c, d]),
        "Export" => export_manifest(name, [a, b, c, d]),
        _ => enrichment_manifest(name, [a, b, c]),
    };
    with(manifest, &json!({"metadata": {"name": world.name_at(place)}}))
}

fn type_manifest(world: &World, name: &str, [more, newer, other]: [bool; 3]) -> Value {
    let secrets = json!([{"name": "token", "kind": "Token", "description": "A token.", "destination": true}]);
    let own = if name == "lists" {
        json!({"usedFor": "Export", "secrets": secrets})
    } else {
        let row = json!([{"name": "row", "type": "Integer", "description": "A row.", "required": true}]);
        json!({"usedFor": "Enrichment", "secrets": secrets, "exportParameters": row})
    };
    let mut manifest = with(connection_type(&world.type_name(name)), &json!({"spec": own}));
    let spec = &mut manifest["spec"];
    if more {
        let account =
            json!({"name": "account", "type": "String", "description": "An account.", "required": true});
        spec["parameters"].as_array_mut().expect("a list").push(account);
    }
    if newer {
        spec["notice"] = notice("2");
    }
    if other {
        spec["connector"] = json!("carrier-pigeon");
    }
    manifest
}

fn dataset_manifest(name: &str, [locked, other_role]: [bool; 2]) -> Value {
    let role = match (name, other_role) {
        ("results", false) => "Output",
        (_, false) | ("results", true) => "Source",
        (_, true) => "Rejects",
    };
    let credentials = json!({"id": {"secretKeyRef": {"name": "partner", "key": "id"}}});
    let locked = if locked { credentials } else { Value::Null };
    with(dataset(name, role), &json!({"spec": {"credentials": locked}}))
}

fn connection_manifest(world: &World, name: &str, [lookups, elsewhere, account, rest]: [bool; 4]) -> Value {
    let type_ = world.type_name(if lookups { "lookups" } else { "lists" });
    let mut parameters = json!({"host": if elsewhere { "b.example" } else { "a.example" }});
    if account {
        parameters["account"] = json!("a1");
    }
    let mut spec = json!({
        "displayName": name, "type": type_, "parameters": parameters,
        "secrets": {"token": {"secretKeyRef": {"name": "partner", "key": "token"}}},
    });
    if rest && elsewhere {
        spec["suspend"] = json!(true);
    }
    json!({"apiVersion": "connections.dev/v1alpha1", "kind": "Connection", "spec": spec})
}

fn export_manifest(name: &str, [second, orders, results, chosen]: [bool; 4]) -> Value {
    // Each sends rows of its own: which of two may send the same ones depends on who is older.
    let rows = format!("sent = '{name}'");
    let mut payload = vec![json!({"dataset": if orders { "orders" } else { "customers" }, "where": rows})];
    if results {
        payload.push(json!({"dataset": "results", "where": rows}));
    }
    let mut spec = json!({"displayName": name, "payload": payload});
    if !(orders && chosen) {
        spec["connectionRef"] = json!({"name": if second { "second" } else { "first" }});
    }
    if chosen {
        spec["parameters"] = json!({"listId": "7"});
        spec["schedule"] = json!({"cron": "0 6 * * *"});
    }
    json!({"apiVersion": "connections.dev/v1alpha1", "kind": "Export", "spec": spec})
}

fn enrichment_manifest(name: &str, [second, orders, detached]: [bool; 3]) -> Value {
    let mut spec = json!({
        "displayName": name, "input": {"dataset": if orders { "orders" } else { "customers" }},
        "output": {"dataset": "results"}, "parameters": {"row": "1"},
    });
    if !(detached && orders) {
        spec["connectionRef"] = json!({"name": if second { "second" } else { "first" }});
    }
    json!({"apiVersion": "connections.dev/v1alpha1", "kind": "Enrichment", "spec": spec})
}

/// Whether an object is being deleted but held.
pub fn is_going(object: &kube::core::DynamicObject) -> bool {
    object.metadata.deletion_timestamp.is_some()
}
