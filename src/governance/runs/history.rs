//! The newest runs, as status keeps them, and which Jobs have told all they had to tell.

use super::results::{Ended, JobSeen};
use crate::api::export::Run;
use crate::api::run::{FailureClass, Persistence, RunCounts, RunFailure, RunOutcome};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// How many runs status keeps.
pub const RUNS_MAX: usize = 10;

/// What is said of a run whose Job went before it told how it ended.
const LOST: &str =
    "The run's Job was removed before it told how the run ended. Ask whoever runs the cluster by whom.";

/// The newest runs, the newest first: those that stood in status, brought up to date by the Jobs that are there.
/// `stopping` says that those under way are told to stop now.
#[must_use]
pub fn merged(before: &[Run], jobs: &[JobSeen], stopping: bool, now: Timestamp) -> Vec<Run> {
    let mut runs: BTreeMap<String, Run> = BTreeMap::new();
    let mut nameless = Vec::new();
    for run in before {
        match &run.job {
            Some(job) => drop(runs.insert(job.clone(), run.clone())),
            None => nameless.push(run.clone()),
        }
    }
    for job in jobs {
        let known = runs.get(&job.name);
        // What was told once stays told: a Job on its way may lose its pods first. One that was only out of sight is back.
        if known.is_none_or(|known| known.ended_at.is_none() || is_lost(known)) {
            runs.insert(job.name.clone(), run(job, stopping, now));
        }
    }
    let there = |job: &str| jobs.iter().any(|seen| seen.name == job);
    for (name, run) in &mut runs {
        if run.ended_at.is_none() && !there(name) {
            lose(run, now);
        }
    }
    let mut all: Vec<Run> = runs.into_values().chain(nameless).collect();
    all.sort_by(|a, b| (&b.started_at, &b.job).cmp(&(&a.started_at, &a.job)));
    all.truncate(RUNS_MAX);
    all
}

fn run(job: &JobSeen, stopping: bool, now: Timestamp) -> Run {
    let stopped = (stopping || job.going).then_some(Ended {
        at: Time(now),
        outcome: RunOutcome::Stopped,
        counts: None,
        failure: None,
    });
    let ended = job.ended.clone().or(stopped);
    Run {
        job: Some(job.name.clone()),
        trigger: Some(job.trigger),
        started_at: job.started_at.clone(),
        ended_at: ended.as_ref().map(|ended| ended.at.clone()),
        attempt: Some(job.attempt),
        outcome: ended.as_ref().map(|ended| ended.outcome),
        counts: ended.as_ref().and_then(|ended| ended.counts),
        failure: ended.and_then(|ended| ended.failure),
        basis: job.basis.clone(),
    }
}

/// A run whose Job went before it told how it ended.
fn lose(run: &mut Run, now: Timestamp) {
    run.ended_at = Some(Time(now));
    run.outcome = Some(RunOutcome::Failed);
    run.failure = Some(RunFailure {
        class: FailureClass::System,
        persistence: Persistence::Transient,
        message: LOST.to_owned(),
    });
}

fn is_lost(run: &Run) -> bool {
    run.failure
        .as_ref()
        .is_some_and(|failure| failure.message == LOST)
}

/// What a run that was told to stop had done by then is known only once its pod has ended, after its Job went.
pub fn complete(runs: &mut [Run], last_words: &BTreeMap<String, RunCounts>) {
    for run in runs {
        let stopped = run.outcome == Some(RunOutcome::Stopped) && run.counts.is_none();
        if let (true, Some(job)) = (stopped, &run.job) {
            run.counts = last_words.get(job).copied();
        }
    }
}

/// The Jobs that may go: they have ended, what is known of them stands in status, and newer ones have taken their place.
#[must_use]
pub fn outlived<'a>(before: &[Run], merged: &[Run], jobs: &'a [JobSeen]) -> Vec<&'a JobSeen> {
    if before != merged {
        return Vec::new(); // once that is written
    }
    let kept = |job: &JobSeen| merged.iter().any(|run| run.job.as_deref() == Some(&job.name));
    let ended = jobs.iter().filter(|job| job.ended.is_some() && !job.going);
    ended.filter(|job| !kept(job)).collect()
}

/// Whether the result of each Job that has ended stands in status, or is too old for it.
#[must_use]
pub fn all_told(before: &[Run], merged: &[Run]) -> bool {
    before == merged && merged.iter().all(|run| run.ended_at.is_some())
}

/// The newest run that has ended.
#[must_use]
pub fn last_ended(runs: &[Run]) -> Option<&Run> {
    runs.iter().find(|run| run.ended_at.is_some())
}
