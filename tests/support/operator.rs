//! The operator as a process of its own, on a control plane of its own.

use super::{CONNECTORS, PATIENCE, PIPELINES, allow_deletions, client, installed};
use kube::Client;
use local_cluster::{ControlPlane, Options};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whom the API server takes the operator for, so that its requests can be told from those of the tests.
pub use local_cluster::chart::OPERATOR_ACCOUNT as OPERATOR;

/// Pause between two looks at something that can only be looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A control plane that one test has for itself, the chart installed on it; no deletion is refused there.
pub async fn own_cluster(options: Options) -> (ControlPlane, Client) {
    let start = || {
        let control_plane = installed(options);
        allow_deletions(&control_plane);
        control_plane
    };
    let control_plane = tokio::task::spawn_blocking(start).await.expect("started");
    let client = client(control_plane.kubeconfig()).await;
    (control_plane, client)
}

/// The running process; killed without a chance to tidy up when this is dropped.
pub struct Operator {
    process: Child,
    address: SocketAddr,
}

impl Operator {
    /// Starts it, without waiting until it governs.
    pub fn start(control_plane: &ControlPlane) -> Self {
        Self::start_with(control_plane, &[])
    }

    /// Starts it with settings of its own.
    pub fn start_with(control_plane: &ControlPlane, settings: &[(&str, &str)]) -> Self {
        let kubeconfig = kubeconfig(control_plane);
        let address = free_address();
        let process = Command::new(env!("CARGO_BIN_EXE_connection-operator"))
            .arg("run")
            .env("KUBECONFIG", kubeconfig)
            .env("LISTEN", address.to_string())
            .env("CONNECTORS", CONNECTORS)
            .env("PIPELINES", PIPELINES)
            .env("LOG", "warn")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .spawn()
            .expect("the operator starts");
        Self { process, address }
    }

    /// Starts it and waits until it governs.
    pub async fn govern(control_plane: &ControlPlane) -> Self {
        Self::start(control_plane).governing().await
    }

    /// Waits until it governs.
    pub async fn governing(self) -> Self {
        self.until("it governs", || self.get("/readyz").starts_with("HTTP/1.0 200"))
            .await;
        self
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.process.kill(); // SIGKILL
        let _ = self.process.wait();
    }

    /// The sum of a counter over all its labels but those given.
    pub fn counted(&self, counter: &str, label: &str) -> u64 {
        let metrics = self.metrics();
        let lines = metrics
            .lines()
            .filter(|line| line.starts_with(counter) && line.contains(label));
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    }

    /// Looks again and again until something holds.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < PATIENCE, "never: {what}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What it counts about itself.
    pub fn metrics(&self) -> String {
        self.get("/metrics")
    }

    /// The answer to a plain request, or nothing.
    fn get(&self, path: &str) -> String {
        let answer = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(self.address)?;
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        answer().unwrap_or_default()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.end();
    }
}

fn kubeconfig(control_plane: &ControlPlane) -> PathBuf {
    let path = control_plane.directory().join("operator.kubeconfig");
    let text = control_plane.kubeconfig_for_operator().expect("a token");
    std::fs::write(&path, text).expect("it can be written");
    path
}

/// A port that was free a moment ago.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}
