//! The dashboard's queries and the alerts, evaluated by Prometheus' own promtool over metrics that the operator has.

use super::chart;
use crate::support::World;
use crate::support::manifests::{export, sftp};
use crate::support::operator::{Operator, own_cluster};
use connection_operator::api::Connection;
use connection_operator::metrics::{Metrics, OfKind};
use local_cluster::programs::PROMTOOL;
use local_cluster::{ControlPlane, Options};
use prometheus_client::encoding::text::encode;
use regex::Regex;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Metrics with everything counted once that may ever be.
fn counted() -> String {
    let metrics = Metrics::default();
    for outcome in ["settled", "written", "released", "stale", "conflict", "failed"] {
        metrics.reconciled("Connection", outcome);
    }
    for outcome in ["published", "dropped", "failed", "gone"] {
        metrics.event("Connection", outcome);
    }
    let kind = OfKind {
        kind: "Connection".to_owned(),
    };
    metrics.reconcile_seconds.get_or_create(&kind).observe(0.004);
    metrics.watch_errors.get_or_create(&kind).inc();
    metrics.malformed.get_or_create(&kind).inc();
    let mut text = String::new();
    encode(&mut text, &metrics.registry()).expect("text");
    text
}

/// What an operator says of itself that governs a connection which awaits consent, and an export on it.
async fn scraped() -> (ControlPlane, String) {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await.furnish().await;
    world.apply(sftp("partner")).await;
    world.apply(export("nightly", "partner")).await;
    let operator = Operator::govern(&control_plane).await;
    world
        .until_ready_says::<Connection>("partner", "ConsentRequired")
        .await;
    operator
        .until("it has seen its own writes", || {
            let metrics = operator.metrics();
            [r#"reason="ConsentRequired""#, r#"reason="ConnectionNotReady""#]
                .iter()
                .all(|reason| metrics.contains(reason))
        })
        .await;
    let metrics = operator.metrics();
    (control_plane, metrics)
}

/// The series of metrics in the text form.
fn series(text: &str) -> BTreeSet<String> {
    let samples = text.lines().filter(|line| line.starts_with("connections_"));
    samples
        .filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned()))
        .collect()
}

/// The queries of the dashboard.
fn queries() -> Vec<String> {
    let file = chart().join("files/monitoring/dashboard.json");
    let dashboard: Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("a file")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().expect("targets"));
    targets
        .map(|target| target["expr"].as_str().expect("a query").to_owned())
        .collect()
}

/// The expressions of the alerts.
fn alerts() -> Vec<String> {
    let rules: Value = serde_saphyr::from_str(&alert_rules()).expect("YAML");
    let rules = rules["groups"][0]["rules"].as_array().expect("rules").clone();
    let expression = |rule: Value| rule["expr"].as_str().expect("an expression").to_owned();
    rules.into_iter().map(expression).collect()
}

fn alert_rules() -> String {
    std::fs::read_to_string(chart().join("files/monitoring/alerts.yaml")).expect("a file")
}

fn promtool(folder: &Path, arguments: &[&str]) {
    let mut promtool = Command::new(PROMTOOL.path().expect("promtool"));
    let answer = promtool
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it runs");
    let (told, wrong) = (&answer.stdout, &answer.stderr);
    let said = [told, wrong].map(|said| String::from_utf8_lossy(said));
    assert!(answer.status.success(), "{arguments:?}: {said:?}");
}

/// The query as an expression that is 1 if the query finds anything: without what stands for "nothing found", and
/// without the threshold of an alert.
fn finds(query: &str) -> String {
    let query = query
        .replace("$__rate_interval", "5m")
        .replace(" or vector(0)", "");
    let threshold = Regex::new(r" [<>] [0-9]+$").expect("a pattern");
    format!("count({}) > bool 0", threshold.replace(&query, ""))
}

#[tokio::test]
async fn every_query_finds_something_in_the_operators_own_metrics() {
    let (control_plane, scraped) = scraped().await;
    let series = series(&(counted() + &scraped));
    let grown: Vec<Value> = series
        .iter()
        .map(|series| json!({"series": series, "values": "1+1x60"}))
        .collect();
    let found: Vec<Value> = queries()
        .into_iter()
        .chain(alerts().into_iter().filter(|query| !query.starts_with("absent")))
        .map(|query| {
            json!({"expr": finds(&query), "eval_time": "40m", "exp_samples": [{"labels": "{}", "value": 1}]})
        })
        .collect();
    assert!(found.len() > 12, "{found:?}");
    let tests = json!({"evaluation_interval": "1m", "tests": [
        {"interval": "1m", "input_series": grown, "promql_expr_test": found},
    ]});
    let folder = control_plane.directory();
    std::fs::write(folder.join("queries.yaml"), tests.to_string()).expect("it can be written");
    promtool(folder, &["test", "rules", "queries.yaml"]);
    alerts_tell_what_they_say(folder, &series);
}

/// The alerts' unit tests, over series that the operator has.
fn alerts_tell_what_they_say(folder: &Path, real: &BTreeSet<String>) {
    let tests = include_str!("alerts_test.yaml");
    std::fs::write(folder.join("alerts.yaml"), alert_rules()).expect("it can be written");
    std::fs::write(folder.join("alerts_test.yaml"), tests).expect("it can be written");
    promtool(
        folder,
        &["check", "rules", "--lint=all", "--lint-fatal", "alerts.yaml"],
    );
    promtool(folder, &["test", "rules", "alerts_test.yaml"]);
    let real: BTreeSet<_> = real.iter().map(|series| shape(series)).collect();
    let used = Regex::new("series: '([^']+)'").expect("a pattern");
    for used in used.captures_iter(tests) {
        assert!(
            real.contains(&shape(&used[1])),
            "the operator has no {}",
            &used[1]
        );
    }
}

/// The name and the names of labels; `pod` is added by whoever collects.
fn shape(series: &str) -> (String, BTreeSet<String>) {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let label = Regex::new(r#"(\w+)=""#).expect("a pattern");
    let labels = label.captures_iter(labels).map(|label| label[1].to_owned());
    (name.to_owned(), labels.filter(|label| label != "pod").collect())
}
