//! The health checks for Flux, run by a CEL engine over the fields of the object, in the order in which Flux asks.

use super::table::{Situation, rows};
use kube_cel::KubeCelExt;
use kube_cel::cel::{Context, Program, Value as CelValue};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checks {
    health_check_exprs: Vec<Check>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    api_version: String,
    kind: String,
    in_progress: String,
    failed: String,
    current: String,
}

fn checks() -> Vec<Check> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/gitops/flux/health-check-exprs.yaml"
    );
    let text = std::fs::read_to_string(path).expect("it can be read");
    let checks: Checks = serde_saphyr::from_str(&text).expect("checks");
    checks.health_check_exprs
}

/// What Flux makes of an object by these checks.
fn judged(check: &Check, object: &Value) -> &'static str {
    let observed = &object["status"]["observedGeneration"];
    if observed.is_i64() && *observed != object["metadata"]["generation"] {
        return "InProgress";
    }
    let order = [
        (&check.in_progress, "InProgress"),
        (&check.failed, "Failed"),
        (&check.current, "Current"),
    ];
    let first = order
        .into_iter()
        .find(|(expression, _)| holds(expression, object));
    first.map_or("InProgress", |(_, word)| word)
}

fn holds(expression: &str, object: &Value) -> bool {
    let mut context = Context::default().with_all();
    for (name, field) in object.as_object().expect("an object") {
        context.add_variable(name.as_str(), field).expect("a value");
    }
    let program = Program::compile(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    match program.execute(&context) {
        Ok(CelValue::Bool(holds)) => holds,
        answer => panic!("{expression} gives {answer:?} for {object:#}"),
    }
}

#[tokio::test]
async fn flux_says_of_every_kind_in_every_situation_what_the_table_says() {
    let checks = checks();
    for row in rows().await {
        let check = checks.iter().find(|check| {
            row.object["kind"] == check.kind.as_str()
                && row.object["apiVersion"] == check.api_version.as_str()
        });
        let check = check.unwrap_or_else(|| panic!("{}: there are checks for its kind", row.case));
        let word = judged(check, &row.object);
        assert_eq!(
            word,
            row.situation.flux(),
            "{}: {:#}",
            row.case,
            row.object["status"]
        );
    }
}

#[test]
fn flux_waits_for_what_the_operator_has_not_seen() {
    for check in checks().iter().filter(|check| check.kind != "ConsentRecord") {
        let unseen = json!({"metadata": {"generation": 1}, "status": {"observedGeneration": -1}});
        assert_eq!(judged(check, &unseen), Situation::Unseen.flux(), "{}", check.kind);
        let without = json!({"metadata": {"generation": 1}, "status": {}});
        assert_eq!(
            judged(check, &without),
            Situation::Unseen.flux(),
            "{}",
            check.kind
        );
    }
}
