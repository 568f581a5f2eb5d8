//! Runs: what they are made of, which there should be, how they ended, and what follows from that.
//!
//! The operator keeps a CronJob for what has a schedule, and a Job for each request; Kubernetes starts, retries and
//! spreads their pods. How a run ended stands in its pod's termination message until it stands in status.

pub mod dry_run;
pub mod history;
pub mod lacks;
pub mod names;
pub mod news;
pub mod plan;
pub mod plans;
pub mod progress;
pub mod request;
pub mod results;
pub mod steps;
pub mod vaults;
pub mod verdict;
pub mod volumes;
pub mod workload;

use super::datasets::Use;
use super::kept::Seen;
use super::run_account::RunAccountFacts;
use super::vaults::KeyVaults;
use crate::api::connection_type::UsedFor;
use crate::api::enrichment::EnrichmentInput;
use crate::api::export::{Mode, PayloadItem};
use crate::api::reference::{DatasetRef, ObjectName};
use crate::api::run::RunCounts;
use crate::api::{Enrichment, Export};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::ResourceExt;
use results::JobSeen;
use std::collections::{BTreeMap, BTreeSet};

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
    /// The ranges of addresses inside of networks that vaults may be at, as the installation lists them.
    pub vault_ranges: String,
}

/// What goes in and out of the runs of one export or enrichment.
#[derive(Clone, Copy, Debug)]
pub enum Work<'a> {
    /// An export's.
    Export {
        /// What it sends.
        payload: &'a [PayloadItem],
        /// How much of it.
        mode: Option<Mode>,
    },
    /// An enrichment's.
    Enrichment {
        /// What it reads.
        input: &'a EnrichmentInput,
        /// What it writes.
        output: &'a DatasetRef,
    },
}

impl<'a> From<&'a Export> for Work<'a> {
    fn from(export: &'a Export) -> Self {
        Self::Export {
            payload: &export.spec.payload,
            mode: export.spec.mode,
        }
    }
}

impl<'a> From<&'a Enrichment> for Work<'a> {
    fn from(enrichment: &'a Enrichment) -> Self {
        Self::Enrichment {
            input: &enrichment.spec.input,
            output: &enrichment.spec.output,
        }
    }
}

impl Work<'_> {
    /// Whose runs these are. The word is that of the kind, too.
    #[must_use]
    pub const fn used_for(&self) -> UsedFor {
        match self {
            Self::Export { .. } => UsedFor::Export,
            Self::Enrichment { .. } => UsedFor::Enrichment,
        }
    }

    /// Whether a run reads the dataset of this name.
    #[must_use]
    pub fn reads(&self, dataset: &str) -> bool {
        match self {
            Self::Export { payload, .. } => payload.iter().any(|item| item.dataset.as_str() == dataset),
            Self::Enrichment { input, .. } => input.dataset.as_str() == dataset,
        }
    }

    /// The dataset that a run writes.
    #[must_use]
    pub const fn writes(&self) -> Option<&ObjectName> {
        match self {
            Self::Export { .. } => None,
            Self::Enrichment { output, .. } => Some(&output.dataset),
        }
    }
}

/// What is known of the runs of one export or enrichment.
#[derive(Clone, Debug)]
pub struct RunsFacts<'a> {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid, by which what it owns goes with it.
    pub uid: String,
    /// What goes in and out.
    pub work: Work<'a>,
    /// The newest request for a run.
    pub requested: Option<&'a str>,
    /// The newest request for a dry run.
    pub dry_run_requested: Option<&'a str>,
    /// The CronJob that is there.
    pub cron_job: Seen<CronJob>,
    /// The Jobs that are there.
    pub jobs: Vec<JobSeen>,
    /// Those of dry runs.
    pub dry_run_jobs: Vec<JobSeen>,
    /// What pods told of runs that were stopped, by the names of their Jobs.
    pub last_words: BTreeMap<String, RunCounts>,
    /// The names of Jobs that were made for requests a moment ago, and that the watch hasn't brought yet.
    pub starting: BTreeSet<String>,
    /// Those of dry runs, likewise.
    pub dry_runs_starting: BTreeSet<String>,
    /// Until when pods may go on whose run is over, as they undo what they had begun.
    pub undoing: Option<Timestamp>,
    /// The key vaults that its connection names and the installation allows.
    pub vaults: KeyVaults,
    /// What its runs run as.
    pub account: RunAccountFacts,
    /// What they are run by, if this installation runs anything.
    pub connector: Option<&'a Connector>,
}

impl RunsFacts<'_> {
    /// The kind of what runs.
    #[must_use]
    pub fn kind(&self) -> String {
        self.work.used_for().to_string()
    }

    /// The CronJob that is there, if it goes with this very export or enrichment.
    #[must_use]
    pub fn own_cron_job(&self) -> Option<&CronJob> {
        self.cron_job.present().filter(|seen| self.owns(seen))
    }

    /// The CronJob of what had this name before: Kubernetes is about to remove it with all that it made.
    #[must_use]
    pub fn stray_cron_job(&self) -> Option<&CronJob> {
        self.cron_job.present().filter(|seen| !self.owns(seen))
    }

    /// Whether what is known of the CronJob isn't what is there, or won't be.
    #[must_use]
    pub fn awaits_cron_job(&self) -> bool {
        self.cron_job.is_pending() || self.stray_cron_job().is_some()
    }

    /// Whether a run under way would write what isn't its own any more: the output is another, or elsewhere, or it belongs to another.
    #[must_use]
    pub fn writes_anothers(&self, uses: &[Use]) -> bool {
        let Some(name) = self.work.writes() else {
            return false;
        };
        let mut under_way = self
            .jobs
            .iter()
            .filter(|job| job.ended.is_none() && !job.going)
            .peekable();
        if under_way.peek().is_none() {
            return false; // as on nearly every visit
        }
        let lost = volumes::written(uses, self.work).is_some_and(Use::is_anothers);
        let output = volumes::output(uses, self.work);
        let elsewhere = |of_run: &String| match &output {
            Some(output) => of_run != output,
            None => of_run.split('/').next() != Some(name.as_str()), // where that lies isn't known
        };
        under_way.any(|job| lost || job.output.as_ref().is_some_and(elsewhere))
    }

    fn owns(&self, cron_job: &CronJob) -> bool {
        let mut owners = cron_job.owner_references().iter();
        owners.any(|owner| owner.uid == self.uid)
    }
}
