//! What every kind has in common: the context of a visit, and carrying a decision out.
//!
//! A kind observes (stores, and a read where needed), decides (pure), and hands the decision to [`Context::act`].

mod lookups;
mod memory;
mod run;
pub mod wakes;

pub use lookups::Writes;
pub use memory::{Failures, Written};
pub use run::{Governed, controller};

use crate::api::{Connection, ConnectionType, Dataset, Enrichment, Export};
use crate::cluster::Objects;
use crate::cluster::events::{Events, Notice};
use crate::cluster::secrets::{SecretError, SecretReader};
use crate::cluster::writes::{self, Target, WriteError};
use crate::governance::connection_types::CompiledTypes;
use crate::governance::decision::{Announcement, Decision};
use crate::governance::removal::Hold;
use crate::metrics::Metrics;
use jiff::Timestamp;
use kube::core::object::HasStatus;
use kube::runtime::controller::Action;
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;
use thiserror::Error;

/// A visit that couldn't be ended; it is tried again.
#[derive(Debug, Error)]
pub enum Fault {
    /// What the object refers to couldn't be read.
    #[error(transparent)]
    Observe(#[from] SecretError),
    /// What was decided couldn't be written.
    #[error(transparent)]
    Act(#[from] WriteError),
}

/// The objects of all kinds, as last seen.
#[derive(Clone)]
pub struct Stores {
    /// Connection types.
    pub connection_types: Objects<ConnectionType>,
    /// Connections.
    pub connections: Objects<Connection>,
    /// Exports.
    pub exports: Objects<Export>,
    /// Enrichments.
    pub enrichments: Objects<Enrichment>,
    /// Datasets.
    pub datasets: Objects<Dataset>,
}

/// What a visit to any object needs.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// What was last seen.
    pub stores: Stores,
    /// Connection types, made ready.
    pub types: CompiledTypes,
    /// Key names of Secrets.
    pub secrets: SecretReader,
    /// Connectors that this installation runs.
    pub connectors: BTreeSet<String>,
    /// Tells people.
    pub events: Events,
    /// Counts.
    pub metrics: Metrics,
    /// What we wrote and the watch has not brought back yet.
    pub written: Written,
    /// Visits that failed in a row.
    pub failures: Failures,
}

impl Context {
    /// The time of a visit, in whole seconds as the API keeps it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// Carries a decision out: the finalizer first, then the status, then the news; nothing where nothing changed.
    ///
    /// # Errors
    /// When the API server doesn't take a write; a newer object is no error, its own event brings the next visit.
    pub async fn act<K>(&self, object: &K, decision: Decision<K::Status>) -> Result<Action, Fault>
    where
        K: Governed + HasStatus,
        K::Status: PartialEq + Serialize,
    {
        let kind = K::kind(&());
        match self.write(object, &decision).await {
            Ok(outcome) => {
                self.metrics.reconciled(&kind, outcome);
                Ok(decision.recheck.map_or_else(Action::await_change, |after| {
                    Action::requeue(after.unsigned_abs())
                }))
            }
            Err(WriteError::Conflict | WriteError::Gone) => {
                self.metrics.reconciled(&kind, "conflict");
                Ok(Action::requeue(CONFLICT_RECHECK))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn write<K>(&self, object: &K, decision: &Decision<K::Status>) -> Result<&'static str, WriteError>
    where
        K: Governed + HasStatus,
        K::Status: PartialEq + Serialize,
    {
        let mut target = Target::of(object);
        match decision.hold {
            Hold::Release => {
                writes::release::<K>(&self.client, &target, object.finalizers()).await?;
                return Ok("released");
            }
            Hold::Set => {
                target.version = writes::hold::<K>(&self.client, &target, object.finalizers()).await?;
                self.written.note(object, &target.version);
            }
            Hold::Keep => {}
        }
        if object.status() == Some(&decision.status) {
            return Ok(if decision.hold == Hold::Set {
                "written"
            } else {
                "settled"
            });
        }
        let version = writes::status::<K>(&self.client, &target, &decision.status).await?;
        self.written.note(object, &version);
        decision
            .announcements
            .iter()
            .for_each(|news| self.events.tell(object, notice(object, *news)));
        Ok("written")
    }
}

/// After a conflict the watch brings the newer object; this is for the case that it was brought already.
const CONFLICT_RECHECK: Duration = Duration::from_secs(1);

fn notice<K: Resource<DynamicType = ()>>(object: &K, news: Announcement) -> Notice {
    let (kind, name) = (K::kind(&()).to_lowercase(), object.name_any());
    let scope = object
        .namespace()
        .map_or_else(String::new, |namespace| format!(" -n {namespace}"));
    Notice {
        warning: news.warning,
        reason: news.reason.to_string(),
        note: format!(
            "{} To see more: kubectl describe {kind} {name}{scope}",
            news.reason.meaning()
        ),
    }
}
