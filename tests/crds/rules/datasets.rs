//! Datasets.

#![expect(clippy::too_many_lines, reason = "tables are as long as they are")]

use super::{CAMEL, ONE_SOURCE, spec};
use crate::crds::table::Expect::{Accepted, Refused, RefusedByRule};
use crate::crds::table::creations;
use crate::support::manifests::{dataset, with};
use connection_operator::api::Dataset;
use serde_json::{Value, json};

const ONE_LOCATION: &str = "name exactly one location: url, volume or table";
const FORMAT: &str = "files have a format, database tables have none";

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
        ("nobody in it", spec(&json!({"members": 0})), Accepted),
        (
            "less than nobody",
            spec(&json!({"members": -1})),
            Refused("should be greater than or equal to 0"),
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
    let location = json!({"url": "s3://warehouse/good", "volume": null});
    let good = with(dataset("good", "Source"), &spec(&json!({"location": location})));
    creations::<Dataset>(good, rows).await;
}
