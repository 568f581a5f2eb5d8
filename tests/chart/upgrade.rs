//! The chart upgraded, uninstalled and installed again, with objects in place. Without a node: the operator's pods, and
//! the hook that takes finalizers off, are tested on one.

use super::chart;
use crate::stories::run_accounts::{until_account, until_kept};
use crate::support::manifests::{
    connection_type, enrichment, export, sftp, sftp_import, vault_by_run_account, with,
};
use crate::support::operator::Operator;
use crate::support::{VALUES, World, client, manifests};
use connection_operator::api::{Connection, Export};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::ResourceExt;
use local_cluster::programs::HELM;
use local_cluster::{ControlPlane, Options};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// The release and its namespace.
pub(super) const NAME: &str = "connection-operator";

fn previous() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/chart/previous");
    let packages = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut packages = packages.map(|entry| entry.path());
    packages
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .expect("a chart")
}

pub(super) fn helm(control_plane: &ControlPlane, arguments: &[&str]) {
    helm_says(control_plane, arguments);
}

pub(super) fn helm_says(control_plane: &ControlPlane, arguments: &[&str]) -> String {
    let mut helm = Command::new(HELM.path().expect("helm"));
    helm.env("KUBECONFIG", control_plane.kubeconfig_path());
    helm.args(["--namespace", NAME]).args(arguments);
    let answer = helm.output().expect("helm runs");
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{arguments:?}: {said}");
    String::from_utf8(answer.stdout).expect("text")
}

pub(super) fn kubectl(control_plane: &ControlPlane, arguments: &[&str]) -> String {
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

/// What was written before is there as it was; the catalog may have brought types besides.
fn nothing_is_lost(control_plane: &ControlPlane, before: &BTreeMap<String, Value>, when: &str) {
    let mut now = written(control_plane);
    now.retain(|name, _| before.contains_key(name));
    assert_eq!(&now, before, "{when}");
}

/// A world on the chart of before.
async fn furnished(control_plane: &ControlPlane) -> World {
    helm(
        control_plane,
        &[
            "install",
            NAME,
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
    let world = World::on(client(control_plane.kubeconfig()).await)
        .await
        .furnish()
        .await;
    let consented = json!({"metadata": {"annotations": {"connections.dev/consent": "5f0c".repeat(16)}}});
    for manifest in [
        manifests::dataset("firms", "Output"),
        connection_type("of-the-company"),
        with(sftp("partner"), &consented),
        export("nightly", "partner"),
        sftp_import("provider"),
        enrichment("firms", "provider"),
    ] {
        world.apply(manifest).await;
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn upgraded_uninstalled_and_installed_anew_the_chart_loses_nothing_and_goes_on() {
    let start = || ControlPlane::start(Options::default()).expect("the control plane starts");
    let control_plane = tokio::task::spawn_blocking(start).await.expect("started");
    let world = furnished(&control_plane).await;
    let before = written(&control_plane);
    assert!(before.len() >= 8, "{before:?}");

    control_plane
        .install_chart(&VALUES)
        .expect("the chart is upgraded");
    nothing_is_lost(&control_plane, &before, "after the upgrade");
    let operator = Operator::govern(&control_plane).await;
    world
        .until_ready_says::<Connection>("partner", "ConsentStale")
        .await;
    nothing_is_lost(&control_plane, &before, "after the new operator's visit");
    world.apply(vault_by_run_account("vault")).await;
    until_kept(&world).await;
    let account = world.api::<ServiceAccount>().get("connections-run").await;
    let account = account.expect("it is there").uid();
    operator.kill();

    helm(&control_plane, &["uninstall", NAME, "--no-hooks"]);
    nothing_is_lost(&control_plane, &before, "after uninstalling");
    let today = chart();
    let again = ["install", "second", &today.to_string_lossy(), "--take-ownership"];
    helm(
        &control_plane,
        &[&again[..], &["--set", "fullnameOverride=connection-operator"]].concat(),
    );
    let _operator = Operator::govern(&control_plane).await;
    nothing_is_lost(&control_plane, &before, "after installing under another name");
    world.consent("partner").await;
    world.until_active::<Export>("nightly").await;
    until_account(&world, "vault", "RunAccountKept").await;
    let now = world.api::<ServiceAccount>().get("connections-run").await;
    assert_eq!(
        now.expect("it is there").uid(),
        account,
        "the next one goes on with it"
    );
}
