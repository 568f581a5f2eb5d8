//! The operator as a process of its own, on a control plane of its own.

use super::{CONNECTOR_IMAGE, CONNECTORS, PATIENCE, PIPELINES, allow_deletions, client, installed};
use kube::Client;
use local_cluster::{ControlPlane, Options};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
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
    pub process: Child,
    address: SocketAddr,
}

impl Operator {
    /// Starts it, without waiting until it governs.
    pub fn start(control_plane: &ControlPlane) -> Self {
        Self::start_with(control_plane, &[])
    }

    /// Starts it with settings of its own.
    pub fn start_with(control_plane: &ControlPlane, settings: &[(&str, &str)]) -> Self {
        Self::start_as(control_plane, &kubeconfig(control_plane, "operator"), settings)
    }

    /// Starts it with settings of its own, and lets it write its log to the end of a file.
    pub fn start_logging(control_plane: &ControlPlane, settings: &[(&str, &str)], log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log);
        let log = Stdio::from(log.expect("a file"));
        Self::start_to(
            control_plane,
            &kubeconfig(control_plane, "operator"),
            settings,
            log,
        )
    }

    /// Starts it by this kubeconfig.
    pub fn start_as(control_plane: &ControlPlane, kubeconfig: &Path, variables: &[(&str, &str)]) -> Self {
        Self::start_to(control_plane, kubeconfig, variables, Stdio::inherit())
    }

    fn start_to(
        control_plane: &ControlPlane,
        kubeconfig: &Path,
        variables: &[(&str, &str)],
        log: Stdio,
    ) -> Self {
        let address = free_address();
        let process = Command::new(env!("CARGO_BIN_EXE_connection-operator"))
            .arg("run")
            .env("KUBECONFIG", kubeconfig)
            .env("LISTEN", address.to_string())
            .env("CONNECTORS", CONNECTORS)
            .env("CONNECTOR_IMAGE", CONNECTOR_IMAGE)
            .env("PIPELINES", PIPELINES)
            .env(
                "MUTATING_POLICIES",
                control_plane.mutates().expect("an answer").to_string(),
            )
            .env(
                "POLICY_DIGESTS",
                control_plane.policy_digests().expect("an answer"),
            )
            .env("LOG", "warn")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the operator starts");
        Self { process, address }
    }

    /// Starts it and waits until it governs.
    pub async fn govern(control_plane: &ControlPlane) -> Self {
        let operator = Self::start(control_plane);
        operator.until_ready().await;
        operator
    }

    /// Waits until it has seen all objects.
    pub async fn until_ready(&self) {
        let ready = || self.get("/readyz").starts_with("HTTP/1.0 200");
        self.until("it is ready", ready).await;
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

/// Each one has a token of its own.
pub fn kubeconfig(control_plane: &ControlPlane, name: &str) -> PathBuf {
    let path = control_plane.directory().join(format!("{name}.kubeconfig"));
    let text = control_plane.kubeconfig_for_operator().expect("a token");
    std::fs::write(&path, text).expect("it can be written");
    path
}

/// Where the API server tells one token of a user from another.
pub const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// The requests of a user, or of one of its tokens, that change something, from the API server's own log: verb, address
/// and answer.
pub fn writes(control_plane: &ControlPlane, by: &str) -> Vec<String> {
    let log = std::fs::read_to_string(control_plane.audit_log()).expect("a log");
    let requests = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let theirs = requests
        .filter(|request| request["user"]["username"] == by || request["user"]["extra"][CREDENTIAL][0] == by);
    let changing = theirs.filter(|request| {
        let asks_who_it_is = request["objectRef"]["resource"] == "selfsubjectreviews"; // a test, about its token
        !asks_who_it_is && !matches!(request["verb"].as_str(), Some("get" | "list" | "watch"))
    });
    let told = changing.map(|request| {
        let [verb, address] = ["verb", "requestURI"].map(|field| request[field].as_str().unwrap_or_default());
        format!("{verb} {address} {}", request["responseStatus"]["code"])
    });
    told.filter(|told| !told.contains("/selfsubjectreviews ")) // by which a test learns whose token it is
        .collect()
}

/// A port that was free a moment ago.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}
