//! One Lease, held by one process at a time: who holds it leads.
//!
//! Flow: [`Election::win`] waits until the Lease is free and takes it, [`Election::keep`] renews it three times in its
//! duration, [`Election::give_up`] lets the next one have it at once.
//!
//! Guarantees: the holder counts its term from before it asked for it, and ends it early by a margin; the others count
//! the Lease's duration from when they saw it renewed, which is later. So terms never overlap, whatever the clocks of
//! the nodes show. It is taken and renewed only on condition that it is still as it was seen, or ours.
//!
//! Assumptions: clocks run equally fast, up to the margin.

use super::leadership::Leadership;
use crate::api::names::FIELD_MANAGER;
use crate::metrics::Metrics;
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watch_object};
use kube::{Api, Client, ResourceExt};
use seen::Seen;
use serde_json::{Value, json};
use std::fmt;
use std::pin::pin;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::time::{sleep, timeout};

mod seen;

/// Which Lease, and as whom.
#[derive(Clone, Debug)]
pub struct Candidacy {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// This process, as no other one is called.
    pub identity: String,
    /// How long it is held without being renewed.
    pub duration: Duration,
}

impl fmt::Display for Candidacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Another process holds the Lease now, or somebody took it from us.
#[derive(Debug, Error)]
#[error(
    "the Lease {lease} isn't ours any more, so another replica leads: this one ends, to begin again as a standby"
)]
pub struct Lost {
    lease: String,
}

/// Why the Lease could not be written to.
#[derive(Debug, Error)]
enum Fault {
    #[error("the API server didn't take it")]
    Refused(#[from] kube::Error),
    #[error("the API server didn't answer in time")]
    Late,
}

impl Fault {
    /// Whether the API server answered with one of these codes; 422 says that the Lease isn't as the patch expects.
    fn is_refusal(&self, codes: &[u16]) -> bool {
        matches!(self, Self::Refused(kube::Error::Api(answer)) if codes.contains(&answer.code))
    }
}

/// The seat that processes stand for; without a Lease there is only one process.
pub struct Election {
    lease: Option<Seat>,
    leadership: Leadership,
    metrics: Metrics,
}

struct Seat {
    api: Api<Lease>,
    candidacy: Candidacy,
}

impl Election {
    /// Stands for that Lease, or for none.
    #[must_use]
    pub fn new(
        client: &Client,
        candidacy: Option<Candidacy>,
        leadership: Leadership,
        metrics: Metrics,
    ) -> Self {
        let lease = candidacy.map(|candidacy| Seat {
            api: Api::namespaced(client.clone(), &candidacy.namespace),
            candidacy,
        });
        Self {
            lease,
            leadership,
            metrics,
        }
    }

    /// Waits until this process leads.
    pub async fn win(&self) {
        match &self.lease {
            Some(seat) => self.renewed(seat.win().await),
            None => self.leadership.begin_for_ever(),
        }
        self.metrics.leader.set(1);
    }

    /// Renews what was won until it's lost. Whoever can't renew in time doesn't write; but as long as nobody else took
    /// the Lease, nobody else has led either, so once it's renewed all goes on.
    pub async fn keep(&self) -> Lost {
        let Some(seat) = &self.lease else {
            return std::future::pending().await;
        };
        let mut pause = seat.candidacy.every();
        loop {
            sleep(pause).await;
            pause = match seat.renew().await {
                Ok(asked) => {
                    self.renewed(asked);
                    seat.candidacy.every()
                }
                Err(fault) if fault.is_refusal(&[404, 422]) => {
                    self.leadership.end();
                    return seat.lost();
                }
                Err(fault) => {
                    let error = &fault as &dyn std::error::Error;
                    tracing::warn!(lease = %seat.candidacy, error, "the Lease wasn't renewed");
                    seat.candidacy.retry()
                }
            };
            self.metrics.leader.set(self.leadership.holds().into());
        }
    }

    /// Leads no more, and lets the next one begin. All visits must have ended.
    pub async fn give_up(&self) {
        self.metrics.leader.set(0);
        let Some(seat) = &self.lease else {
            return self.leadership.end();
        };
        // An event, say. Whatever isn't answered by then is dropped.
        if timeout(seat.candidacy.every(), self.leadership.end_in_order())
            .await
            .is_err()
        {
            self.leadership.end();
        }
        if let Err(fault) = seat.release().await {
            let error = &fault as &dyn std::error::Error;
            tracing::warn!(lease = %seat.candidacy, error, "the Lease wasn't given up; the next one waits until it runs out");
        }
    }

    fn renewed(&self, asked: Instant) {
        if let Some(seat) = &self.lease {
            self.leadership.renew(asked + seat.candidacy.term());
        }
    }
}

impl Candidacy {
    /// How often the Lease is renewed.
    fn every(&self) -> Duration {
        self.duration / 3
    }

    /// Pause after a fault.
    fn retry(&self) -> Duration {
        self.duration / 15
    }

    /// How long after a renewal this process writes. What it sent by then has a fifth of the duration to arrive.
    fn term(&self) -> Duration {
        self.duration * 4 / 5
    }
}

impl Seat {
    /// Takes the Lease once it's free, and tells when it asked for that.
    async fn win(&self) -> Instant {
        let mut changes = pin!(watch_object(self.api.clone(), &self.candidacy.name).default_backoff());
        let mut seen = Seen::default();
        loop {
            match self.attempt(&mut seen).await {
                Ok(Some(sent)) => return sent,
                Ok(None) => self.until_free(&mut seen, &mut changes).await,
                Err(fault) => {
                    if !fault.is_refusal(&[409, 422]) {
                        // else somebody was faster
                        let error = &fault as &dyn std::error::Error;
                        tracing::warn!(lease = %self.candidacy, error, "the Lease can't be read or taken");
                    }
                    sleep(self.candidacy.retry().mul_f64(0.5 + fastrand::f64())).await;
                }
            }
        }
    }

    /// Looks, and takes the Lease if it's free. The watch may be behind, so what counts is a fresh look.
    async fn attempt(&self, seen: &mut Seen) -> Result<Option<Instant>, Fault> {
        let lease = self.answered(self.api.get_opt(&self.candidacy.name)).await?;
        seen.take_in(lease.as_ref(), Instant::now());
        if !self.free_in(seen).is_zero() {
            return Ok(None);
        }
        let sent = Instant::now();
        let spec = self.held(lease.as_ref().and_then(|lease| lease.spec.as_ref()));
        match lease {
            None => self.create(spec).await?,
            Some(lease) => {
                let version = lease.resource_version();
                self.patch(&json!([
                    {"op": "test", "path": "/metadata/resourceVersion", "value": version},
                    {"op": "add", "path": "/spec", "value": spec},
                ]))
                .await?;
            }
        }
        Ok(Some(sent))
    }

    /// Waits until the Lease seems free, by its age or by what the watch brings.
    async fn until_free(
        &self,
        seen: &mut Seen,
        changes: &mut (impl Stream<Item = Result<Option<Lease>, watcher::Error>> + Unpin),
    ) {
        loop {
            let free_in = self.free_in(seen);
            if free_in.is_zero() {
                return;
            }
            match timeout(free_in, changes.next()).await {
                Ok(Some(Ok(lease))) => seen.take_in(lease.as_ref(), Instant::now()),
                Ok(Some(Err(error))) => {
                    tracing::debug!(lease = %self.candidacy, error = %error, "the watch broke and is begun again");
                }
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn free_in(&self, seen: &Seen) -> Duration {
        seen.free_in(&self.candidacy.identity, self.candidacy.duration, Instant::now())
    }

    /// The Lease as we hold it after those who held it before.
    fn held(&self, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        LeaseSpec {
            holder_identity: Some(self.candidacy.identity.clone()),
            lease_duration_seconds: i32::try_from(self.candidacy.duration.as_secs()).ok(),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_transitions: Some(before.and_then(|spec| spec.lease_transitions).unwrap_or(0) + 1),
            ..LeaseSpec::default()
        }
    }

    /// Renews it and tells when it asked for that.
    async fn renew(&self) -> Result<Instant, Fault> {
        let sent = Instant::now();
        let seconds = self.candidacy.duration.as_secs();
        self.patch(&json!([
            self.is_ours(),
            {"op": "add", "path": "/spec/renewTime", "value": MicroTime(Timestamp::now())},
            {"op": "add", "path": "/spec/leaseDurationSeconds", "value": seconds},
        ]))
        .await?;
        Ok(sent)
    }

    async fn release(&self) -> Result<(), Fault> {
        self.patch(&json!([self.is_ours(), {"op": "remove", "path": "/spec/holderIdentity"}]))
            .await
    }

    fn is_ours(&self) -> Value {
        json!({"op": "test", "path": "/spec/holderIdentity", "value": self.candidacy.identity})
    }

    async fn create(&self, spec: LeaseSpec) -> Result<(), Fault> {
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(self.candidacy.name.clone()),
                ..ObjectMeta::default()
            },
            spec: Some(spec),
        };
        let params = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        self.answered(self.api.create(&params, &lease)).await.map(drop)
    }

    async fn patch(&self, operations: &Value) -> Result<(), Fault> {
        let operations = serde_json::from_value(operations.clone()).map_err(kube::Error::SerdeError)?;
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::<()>::Json(operations);
        let answer = self.api.patch(&self.candidacy.name, &params, &patch);
        self.answered(answer).await.map(drop)
    }

    /// Waits for an answer no longer than there is time to ask again.
    async fn answered<T>(&self, answer: impl Future<Output = kube::Result<T>>) -> Result<T, Fault> {
        match timeout(self.candidacy.every(), answer).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Fault::Late),
        }
    }

    fn lost(&self) -> Lost {
        Lost {
            lease: self.candidacy.to_string(),
        }
    }
}
