//! What the policies cost a contributor who makes an export.

use super::governed;
use crate::Outcome;
use crate::account::client;
use crate::measures::{median, p99};
use crate::report::Must::AtMost;
use crate::report::Report;
use crate::world::{CONTRIBUTOR, export_on, install_definitions};
use connection_operator::api::Export;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::PostParams;
use kube::{Api, Client};
use local_cluster::{ControlPlane, Options};
use serde_json::json;
use std::time::{Duration, Instant};

const NAMESPACE: &str = "default";
const CONNECTION: &str = "partner";
/// Exports that are timed on each side, and those before that aren't.
const TRIES: usize = 300;
const WARMING: usize = 30;
/// Longer than rights and policies take to hold.
const PATIENCE: Duration = Duration::from_secs(30);

/// An API server, and a contributor's way to it.
struct Side {
    exports: Api<Export>,
    _control_plane: ControlPlane,
}

/// The same exports made by the same contributor on two API servers, one with the chart, one with the definitions of
/// our kinds alone. Policies take up to a second to come or go, so no single server can be asked in turn.
pub async fn admission(report: &mut Report) -> Outcome<()> {
    println!("== exports, with policies and without");
    let with = Side::of(tokio::task::spawn_blocking(|| governed(Options::default())).await??).await?;
    let plain = tokio::task::spawn_blocking(|| ControlPlane::start(Options::default())).await??;
    install_definitions(&client(plain.kubeconfig()).await?).await?;
    let without = Side::of(plain).await?;
    if with.make("foreign", "other").await.is_ok() {
        return Err("policies let a contributor use a connection that isn't shared with them".into());
    }
    without.make("foreign", "other").await?;
    let [mut longer, mut shorter] = [const { Vec::new() }; 2];
    for number in 0..WARMING + TRIES {
        let name = format!("weekly-{number:04}");
        let mut sides = [(&with, &mut longer), (&without, &mut shorter)];
        if number % 2 == 1 {
            sides.reverse();
        }
        for (side, took) in sides {
            let started = Instant::now();
            side.make(&name, CONNECTION).await?;
            if number >= WARMING {
                took.push(started.elapsed().as_secs_f64() * 1000.0);
            }
        }
    }
    report.row(
        "policies: added to the making of an export, p50, ms",
        AtMost(2.0),
        median(&mut longer) - median(&mut shorter),
        "the median of 300 exports that a contributor with the right `use` makes on an API server with the chart, less that on one with only the definitions; one by one, by turns on either",
    );
    report.keep(
        "making an export",
        json!({
            "millisecondsMedianWith": median(&mut longer), "millisecondsMedianWithout": median(&mut shorter),
            "millisecondsP99With": p99(&mut longer), "millisecondsP99Without": p99(&mut shorter),
        }),
    );
    Ok(())
}

impl Side {
    async fn of(control_plane: ControlPlane) -> Outcome<Self> {
        allow(&client(control_plane.kubeconfig()).await?).await?;
        let contributor = client(&control_plane.kubeconfig_for(CONTRIBUTOR, None)?).await?;
        let side = Self {
            exports: Api::namespaced(contributor, NAMESPACE),
            _control_plane: control_plane,
        };
        side.until_allowed().await?;
        Ok(side)
    }

    /// The API server takes in new rights after a moment.
    async fn until_allowed(&self) -> Outcome<()> {
        let started = Instant::now();
        while let Err(refusal) = self.make("first", CONNECTION).await {
            if started.elapsed() > PATIENCE {
                return Err(refusal);
            }
        }
        Ok(())
    }

    async fn make(&self, name: &str, connection: &str) -> Outcome<()> {
        let export = export_on(NAMESPACE, name, connection)?;
        self.exports.create(&PostParams::default(), &export).await?;
        Ok(())
    }
}

/// The contributor may make exports, and use the one connection.
async fn allow(admin: &Client) -> Outcome<()> {
    let role: Role = serde_json::from_value(json!({
        "metadata": {"name": "contributor"},
        "rules": [
            {"apiGroups": ["connections.dev"], "resources": ["exports"], "verbs": ["create"]},
            {"apiGroups": ["connections.dev"], "resources": ["connections"], "resourceNames": [CONNECTION], "verbs": ["use"]},
        ],
    }))?;
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": {"name": "contributor"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "contributor"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": CONTRIBUTOR}],
    }))?;
    let params = PostParams::default();
    Api::namespaced(admin.clone(), NAMESPACE)
        .create(&params, &role)
        .await?;
    Api::namespaced(admin.clone(), NAMESPACE)
        .create(&params, &binding)
        .await?;
    Ok(())
}
