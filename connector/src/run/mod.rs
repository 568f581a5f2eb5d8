//! One run, from its plan to its result.
//!
//! Flow: the plan is read and compared with its hash; the guard is asked; the datasets are looked at; credentials are
//! read, from key vaults too; the destination is reached, filled, and, after the guard was asked once more, given its final names. All along the guard watches, and so does
//! whoever may tell the process to end. A dry run ends once the datasets are counted: it reads no credential, and reaches nothing. Guarantees: whatever ends the run early, what was begun is undone before it ends.

mod cluster;
mod delivery;
mod destination;
mod enriching;
mod feed;
mod parts;

use crate::credentials;
use crate::fault::{Ended, Fault, Stop};
use crate::guard::{FromApiServer, Guard, Reads};
use crate::outcome;
use crate::places::Places;
use crate::plan::{self, PlanFault};
use crate::progress::{Tally, serve};
use crate::vaults::KeyVaults;
use clap::Args;
use connection_operator::api::Connection;
use connection_operator::api::dry_run::DatasetEstimate;
use connection_operator::api::run::{FailureClass, PROGRESS_PORT, Persistence, Plan, RunResult};
use delivery::Delivery;
use destination::Destination;
use enriching::Work;
use feed::Feed;
use jiff::Timestamp;
use kube::Api;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::mpsc::channel;
use tokio::task::{JoinError, spawn_blocking};
use tracing::{info, warn};

/// How many pieces may wait for the destination. With their size this bounds memory.
const AHEAD: usize = 8;

/// What a run is told when it begins.
#[derive(Args, Clone, Debug)]
pub struct Request {
    /// The SHA-256 that the plan must have, in lower-case hexadecimal.
    #[arg(long)]
    pub plan_sha256: String,
    /// Where it has what it needs.
    #[command(flatten)]
    pub places: Places,
    /// Where it tells how far it is; on every address of the pod, of whichever family, if absent.
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// Count what would be sent, and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Ranges of addresses inside of networks that vaults may be at, separated by commas; none if absent.
    #[arg(long, value_delimiter = ',')]
    pub vault_ranges: Vec<String>,
    /// The cluster, where this doesn't run in a pod of it.
    #[arg(long)]
    pub kubeconfig: Option<PathBuf>,
}

/// The connector itself is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "The connector has a defect, which ended the run. It's tried again; if that lasts, whoever runs the cluster can report it with the log of the run's pod."
)]
pub struct Defect;

impl Fault for Defect {
    fn class(&self) -> FailureClass {
        FailureClass::System
    }

    fn persistence(&self) -> Persistence {
        Persistence::Transient
    }
}

impl From<JoinError> for Defect {
    fn from(_: JoinError) -> Self {
        Self
    }
}

/// Carries out the plan; ends early once `told` does.
pub async fn run(request: &Request, told: impl Future<Output = ()>) -> RunResult {
    let started_at = Timestamp::now();
    let tally = Tally::default();
    tell_progress(request.listen, tally.clone()).await;
    let ended = attempt(request, &tally, told).await;
    let result = outcome::result((started_at, Timestamp::now()), tally.counts(), &ended);
    let (counts, failure) = (result.counts, result.failure.as_ref());
    info!(
        outcome = result.outcome.as_str(),
        rows_read = counts.rows_read,
        rows_sent = counts.rows_sent,
        bytes = counts.bytes,
        message = failure.map(|failure| failure.message.as_str()),
    );
    result
}

/// A run goes on without anybody knowing how far it is.
async fn tell_progress(listen: Option<SocketAddr>, tally: Tally) {
    let bound = match listen {
        Some(address) => TcpListener::bind(address).await,
        // Where there is no IPv6, only IPv4 asks.
        None => match TcpListener::bind((Ipv6Addr::UNSPECIFIED, PROGRESS_PORT)).await {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, PROGRESS_PORT)).await,
        },
    };
    match bound {
        Ok(listener) => {
            if let Ok(address) = listener.local_addr() {
                info!(%address, "telling how far it is");
            }
            tokio::spawn(serve(listener, tally));
        }
        Err(error) => warn!(kind = %error.kind(), "nobody can be told how far the run is"),
    }
}

async fn attempt(
    request: &Request,
    tally: &Tally,
    told: impl Future<Output = ()>,
) -> Result<Vec<DatasetEstimate>, Ended> {
    let plan = Arc::new(plan::read(&request.places.plan_directory, &request.plan_sha256)?);
    let client = cluster::client(request.kubeconfig.as_deref()).await?;
    let namespace = plan.namespace.as_str();
    let connections = Api::namespaced(client.clone(), namespace);
    let reads = FromApiServer::new(connections, plan.connection.as_str());
    let mut run = Run {
        guard: Guard::new(reads, Arc::clone(&plan)),
        vaults: KeyVaults {
            links: Api::namespaced(client, namespace),
            directory: request.places.vaults_directory.clone(),
            ranges: request.vault_ranges.clone(),
        },
        plan,
        only_counts: request.dry_run,
        places: request.places.clone(),
        tally: tally.clone(),
        delivery: None,
        work: Work::default(),
    };
    let ended = tokio::select! {
        biased;
        () = told => Err(Ended::Stopped(Stop::Told)),
        ended = run.guarded() => ended,
    };
    match ended {
        Ok(estimate) => Ok(estimate),
        Err(ended) if run.undo().await => Err(ended),
        Err(ended) => Err(ended.leaving()),
    }
}

/// A run that has its plan.
struct Run<R> {
    guard: Guard<R>,
    plan: Arc<Plan>,
    only_counts: bool,
    places: Places,
    vaults: KeyVaults,
    tally: Tally,
    delivery: Option<Delivery>,
    work: Work,
}

impl<R: Reads> Run<R> {
    /// Sends, for as long as the guard allows it; or tells what would be sent.
    async fn guarded(&mut self) -> Result<Vec<DatasetEstimate>, Ended> {
        let (connection, asked) = self.guard.allowed().await?;
        let guard = self.guard.clone();
        tokio::select! {
            biased;
            ended = guard.watch(asked) => Err(ended),
            ended = self.carry_out(&connection) => ended,
        }
    }

    async fn carry_out(&mut self, connection: &Connection) -> Result<Vec<DatasetEstimate>, Ended> {
        if let Some(planned) = self.plan.enrichment.clone() {
            if self.only_counts {
                return Err(PlanFault::NothingToCount.into());
            }
            self.enrich(&planned, connection).await?;
            return Ok(Vec::new());
        }
        let destination = Destination::of(&self.plan, &connection.spec)?;
        let making = destination.making();
        let (plan, volumes) = (Arc::clone(&self.plan), self.places.volumes_directory.clone());
        let opened = spawn_blocking(move || Feed::open(&plan.payload, &volumes, making)).await;
        let feed = opened.map_err(Defect::from)??;
        if self.only_counts {
            let tally = self.tally.clone();
            let counted = spawn_blocking(move || feed.estimate(&tally)).await;
            return counted.map_err(Defect::from)?;
        }
        self.send(connection, &destination, feed).await?;
        Ok(Vec::new())
    }

    async fn send(
        &mut self,
        connection: &Connection,
        destination: &Destination,
        feed: Feed,
    ) -> Result<(), Ended> {
        let declared = &self.plan.type_spec.secrets;
        let mut credentials = credentials::read(&self.places.secrets_directory, declared)?;
        self.vaults.read(connection, declared, &mut credentials).await?;
        let run = format!("{:016x}", RandomState::new().hash_one(0));
        let upload = destination
            .begin(credentials, (self.plan.uid.as_str(), &run))
            .await?;
        let delivery = self.delivery.insert(Delivery::new(upload, self.tally.clone()));

        let (sender, pieces) = channel(AHEAD);
        let tally = self.tally.clone();
        let feeding = spawn_blocking(move || feed.run(&sender, &tally));
        delivery.take(pieces).await?;
        feeding.await.map_err(Defect::from)??;
        self.guard.allowed().await?;
        delivery.publish().await
    }

    /// True if nothing is left of what was begun.
    async fn undo(&mut self) -> bool {
        match &mut self.delivery {
            Some(delivery) => delivery.undo().await,
            None => self.unwork().await,
        }
    }
}
