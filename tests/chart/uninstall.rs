//! What the uninstall hook does, run as its own account or by hand, with objects in place.

use super::upgrade::{NAME, helm, helm_says, kubectl};
use super::{answer, chart};
use crate::stories::run_accounts::{until_kept, until_none};
use crate::stories::run_objects::until_none_left;
use crate::stories::runs::{now, only_name, request, yearly};
use crate::support::manifests::{export, sftp, vault_by_run_account};
use crate::support::operator::{Operator, own_cluster};
use crate::support::{PATIENCE, World, installed};
use connection_operator::api::{Connection, Dataset, Export};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::ResourceExt;
use local_cluster::{ControlPlane, Options};
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs what the hook of the first release runs, with the rights of this kubeconfig, and gives what it says.
fn uninstall(control_plane: &ControlPlane, kubeconfig: &str) -> Result<String, String> {
    run(
        control_plane,
        kubeconfig,
        &["--deployment=connection-operator", "--missing-ok"],
    )
}

fn run(control_plane: &ControlPlane, kubeconfig: &str, more: &[&str]) -> Result<String, String> {
    let path = control_plane.directory().join("uninstall.kubeconfig");
    std::fs::write(&path, kubeconfig).expect("it can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_connection-operator"));
    command.env("KUBECONFIG", path).args([
        "uninstall",
        "--namespace=connection-operator",
        "--release=connection-operator",
    ]);
    command.args(more);
    let answer = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&answer.stderr).into_owned();
    if answer.status.success() {
        Ok(said)
    } else {
        Err(said)
    }
}

/// The hook's account and rights, as while the hook runs.
fn hook_account(control_plane: &ControlPlane) -> String {
    let hooks = helm_says(control_plane, &["get", "hooks", NAME]);
    let mut apply = control_plane.kubectl();
    let applied = answer(
        apply.args(["apply", "--server-side", "-f", "-"]),
        hooks.as_bytes(),
    );
    assert_eq!(applied, None);
    control_plane
        .kubeconfig_for_account(NAME, "connection-operator-uninstall")
        .expect("a token")
}

/// A cluster whose operator is gone while an export uses the connection `partner`.
async fn left_in_use() -> (ControlPlane, World) {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await.furnish().await;
    let operator = Operator::govern(&control_plane).await;
    world.connect(sftp("partner")).await;
    world.apply(export("nightly", "partner")).await;
    world.until_used_by::<Connection>("partner", 1).await;
    world.apply(vault_by_run_account("vault")).await;
    until_kept(&world).await;
    operator.kill();
    (control_plane, world)
}

fn replicas(control_plane: &ControlPlane, deployment: &str) -> String {
    let output = "--output=jsonpath={.spec.replicas}";
    kubectl(
        control_plane,
        &["get", "deployment", deployment, "-n", NAME, output],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_whose_objects_another_took_over_only_stops_its_own_operator() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await.furnish().await;
    let operator = Operator::govern(&control_plane).await;
    world.connect(sftp("partner")).await;
    operator.kill();
    let today = chart();
    helm(
        &control_plane,
        &["install", "second", &today.to_string_lossy(), "--take-ownership"],
    );

    // In one namespace never two lead: the second release's operator stands for the Lease that the first one holds.
    let lease = "leases.coordination.k8s.io/connection-operator";
    let second = "--as=system:serviceaccount:connection-operator:second-connection-operator";
    let asked = ["auth", "can-i", "patch", lease, "-n", NAME, second];
    assert_eq!(kubectl(&control_plane, &asked).trim(), "yes");

    let account = hook_account(&control_plane);
    let said = uninstall(&control_plane, &account).expect("it ends well");
    assert!(said.contains("another release has taken over"), "{said}");
    let connection = world
        .api::<Connection>()
        .get("partner")
        .await
        .expect("it is there");
    assert_eq!(connection.finalizers(), ["connections.dev/in-use"]);
    assert_eq!(replicas(&control_plane, "connection-operator"), "0");
    assert_eq!(replicas(&control_plane, "second-connection-operator"), "1");
    if control_plane.mutates().expect("an answer") {
        let binding = "mutatingadmissionpolicybinding/finalizer.connections.dev";
        kubectl(&control_plane, &["get", binding]);
    }

    helm(&control_plane, &["uninstall", NAME, "--no-hooks"]);
    let release = "--output=jsonpath={.metadata.labels.app\\.kubernetes\\.io/instance}";
    let binding = "validatingadmissionpolicybinding/finalizer.connections.dev";
    assert_eq!(kubectl(&control_plane, &["get", binding, release]), "second");
    kubectl(&control_plane, &["get", "clusterrole", "connections-admin"]);
    let connection = world
        .api::<Connection>()
        .get("partner")
        .await
        .expect("it is there");
    assert_eq!(connection.finalizers(), ["connections.dev/in-use"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hook_releases_everything_and_by_hand_it_stops_at_what_a_policy_keeps() {
    let (control_plane, world) = left_in_use().await;
    let said = run(
        &control_plane,
        control_plane.kubeconfig(),
        &["--deployment=governor"],
    );
    let expected = "namespace connection-operator has no Deployment governor, so nothing was changed: name the operator's \
                    (kubectl get deployments -n connection-operator), or add --missing-ok if it is gone already";
    let said = said.expect_err("it is refused");
    assert_eq!(said.lines().last(), Some(expected));
    assert_eq!(replicas(&control_plane, "connection-operator"), "1");

    let said = uninstall(&control_plane, control_plane.kubeconfig()).expect_err("it is refused");
    let last = said.lines().last().unwrap_or_default();
    let expected = format!(
        "RoleBinding connections-run in namespace {} stays, as you may not delete it: uninstall by helm, or run `kubectl \
         delete validatingadmissionpolicybinding run-account.connections.dev` and this again",
        world.namespace
    );
    assert_eq!(last, expected);

    let held = serde_json::json!({"metadata": {"finalizers": ["connections.dev/in-use"]}});
    world.merge::<Connection>("partner", held).await;
    world.delete::<Connection>("partner").await;

    let account = hook_account(&control_plane);
    let said = uninstall(&control_plane, control_plane.kubeconfig()).expect_err("it is refused");
    let last = said.lines().last().unwrap_or_default();
    let expected = format!(
        "Connection partner in namespace {} keeps its finalizer, as it is being deleted and you may not take it off: \
         uninstall by helm, or run `kubectl delete validatingadmissionpolicybinding finalizer.connections.dev` and this \
         again",
        world.namespace
    );
    assert_eq!(last, expected);

    uninstall(&control_plane, &account).expect("the hook may");
    world.until_gone::<Connection>("partner").await;
    let dataset = world
        .api::<Dataset>()
        .get("customers")
        .await
        .expect("it is there");
    assert!(dataset.finalizers().is_empty());
    until_none(&world).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hook_ends_what_runs_and_by_hand_it_stops_at_what_a_policy_keeps() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await.furnish().await;
    let operator = Operator::govern(&control_plane).await;
    world.connect(sftp("partner")).await;
    world.apply(yearly("nightly")).await;
    world.until_active::<Export>("nightly").await;
    let schedule = only_name::<CronJob>(&world).await;
    world.merge::<Export>("nightly", request(&now())).await;
    let run = only_name::<Job>(&world).await;
    operator.kill();

    let said = uninstall(&control_plane, control_plane.kubeconfig()).expect_err("it is refused");
    let expected = format!(
        "CronJob {schedule} in namespace {} stays, as you may not delete it: uninstall by helm, or run `kubectl delete \
         validatingadmissionpolicybinding runs.connections.dev` and this again",
        world.namespace
    );
    assert_eq!(said.lines().last(), Some(expected.as_str()));
    assert_eq!(only_name::<Job>(&world).await, run);

    let account = hook_account(&control_plane);
    uninstall(&control_plane, &account).expect("the hook may");
    until_none_left::<CronJob>(&world).await;
    until_none_left::<Job>(&world).await;
    until_none_left::<Pod>(&world).await;
    until_none_left::<ConfigMap>(&world).await;
    let export = world.api::<Export>().get("nightly").await;
    assert!(export.is_ok(), "it stays: {export:?}");
    world.end().await;
}

#[test]
fn the_notes_tell_commands_that_the_api_server_takes() {
    let control_plane = installed(Options::default());
    let notes = helm_says(&control_plane, &["get", "notes", NAME]);
    let bindings = notes
        .lines()
        .map(str::trim)
        .filter(|line| line.contains("create rolebinding"));
    let bindings: Vec<String> = bindings
        .map(|line| line.replace("NAMESPACE", "default").replace("GROUP", "crm"))
        .collect();
    assert_eq!(bindings.len(), 2, "{notes}");
    for line in &bindings {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        kubectl(&control_plane, &words);
    }
    let kept = format!("helm get values {NAME} -n {NAME} -o yaml > values.yaml");
    assert!(notes.contains(&kept), "{notes}");
    for told in ["connections-viewer", "connections-auditor"] {
        assert!(notes.contains(told), "{told}: {notes}");
        kubectl(&control_plane, &["get", "clusterrole", told]);
    }
    for (verb, expected) in [("consent", "yes"), ("use", "yes")] {
        let asked = [
            "auth",
            "can-i",
            verb,
            "connections.connections.dev",
            "--namespace=default",
            "--as=ada",
            "--as-group=crm",
        ];
        assert_eq!(kubectl(&control_plane, &asked).trim(), expected, "{verb}");
    }
}

/// The block of commands in the page on operations that takes finalizers off everything.
fn documented_release() -> String {
    let page = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = std::fs::read_to_string(page).expect("a page");
    let mut blocks = page
        .split("```console\n")
        .skip(1)
        .filter_map(|block| block.split("```").next());
    blocks
        .find(|block| block.starts_with("for kind in"))
        .expect("it is documented")
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_without_the_hook_is_released_by_the_documented_commands() {
    let (control_plane, world) = left_in_use().await;
    let before =
        serde_json::json!({"metadata": {"finalizers": ["example.com/theirs", "connections.dev/in-use"]}});
    world.merge::<Dataset>("customers", before).await;
    world.delete::<Connection>("partner").await;
    helm(&control_plane, &["uninstall", NAME, "--no-hooks"]);

    let kubectl = control_plane.kubectl();
    let programs = std::path::Path::new(kubectl.get_program())
        .parent()
        .expect("a folder");
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").expect("a path")
    );
    let release = || {
        let mut bash = Command::new("bash");
        bash.env("PATH", &path)
            .env("KUBECONFIG", control_plane.kubeconfig_path());
        answer(bash.args(["-euo", "pipefail", "-c", &documented_release()]), &[])
    };
    let started = Instant::now();
    while let Some(said) = release() {
        // The policies are gone, which the API server notices a moment later.
        let policies = ["finalizer.connections.dev", "run-account.connections.dev"];
        let policy = policies.iter().any(|policy| said.contains(policy));
        assert!(policy && started.elapsed() < PATIENCE, "{said}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.until_gone::<Connection>("partner").await;
    let dataset = world
        .api::<Dataset>()
        .get("customers")
        .await
        .expect("it is there");
    assert_eq!(
        dataset.finalizers(),
        ["example.com/theirs"],
        "that of others stays"
    );
    until_none(&world).await;
}
