//! An operator that watches listed namespaces, with rights in these alone.

use super::run_accounts::until_kept;
use super::sharing::{contributors, shared_sftp, until_can_use, user};
use crate::support::manifests::{export, sftp, vault_by_run_account};
use crate::support::operator::{OPERATOR, Operator, own_cluster};
use crate::support::{Conditioned, PATIENCE, VALUES, World};
use connection_operator::api::{Connection, Export, SharedConnection};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::Role;
use kube::ResourceExt;
use local_cluster::{ControlPlane, Options};
use serde_json::json;
use std::time::{Duration, Instant};

/// Installs the chart so that it watches these namespaces, and starts its operator.
fn watch(control_plane: &ControlPlane, worlds: &[&World]) -> Operator {
    let mut listed: Vec<&str> = worlds.iter().map(|world| world.namespace.as_str()).collect();
    listed.push("connection-operator");
    let values = [VALUES[0], &format!("namespaces={listed:?}")];
    control_plane
        .install_chart(&values)
        .expect("the chart is upgraded");
    Operator::start_with(control_plane, &[("NAMESPACES", &*listed.join(","))])
}

/// A shared connection with an export on it, working.
async fn share(world: &World) {
    let binding = contributors("RoleBinding", "contributors", &[user("carol")]);
    world.apply(binding).await;
    world.apply(shared_sftp("partner")).await;
    world.apply(export("nightly", "partner")).await;
    world.consent("partner").await;
    world.until_active::<Export>("nightly").await;
    until_can_use(world, "carol", "partner", true).await;
    world.until_used_by::<Connection>("partner", 1).await;
}

/// The administrator of the cluster, and an administrator of namespaces.
const ADMIN: &[&str] = &[];
const ADA: &[&str] = &["--as=ada"];

/// What kubectl says to somebody in this namespace, if it fails.
fn refusal(control_plane: &ControlPlane, who: &[&str], namespace: &str, what: &[&str]) -> Option<String> {
    let mut kubectl = control_plane.kubectl();
    kubectl.args(who).args(["--namespace", namespace]).args(what);
    let answer = kubectl.output().expect("kubectl runs");
    (!answer.status.success()).then(|| String::from_utf8_lossy(&answer.stderr).into_owned())
}

fn may(control_plane: &ControlPlane, what: &[&str]) -> bool {
    let mut kubectl = control_plane.kubectl();
    kubectl
        .args(["auth", "can-i", "--quiet", "--as", OPERATOR])
        .args(what);
    kubectl.status().expect("kubectl runs").success()
}

/// Who has written anything of an object.
fn writers(object: &impl ResourceExt) -> Vec<&str> {
    let fields = object.managed_fields().iter();
    fields.filter_map(|fields| fields.manager.as_deref()).collect()
}

#[tokio::test]
async fn it_works_in_the_listed_namespaces_and_neither_reads_nor_writes_elsewhere() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let elsewhere = World::on(client.clone()).await.furnish().await;
    let one = World::on(client.clone()).await.furnish().await;
    let other = World::on(client).await.furnish().await;
    let operator = watch(&control_plane, &[&one, &other]);
    for world in [&elsewhere, &one, &other] {
        let binding = contributors("RoleBinding", "contributors", &[user("carol")]);
        world.apply(binding).await;
        world.apply(shared_sftp("partner")).await;
        world.apply(export("nightly", "partner")).await;
        world.apply(vault_by_run_account("vault")).await;
    }
    for world in [&one, &other] {
        assert!(may(
            &control_plane,
            &["get", "secrets", "--namespace", &world.namespace]
        ));
    }
    assert!(!may(
        &control_plane,
        &["get", "secrets", "--namespace", &elsewhere.namespace]
    ));
    assert!(!may(&control_plane, &["list", "secrets", "--all-namespaces"]));
    assert!(!may(
        &control_plane,
        &["create", "roles", "--namespace", &elsewhere.namespace]
    ));

    for world in [&one, &other] {
        world.consent("partner").await;
        world.until_active::<Export>("nightly").await;
        until_can_use(world, "carol", "partner", true).await;
        until_kept(world).await;
    }
    until_can_use(&elsewhere, "carol", "partner", false).await;
    let account = elsewhere.api::<ServiceAccount>().get_opt("connections-run").await;
    assert!(account.expect("an answer").is_none());
    let type_ = one
        .types()
        .get("sftp-export")
        .await
        .expect("the catalog is applied");
    assert!(!type_.conditions().is_empty(), "types are cluster-wide");

    let connection = elsewhere.api::<Connection>().get("partner").await;
    assert_eq!(writers(&connection.expect("it is there")), ["person"]);
    let export = elsewhere.api::<Export>().get("nightly").await;
    assert_eq!(writers(&export.expect("it is there")), ["person"]);

    other.delete::<Export>("nightly").await;
    other.until_unused::<Connection>("partner").await;
    other.delete::<Connection>("partner").await;
    one.until_active::<Export>("nightly").await;
    assert_eq!(operator.counted("connections_watch_errors_total", ""), 0);
    assert_eq!(operator.counted("connections_events_total", "failed"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_namespace_that_is_deleted_goes_though_the_operators_role_there_went_first() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await.furnish().await;
    let _operator = watch(&control_plane, &[&world]);
    share(&world).await;
    world.apply(vault_by_run_account("vault")).await;
    until_kept(&world).await;

    // As the deletion of a namespace may do: it takes what is there in no order.
    world.delete::<Role>("connection-operator").await;
    until_unable(&control_plane, &world.namespace).await;
    world.end().await;
}

/// Waits until the API server knows that the operator has no right to Secrets of this namespace.
async fn until_unable(control_plane: &ControlPlane, namespace: &str) {
    let started = Instant::now();
    while may(control_plane, &["get", "secrets", "--namespace", namespace]) {
        assert!(started.elapsed() < PATIENCE, "never: it lacks the right");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_removed_goes_though_the_operator_has_lost_its_rights_there() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await.furnish().await;
    let _operator = watch(&control_plane, &[&world]);
    share(&world).await;
    world.delete::<Role>("connection-operator").await;
    until_unable(&control_plane, &world.namespace).await;

    world.delete::<Export>("nightly").await;
    // Its status can't be written any more, so it still says that it's in use.
    let unguard = [
        "delete",
        "validatingadmissionpolicybinding",
        "removal.connections.dev",
    ];
    assert_eq!(refusal(&control_plane, ADMIN, "default", &unguard), None);
    until_allowed(
        &control_plane,
        ADMIN,
        &world,
        &["delete", "connection", "partner", "--wait=false"],
    )
    .await;
    world.until_gone::<Connection>("partner").await;
    // What it kept for it is the garbage collector's now, which takes half a minute to hear of new kinds.
    let shared = world.api::<SharedConnection>().get_opt("partner").await;
    let shared = shared.expect("an answer");
    assert!(shared.is_none_or(|shared| shared.owner_references().len() == 1));
}

/// Tries until the API server's policies, which follow after a moment, allow it.
async fn until_allowed(control_plane: &ControlPlane, who: &[&str], world: &World, what: &[&str]) {
    let started = Instant::now();
    while let Some(said) = refusal(control_plane, who, &world.namespace, what) {
        assert!(started.elapsed() < PATIENCE, "{what:?} is never allowed: {said}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_operator_looks_no_longer_an_administrator_undoes_what_it_left_by_ordinary_rights() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let kept = World::on(client.clone()).await.furnish().await;
    let dropped = World::on(client).await.furnish().await;
    watch_for_a_while(&control_plane, [&kept, &dropped]).await;
    let _operator = watch(&control_plane, &[&kept]);

    let delete: &[&str] = &["delete", "connection", "partner", "--wait=false"];
    let unshare: &[&str] = &["delete", "role", "connections-use-partner"];
    let release: &[&str] = &[
        "patch",
        "connection",
        "partner",
        "--type=merge",
        r#"--patch={"metadata":{"finalizers":null}}"#,
    ];
    let grant: &[&str] = &[
        "create",
        "role",
        "connections-use-other",
        "--verb=get",
        "--resource=pods",
    ];
    until_allowed(&control_plane, ADA, &dropped, unshare).await;
    until_can_use(&dropped, "carol", "partner", false).await;
    until_allowed(&control_plane, ADA, &dropped, delete).await;
    until_allowed(&control_plane, ADA, &dropped, release).await;
    dropped.until_gone::<Connection>("partner").await;
    dropped.apply(shared_sftp("another")).await;
    let another = dropped.api::<Connection>().get("another").await;
    assert!(another.expect("it is there").finalizers().is_empty());

    let rows = [
        ("what is in use stays", &kept, delete, "is in use by 1 export"),
        (
            "nobody else makes one, wherever",
            &dropped,
            grant,
            "the operator keeps this",
        ),
    ];
    for (case, world, what, told) in rows {
        let said = refusal(&control_plane, ADA, &world.namespace, what).unwrap_or_default();
        assert!(said.contains(told), "{case}: {said}");
    }
}

/// Lets the operator work in both, with Ada as their administrator, and ends it.
async fn watch_for_a_while(control_plane: &ControlPlane, worlds: [&World; 2]) {
    let operator = watch(control_plane, &worlds);
    for world in worlds {
        share(world).await;
        for role in ["admin", "connections-admin"] {
            let clusterrole = format!("--clusterrole={role}");
            let bind = ["create", "rolebinding", role, &clusterrole, "--user=ada"];
            assert_eq!(refusal(control_plane, ADMIN, &world.namespace, &bind), None);
        }
    }
    operator.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_namespace_that_isnt_there_is_refused_before_anything_changes() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client.clone()).await.furnish().await;
    let going = World::on(client).await;
    let held = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "held", "finalizers": ["example.com/hold"]},
    });
    going.apply(held).await;
    let end = ["delete", "namespace", &going.namespace, "--wait=false"];
    assert_eq!(refusal(&control_plane, ADMIN, "default", &end), None);
    let operator = Operator::govern(&control_plane).await;
    let before = release(&control_plane);
    let everywhere: &[&str] = &["list", "secrets", "--all-namespaces"];
    assert!(may(&control_plane, everywhere));

    for name in ["marketin", &going.namespace] {
        let names = format!("namespaces={:?}", [&world.namespace, name]);
        let refused = control_plane.install_chart(&[VALUES[0], &names]);
        let said = refused.expect_err("it is refused").to_string();
        for told in [
            &format!("namespaces names {name}, which"),
            "kubectl create namespace",
        ] {
            assert!(said.contains(told), "{told}: {said}");
        }
    }

    assert_eq!(release(&control_plane), before);
    assert!(may(&control_plane, everywhere));
    world.connect(sftp("partner")).await;
    drop(operator);
}

/// The release's revision and state, and what Helm wrote of the operator's rights.
fn release(control_plane: &ControlPlane) -> String {
    let mut kubectl = control_plane.kubectl();
    kubectl.args(["--namespace=connection-operator", "get", "--output=name"]);
    kubectl.args(["--selector=owner=helm", "secrets"]);
    let secrets = kubectl.output().expect("kubectl runs").stdout;
    let mut kubectl = control_plane.kubectl();
    kubectl.args(["get", "--output=jsonpath={.items[*].metadata.resourceVersion}"]);
    kubectl.args([
        "--all-namespaces",
        "--selector=app.kubernetes.io/part-of=connection-operator",
    ]);
    let rights = kubectl.arg("clusterroles,clusterrolebindings,roles,rolebindings");
    let rights = rights.output().expect("kubectl runs").stdout;
    assert!(!secrets.is_empty() && !rights.is_empty());
    [secrets, rights]
        .map(|part| String::from_utf8_lossy(&part).into_owned())
        .join(" ")
}

#[tokio::test]
async fn an_event_that_goes_with_its_namespace_isnt_counted_as_lost() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await.furnish().await;
    let operator = Operator::govern(&control_plane).await;
    world.connect(sftp("partner")).await;
    let hold = json!({"metadata": {"finalizers": ["example.com/hold", "connections.dev/in-use"]}});
    world.merge::<Connection>("partner", hold).await;
    let end = ["delete", "namespace", &world.namespace, "--wait=false"];
    assert_eq!(refusal(&control_plane, ADMIN, "default", &end), None);
    let suspend = json!({"spec": {"suspend": true}});
    world.merge::<Connection>("partner", suspend).await;

    let gone = || operator.counted("connections_events_total", r#"outcome="gone""#) > 0;
    operator.until("an event goes with its namespace", gone).await;
    let failed = operator.counted("connections_events_total", r#"outcome="failed""#);
    assert_eq!(failed, 0);
}
