//! What every kind has in common: the context of a visit, and carrying a decision out.
//!
//! A kind observes (stores, and a read where needed), decides (pure), and hands the decision to [`Context::act`].

mod act;
mod links;
pub mod load;
mod lookups;
mod memory;
mod progress;
mod run;
mod run_account;
mod runs;
mod sharing;
pub mod wakes;

pub use links::{Asked, Links};
pub use lookups::Writes;
pub use memory::{Failures, Recorded, Written};
pub use progress::Progress;
pub use run::{Governed, controller};

use crate::api::{
    Connection, ConnectionType, ConsentRecord, Dataset, Enrichment, Export, KeyVault, SharedConnection,
};
use crate::cluster::Objects;
use crate::cluster::events::Events;
use crate::cluster::policies::{Policies, PolicyError};
use crate::cluster::secrets::{SecretError, SecretReader};
use crate::cluster::writes::WriteError;
use crate::governance::connection_types::CompiledTypes;
use crate::governance::runs::Connector;
use crate::metrics::Metrics;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, Role, RoleBinding};
use kube::Client;
use std::collections::BTreeSet;
use std::sync::Arc;
use thiserror::Error;

/// A visit that couldn't be ended; it is tried again.
#[derive(Debug, Error)]
pub enum Fault {
    /// What the object refers to couldn't be read.
    #[error(transparent)]
    Observe(#[from] SecretError),
    /// Whether the API server vouches for consent couldn't be told.
    #[error(transparent)]
    Policies(#[from] PolicyError),
    /// What was decided couldn't be written.
    #[error(transparent)]
    Act(#[from] WriteError),
}

/// The objects of all kinds, as last seen.
#[derive(Clone, Default)]
pub struct Stores {
    /// Connection types.
    pub connection_types: Objects<ConnectionType>,
    /// Key vaults.
    pub key_vaults: Objects<KeyVault>,
    /// Connections.
    pub connections: Objects<Connection>,
    /// Exports.
    pub exports: Objects<Export>,
    /// Enrichments.
    pub enrichments: Objects<Enrichment>,
    /// Datasets.
    pub datasets: Objects<Dataset>,
    /// Decisions on consent.
    pub consent_records: Objects<ConsentRecord>,
    /// What contributors see of connections.
    pub shared_connections: Objects<SharedConnection>,
    /// The run accounts, and what else has their name.
    pub service_accounts: Objects<ServiceAccount>,
    /// The CronJobs of what has a schedule.
    pub cron_jobs: Objects<CronJob>,
    /// The Jobs of runs.
    pub jobs: Objects<Job>,
    /// Their pods, by which runs tell how they ended.
    pub pods: Objects<Pod>,
    /// The Roles that grant the use of a connection, and those of run accounts.
    pub roles: Objects<Role>,
    /// Their bindings, and those that make contributors in a namespace.
    pub role_bindings: Objects<RoleBinding>,
    /// The bindings that make contributors everywhere.
    pub cluster_role_bindings: Objects<ClusterRoleBinding>,
    /// Connection types, made ready.
    pub types: Arc<CompiledTypes>,
}

/// What a visit to any object needs.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// What was last seen.
    pub stores: Stores,
    /// Key names of Secrets.
    pub secrets: SecretReader,
    /// The vaults that key vaults lead to.
    pub links: Links,
    /// Connectors that this installation runs.
    pub connectors: Arc<BTreeSet<String>>,
    /// What runs are run by, if this installation runs anything.
    pub connector: Option<Connector>,
    /// Users who are pipelines.
    pub pipelines: Arc<BTreeSet<String>>,
    /// Whether the API server writes stamps and finalizers.
    pub stamped: bool,
    /// Whether it vouches for them.
    pub policies: Policies,
    /// Tells people.
    pub events: Events,
    /// Counts.
    pub metrics: Metrics,
    /// What we wrote and the watch has not brought back yet.
    pub written: Written,
    /// Decisions that we put on record and the watch has not brought back yet.
    pub recorded: Recorded,
    /// Visits that failed in a row.
    pub failures: Failures,
    /// What runs told of how far they are.
    pub progress: Progress,
}

impl Context {
    /// The time of a visit, in whole seconds as the API keeps it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }
}
