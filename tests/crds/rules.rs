//! What the API server refuses before anything is stored.

#![expect(clippy::too_many_lines, reason = "tables are as long as they are")]

use super::table::Expect::{Accepted, Refused, RefusedByRule};
use super::table::{Row, changes, creations};
use crate::support::World;
use crate::support::manifests::{connection_type, dataset, enrichment, export, notice, sftp, with};
use connection_operator::api::{Connection, ConnectionType, Dataset, Enrichment, Export};
use kube::ResourceExt;
use serde_json::{Value, json};

const CAMEL: &str = "a name here is in camel case, letters and digits, at most 63 of them";
const ONE_SOURCE: &str = "name exactly one source: secretKeyRef or keyVaultRef";
const ONE_LOCATION: &str = "name exactly one location: url, volume or table";
const FORMAT: &str = "files have a format, database tables have none";

fn spec(change: &Value) -> Value {
    json!({"spec": change})
}

/// What holds for the display name of every kind that has one.
fn display_names() -> Vec<Row> {
    let named = |name: &str| spec(&json!({"displayName": name}));
    vec![
        (
            "nobody finds what has no name",
            named(""),
            Refused("at least 1 chars long"),
        ),
        ("one character is a name", named("x"), Accepted),
        ("100 characters fit", named(&"x".repeat(100)), Accepted),
        (
            "a table can't show more",
            named(&"x".repeat(101)),
            Refused("Too long: may not be more than 100"),
        ),
        ("characters count, not bytes", named(&"é".repeat(100)), Accepted),
        ("any script", named("Größe 名前 🚀"), Accepted),
        ("from right to left", named("חיבור للشريك"), Accepted),
        ("only spaces can't be seen", named("   "), Refused("should match")),
        (
            "a line break would break a table",
            named("a\nb"),
            Refused("should match"),
        ),
        (
            "it has to be there",
            spec(&json!({"displayName": null})),
            Refused("spec.displayName: Required value"),
        ),
    ]
}

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
async fn an_export_is_refused_when_it_contradicts_its_schema() {
    let payload = |items: Value| spec(&json!({"payload": items}));
    let first = |item: &Value| payload(json!([with(json!({"dataset": "customers"}), item)]));
    let cron = |cron: &str| spec(&json!({"schedule": {"cron": cron}}));
    let many = |count: usize| {
        (0..count)
            .map(|i| json!({"dataset": format!("d{i}")}))
            .collect::<Value>()
    };
    let mut rows = display_names();
    rows.extend([
        ("as it is", json!({}), Accepted),
        ("detached", spec(&json!({"connectionRef": null})), Accepted),
        (
            "a reference to nothing",
            spec(&json!({"connectionRef": {"name": null}})),
            Refused("connectionRef.name: Required value"),
        ),
        (
            "no such name can be",
            spec(&json!({"connectionRef": {"name": "SFTP"}})),
            Refused("should match"),
        ),
        (
            "nothing to send",
            payload(json!([])),
            Refused("should have at least 1 items"),
        ),
        ("fifty datasets", payload(many(50)), Accepted),
        (
            "too many",
            payload(many(51)),
            Refused("must have at most 50 items"),
        ),
        (
            "the same twice",
            payload(json!([{"dataset": "a"}, {"dataset": "a"}])),
            Refused("Duplicate value"),
        ),
        (
            "any column's name",
            first(&json!({"columns": ["größe", "a b"]})),
            Accepted,
        ),
        (
            "a column without name",
            first(&json!({"columns": [""]})),
            Refused("at least 1 chars long"),
        ),
        (
            "too many columns",
            first(&json!({"columns": vec!["c"; 501]})),
            Refused("must have at most 500 items"),
        ),
        (
            "a long name to rename",
            first(&json!({"rename": {"n".repeat(129): "x"}})),
            RefusedByRule("at most 128 characters"),
        ),
        (
            "an empty condition",
            first(&json!({"where": ""})),
            Refused("at least 1 chars long"),
        ),
        (
            "a novel",
            first(&json!({"where": "x".repeat(4097)})),
            Refused("Too long: may not be more than 4096"),
        ),
        ("an empty cron", cron(""), Refused("at least 1 chars long")),
        (
            "a long cron",
            cron(&"*".repeat(257)),
            Refused("Too long: may not be more than 256"),
        ),
        (
            "what has been sent must be kept",
            spec(&json!({"mode": "Incremental"})),
            RefusedByRule("name a dataset of role State in spec.state.dataset"),
        ),
        (
            "kept",
            spec(&json!({"mode": "Incremental", "state": {"dataset": "sent"}})),
            Accepted,
        ),
        (
            "no such mode",
            spec(&json!({"mode": "Delta"})),
            Refused("Unsupported value"),
        ),
        (
            "a slip of the pen",
            spec(&json!({"schedul": {}})),
            Refused("unknown field \"spec.schedul\""),
        ),
        (
            "a parameter's name",
            spec(&json!({"parameters": {"list-id": "1"}})),
            RefusedByRule(CAMEL),
        ),
    ]);
    creations::<Export>(export("good", "partner"), rows).await;
}

#[tokio::test]
async fn an_enrichment_is_refused_when_it_contradicts_its_schema() {
    let same = spec(&json!({"output": {"dataset": "customers"}}));
    let mut rows = display_names();
    rows.extend([
        ("as it is", json!({}), Accepted),
        ("deactivated", spec(&json!({"connectionRef": null})), Accepted),
        (
            "its input would change",
            same,
            RefusedByRule("an enrichment never changes its input"),
        ),
        (
            "results need a place",
            spec(&json!({"output": null})),
            Refused("spec.output: Required value"),
        ),
        (
            "a long field",
            spec(&json!({"input": {"mapping": {"n".repeat(129): "x"}}})),
            RefusedByRule("at most 128 characters"),
        ),
        (
            "a parameter's name",
            spec(&json!({"parameters": {"File": "1"}})),
            RefusedByRule(CAMEL),
        ),
        (
            "a slip of the pen",
            spec(&json!({"inputs": {}})),
            Refused("unknown field \"spec.inputs\""),
        ),
    ]);
    creations::<Enrichment>(enrichment("good", "provider"), rows).await;
}

#[tokio::test]
async fn a_dataset_is_refused_when_its_location_or_format_can_not_be() {
    let volume = json!({"claimName": "data", "path": "a.csv"});
    let table = json!({"engine": "PostgreSQL", "host": "db.example", "database": "shop", "name": "t"});
    let at = |url: &str| spec(&json!({"location": {"url": url}}));
    let on =
        |path: &str| spec(&json!({"location": {"url": null, "volume": {"claimName": "data", "path": path}}}));
    let in_table = |change: &Value| {
        let table = with(table.clone(), change);
        spec(&json!({"location": {"url": null, "table": table}, "format": null}))
    };
    let up = "must not step up by '..'";
    let rows = vec![
        ("as it is", json!({}), Accepted),
        (
            "nowhere",
            spec(&json!({"location": {"url": null}})),
            RefusedByRule(ONE_LOCATION),
        ),
        (
            "in two places",
            spec(&json!({"location": {"volume": volume}})),
            RefusedByRule(ONE_LOCATION),
        ),
        ("an object store", at("az://container/a.parquet"), Accepted),
        ("a web server", at("https://data.example/a.parquet"), Accepted),
        (
            "in the clear",
            at("http://data.example/a"),
            Refused("should match"),
        ),
        (
            "a file of the node",
            at("file:///etc/passwd"),
            Refused("should match"),
        ),
        (
            "a password in sight",
            at("https://user:secret@data.example/a"),
            Refused("should match"),
        ),
        (
            "a signature in sight",
            at("https://data.example/a?sig=secret"),
            Refused("should match"),
        ),
        ("no host", at("https:///a"), Refused("should match")),
        ("up", at("s3://bucket/a/../../b"), RefusedByRule(up)),
        ("up at the end", at("s3://bucket/.."), RefusedByRule(up)),
        (
            "up in disguise",
            at("https://data.example/a/%2E%2e/b"),
            RefusedByRule(up),
        ),
        (
            "a slash in disguise",
            at("https://data.example\\..\\b"),
            Refused("should match"),
        ),
        ("two dots in a name", at("s3://bucket/a..b"), Accepted),
        (
            "a long url",
            at(&format!("s3://bucket/{}", "x".repeat(1024))),
            Refused("Too long: may not be more than 1024"),
        ),
        ("files on a claim", on("a/b.csv"), Accepted),
        ("from the root", on("/etc/passwd"), Refused("should match")),
        ("up and out", on("../other"), RefusedByRule(up)),
        ("up between", on("a/../../other"), RefusedByRule(up)),
        ("dots in a name", on("a../b"), Accepted),
        ("a database table", in_table(&json!({})), Accepted),
        (
            "a host with a password",
            in_table(&json!({"host": "user:pw@db.example"})),
            Refused("should match"),
        ),
        (
            "no such port",
            in_table(&json!({"port": 65536})),
            Refused("should be less than or equal to 65535"),
        ),
        (
            "files without format",
            spec(&json!({"format": null})),
            RefusedByRule(FORMAT),
        ),
        (
            "a table with format",
            spec(&json!({"location": {"url": null, "table": table}})),
            RefusedByRule(FORMAT),
        ),
        (
            "options of another format",
            spec(&json!({"format": {"csv": {"delimiter": ";"}}})),
            RefusedByRule("csv options belong to the format CSV"),
        ),
        (
            "no such format",
            spec(&json!({"format": {"type": "XLSX"}})),
            Refused("Unsupported value"),
        ),
        (
            "one separator",
            spec(&json!({"format": {"type": "CSV", "csv": {"delimiter": ";;"}}})),
            Refused("Too long"),
        ),
        (
            "a column that is two things",
            spec(&json!({"identity": [
            {"column": "a", "holds": "email"}, {"column": "a", "holds": "phone"}]})),
            Refused("Duplicate value"),
        ),
        (
            "no source",
            spec(&json!({"credentials": {"id": {}}})),
            RefusedByRule(ONE_SOURCE),
        ),
        (
            "a credential's name",
            spec(&json!({"credentials": {"a-b": {"keyVaultRef": {"name": "v", "secret": "s"}}}})),
            RefusedByRule(CAMEL),
        ),
        (
            "no such role",
            spec(&json!({"role": "Sink"})),
            Refused("Unsupported value"),
        ),
    ];
    creations::<Dataset>(dataset("good", "Source"), rows).await;
}

#[tokio::test]
async fn a_connection_type_is_refused_when_a_declaration_contradicts_itself() {
    let parameter = |change: &Value| {
        let parameter = json!({"name": "host", "type": "String", "description": "A host."});
        spec(&json!({"parameters": [with(parameter, change)]}))
    };
    let same = json!([{"name": "a", "type": "String", "description": "A."}, {"name": "a", "type": "Boolean", "description": "A."}]);
    let rows = vec![
        ("as it is", json!({}), Accepted),
        (
            "an Enum of nothing",
            parameter(&json!({"type": "Enum"})),
            RefusedByRule("has values exactly if its type is Enum"),
        ),
        (
            "values of a String",
            parameter(&json!({"values": ["a"]})),
            RefusedByRule("has values exactly if its type is Enum"),
        ),
        (
            "the pattern of a number",
            parameter(&json!({"type": "Integer", "pattern": "x"})),
            RefusedByRule("only a String parameter has a pattern"),
        ),
        (
            "the least String",
            parameter(&json!({"min": 1})),
            RefusedByRule("only an Integer parameter has min or max"),
        ),
        (
            "required, but not",
            parameter(&json!({"required": true, "default": "x"})),
            RefusedByRule("a required parameter has no default"),
        ),
        (
            "a name nobody could write",
            parameter(&json!({"name": "list-id"})),
            Refused("should match"),
        ),
        (
            "two of one name",
            spec(&json!({"parameters": same})),
            Refused("Duplicate value"),
        ),
        (
            "a notice without recipient",
            spec(&json!({"notice": {"recipient": null}})),
            Refused("notice.recipient: Required value"),
        ),
        (
            "a link in the clear",
            spec(&json!({"notice": {"privacyStatement": "http://service.example"}})),
            Refused("should match"),
        ),
        (
            "a use of its own",
            spec(&json!({"usedFor": "Both"})),
            Refused("Unsupported value"),
        ),
        (
            "hosts only",
            spec(&json!({"endpoints": ["https://api.example"]})),
            Refused("should match"),
        ),
    ];
    creations::<ConnectionType>(connection_type("good"), rows).await;
}

#[tokio::test]
async fn a_connection_type_keeps_its_use_and_its_notice_changes_with_its_version() {
    let rows = vec![
        (
            "its connections are used so",
            spec(&json!({"usedFor": "Enrichment"})),
            RefusedByRule("usedFor can't change: make another"),
        ),
        (
            "what people agreed to",
            spec(&json!({"notice": {"data": "More leaves."}})),
            RefusedByRule("raise notice.version"),
        ),
        ("a new wording", spec(&json!({"notice": notice("2")})), Accepted),
        (
            "how long the old one counts",
            spec(
                &json!({"notice": {"previous": with(notice("0"), &json!({"until": "2030-01-01T00:00:00Z"}))}}),
            ),
            Accepted,
        ),
    ];
    changes::<ConnectionType>(connection_type("good"), rows).await;
}

#[tokio::test]
async fn names_at_the_limit_work_to_the_end() {
    let world = World::furnished().await;
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
