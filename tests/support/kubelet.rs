//! Plays the kubelet, as the tests' control planes have no node: tells of a run's pod what the kubelet would.

use super::{PATIENCE, World, shared};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(50);

/// A kubelet on the cluster of this kubeconfig.
pub struct Kubelet(Client);

impl Kubelet {
    /// On the cluster that all tests share.
    pub async fn shared() -> Self {
        let kubeconfig = tokio::task::spawn_blocking(|| shared().kubeconfig().to_owned());
        Self::on(&kubeconfig.await.expect("started")).await
    }

    /// On this one. To the API server it is a node, with the rights of the tests.
    pub async fn on(kubeconfig: &str) -> Self {
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .expect("a config");
        config.auth_info.impersonate = Some("system:node:stand-in".to_owned());
        let groups = ["system:nodes", "system:masters"];
        config.auth_info.impersonate_groups = Some(groups.map(str::to_owned).to_vec());
        Self(Client::try_from(config).expect("a client"))
    }

    /// Waits for the pod that the Job has now, and lets its container end so.
    pub async fn ends(&self, world: &World, job: &str, code: i32, message: &str) {
        let now = jiff::Timestamp::now().to_string();
        let terminated = json!({"exitCode": code, "reason": "Ended", "startedAt": now, "finishedAt": now, "message": message});
        let phase = if code == 0 { "Succeeded" } else { "Failed" };
        let status =
            json!({"phase": phase, "containerStatuses": [container(&json!({"terminated": terminated}))]});
        self.tells(world, job, status).await;
    }

    /// Waits for the pod that the Job has now, and lets its container have been running at this address for a minute.
    pub async fn runs(&self, world: &World, job: &str, address: IpAddr) {
        let since = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(1);
        let running = json!({"running": {"startedAt": since.to_string()}});
        let status = json!({
            "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
            "containerStatuses": [container(&running)],
        });
        self.tells(world, job, status).await;
    }

    async fn tells(&self, world: &World, job: &str, status: Value) {
        let pods: Api<Pod> = Api::namespaced(self.0.clone(), &world.namespace);
        let of_job = ListParams::default().labels(&format!("batch.kubernetes.io/job-name={job}"));
        let started = Instant::now();
        let pod = loop {
            let found = pods.list(&of_job).await.expect("a list").items;
            let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone());
            let open = found
                .into_iter()
                .find(|pod| matches!(phase(pod).as_deref(), Some("Pending" | "Running")));
            if let Some(pod) = open {
                break pod.name_any();
            }
            assert!(started.elapsed() < PATIENCE, "{job} has no pod that could run");
            tokio::time::sleep(PAUSE).await;
        };
        let status = json!({"status": status});
        let told = pods
            .patch_status(&pod, &PatchParams::default(), &Patch::Merge(status))
            .await;
        told.expect("the kubelet may tell");
    }
}

fn container(state: &Value) -> Value {
    json!({"name": "connector", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state})
}

/// What a connector writes at its end.
pub fn result(outcome: &str, failure: Option<(&str, &str, &str)>) -> String {
    let now = jiff::Timestamp::now().to_string();
    let mut result = json!({
        "outcome": outcome, "startedAt": now, "endedAt": now,
        "counts": {"rowsRead": 120, "rowsSent": 100, "rowsRejected": 20, "bytes": 4096},
    });
    if let Some((class, persistence, message)) = failure {
        result["failure"] = json!({"class": class, "persistence": persistence, "message": message});
    }
    Value::to_string(&result)
}
