//! The chart upgraded, uninstalled and installed again, with objects in place. Without a node: the operator's pods, and
//! the hook that takes finalizers off, are tested on one.

use super::chart;
use crate::support::manifests::{enrichment, export, sftp, sftp_import};
use crate::support::operator::Operator;
use crate::support::{World, client, manifests};
use connection_operator::api::Export;
use local_cluster::programs::HELM;
use local_cluster::{ControlPlane, Options};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

const RELEASE_NAMESPACE: &str = "connection-operator";

fn previous() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/chart/previous");
    let packages = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut packages = packages.map(|entry| entry.path());
    packages
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .expect("a chart")
}

fn helm(control_plane: &ControlPlane, arguments: &[&str]) {
    let mut helm = Command::new(HELM.path().expect("helm"));
    helm.env("KUBECONFIG", control_plane.kubeconfig_path());
    helm.args(["--namespace", RELEASE_NAMESPACE]).args(arguments);
    let answer = helm.output().expect("helm runs");
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{arguments:?}: {said}");
}

fn kubectl(control_plane: &ControlPlane, arguments: &[&str]) -> String {
    let answer = control_plane
        .kubectl()
        .args(arguments)
        .output()
        .expect("kubectl runs");
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{arguments:?}: {said}");
    String::from_utf8(answer.stdout).expect("text")
}

/// What people wrote, by kind, namespace and name: it must never change, and never be made anew.
fn written(control_plane: &ControlPlane) -> BTreeMap<String, Value> {
    let kinds = "connectiontypes,connections,exports,enrichments,datasets,secrets";
    let listed = kubectl(
        control_plane,
        &["get", kinds, "--all-namespaces", "--output=json"],
    );
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let items = listed["items"].as_array().expect("items").iter();
    let ours = items.filter(|item| item["type"] != "helm.sh/release.v1");
    let row = |item: &Value| {
        let metadata = &item["metadata"];
        let name = format!("{} {}/{}", item["kind"], metadata["namespace"], metadata["name"]);
        let kept = [
            &metadata["uid"],
            &metadata["annotations"],
            &item["spec"],
            &item["data"],
        ];
        (name, Value::from(kept.map(Value::clone).to_vec()))
    };
    ours.map(row).collect()
}

/// A world on the chart of before, in use.
async fn furnished(control_plane: &ControlPlane) -> World {
    helm(
        control_plane,
        &[
            "install",
            "first",
            &previous().to_string_lossy(),
            "--create-namespace",
        ],
    );
    kubectl(
        control_plane,
        &[
            "wait",
            "crd",
            "--all",
            "--for=condition=Established",
            "--timeout=30s",
        ],
    );
    let world = World::on(client(control_plane.kubeconfig()).await).await;
    world.furnish().await;
    world.apply(manifests::dataset("firms", "Output")).await;
    let operator = Operator::govern(control_plane).await;
    world.connect(sftp("partner")).await;
    world.apply(export("nightly", "partner")).await;
    world.connect(sftp_import("provider")).await;
    world.apply(enrichment("firms", "provider")).await;
    world.until_active::<Export>("nightly").await;
    operator.kill();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn upgraded_uninstalled_and_installed_anew_the_chart_loses_nothing_and_goes_on() {
    let start = || ControlPlane::start(Options::default()).expect("the control plane starts");
    let control_plane = tokio::task::spawn_blocking(start).await.expect("started");
    let world = furnished(&control_plane).await;
    let before = written(&control_plane);
    assert!(before.len() > 10, "{before:?}");
    let today = chart();
    let today = today.to_string_lossy();

    helm(&control_plane, &["upgrade", "first", &today]);
    assert_eq!(written(&control_plane), before, "after the upgrade");
    let operator = Operator::govern(&control_plane).await;
    world.until_active::<Export>("nightly").await;
    assert_eq!(written(&control_plane), before, "after the new operator's visit");
    operator.kill();

    helm(&control_plane, &["uninstall", "first", "--no-hooks"]);
    assert_eq!(written(&control_plane), before, "after uninstalling");
    helm(&control_plane, &["install", "second", &today, "--take-ownership"]);
    let _operator = Operator::govern(&control_plane).await;
    world.apply(export("weekly", "partner")).await;
    world.until_active::<Export>("weekly").await;
    let mut after = written(&control_plane);
    after.retain(|name, _| !name.contains("weekly"));
    assert_eq!(after, before, "after installing under another name");
}
