//! The operator's chart on a control plane without nodes: everything but running pods. The operator itself then runs
//! beside it, by a token of the chart's own service account.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Error;
use crate::control_plane::ControlPlane;
use crate::kubeconfig::with_token;
use crate::operator::{NAME, PROBE};
use crate::processes::run;
use crate::programs::HELM;
use crate::readiness::wait_until;

/// How long the API server may take until it refuses what the chart's policies refuse.
const PATIENCE: Duration = Duration::from_secs(30);

/// The account of the operator, as Kubernetes names it.
pub const OPERATOR_ACCOUNT: &str = "system:serviceaccount:connection-operator:connection-operator";

impl ControlPlane {
    /// Installs the chart, or upgrades it, with these values (`name=JSON`, or one JSON object), and waits until its policies hold.
    ///
    /// # Errors
    /// When helm refuses, or the policies don't hold in time.
    pub fn install_chart(&self, values: &[&str]) -> Result<(), Error> {
        let chart = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../charts")
            .join(NAME);
        let mut helm = Command::new(HELM.path()?);
        helm.args(["upgrade", "--install", NAME]).arg(chart);
        helm.args(["--namespace", NAME, "--create-namespace", "--kubeconfig"]);
        helm.arg(self.kubeconfig_path());
        for value in values {
            helm.args(["--set-json", value]);
        }
        run(&mut helm)?;
        self.await_policies()
    }

    /// A kubeconfig for the operator's own account, as text: with just the rights that the chart gives it. Each call
    /// makes a token of its own.
    ///
    /// # Errors
    /// When the API server gives no token.
    pub fn kubeconfig_for_operator(&self) -> Result<String, Error> {
        self.kubeconfig_for_account(NAME, NAME)
    }

    /// A kubeconfig for a service account, as text.
    ///
    /// # Errors
    /// When the API server gives no token.
    pub fn kubeconfig_for_account(&self, namespace: &str, account: &str) -> Result<String, Error> {
        let token = run(self.kubectl().args([
            "create",
            "token",
            account,
            "--namespace",
            namespace,
            "--duration=24h",
        ]))?;
        Ok(with_token(
            &self.server(),
            &self.authority(),
            account,
            token.trim(),
        ))
    }

    /// The API server takes in new policies after a moment, all of one sort at once. A Role that only the operator may
    /// write is refused then, and a dataset gets its finalizer.
    fn await_policies(&self) -> Result<(), Error> {
        let mutates = self.mutates()?;
        wait_until(
            "the chart's admission policies holding",
            PATIENCE,
            self.directory(),
            || Ok(self.refuses()? && (!mutates || self.holds()?)),
        )
    }

    fn refuses(&self) -> Result<bool, Error> {
        let role = [
            "create",
            "role",
            "connections-use-probe",
            "--verb=get",
            "--resource=pods",
        ];
        let answer = self
            .kubectl()
            .args(role)
            .args(["--namespace", NAME, "--dry-run=server"])
            .output();
        let answer = answer.map_err(Error::unrunnable("kubectl"))?;
        Ok(String::from_utf8_lossy(&answer.stderr).contains("sharing.connections.dev"))
    }

    /// Whether the API server serves mutating policies: from Kubernetes 1.36 on.
    ///
    /// # Errors
    /// When it doesn't answer.
    pub fn mutates(&self) -> Result<bool, Error> {
        let served = run(self
            .kubectl()
            .args(["get", "--raw", "/apis/admissionregistration.k8s.io/v1"]))?;
        Ok(served.contains("mutatingadmissionpolicies"))
    }

    /// What the chart tells the operator of its policies; nothing if it isn't installed.
    ///
    /// # Errors
    /// When the API server doesn't answer.
    pub fn policy_digests(&self) -> Result<String, Error> {
        run(self.kubectl().args([
            "get",
            "deployment",
            NAME,
            "--namespace",
            NAME,
            "--ignore-not-found",
            r#"--output=jsonpath={..env[?(@.name=="POLICY_DIGESTS")].value}"#,
        ]))
    }

    fn holds(&self) -> Result<bool, Error> {
        let manifest = self.directory().join("probe.yaml");
        std::fs::write(&manifest, PROBE).map_err(Error::file("write", &manifest))?;
        let mut create = self.kubectl();
        create.args([
            "create",
            "--dry-run=server",
            "--output=json",
            "--namespace",
            NAME,
            "--filename",
        ]);
        let made = create
            .arg(&manifest)
            .output()
            .map_err(Error::unrunnable("kubectl"))?;
        Ok(String::from_utf8_lossy(&made.stdout).contains("connections.dev/in-use"))
    }
}
