//! What is on connections.

#![expect(clippy::too_many_lines, reason = "tables are as long as they are")]

use super::{CAMEL, display_names, spec};
use crate::crds::table::Expect::{Accepted, Refused, RefusedByRule};
use crate::crds::table::creations;
use crate::support::manifests::{enrichment, export, with};
use connection_operator::api::{Enrichment, Export};
use serde_json::{Value, json};

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
