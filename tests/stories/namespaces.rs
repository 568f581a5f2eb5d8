//! An operator that watches listed namespaces, with rights in these alone.

use crate::chart::rendered;
use crate::support::manifests::{export, sftp};
use crate::support::operator::{Operator, own_cluster};
use crate::support::{Conditioned, World};
use connection_operator::api::{Connection, Export};
use kube::ResourceExt;
use local_cluster::{ControlPlane, Options};
use std::io::Write;
use std::process::Stdio;

/// The account of the chart's release `some-release`.
const ACCOUNT: &str = "system:serviceaccount:default:some-release-connection-operator";

/// Applies what the chart says of the operator's rights, and nothing else of it.
fn grant(control_plane: &ControlPlane, namespaces: &str) {
    let manifests = rendered(&[&format!("namespaces={namespaces}"), "crds.install=false"]).stdout;
    let manifests = String::from_utf8(manifests).expect("text");
    let rights = manifests
        .split("\n---\n")
        .filter(|manifest| manifest.contains("/templates/rbac.yaml"));
    let rights = rights.collect::<Vec<_>>().join("\n---\n");
    let mut kubectl = control_plane.kubectl();
    let piped = kubectl
        .args(["apply", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut applying = piped.spawn().expect("kubectl runs");
    let input = applying.stdin.take();
    input
        .expect("an input")
        .write_all(rights.as_bytes())
        .expect("it reads");
    assert!(applying.wait().expect("it ends").success(), "{rights}");
}

fn may(control_plane: &ControlPlane, what: &[&str]) -> bool {
    let mut kubectl = control_plane.kubectl();
    kubectl
        .args(["auth", "can-i", "--quiet", "--as", ACCOUNT])
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
    let elsewhere = World::on(client.clone()).await;
    let (one, other) = (World::on(client.clone()).await, World::on(client).await);
    for world in [&elsewhere, &one, &other] {
        world.furnish().await;
        world.apply(sftp("partner")).await;
        world.apply(export("nightly", "partner")).await;
    }
    let listed = [one.namespace.as_str(), other.namespace.as_str()];
    grant(&control_plane, &format!("{listed:?}"));
    for namespace in listed {
        assert!(may(&control_plane, &["get", "secrets", "--namespace", namespace]));
    }
    assert!(!may(
        &control_plane,
        &["get", "secrets", "--namespace", &elsewhere.namespace]
    ));
    assert!(!may(&control_plane, &["list", "connections", "--all-namespaces"]));

    let settings = [("NAMESPACES", &*listed.join(","))];
    let operator = Operator::start_as(&control_plane, ACCOUNT, None, &settings)
        .governing()
        .await;
    for world in [&one, &other] {
        world.consent("partner").await;
        world.until_active::<Export>("nightly").await;
    }
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
    other.delete::<Connection>("partner").await;
    one.until_active::<Export>("nightly").await;
    assert_eq!(operator.counted("connections_watch_errors_total", ""), 0);
    assert_eq!(operator.counted("connections_events_total", "failed"), 0);
}
