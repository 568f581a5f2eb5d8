//! The chart, rendered with many values, against a real API server.

mod monitoring;
mod uninstall;
mod upgrade;

use crate::support::shared;
use local_cluster::chart::OPERATOR_ACCOUNT;
use local_cluster::programs::{HELM, prometheus_operator_definitions};
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn chart() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("charts/connection-operator")
}

/// What Helm makes of the chart with these values, under the release name `some-release` in the namespace `default`.
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

/// The very kinds that Prometheus Operator defines.
fn install_prometheus_operators_kinds() {
    let folder = prometheus_operator_definitions().expect("they can be had");
    let mut kubectl = shared().kubectl();
    kubectl.args(["apply", "--server-side"]);
    for kind in ["servicemonitors", "prometheusrules"] {
        kubectl.arg("--filename");
        kubectl.arg(folder.join(format!("monitoring.coreos.com_{kind}.yaml")));
    }
    let applied = kubectl.output().expect("kubectl runs");
    assert!(
        applied.status.success(),
        "{}",
        String::from_utf8_lossy(&applied.stderr)
    );
    let mut kubectl = shared().kubectl();
    kubectl.args(["wait", "--for=condition=Established", "--timeout=30s", "crd"]);
    let waited = kubectl.args([
        "servicemonitors.monitoring.coreos.com",
        "prometheusrules.monitoring.coreos.com",
    ]);
    assert!(waited.output().expect("kubectl runs").status.success());
}

#[test]
fn every_value_is_described_and_no_other_is_taken() {
    fn look(name: &str, schema: &Value, defaults: &Value) {
        let Some(properties) = schema["properties"].as_object() else {
            return;
        };
        assert_eq!(schema["additionalProperties"], false, "{name} takes anything");
        for (key, property) in properties {
            let name = format!("{name}.{key}");
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.ends_with('.'), "{name} isn't described in a sentence");
            assert!(
                key == "global" || defaults.get(key).is_some(),
                "{name} has no default"
            );
            look(&name, property, &defaults[key]);
        }
    }
    let read = |name| std::fs::read_to_string(chart().join(name)).expect("a file");
    let schema = serde_json::from_str(&read("values.schema.json")).expect("JSON");
    let defaults = serde_saphyr::from_str(&read("values.yaml")).expect("YAML");
    look("", &schema, &defaults);
}

#[test]
fn whatever_the_values_the_api_server_takes_what_is_rendered() {
    install_prometheus_operators_kinds();
    let rows: [(&str, &[&str]); 16] = [
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
        (
            "part of the catalog",
            &[r#"catalog={"include":["marketo"],"exclude":["google-ads"]}"#],
        ),
        (
            "an account that exists",
            &[r#"serviceAccount={"create":false,"name":"governor"}"#],
        ),
        ("listed namespaces", &[r#"namespaces=["default","kube-system"]"#]),
        (
            "watched and walled in",
            &[
                r#"monitoring={"serviceMonitor":{"enabled":true,"labels":{"release":"main"}},"alerts":{"enabled":true},"dashboard":{"enabled":true}}"#,
                r#"networkPolicy={"enabled":true,"metricsFrom":[{"namespaceSelector":{}}],"apiServer":{"ports":[6443],"cidrs":["10.0.0.0/8"]},"keyVaults":{"ports":[8200],"cidrs":["10.1.0.0/16"]}}"#,
            ],
        ),
        (
            "runs walled in",
            &[r#"networkPolicy={"runs":{"namespaces":["default","kube-system"]}}"#],
        ),
        (
            "runs that reach one network alone",
            &[
                r#"networkPolicy={"apiServer":{"cidrs":["10.0.0.1/32"]},"runs":{"namespaces":["default"],"ports":[22],"cidrs":["10.1.0.0/16","fd00::/8"]}}"#,
            ],
        ),
        (
            "with vaults of its own",
            &[
                r#"keyVaults={"hosts":["vault.example.com",".vaults.example.com","10.1.0.0/16","fd00::/8"],"nodeIdentities":[{"namespace":"marketing","vaultUrl":"https://sales.vault.azure.net"}],"intervalSeconds":30,"requestsPer10Seconds":100}"#,
            ],
        ),
        (
            "labelled, annotated and spread",
            &[
                r#"commonLabels={"team":"platform"}"#,
                r#"commonAnnotations={"example.com/owner":"platform"}"#,
                r#"podLabels={"tier":"control"}"#,
                r#"podAnnotations={"example.com/scrape":"yes"}"#,
                r#"serviceAccount={"annotations":{"example.com/role":"none"}}"#,
                r#"priorityClassName="system-cluster-critical""#,
                r#"affinity={"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"preference":{"matchExpressions":[{"key":"zone","operator":"Exists"}]}}]}}"#,
                r#"topologySpreadConstraints=[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway"}]"#,
            ],
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
fn replicas_are_protected_while_nodes_are_drained_and_a_single_one_never_is() {
    let off = r#"podDisruptionBudget={"enabled":false}"#;
    let rows: [(&[&str], bool); 3] = [
        (&[], false),
        (&["replicas=2"], true),
        (&["replicas=2", off], false),
    ];
    for (values, protected) in rows {
        let manifests = String::from_utf8(rendered(values).stdout).expect("text");
        let budget = manifests.contains("kind: PodDisruptionBudget");
        assert_eq!(budget, protected, "{values:?}");
    }
}

#[test]
fn values_that_mean_nothing_are_refused_with_their_name() {
    let rows = [
        ("an unknown value", "copies=3", "copies"),
        ("a number of replicas below none", "replicas=-1", "replicas"),
        ("text for a number", r#"concurrency="many""#, "concurrency"),
        (
            "a label that is the chart's own",
            r#"commonLabels={"app.kubernetes.io/name":"other"}"#,
            "app.kubernetes.io/name",
        ),
        (
            "a label by which every role would become part of Kubernetes' own",
            r#"commonLabels={"rbac.authorization.k8s.io/aggregate-to-edit":"true"}"#,
            "rbac.authorization.k8s.io/aggregate-to-edit",
        ),
        (
            "no account where none is made",
            r#"serviceAccount={"create":false}"#,
            "serviceAccount.name",
        ),
        (
            "a vault's address in place of its host",
            r#"keyVaults={"hosts":["https://vault.example.com"]}"#,
            "hosts",
        ),
        (
            "the identity of the node for any vault",
            r#"keyVaults={"nodeIdentities":[{"namespace":"marketing","vaultUrl":"*"}]}"#,
            "nodeIdentities",
        ),
        (
            "vaults asked without a pause",
            r#"keyVaults={"intervalSeconds":0}"#,
            "intervalSeconds",
        ),
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
