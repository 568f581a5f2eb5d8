//! Who defines exports on a connection, and who may look at pods, sees nothing of the vault that its credentials stay in.

use super::runs::yearly;
use super::sharing::{contributors, shared_sftp, until_can_use, user};
use crate::support::manifests::with;
use crate::support::vault::{in_vault, policy, start};
use crate::support::{World, shared};
use connection_operator::api::{ConditionType, Connection, Export};
use serde_json::json;
use std::process::Command;

#[tokio::test]
async fn a_contributor_sees_nothing_of_the_vault() {
    let vault = start();
    let world = World::furnished().await;
    world
        .apply(contributors("RoleBinding", "contributors", &[user("carol")]))
        .await;
    world.link(&vault).await;
    world
        .connect(with(shared_sftp("partner"), &in_vault(&json!({}))))
        .await;
    world
        .apply(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "viewers"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [user("victor")],
        }))
        .await;
    world.apply(yearly("nightly")).await;
    world.until_active::<Export>("nightly").await;
    until_can_use(&world, "carol", "partner", true).await;
    nothing_of_it_is_seen(&world, &vault.url(), "state: Active").await;
    let seen = seen_by(&world, "victor", Some("cronjobs,jobs,pods,configmaps")).await;
    for shown in ["kind: CronJob", "mountPath: /run/connections/vaults"] {
        assert!(seen.contains(shown), "{shown}: {seen}");
    }
    is_hidden(&seen, &vault.url());

    // What goes wrong is told with names, to administrators.
    vault.edit(|data| data.policies.clear());
    let told = world
        .until_ready_says::<Connection>("partner", "AccessDenied")
        .await;
    assert!(told.message.contains("team/sftp") && told.message.contains(&vault.url()));
    world
        .until_says::<Export>("nightly", ConditionType::Attached, "ConnectionNotReady")
        .await;
    nothing_of_it_is_seen(&world, &vault.url(), "ConnectionNotReady").await;
    vault.edit(|data| data.policies = [("connections".to_owned(), policy())].into());
    world
        .until_says::<Export>("nightly", ConditionType::Attached, "ConnectionUsable")
        .await;
}

/// Reads all that a contributor may list, an export that says so among it.
async fn nothing_of_it_is_seen(world: &World, address: &str, expected: &str) {
    let seen = seen_by(world, "carol", None).await;
    for kind in ["kind: Export", "kind: SharedConnection", expected] {
        assert!(seen.contains(kind), "{kind}: {seen}");
    }
    is_hidden(&seen, address);
}

fn is_hidden(seen: &str, address: &str) {
    let authority = address.trim_start_matches("https://");
    for hidden in [
        "company-vault",
        "keyVaultRef",
        "team/sftp",
        authority,
        "appRole",
        "approle",
    ] {
        let told = seen.lines().find(|line| line.contains(hidden));
        assert_eq!(told, None, "{hidden}");
    }
}

/// What somebody may list of these kinds, or of all.
async fn seen_by(world: &World, user: &'static str, kinds: Option<&'static str>) -> String {
    let kubeconfig = world_file(world, user);
    let namespace = format!("--namespace={}", world.namespace);
    let seen = tokio::task::spawn_blocking(move || {
        let text = shared().kubeconfig_for(user, None).expect("a certificate");
        std::fs::write(&kubeconfig, text).expect("it can be written");
        let kinds = kinds.map_or_else(all_kinds, str::to_owned);
        let mut get = shared().kubectl();
        get.arg(format!("--kubeconfig={}", kubeconfig.display()));
        // What they may not list is refused beside the rest.
        output(get.args([
            "get",
            &kinds,
            &namespace,
            "--output=yaml",
            "--show-managed-fields",
        ]))
    });
    seen.await.expect("it is read")
}

fn all_kinds() -> String {
    let mut kinds = shared().kubectl();
    kinds.args(["api-resources", "--verbs=list", "--namespaced", "--output=name"]);
    let kinds = output(&mut kinds).lines().collect::<Vec<_>>().join(",");
    assert!(kinds.contains("keyvaults.connections.dev"), "{kinds}");
    kinds
}

fn world_file(world: &World, user: &str) -> std::path::PathBuf {
    shared()
        .directory()
        .join(format!("{}-{user}.kubeconfig", world.namespace))
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("kubectl runs");
    String::from_utf8(output.stdout).expect("text")
}
