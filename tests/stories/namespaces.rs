//! An operator that watches listed namespaces, with rights in these alone.

use super::sharing::{contributors, shared_sftp, until_can_use, user};
use crate::support::manifests::export;
use crate::support::operator::{OPERATOR, Operator, own_cluster};
use crate::support::{Conditioned, VALUES, World};
use connection_operator::api::{Connection, Export};
use kube::ResourceExt;
use local_cluster::{ControlPlane, Options};

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
    let listed = [
        one.namespace.as_str(),
        other.namespace.as_str(),
        "connection-operator",
    ];
    let values = [VALUES[0], &format!("namespaces={listed:?}")];
    control_plane
        .install_chart(&values)
        .expect("the chart is upgraded");
    for world in [&elsewhere, &one, &other] {
        let binding = contributors("RoleBinding", "contributors", &[user("carol")]);
        world.apply(binding).await;
        world.apply(shared_sftp("partner")).await;
        world.apply(export("nightly", "partner")).await;
    }
    for namespace in listed {
        assert!(may(&control_plane, &["get", "secrets", "--namespace", namespace]));
    }
    assert!(!may(
        &control_plane,
        &["get", "secrets", "--namespace", &elsewhere.namespace]
    ));
    assert!(!may(&control_plane, &["list", "connections", "--all-namespaces"]));

    let settings = [("NAMESPACES", &*listed.join(","))];
    let operator = Operator::start_with(&control_plane, &settings);
    for world in [&one, &other] {
        world.consent("partner").await;
        world.until_active::<Export>("nightly").await;
        until_can_use(world, "carol", "partner", true).await;
    }
    until_can_use(&elsewhere, "carol", "partner", false).await;
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
