//! Whoever owns a type looks what a change would break, before making it.

use crate::support::World;
use crate::support::manifests::{connection_type, export, notice, plain_connection, with};
use connection_operator::api::{ConnectionType, Export};
use connection_operator::cli::catalog::{Outcome, Present, Request, check, types};
use jiff::Timestamp;
use kube::Api;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// What would become of what is in the test's namespace.
async fn checked(world: &World, type_: Value) -> (Outcome, String) {
    let type_: ConnectionType = serde_json::from_value(type_).expect("a type");
    let present = Present::read(&world.client, Some(&world.namespace)).await;
    check(
        &[type_.into()],
        Some(&present.expect("it can be read")),
        Timestamp::now(),
    )
}

#[tokio::test]
async fn what_a_change_would_break_is_counted_before_it_breaks() {
    let world = World::furnished().await;
    let name = world.type_name("own");
    let namespace = &world.namespace;
    world.apply(connection_type(&name)).await;
    world.connect(plain_connection("own", &name)).await;
    world.apply(export("nightly", "own")).await;
    world.until_active::<Export>("nightly").await;
    let changed = |change: &Value| with(connection_type(&name), &json!({"spec": change}));

    let found = checked(&world, changed(&json!({"description": "Said better."}))).await;
    let told = format!("{name} breaks none of 1 connections, 1 exports and 0 enrichments.\n");
    assert_eq!(found, (Outcome::Fits, told));

    let found = checked(&world, changed(&json!({"notice": notice("2")}))).await;
    let told = format!("{name}: 1 of 1 connections would need consent again:\n  {namespace}/own\n");
    assert_eq!(found, (Outcome::Breaks, told));

    let host = json!({"name": "host", "type": "Integer", "description": "A host.", "required": true, "destination": true});
    let list = json!({"name": "listId", "type": "Integer", "description": "A list.", "required": true, "example": "7"});
    let found = checked(
        &world,
        changed(&json!({"parameters": [host], "exportParameters": [list]})),
    )
    .await;
    let told = format!(
        "{name}: 1 of 1 connections would not fit it any more:\n  {namespace}/own: spec.parameters.host is \
         \"service.example\", expected a whole number without leading zeros.\n{name}: 1 of 1 exports would become \
         Inactive:\n  {namespace}/nightly: spec.parameters.listId is missing: add it, such as \"7\".\n"
    );
    assert_eq!(found, (Outcome::Breaks, told));
    world.until_active::<Export>("nightly").await; // nothing was changed by looking
}

#[tokio::test]
async fn a_namespace_that_is_not_there_has_nothing_to_break_and_is_no_answer() {
    let world = World::furnished().await;
    let error = Present::read(&world.client, Some("no-such-namespace"))
        .await
        .err();
    let told = "there is no namespace \"no-such-namespace\": correct the name after --namespace, or leave it out to look at all";
    assert_eq!(error.as_deref(), Some(told));
}

/// The exit code and the answer to a check of such a file, where there is no cluster.
fn offline(type_: &Value, flags: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("type.yaml");
    std::fs::write(&file, type_.to_string()).expect("it is written");
    let output = Command::new(env!("CARGO_BIN_EXE_connection-operator"))
        .args(["catalog", "check"])
        .args(flags)
        .arg(&file)
        .env("KUBECONFIG", "/no/such/kubeconfig")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let told = String::from_utf8(output.stdout).expect("text");
    (output.status.code(), told)
}

/// What a check adds that asked no cluster.
const UNTRIED: &str = "No cluster was asked, so the rules of the schema itself weren't checked.\n";

#[tokio::test]
async fn what_the_schema_refuses_is_told_and_nothing_is_kept_of_a_trial() {
    let world = World::furnished().await;
    let name = world.type_name("tried");
    let good = connection_type(&name);
    let tried = async |type_: &Value| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("type.yaml");
        std::fs::write(&file, type_.to_string()).expect("it is written");
        let request = Request {
            files: vec![file],
            offline: false,
            namespace: None,
        };
        let mut types = types(&request).expect("they can be read");
        for type_ in &mut types {
            type_.try_on(&world.client).await.expect("an answer");
        }
        check(&types, Some(&Present::default()), Timestamp::now())
    };
    let endpoints: Vec<String> = (0..17).map(|i| format!("host{i}.example")).collect();
    let rows = [
        (
            json!({"spec": {"endpoints": endpoints}}),
            "spec.endpoints: Too many",
        ),
        (
            json!({"spec": {"endpoints": ["evil.example#"]}}),
            "spec.endpoints[0]",
        ),
        (
            json!({"spec": {"destinations": true}}),
            ".spec.destinations: field not declared in schema",
        ),
    ];
    for (change, expected) in rows {
        let (outcome, told) = tried(&with(good.clone(), &change)).await;
        assert_eq!(outcome, Outcome::Breaks, "{change}: {told}");
        assert!(
            told.contains("The API server refuses it: ") && told.contains(expected),
            "{change}: {told}"
        );
    }
    let (outcome, told) = tried(&good).await;
    assert_eq!(outcome, Outcome::Fits, "{told}");
    let there = Api::<ConnectionType>::all(world.client.clone())
        .get_opt(&name)
        .await;
    assert!(there.expect("an answer").is_none(), "it was only tried");
}

#[test]
fn a_file_is_checked_by_itself_and_the_exit_code_tells() {
    let good = connection_type("own");
    assert_eq!(
        offline(&good, &["--offline"]),
        (Some(0), format!("own fits together.\n{UNTRIED}"))
    );
    let nowhere = with(good.clone(), &json!({"spec": {"parameters": []}}));
    let told = "own can't be used as it is:\n  spec names no place that data goes to: list its hosts in spec.endpoints, \
                or mark the parameter that names it with destination: true.\n";
    assert_eq!(
        offline(&nowhere, &["--offline"]),
        (Some(1), format!("{told}{UNTRIED}"))
    );
    let (code, told) = offline(&json!({"kind": "Secret"}), &["--offline"]);
    assert_eq!(code, Some(2), "{told}");
    assert_eq!(
        told,
        "there is no ConnectionType in these files: name one that holds one\n"
    );
    let (code, told) = offline(&good, &[]);
    assert_eq!(code, Some(2), "{told}");
    assert!(
        told.starts_with("no cluster to speak to: set KUBECONFIG"),
        "{told}"
    );
}
