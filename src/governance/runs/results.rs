//! How a run stands, read from its Job and the pods of that.

use super::workload::GRACE;
use crate::api::dry_run::{DatasetEstimate, NAMED_COLUMNS_MAX};
use crate::api::export::{PAYLOAD_MAX, Trigger};
use crate::api::names::{
    DRY_RUN_REQUESTED_ANNOTATION, RUN_BASIS_ANNOTATION, RUN_CONTAINER, RUN_OUTPUT_ANNOTATION,
    RUN_PLAN_ANNOTATION, RUN_REQUESTED_ANNOTATION,
};
use crate::api::run::{
    EXIT_PERMANENT, EXIT_STOPPED, EXIT_SUCCEEDED, EXIT_TRANSIENT, FailureClass, Persistence, RunCounts,
    RunFailure, RunOutcome, RunProgress, RunResult,
};
use crate::governance::message;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// The label by which Kubernetes marks the pods of a Job.
const JOB_NAME_LABEL: &str = "batch.kubernetes.io/job-name";
/// Why a Job ended that took longer than it may.
const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";
/// Most characters of a failure's message.
const MESSAGE_MAX: usize = 1000;

/// One Job of an export or enrichment.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSeen {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// What began it.
    pub trigger: Trigger,
    /// Whether it only counts what a run would send.
    pub dry_run: bool,
    /// When it started.
    pub started_at: Time,
    /// The hash of its plan.
    pub plan: Option<String>,
    /// What it began with.
    pub basis: Option<String>,
    /// What it writes: the dataset's name, and a hash of its place.
    pub output: Option<String>,
    /// How many of its pods there were.
    pub attempt: i32,
    /// How far it is, as its pod told last.
    pub progress: Option<RunProgress>,
    /// How it ended, once it has.
    pub ended: Option<Ended>,
    /// Whether it is being removed.
    pub going: bool,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Time,
    /// How.
    pub outcome: RunOutcome,
    /// What it did, if its connector told.
    pub counts: Option<RunCounts>,
    /// Of a dry run, what a run would have sent.
    pub estimate: Vec<DatasetEstimate>,
    /// Why it didn't end well.
    pub failure: Option<RunFailure>,
}

/// What a Job and its pods tell. Pods of other Jobs are left aside. `progress` knows how far pods are, by their uids.
#[must_use]
pub fn seen<'a>(
    job: &Job,
    pods: impl Iterator<Item = &'a Pod>,
    progress: impl Fn(&str) -> Option<RunProgress>,
) -> JobSeen {
    let uid = job.uid().unwrap_or_default();
    let own = pods.filter(|pod| pod.owner_references().iter().any(|owner| owner.uid == uid));
    let own: Vec<&Pod> = own.collect();
    let over = own.iter().copied().filter_map(terminated);
    let last = over.max_by_key(|last| last.finished_at.clone());
    let mut going_on = own.iter().filter(|pod| !has_ended(pod));
    let progress = going_on.find_map(|pod| progress(pod.metadata.uid.as_deref()?));
    let status = job.status.clone().unwrap_or_default();
    let annotation = |name: &str| job.annotations().get(name).cloned();
    let created = job.creation_timestamp().unwrap_or(Time(Timestamp::UNIX_EPOCH));
    let pods = [status.active, status.succeeded, status.failed];
    let verdict = status.conditions.iter().flatten().find(|condition| {
        condition.status == "True" && matches!(condition.type_.as_str(), "Complete" | "Failed")
    });
    let dry_run = job.annotations().contains_key(DRY_RUN_REQUESTED_ANNOTATION);
    let trigger = if dry_run || job.annotations().contains_key(RUN_REQUESTED_ANNOTATION) {
        Trigger::Request
    } else {
        Trigger::Schedule
    };
    JobSeen {
        name: job.name_any(),
        trigger,
        dry_run,
        plan: annotation(RUN_PLAN_ANNOTATION),
        basis: annotation(RUN_BASIS_ANNOTATION),
        output: annotation(RUN_OUTPUT_ANNOTATION),
        attempt: pods.into_iter().flatten().sum::<i32>().max(1),
        progress,
        ended: verdict.map(|verdict| ended(verdict, last, &created)),
        started_at: status.start_time.unwrap_or(created),
        going: job.metadata.deletion_timestamp.is_some(),
        uid,
    }
}

/// What pods told of runs that were stopped, by the names of their Jobs, which may be gone.
#[must_use]
pub fn last_words<'a>(pods: impl Iterator<Item = &'a Pod>) -> BTreeMap<String, RunCounts> {
    let told = pods.filter_map(|pod| {
        let job = pod.labels().get(JOB_NAME_LABEL)?.clone();
        let result: RunResult = serde_json::from_str(terminated(pod)?.message.as_deref()?).ok()?;
        (result.outcome == RunOutcome::Stopped).then(|| (job, bounded(result.counts)))
    });
    told.collect()
}

/// Until when pods may go on whose run is over, those of dry runs aside: their Job is gone or has ended, and they undo what they had begun. One whose
/// time is over as well is on a node that is lost, and isn't waited for.
#[must_use]
pub fn undoing<'a>(
    pods: impl Iterator<Item = &'a Pod>,
    jobs: &[JobSeen],
    now: Timestamp,
) -> Option<Timestamp> {
    let under_way = jobs.iter().filter(|job| job.ended.is_none());
    let under_way: Vec<&str> = under_way.map(|job| job.uid.as_str()).collect();
    let left = pods.filter(|pod| {
        let dry_run = pod.annotations().contains_key(DRY_RUN_REQUESTED_ANNOTATION);
        let mut owners = pod.owner_references().iter();
        !dry_run && !has_ended(pod) && !owners.any(|owner| under_way.contains(&owner.uid.as_str()))
    });
    let until = left.map(|pod| {
        let ends = pod.metadata.deletion_timestamp.as_ref();
        // One that isn't told yet to end will be.
        ends.map_or(now + SignedDuration::from_secs(GRACE), |ends| ends.0)
    });
    until.filter(|until| *until > now).max()
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    terminated(pod).is_some() || matches!(phase, Some("Succeeded" | "Failed"))
}

fn terminated(pod: &Pod) -> Option<&ContainerStateTerminated> {
    own_container(pod)?.state.as_ref()?.terminated.as_ref()
}

/// How the container stands in which the connector runs.
pub(super) fn own_container(pod: &Pod) -> Option<&ContainerStatus> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    containers
        .iter()
        .find(|container| container.name == RUN_CONTAINER)
}

fn ended(verdict: &JobCondition, last: Option<&ContainerStateTerminated>, created: &Time) -> Ended {
    let at = verdict.last_transition_time.clone();
    let at = at
        .or_else(|| last?.finished_at.clone())
        .unwrap_or_else(|| created.clone());
    let complete = verdict.type_ == "Complete";
    // At its deadline a run is told to end, and says no more than that it was.
    let late = verdict.reason.as_deref() == Some(DEADLINE_EXCEEDED);
    let mut counts = None;
    if let Some(told) = last.and_then(|last| told(last, complete)) {
        if !(late && told.outcome == RunOutcome::Stopped) {
            return Ended { at, ..told };
        }
        counts = told.counts;
    }
    let failure = (!complete).then(|| untold(verdict, last));
    let outcome = match (complete, last.map(|last| last.exit_code)) {
        (true, _) => RunOutcome::Succeeded,
        (false, Some(code)) if code == i32::from(EXIT_STOPPED) && !late => RunOutcome::Stopped,
        (false, _) => RunOutcome::Failed,
    };
    Ended {
        at,
        outcome,
        counts,
        estimate: Vec::new(),
        failure: failure.filter(|_| outcome == RunOutcome::Failed),
    }
}

/// The result that the connector wrote, unless it contradicts how the pod and the Job ended.
fn told(last: &ContainerStateTerminated, complete: bool) -> Option<Ended> {
    let result: RunResult = serde_json::from_str(last.message.as_deref()?).ok()?;
    let code = u8::try_from(last.exit_code).ok()?;
    let fits = match result.outcome {
        RunOutcome::Succeeded => complete && code == EXIT_SUCCEEDED,
        RunOutcome::Failed => !complete && matches!(code, EXIT_TRANSIENT | EXIT_PERMANENT),
        RunOutcome::Stopped => !complete && code == EXIT_STOPPED,
    };
    let failure = result.failure.map(|failure| RunFailure {
        message: message::cut(&message::bounded(failure.message), MESSAGE_MAX),
        // The exit code is what Kubernetes went by.
        persistence: if code == EXIT_PERMANENT {
            Persistence::Permanent
        } else {
            Persistence::Transient
        },
        ..failure
    });
    fits.then_some(Ended {
        at: result.ended_at,
        outcome: result.outcome,
        counts: Some(bounded(result.counts)),
        estimate: estimate(result.estimate),
        failure,
    })
}

/// Numbers that the schema takes.
fn bounded(counts: RunCounts) -> RunCounts {
    RunCounts {
        rows_read: counts.rows_read.max(0),
        rows_sent: counts.rows_sent.max(0),
        rows_rejected: counts.rows_rejected.max(0),
        bytes: counts.bytes.max(0),
        rows_enriched: counts.rows_enriched.map(|rows| rows.max(0)),
        rows_not_matched: counts.rows_not_matched.map(|rows| rows.max(0)),
    }
}

/// No more than the schema takes, and each dataset once.
fn estimate(told: Vec<DatasetEstimate>) -> Vec<DatasetEstimate> {
    let bounded = told.into_iter().map(|dataset| dataset.bounded(NAMED_COLUMNS_MAX));
    let mut named = BTreeSet::new();
    let each = bounded.filter(|dataset| named.insert(dataset.dataset.clone()));
    each.take(PAYLOAD_MAX as usize).collect()
}

/// What can be said of a run whose connector told nothing.
fn untold(verdict: &JobCondition, last: Option<&ContainerStateTerminated>) -> RunFailure {
    let code = last.map(|last| last.exit_code);
    let killed = last.and_then(|last| last.reason.as_deref()) == Some("OOMKilled");
    let message = match (verdict.reason.as_deref(), code) {
        (Some(DEADLINE_EXCEEDED), _) => {
            "The run took longer than a run may, and was ended. The next one is tried all the same. If it lasts, send less, or \
             ask whoever installed the operator for a longer connector.deadlineSeconds."
                .to_owned()
        }
        (_, Some(_)) if killed => {
            "The run used more memory than it may, and was ended. Ask whoever installed the operator to raise \
             connector.resources."
                .to_owned()
        }
        (_, Some(code)) => format!(
            "The run ended with exit code {code} and told no result. Ask whoever runs the cluster to look at the log of its pod."
        ),
        (_, None) => "The run ended and nothing is left that tells how: its pod was removed, or never began. Ask whoever runs the \
                      cluster why."
            .to_owned(),
    };
    RunFailure {
        class: FailureClass::System,
        persistence: if code == Some(i32::from(EXIT_PERMANENT)) {
            Persistence::Permanent
        } else {
            Persistence::Transient
        },
        message,
    }
}
