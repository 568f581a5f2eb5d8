//! The connector as a process of its own, with what the kubelet would give its pod.

use super::{PATIENCE, PAUSE};
use connection_operator::api::connection_type::UsedFor;
use connection_operator::api::run::{PLAN_VERSION, Plan, PlannedDataset, RESULT_MAX, RunProgress, RunResult};
use connection_operator::governance::runs::names::hash;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a run's pod holds, before it starts.
pub struct Pod {
    folder: TempDir,
    plan_sha256: String,
    /// The ranges of addresses that vaults may be at.
    pub vault_ranges: &'static str,
    /// Whether it only counts.
    pub dry_run: bool,
}

impl Pod {
    /// With this plan, these credentials and this kubeconfig.
    pub fn new(plan: &Plan, credentials: &[(&str, String)], kubeconfig: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["plan", "secrets", "volumes", "volumes/lake"] {
            fs::create_dir(folder.path().join(name)).expect("made");
        }
        let text = serde_json::to_string(plan).expect("JSON");
        let pod = Self {
            folder,
            plan_sha256: hash(text.as_bytes()),
            vault_ranges: "",
            dry_run: false,
        };
        pod.write("plan/plan.json", text.as_bytes());
        pod.write("kubeconfig", kubeconfig.as_bytes());
        for (name, value) in credentials {
            pod.write(&format!("secrets/{name}"), value.as_bytes());
        }
        pod
    }

    /// Writes a file below the pod's folder.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    /// Where a file is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the connector.
    pub fn start(&self) -> Run<'_> {
        self.start_with(&self.plan_sha256)
    }

    /// Starts it with a hash of the plan that is told to it.
    pub fn start_with(&self, plan_sha256: &str) -> Run<'_> {
        let log = fs::File::create(self.path("log")).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_connection-connector"));
        command.args(["run", "--plan-sha256", plan_sha256, "--listen", "127.0.0.1:0"]);
        for place in [
            "plan-directory",
            "secrets-directory",
            "vaults-directory",
            "volumes-directory",
            "output-directory",
            "result-file",
            "kubeconfig",
        ] {
            let name = place.trim_end_matches("-directory");
            command.arg(format!("--{place}={}", self.path(name).display()));
        }
        command.arg(format!("--vault-ranges={}", self.vault_ranges));
        if self.dry_run {
            command.arg("--dry-run");
        }
        if self.path("authorities").exists() {
            command.env("SSL_CERT_FILE", self.path("authorities"));
        }
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Run {
            pod: self,
            process: process.expect("it starts"),
            peak: 0,
        }
    }
}

/// A run that goes on. It is killed when this is dropped.
pub struct Run<'a> {
    pod: &'a Pod,
    process: Child,
    peak: u64,
}

/// How a run ended.
pub struct Ended {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its result, as it was written.
    pub text: String,
    /// What it logged.
    pub log: String,
    /// The most memory that it was seen to have, in KiB.
    pub peak: u64,
}

impl Ended {
    /// The result.
    pub fn result(&self) -> RunResult {
        assert!(self.text.len() <= RESULT_MAX, "{} bytes", self.text.len());
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {:?}; {}", self.text, self.log))
    }

    /// Why it didn't end well.
    pub fn message(&self) -> String {
        self.result().failure.expect("it says why").message
    }
}

impl Run<'_> {
    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let started = Instant::now();
        let status = loop {
            self.peak = self.peak.max(self.memory());
            if let Some(status) = self.process.try_wait().expect("it can be looked at") {
                break status;
            }
            assert!(started.elapsed() < PATIENCE, "it never ends: {}", self.log());
            tokio::time::sleep(PAUSE).await;
        };
        self.told(status)
    }

    fn told(&self, status: ExitStatus) -> Ended {
        Ended {
            code: status.code(),
            text: fs::read_to_string(self.pod.path("result-file")).unwrap_or_default(),
            log: self.log(),
            peak: self.peak,
        }
    }

    /// The most memory that it ever had, in KiB, as long as it runs.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
            .unwrap_or_default()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.pod.path("log")).unwrap_or_default()
    }

    /// Sends a signal to it.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.process.id().to_string()])
            .status();
        assert!(sent.expect("kill runs").success());
    }

    /// Asks how far it is, if it can be asked yet.
    pub fn progress(&self) -> Option<RunProgress> {
        let answer = self.get("/progress")?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        Some(serde_json::from_str(body).expect("two numbers"))
    }

    /// What it answers to a request.
    pub fn get(&self, path: &str) -> Option<String> {
        let log = self.log();
        let mut lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let address =
            lines.find_map(|line| line["fields"]["address"].as_str()?.parse::<SocketAddr>().ok())?;
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// Waits until rows are on their way.
    pub async fn until_writing(&self) {
        let started = Instant::now();
        while self.progress().is_none_or(|progress| progress.rows_written == 0) {
            assert!(started.elapsed() < PATIENCE, "it never writes: {}", self.log());
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A plan of the export `nightly` on the connection `partner`, by this consent.
pub fn plan(namespace: &str, consent: &str, payload: Value) -> Plan {
    let payload: Vec<PlannedDataset> = serde_json::from_value(payload).expect("a payload");
    Plan {
        version: PLAN_VERSION,
        used_for: UsedFor::Export,
        namespace: namespace.into(),
        name: "nightly".into(),
        uid: "4fd0b1c2-6d1f-4b43-9a63-0c3f4a0a2c11".into(),
        connection: "partner".into(),
        consent: consent.to_owned(),
        type_: "sftp-export".into(),
        type_spec: super::cluster::sftp_type(),
        payload,
        enrichment: None,
        parameters: [].into(),
    }
}

/// The dataset `customers`, a CSV file on the volume `lake`.
pub fn customers() -> Value {
    json!({
        "dataset": "customers", "location": {"volume": {"claimName": "lake", "path": "customers.csv"}},
        "format": {"type": "CSV"},
    })
}
