//! The newest runs, as status keeps them, and which Jobs have told all they had to tell.

use super::results::{Ended, JobSeen};
use crate::api::export::Run;
use crate::api::run::{FailureClass, Persistence, RunCounts, RunFailure, RunOutcome};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;

/// How many runs status keeps.
pub const RUNS_MAX: usize = 10;

/// What is said of a run whose Job went before it told how it ended.
const LOST: &str =
    "The run's Job was removed before it told how the run ended. Ask whoever runs the cluster by whom.";

/// The newest runs, the newest first: those that stood in status, brought up to date by the Jobs that are there.
/// `stopping` says that those under way are told to stop now.
///
/// Of those that ended unseen come the oldest first, as many as fit in: once they stand in status, the next ones do. So
/// each stands there once, however many they are.
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
    let mut untold = untold(before, jobs);
    for job in jobs {
        let known = runs.get(&job.name);
        // What was told once stays told: a Job on its way may lose its pods first. One that was only out of sight is back.
        let news = known.map_or(job.ended.is_none(), |known| {
            known.ended_at.is_none() || is_lost(known)
        });
        if news {
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
    let newer = untold
        .first()
        .map(|first| all.iter().filter(|run| order(run) > job_order(first)).count());
    untold.truncate(RUNS_MAX.saturating_sub(newer.unwrap_or_default()).max(1));
    all.extend(untold.into_iter().map(|job| run(job, stopping, now)));
    all.sort_by(|a, b| order(b).cmp(&order(a)));
    all.truncate(RUNS_MAX);
    all
}

/// The Jobs that have ended and never stood in status, the oldest first. What is older than all that stands there did.
fn untold<'a>(before: &[Run], jobs: &'a [JobSeen]) -> Vec<&'a JobSeen> {
    let known: BTreeSet<&str> = before.iter().filter_map(|run| run.job.as_deref()).collect();
    let oldest = before.iter().map(order).min();
    let oldest = oldest.filter(|_| before.len() >= RUNS_MAX);
    let ended = jobs.iter().filter(|job| job.ended.is_some());
    let untold = ended.filter(|job| !known.contains(job.name.as_str()));
    let mut untold: Vec<&JobSeen> = untold
        .filter(|job| oldest.is_none_or(|oldest| job_order(job) > oldest))
        .collect();
    untold.sort_by_key(|job| job_order(job));
    untold
}

/// By when it started. Of two at the same moment one has to be the first.
fn order(run: &Run) -> (&Time, Option<&str>) {
    (&run.started_at, run.job.as_deref())
}

fn job_order(job: &JobSeen) -> (&Time, Option<&str>) {
    (&job.started_at, Some(&job.name))
}

fn run(job: &JobSeen, stopping: bool, now: Timestamp) -> Run {
    let stopped = (stopping || job.going).then_some(Ended {
        at: Time(now),
        outcome: RunOutcome::Stopped,
        counts: None,
        estimate: Vec::new(),
        failure: None,
    });
    let ended = job.ended.clone().or(stopped);
    Run {
        job: Some(job.name.clone()),
        trigger: Some(job.trigger),
        started_at: job.started_at.clone(),
        ended_at: ended.as_ref().map(|ended| ended.at.clone()),
        attempt: Some(job.attempt),
        progress: job.progress.filter(|_| ended.is_none()),
        outcome: ended.as_ref().map(|ended| ended.outcome),
        counts: ended.as_ref().and_then(|ended| ended.counts),
        failure: ended.and_then(|ended| ended.failure),
        basis: job.basis.clone(),
    }
}

/// A run whose Job went before it told how it ended.
fn lose(run: &mut Run, now: Timestamp) {
    run.ended_at = Some(Time(now));
    run.progress = None;
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

/// The newest run that has ended, whether or not its turn to stand in status has come.
#[must_use]
pub fn last_ended(runs: &[Run], jobs: &[JobSeen], now: Timestamp) -> Option<Run> {
    let told = runs.iter().find(|run| run.ended_at.is_some());
    let stands = |job: &JobSeen| runs.iter().any(|run| run.job.as_deref() == Some(&job.name));
    let untold = jobs.iter().filter(|job| job.ended.is_some() && !stands(job));
    let newest = untold.max_by_key(|job| job_order(job));
    match (told, newest) {
        (Some(told), Some(newest)) if job_order(newest) < order(told) => Some(told.clone()),
        (_, Some(newest)) => Some(run(newest, false, now)),
        (told, None) => told.cloned(),
    }
}
