//! The operator as one of several.

use crate::support::PATIENCE;
use crate::support::operator::{CREDENTIAL, Operator, kubeconfig};
use local_cluster::ControlPlane;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Pause between two looks at something that can only be looked at.
const PAUSE: Duration = Duration::from_millis(20);

impl Operator {
    /// Starts a replica of this name that stands for the Lease, and tells how the log of the API server calls it.
    pub fn replica(control_plane: &ControlPlane, name: &str, lease_seconds: &str) -> (Self, String) {
        let kubeconfig = kubeconfig(control_plane, name);
        let variables = [
            ("POD_NAME", name),
            ("LEASE_NAMESPACE", "connection-operator"),
            ("LEASE_SECONDS", lease_seconds),
        ];
        let credential = credential(control_plane, &kubeconfig);
        (Self::start_as(control_plane, &kubeconfig, &variables), credential)
    }

    /// Sends it a signal, by the name that kill(1) knows.
    pub fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.expect("kill runs").success(), "{signal} is sent");
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("it is our child") {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "never: it ends");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The id of a kubeconfig's token: all replicas are one user.
fn credential(control_plane: &ControlPlane, kubeconfig: &Path) -> String {
    let mut whoami = control_plane.kubectl();
    whoami
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(["auth", "whoami", "--output=json"]);
    let answer = whoami.output().expect("kubectl runs");
    let review: Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    let id = review["status"]["userInfo"]["extra"][CREDENTIAL][0].as_str();
    id.expect("a token has an id").to_owned()
}
