//! Runs: what they are made of, which there should be, how they ended, and what follows from that.
//!
//! The operator keeps a CronJob for what has a schedule, and a Job for each request; Kubernetes starts, retries and
//! spreads their pods. How a run ended stands in its pod's termination message until it stands in status.

pub mod history;
pub mod lacks;
pub mod names;
pub mod plan;
pub mod request;
pub mod results;
pub mod steps;
pub mod verdict;
pub mod workload;

use super::kept::Seen;
use super::run_account::RunAccountFacts;
use crate::api::export::{Mode, PayloadItem};
use crate::api::run::RunCounts;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::ResourceRequirements;
use results::JobSeen;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// What runs are run by: the connector's image, and what its pods may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Connector {
    /// The image.
    pub image: String,
    /// When nodes fetch it.
    pub pull_policy: String,
    /// What a run's pod asks for and may use.
    pub resources: ResourceRequirements,
    /// After how many seconds a run is ended, all its attempts together.
    pub deadline_seconds: i64,
}

/// What is known of the runs of one export.
#[derive(Clone, Debug)]
pub struct RunsFacts<'a> {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid, by which what it owns goes with it.
    pub uid: String,
    /// What it sends.
    pub payload: &'a [PayloadItem],
    /// How much of it.
    pub mode: Option<Mode>,
    /// The newest request for a run.
    pub requested: Option<&'a str>,
    /// The CronJob that is there.
    pub cron_job: Seen<CronJob>,
    /// The Jobs that are there.
    pub jobs: Vec<JobSeen>,
    /// What pods told of runs that were stopped, by the names of their Jobs.
    pub last_words: BTreeMap<String, RunCounts>,
    /// Whether a Job was made for a request a moment ago, and the watch hasn't brought it yet.
    pub starting: bool,
    /// What its runs run as.
    pub account: RunAccountFacts,
    /// What they are run by, if this installation runs anything.
    pub connector: Option<&'a Connector>,
}
