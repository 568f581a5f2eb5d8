//! Tables of rules: a good object, a change to it, and what is said about the result: here and by the API server.

use crate::support::World;
use crate::support::manifests::with;
use http::{Method, Request};
use kube::CustomResourceExt;
use kube::core::cel::{validate_cel, validate_cel_update};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What becomes of a changed object.
pub enum Expect {
    /// It is taken.
    Accepted,
    /// The API server refuses it, in words of its own or of a policy's, and our rules don't.
    Refused(&'static str),
    /// One of our rules refuses it, in our words.
    RefusedByRule(&'static str),
}

/// A reason, a change that is merged into the good object, and what becomes of it.
pub type Row = (&'static str, Value, Expect);

/// Checks a table about objects as they are created.
pub async fn creations<K>(good: Value, rows: Vec<Row>)
where
    K: CustomResourceExt + Serialize + DeserializeOwned,
{
    let local = |changed: &K| validate_cel(changed).map_err(|errors| errors.to_string());
    let world = World::new().await;
    let mut wrong = Vec::new();
    for (why, change, expect) in rows {
        let changed = with(good.clone(), &change);
        let answer = dry_run(&world, Method::POST, &changed).await;
        let judged = match expect {
            Expect::Refused(_) => Ok(()), // perhaps not even readable: the schema refuses it before any rule
            _ => local(&read(changed)),
        };
        wrong.extend(disagreements(why, &expect, &judged, &answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks a table about objects as they are changed.
pub async fn changes<K>(good: Value, rows: Vec<Row>)
where
    K: CustomResourceExt + Serialize + DeserializeOwned,
{
    let world = World::new().await;
    let name = world.type_name("good"); // also for kinds that are cluster-wide
    let good = with(good, &serde_json::json!({"metadata": {"name": name}}));
    world.apply(good.clone()).await;
    let mut wrong = Vec::new();
    for (why, change, expect) in rows {
        let changed = with(good.clone(), &change);
        let judged = validate_cel_update::<K>(&read(changed.clone()), &read(good.clone()))
            .map_err(|errors| errors.to_string());
        let answer = dry_run(&world, Method::PATCH, &changed).await;
        wrong.extend(disagreements(why, &expect, &judged, &answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn read<K: DeserializeOwned>(manifest: Value) -> K {
    serde_json::from_value(manifest).expect("the kind can be read")
}

fn disagreements(
    why: &str,
    expect: &Expect,
    local: &Result<(), String>,
    remote: &Result<(), String>,
) -> Vec<String> {
    let judge = |place: &str, answer: &Result<(), String>, expected: Option<&str>| match (answer, expected) {
        (Ok(()), None) => None,
        (Err(said), Some(expected)) if said.contains(expected) => None,
        (answer, expected) => Some(format!("{why}: {place} said {answer:?}, expected {expected:?}")),
    };
    let (here, there) = match expect {
        Expect::Accepted => (None, None),
        Expect::Refused(words) => (None, Some(*words)),
        Expect::RefusedByRule(words) => (Some(*words), Some(*words)),
    };
    [
        judge("the rule", local, here),
        judge("the API server", remote, there),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What the API server would say, without doing it. Unknown fields are refused, as kubectl has it.
async fn dry_run(world: &World, method: Method, manifest: &Value) -> Result<(), String> {
    let kind = manifest["kind"].as_str().expect("a kind").to_lowercase();
    let collection = match kind.as_str() {
        "connectiontype" => "connectiontypes".to_owned(),
        kind => format!("namespaces/{}/{kind}s", world.namespace),
    };
    let (object, content) = match method {
        Method::PATCH => (
            format!("/{}", manifest["metadata"]["name"].as_str().expect("a name")),
            "application/merge-patch+json",
        ),
        _ => (String::new(), "application/json"),
    };
    let uri =
        format!("/apis/connections.dev/v1alpha1/{collection}{object}?dryRun=All&fieldValidation=Strict");
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", content)
        .body(serde_json::to_vec(manifest).expect("JSON"))
        .expect("a request");
    let answer = world.client.request::<Value>(request).await;
    answer.map(drop).map_err(|error| error.to_string())
}
