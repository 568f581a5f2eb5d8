//! Dry runs: asked for as a run is, and counted by the same connector, which sends nothing. They stand beside runs: none
//! holds up a run, nor counts as one.

use super::request::{self, RequestFacts};
use super::results::JobSeen;
use super::workload::{self, Making};
use super::{RunsFacts, history, names};
use crate::api::dry_run::DryRun;
use crate::api::export::RequestAnswer;
use crate::api::run::RunOutcome;
use crate::governance::run_account;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

#[cfg(test)]
mod tests;

/// What status will say of dry runs, and which Jobs of them go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing<'a> {
    /// The newest that was asked for.
    pub newest: Option<DryRun>,
    /// Whether that is to be begun now.
    pub begins: bool,
    /// The Jobs that go, and whether each is under way.
    pub over: Vec<(&'a JobSeen, bool)>,
}

/// How dry runs stand. `runnable` says that one may begin, `stopping` that none may go on.
#[must_use]
pub fn standing<'a>(
    facts: &'a RunsFacts<'_>,
    before: Option<&DryRun>,
    (runnable, stopping): (bool, bool),
    now: Timestamp,
) -> Standing<'a> {
    let requested = facts.dry_run_requested;
    let answered = request::answer(RequestFacts {
        requested,
        before: before.map(|before| &before.request),
        begun: requested.is_some_and(|requested| is_begun(facts, &request::value(requested))),
        runnable,
        running: false, // a newer one takes the place of the one before
        now,
    });
    let answered = answered.map(|request| DryRun {
        request,
        run: None,
        estimate: Vec::new(),
    });
    let new = answered.is_some();
    let newest = answered.or_else(|| before.cloned());
    let newest = newest.map(|newest| told(newest, facts, stopping, now));
    let begins = newest.as_ref().is_some_and(|newest| {
        let request = &newest.request;
        new && request.answer == RequestAnswer::Begun && !is_begun(facts, &request.value)
    });
    // The one before goes once its successor is there: until then nobody knows who needs which plan.
    let over = if begins {
        Vec::new()
    } else {
        over(facts, before, newest.as_ref(), stopping)
    };
    Standing { newest, begins, over }
}

/// The Job of the one that begins; none while what it needs isn't there.
#[must_use]
pub fn job(facts: &RunsFacts<'_>, making: Making<'_>, newest: &DryRun) -> Option<Job> {
    run_account::is_complete(&facts.account).then(|| workload::dry_run(facts, making, &newest.request.value))
}

fn job_of(facts: &RunsFacts<'_>, request: &str) -> String {
    names::dry_run_job(&facts.kind(), (&facts.name, &facts.uid), request)
}

/// Whether the Job of a request is there, or on its way.
fn is_begun(facts: &RunsFacts<'_>, request: &str) -> bool {
    let job = job_of(facts, request);
    facts.dry_runs_starting.contains(&job) || facts.dry_run_jobs.iter().any(|seen| seen.name == job)
}

/// The same with what its Job tells by now.
fn told(before: DryRun, facts: &RunsFacts<'_>, stopping: bool, now: Timestamp) -> DryRun {
    let name = job_of(facts, &before.request.value);
    let job = facts.dry_run_jobs.iter().find(|seen| seen.name == name);
    let runs = history::merged(
        before.run.as_slice(),
        job.map(std::slice::from_ref).unwrap_or_default(),
        stopping,
        now,
    );
    let ended = job.and_then(|job| job.ended.as_ref());
    let news = runs.first() != before.run.as_ref();
    let estimate = ended.filter(|_| news).map(|ended| ended.estimate.clone());
    DryRun {
        estimate: estimate.unwrap_or(before.estimate),
        run: runs.into_iter().next(),
        request: before.request,
    }
}

/// Those under way that may not go on, those whose result stands in status, and those for which another one was asked for
/// since.
fn over<'a>(
    facts: &'a RunsFacts<'_>,
    before: Option<&DryRun>,
    newest: Option<&DryRun>,
    stopping: bool,
) -> Vec<(&'a JobSeen, bool)> {
    let newest_job = newest.map(|newest| job_of(facts, &newest.request.value));
    let stopped = before
        .and_then(|before| before.run.as_ref())
        .filter(|run| run.outcome == Some(RunOutcome::Stopped));
    let goes = |job: &&JobSeen| {
        let told = if job.ended.is_some() {
            before == newest
        } else {
            stopping || stopped.is_some_and(|run| run.job.as_ref() == Some(&job.name))
        };
        told || newest_job.as_ref() != Some(&job.name)
    };
    let there = facts.dry_run_jobs.iter().filter(|job| !job.going);
    there.filter(goes).map(|job| (job, job.ended.is_none())).collect()
}
