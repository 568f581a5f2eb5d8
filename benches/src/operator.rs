//! The operator as it is shipped: the release binary, in a process of its own, by the chart's own account.

use crate::Outcome;
use local_cluster::processes::{Launch, Tied};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Between two questions whether it is ready; small beside what is measured.
const ASK: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_mins(2);

/// What it is started with.
pub struct Setup {
    pub program: PathBuf,
    pub kubeconfig: PathBuf,
    pub logs: PathBuf,
}

/// Its running process; it ends with this value.
pub struct Operator {
    process: Tied,
    address: SocketAddr,
    /// From its start to its first answer that it is ready.
    pub ready_after: Duration,
}

impl Operator {
    /// Starts it and waits until it is ready.
    pub async fn start(setup: &Setup, flags: &[&str]) -> Outcome<Self> {
        let address = free_address()?;
        // `env` becomes the operator itself: it keeps the process id, and the tie to this process.
        let mut arguments = vec![
            format!("KUBECONFIG={}", setup.kubeconfig.display()),
            setup.program.display().to_string(),
            "run".to_owned(),
            format!("--listen={address}"),
            "--connectors=sftp".to_owned(),
            "--connector-image=registry.example/connector:bench".to_owned(), // nothing here has a schedule, so nothing runs
            "--catalog=false".to_owned(), // the type is the bench's own, which changes it
            "--log=warn".to_owned(),
        ];
        arguments.extend(flags.iter().map(ToString::to_string));
        let started = Instant::now();
        let process = Launch {
            name: "operator",
            program: "/usr/bin/env".into(),
            arguments,
        }
        .tied(&setup.logs)?;
        let mut operator = Self {
            process,
            address,
            ready_after: Duration::ZERO,
        };
        operator.until_ready(started).await?;
        operator.ready_after = started.elapsed();
        Ok(operator)
    }

    async fn until_ready(&mut self, started: Instant) -> Outcome<()> {
        while !self
            .ask("/readyz")
            .await
            .is_ok_and(|answer| answer.contains(" 200 "))
        {
            self.process.alive()?;
            if started.elapsed() > PATIENCE {
                return Err("the operator isn't ready in time".into());
            }
            sleep(ASK).await;
        }
        Ok(())
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Events that it dropped over its budget, by its own count.
    pub async fn events_dropped(&self) -> Outcome<f64> {
        let text = self.ask("/metrics").await?;
        let lines = text
            .lines()
            .filter(|line| line.starts_with("connections_events_total{") && line.contains("\"dropped\""));
        Ok(lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum())
    }

    /// Visits to objects of a kind, whatever became of them.
    pub async fn visits(&self, kind: &str) -> Outcome<f64> {
        let text = self.ask("/metrics").await?;
        let of_kind = format!("kind=\"{kind}\"");
        let lines = text
            .lines()
            .filter(|line| line.starts_with("connections_reconciles_total{") && line.contains(&of_kind));
        Ok(lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum())
    }

    async fn ask(&self, path: &str) -> Outcome<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream
            .write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

/// The release binary beside this one, unless `OPERATOR` names another.
pub fn program() -> Outcome<PathBuf> {
    match std::env::var_os("OPERATOR") {
        Some(given) => Ok(given.into()),
        None => beside("connection-operator"),
    }
}

/// A release binary beside this one.
pub fn beside(name: &str) -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.parent().unwrap_or(Path::new(".")).join(name);
    if beside.is_file() {
        Ok(beside)
    } else {
        Err(format!(
            "the release binary {name} isn't there: run `make bench`, or `cargo build --release` first"
        )
        .into())
    }
}

fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
