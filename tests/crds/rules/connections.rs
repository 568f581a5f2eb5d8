//! Connections.

#![expect(clippy::too_many_lines, reason = "tables are as long as they are")]

use super::{CAMEL, ONE_SOURCE, display_names, spec};
use crate::crds::table::Expect::{Accepted, Refused, RefusedByRule};
use crate::crds::table::{changes, creations};
use crate::support::World;
use crate::support::manifests::{export, sftp};
use connection_operator::api::{Connection, Export};
use kube::ResourceExt;
use serde_json::{Value, json};

#[tokio::test]
async fn a_connection_is_refused_when_it_contradicts_its_schema() {
    let parameters = |parameters: Value| spec(&json!({"parameters": parameters}));
    let password = |source: Value| spec(&json!({"secrets": {"password": source}}));
    let many = |count: usize, value: Value| -> Value {
        (0..count)
            .map(|i| (format!("n{i}"), value.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let source = json!({"secretKeyRef": {"name": "partner", "key": "password"}});
    let vault = json!({"name": "vault", "secret": "a"});
    let in_vault = |secret: &str| {
        password(json!({"secretKeyRef": null, "keyVaultRef": {"name": "vault", "secret": secret}}))
    };
    let key = |key: &str| password(json!({"secretKeyRef": {"key": key}}));
    let object_name = |length: usize| json!({"metadata": {"name": "n".repeat(length)}});
    let mut rows = display_names();
    rows.extend([
        ("as it is", json!({}), Accepted),
        ("a name at the limit", object_name(253), Accepted),
        (
            "a name beyond",
            object_name(254),
            Refused("must be no more than 253"),
        ),
        (
            "nobody names it so",
            parameters(json!({"Host": "x"})),
            RefusedByRule(CAMEL),
        ),
        (
            "63 characters fit",
            parameters(json!({"n".repeat(63): "x"})),
            Accepted,
        ),
        (
            "64 don't",
            parameters(json!({"n".repeat(64): "x"})),
            RefusedByRule(CAMEL),
        ),
        (
            "values are texts",
            parameters(json!({"port": 22})),
            Refused("must be of type string"),
        ),
        (
            "a long value",
            parameters(json!({"hostname": "x".repeat(1024)})),
            Accepted,
        ),
        (
            "a longer one",
            parameters(json!({"hostname": "x".repeat(1025)})),
            Refused("Too long: may not be more than 1024"),
        ),
        (
            "more than any type declares",
            parameters(many(33, json!("x"))),
            Refused("must have at most 32"),
        ),
        (
            "more secrets than any type declares",
            spec(&json!({"secrets": many(9, source)})),
            Refused("must have at most 8"),
        ),
        (
            "a secret's name",
            spec(&json!({"secrets": {"pass-word": {"keyVaultRef": vault}}})),
            RefusedByRule(CAMEL),
        ),
        (
            "no source",
            password(json!({"secretKeyRef": null})),
            RefusedByRule(ONE_SOURCE),
        ),
        (
            "two sources",
            password(json!({"keyVaultRef": vault})),
            RefusedByRule(ONE_SOURCE),
        ),
        ("a key with a path", key("a/b"), Refused("should match")),
        ("no key", key(""), Refused("at least 1 chars long")),
        (
            "a secret in a folder of the vault",
            in_vault("teams/partner"),
            Accepted,
        ),
        (
            "a way out of the folder",
            in_vault("teams/../other"),
            RefusedByRule("must not step up by '..'"),
        ),
        (
            "nobody else is meant",
            spec(&json!({"access": {"exports": "Everyone"}})),
            Refused("Unsupported value"),
        ),
        (
            "a slip of the pen",
            spec(&json!({"paramaters": {}})),
            Refused("unknown field \"spec.paramaters\""),
        ),
        (
            "a type nobody can make",
            spec(&json!({"type": "SFTP"})),
            Refused("should match"),
        ),
    ]);
    creations::<Connection>(sftp("good"), rows).await;
}

#[tokio::test]
async fn a_connection_keeps_its_type() {
    let other = spec(&json!({"type": "marketo"}));
    let rows = vec![
        (
            "its users were chosen by type",
            other,
            RefusedByRule("a connection's type can't change: make another"),
        ),
        (
            "the rest is free",
            spec(&json!({"displayName": "Another", "parameters": {"folder": "/out"}})),
            Accepted,
        ),
    ];
    changes::<Connection>(sftp("good"), rows).await;
}

#[tokio::test]
async fn names_at_the_limit_work_to_the_end() {
    let world = World::unrefused().await.furnish().await;
    let name = "n".repeat(253);
    world.connect(sftp(&name)).await;
    let mut user = export(&name, &name);
    user["spec"]["displayName"] = json!("x".repeat(100));
    let mut connection = sftp(&name);
    connection["spec"]["displayName"] = json!("ש".repeat(100));
    world.apply(connection).await;
    world.apply(user).await;
    world.until_active::<Export>(&name).await;
    world.delete::<Connection>(&name).await;
    world
        .until_inactive::<Export>(&name, "ConnectionBeingRemoved")
        .await;
    let held = world.api::<Connection>().get(&name).await.expect("it is held");
    assert_eq!(held.finalizers(), ["connections.dev/in-use"]);
    world.delete::<Export>(&name).await;
    world.until_gone::<Connection>(&name).await;
}
