//! Which plans are still there for something: what runs by none of them goes with its ConfigMap.

use super::results::JobSeen;
use super::{RunsFacts, names};
use crate::api::names::{RUN_PLAN_ANNOTATION, RUN_PLAN_BEFORE_ANNOTATION};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How long a plan stays after another took its place on the CronJob: Kubernetes may just be making a Job by it.
const STAYS: SignedDuration = SignedDuration::from_mins(1);
/// How many plans a CronJob remembers that were before. Those beyond go with the export.
const BEFORE_MAX: usize = 100;

/// The plans of a CronJob before the one that it has now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Those that stay, as the CronJob remembers them: each with the time at which it was replaced.
    pub stay: String,
    /// The names of those that go.
    pub go: Vec<String>,
}

/// What becomes of the plans before, when a CronJob gets the plan of this hash. None goes while a Job is on its way that
/// wasn't seen yet, as it may have any of them.
#[must_use]
pub fn before(facts: &RunsFacts<'_>, hash: &str, quiet: bool, now: Timestamp) -> Before {
    let replaced = scheduled(facts).map(|plan| (plan, now));
    let remembered = replaced.into_iter().chain(remembered(facts));
    let mut before = Before::default();
    for (plan, at) in remembered.filter(|(plan, _)| *plan != hash).take(BEFORE_MAX) {
        if quiet && now.duration_since(at) >= STAYS && !runs_by(facts, plan) {
            before.go.push(names::plan(plan));
        } else {
            let separator = if before.stay.is_empty() { "" } else { "," };
            let _ = write!(before.stay, "{separator}{plan}@{at}"); // a String takes everything
        }
    }
    before
}

/// The names of the plans of a CronJob that goes, but for those that a Job runs by.
#[must_use]
pub fn retired(facts: &RunsFacts<'_>) -> Vec<String> {
    let all = scheduled(facts)
        .into_iter()
        .chain(remembered(facts).map(|(plan, _)| plan));
    all.filter(|plan| !runs_by(facts, plan))
        .map(names::plan)
        .collect()
}

/// How many Jobs have each plan, those that are being removed aside.
#[must_use]
pub fn counted<'a>(facts: &'a RunsFacts<'_>) -> BTreeMap<&'a str, usize> {
    let staying = of_all(facts).filter(|job| !job.going);
    let mut counted = BTreeMap::new();
    for plan in staying.filter_map(|job| job.plan.as_deref()) {
        *counted.entry(plan).or_default() += 1;
    }
    counted
}

/// Whether a CronJob has this plan, or had it before, or may have: then it sees to it.
#[must_use]
pub fn is_scheduled(facts: &RunsFacts<'_>, plan: &str) -> bool {
    let mut before = remembered(facts).map(|(plan, _)| plan);
    facts.awaits_cron_job() || scheduled(facts) == Some(plan) || before.any(|before| before == plan)
}

/// The plan of the CronJob that is there.
#[must_use]
pub fn scheduled<'a>(facts: &'a RunsFacts<'_>) -> Option<&'a str> {
    annotation(facts, RUN_PLAN_ANNOTATION)
}

fn remembered<'a>(facts: &'a RunsFacts<'_>) -> impl Iterator<Item = (&'a str, Timestamp)> {
    let entries = annotation(facts, RUN_PLAN_BEFORE_ANNOTATION).into_iter();
    entries
        .flat_map(|entries| entries.split(','))
        .filter_map(|entry| {
            let (plan, at) = entry.split_once('@')?;
            Some((plan, at.parse().ok()?))
        })
}

fn annotation<'a>(facts: &'a RunsFacts<'_>, name: &str) -> Option<&'a str> {
    let annotations = facts.own_cron_job()?.metadata.annotations.as_ref()?;
    annotations.get(name).map(String::as_str)
}

/// Whether a Job has this plan.
fn runs_by(facts: &RunsFacts<'_>, plan: &str) -> bool {
    of_all(facts).any(|job| job.plan.as_deref() == Some(plan))
}

/// A dry run has the plan that a run would have.
fn of_all<'a>(facts: &'a RunsFacts<'_>) -> impl Iterator<Item = &'a JobSeen> {
    facts.jobs.iter().chain(&facts.dry_run_jobs)
}
