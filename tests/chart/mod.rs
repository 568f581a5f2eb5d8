//! The chart, rendered with many values, against a real API server.

use crate::support::shared;
use local_cluster::chart::OPERATOR_ACCOUNT;
use local_cluster::programs::HELM;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn chart() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("charts/connection-operator")
}

fn rendered(values: &[&str]) -> Output {
    let mut helm = Command::new(HELM.path().expect("helm"));
    helm.args(["template", "some-release"]).arg(chart());
    for value in values {
        helm.args(["--set-json", value]);
    }
    helm.output().expect("helm runs")
}

/// Asks the API server to take the manifests, strictly, without keeping them.
fn refusal(manifests: &[u8]) -> Option<String> {
    let mut kubectl = shared().kubectl();
    kubectl.args([
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--validate=strict",
        "-f",
        "-",
    ]);
    answer(&mut kubectl, manifests)
}

/// Runs a command with this input, and gives what it says if it fails.
fn answer(command: &mut Command, input: &[u8]) -> Option<String> {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().expect("it runs");
    let mut stdin = child.stdin.take().expect("an input");
    let _ = stdin.write_all(input); // not every command reads it
    drop(stdin);
    let answer = child.wait_with_output().expect("it ends");
    (!answer.status.success()).then(|| String::from_utf8_lossy(&answer.stderr).into_owned())
}

#[test]
fn whatever_the_values_the_api_server_takes_what_is_rendered() {
    let rows: [(&str, &[&str]); 8] = [
        ("as it comes", &[]),
        ("no connector", &["connectors=[]"]),
        (
            "without definitions and catalog",
            &["crds.install=false", "catalog.enabled=false"],
        ),
        (
            "logs for machines",
            &[r#"logging={"format":"json","filter":"connection_operator=debug"}"#],
        ),
        (
            "on chosen nodes",
            &[
                r#"nodeSelector={"kubernetes.io/os":"linux"}"#,
                r#"tolerations=[{"operator":"Exists"}]"#,
            ],
        ),
        ("one that leads and one that stands by", &["replicas=2"]),
        ("another name", &[r#"fullnameOverride="governor""#]),
        (
            "more at once, fewer events",
            &["concurrency=64", "events.perSecond=1"],
        ),
    ];
    for (case, values) in rows {
        let manifests = rendered(values);
        assert!(
            manifests.status.success(),
            "{case}: {}",
            String::from_utf8_lossy(&manifests.stderr)
        );
        assert_eq!(refusal(&manifests.stdout), None, "{case}");
    }
}

#[test]
fn the_operators_account_may_use_its_lease_and_no_other() {
    let one = |name: &str| format!("--field-selector=metadata.name={name}");
    let (ours, others) = (one("connection-operator"), one("other"));
    let create = ["create", "--dry-run=server", "-f", "-"];
    let lease = |name: &str| {
        format!("{{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {{name: {name}}}}}")
            .into_bytes()
    };
    let rows: [(&str, &[&str], bool); 7] = [
        ("it makes it", &create, true),
        ("it lists it by name", &["get", "leases", &ours], true),
        (
            "it watches it by name",
            &["get", "leases", &ours, "--watch-only", "--request-timeout=1s"],
            true,
        ),
        (
            "it renews it",
            &[
                "patch",
                "lease",
                "connection-operator",
                "--dry-run=server",
                "-p",
                "{}",
            ],
            true,
        ),
        (
            "it lists none by another name",
            &["get", "leases", &others],
            false,
        ),
        ("it lists not all", &["get", "leases"], false),
        (
            "it takes no other",
            &["patch", "lease", "other", "--dry-run=server", "-p", "{}"],
            false,
        ),
    ];
    for name in ["other", "connection-operator"] {
        let mut apply = shared().kubectl();
        apply.args(["--namespace=connection-operator", "apply", "-f", "-"]);
        assert_eq!(answer(&mut apply, &lease(name)), None);
    }
    for (case, arguments, may) in rows {
        let mut kubectl = shared().kubectl();
        kubectl
            .arg("--namespace=connection-operator")
            .arg(format!("--as={OPERATOR_ACCOUNT}"));
        let said = answer(kubectl.args(arguments), &lease("connection-operator-new"));
        let forbidden = said.as_ref().is_some_and(|said| said.contains("orbidden"));
        assert_eq!(!forbidden, may, "{case}: {said:?}");
    }
}

#[test]
fn values_that_mean_nothing_are_refused_with_their_name() {
    let rows = [
        ("an unknown value", "copies=3", "copies"),
        ("a number of replicas below none", "replicas=-1", "replicas"),
        ("text for a number", r#"concurrency="many""#, "concurrency"),
        (
            "a log format that isn't one",
            r#"logging={"format":"xml"}"#,
            "format",
        ),
    ];
    for (case, value, named) in rows {
        let answer = rendered(&[value]);
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert!(!answer.status.success() && said.contains(named), "{case}: {said}");
    }
}
