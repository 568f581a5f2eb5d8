//! What is to be written for the runs of one export.

use super::history::{all_told, complete, merged, outlived};
use super::request::{self, RequestFacts};
use super::results::JobSeen;
use super::verdict;
use super::workload::{self, Making};
use super::{RunsFacts, names, plan};
use crate::api::connection::Parameters;
use crate::api::export::{ExportStatus, RequestAnswer, Run, RunRequest, Schedule, Trigger};
use crate::api::names::{RUN_PLAN_ANNOTATION, RUN_PLAN_BEFORE_ANNOTATION};
use crate::api::run::RunOutcome;
use crate::api::{ConditionType, Connection, Reason};
use crate::governance::Standing;
use crate::governance::conditions::find;
use crate::governance::datasets::Use;
use crate::governance::decision::{Announcement, Effect};
use crate::governance::parameters::CompiledType;
use crate::governance::run_account::{self, Need};
use crate::governance::schedule;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::ConfigMap;

/// One write to what runs are made of.
#[derive(Clone, Debug, PartialEq)]
pub enum RunStep {
    /// Applies the CronJob, after its plan if that isn't there.
    Schedule {
        /// The plan, unless it's there.
        plan: Option<ConfigMap>,
        /// The CronJob.
        cron_job: Box<CronJob>,
        /// The name of a plan that nothing runs by any more.
        outlived: Option<String>,
    },
    /// Begins a run that was requested, after its plan. Made twice, it is begun once.
    Start {
        /// The plan.
        plan: ConfigMap,
        /// The Job.
        job: Box<Job>,
    },
    /// Lets the CronJob rest, as it is otherwise.
    Suspend(Box<CronJob>),
    /// Removes the CronJob with all that it made.
    Retire {
        /// The CronJob.
        cron_job: Box<CronJob>,
        /// The names of its plans that nothing else runs by.
        plans: Vec<String>,
    },
    /// Removes a Job with its pods, by name and uid: it is told to stop, or has told all.
    End {
        /// Its name.
        job: String,
        /// Its uid.
        uid: String,
        /// The name of its plan, if nothing else runs by it.
        plan: Option<String>,
        /// Whether it is under way.
        running: bool,
    },
}

/// How the runs of an export stand before anything is judged.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The newest runs.
    pub runs: Vec<Run>,
    /// Those that may not go on.
    pub stopping: bool,
}

/// The newest runs, those ended that may not go on.
#[must_use]
pub fn begun(facts: Option<&RunsFacts<'_>>, before: &ExportStatus, stopping: bool, now: Timestamp) -> Begun {
    let runs = match facts {
        Some(facts) => {
            let mut runs = merged(&before.runs, &facts.jobs, stopping, now);
            complete(&mut runs, &facts.last_words);
            runs
        }
        None => before.runs.clone(),
    };
    Begun { runs, stopping }
}

/// What there is to run, if it may.
#[derive(Clone, Copy, Debug)]
pub struct Runnable<'a> {
    /// The connection and its type.
    pub connection: (&'a Connection, &'a CompiledType),
    /// The datasets.
    pub uses: &'a [Use],
    /// What the export chose.
    pub parameters: &'a Parameters,
    /// When it runs.
    pub schedule: Option<&'a Schedule>,
    /// Whether scheduled runs are held after a failure.
    pub held: bool,
    /// The generation of its spec.
    pub generation: Option<i64>,
}

/// What is due.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Due {
    /// The writes, in order.
    pub effects: Vec<Effect>,
    /// The newest request.
    pub request: Option<RunRequest>,
    /// When to look again.
    pub recheck: Option<SignedDuration>,
}

/// How long the run account is waited for before it is looked at again.
const ACCOUNT_WAIT: SignedDuration = SignedDuration::from_secs(1);
/// By how much our clock and that of the controller of CronJobs may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(2);

/// What is due for the runs of an export: the account, what begins, what rests and what ends. `detached` says that its
/// CronJob isn't kept.
#[must_use]
pub fn due(
    facts: &RunsFacts<'_>,
    before: &ExportStatus,
    begun: &Begun,
    runnable: Option<Runnable<'_>>,
    detached: bool,
    now: Timestamp,
) -> Due {
    let running = facts.starting || facts.jobs.iter().any(|job| job.ended.is_none());
    let answered = request::answer(RequestFacts {
        requested: facts.requested,
        before: before.last_request.as_ref(),
        runnable: runnable.is_some(),
        running,
        now,
    });
    let mut due = Due {
        request: answered.or_else(|| before.last_request.clone()),
        ..Due::default()
    };
    if let Some(runnable) = runnable {
        due.effects.extend(account(facts));
        begin(facts, before, (runnable, now), &mut due);
    }
    let unscheduled = runnable.is_some_and(|runnable| runnable.schedule.is_none());
    if runnable.is_none() || unscheduled {
        let told = all_told(&before.runs, &begun.runs);
        due.effects.extend(rest(facts, (detached || unscheduled) && told));
    }
    due.effects.extend(ends(facts, before, begun));
    due
}

/// Lets the CronJob rest, and removes it once it does, if it isn't kept.
fn rest(facts: &RunsFacts<'_>, retires: bool) -> Option<Effect> {
    let seen = facts.cron_job.present()?;
    let rests = seen.spec.as_ref().and_then(|spec| spec.suspend) == Some(true);
    let cron_job = Box::new(seen.clone());
    if !rests {
        return Some(step(RunStep::Suspend(cron_job)));
    }
    (retires && seen.metadata.deletion_timestamp.is_none()).then(|| {
        let plans = [RUN_PLAN_ANNOTATION, RUN_PLAN_BEFORE_ANNOTATION].map(|which| scheduled(facts, which));
        let plans = plans.into_iter().flatten().filter(|plan| !runs_by(facts, plan));
        let plans = plans.map(names::plan).collect();
        step(RunStep::Retire { cron_job, plans })
    })
}

fn step(step: RunStep) -> Effect {
    Effect::Run(Box::new(step))
}

fn account(facts: &RunsFacts<'_>) -> Vec<Effect> {
    run_account::effects(Need {
        namespace: &facts.namespace,
        needed: true,
        deleting: false,
        facts: &facts.account,
    })
}

fn begin(
    facts: &RunsFacts<'_>,
    before: &ExportStatus,
    (runnable, now): (Runnable<'_>, Timestamp),
    due: &mut Due,
) {
    let planned = plan::plan(facts, runnable.connection, runnable.uses, runnable.parameters);
    let written = planned.as_ref().and_then(plan::written);
    let (Some(written), Some(connector)) = (written, facts.connector) else {
        due.request.clone_from(&before.last_request);
        return;
    };
    let basis = verdict::basis(runnable.generation, runnable.connection.0);
    let making = Making {
        connector,
        connection: runnable.connection.0,
        uses: runnable.uses,
        plan: &written,
        plan_before: plan_before(facts, &written.hash),
        basis: &basis,
    };
    let mut alone = facts.starting || facts.jobs.iter().any(is_requested_and_running);
    if let Some(request) = begins(before, due) {
        if run_account::is_complete(&facts.account) {
            due.effects.push(step(RunStep::Start {
                plan: plan::config_map(facts, &written),
                job: Box::new(workload::job(facts, making, &request)),
            }));
            alone = true;
        } else {
            due.request.clone_from(&before.last_request);
            due.recheck = Some(ACCOUNT_WAIT);
        }
    }
    if let Some(wanted) = runnable.schedule {
        let passing = passing(facts, wanted, now);
        due.recheck = due.recheck.into_iter().chain(passing).min();
        let suspend = runnable.held || alone || passing.is_some();
        due.effects.extend(schedule(facts, making, wanted, suspend));
    }
}

/// The request that a run is begun for now.
fn begins(before: &ExportStatus, due: &Due) -> Option<String> {
    let request = due.request.as_ref()?;
    let new = before.last_request.as_ref() != Some(request);
    (new && request.answer == RequestAnswer::Begun).then(|| request.value.clone())
}

/// What was requested and the schedule don't know of each other, and only one runs at a time.
fn is_requested_and_running(job: &JobSeen) -> bool {
    job.ended.is_none() && job.trigger == Trigger::Request
}

/// How long a CronJob must rest until Kubernetes no longer makes up for a time that came just before it goes on, or
/// before it got this schedule. One that is made anew makes up for nothing.
fn passing(facts: &RunsFacts<'_>, schedule: &Schedule, now: Timestamp) -> Option<SignedDuration> {
    let seen = facts.cron_job.present()?.spec.as_ref()?;
    if seen.suspend != Some(true) && workload::keeps(seen, schedule) {
        return None;
    }
    let late = SignedDuration::from_secs(workload::STARTING_DEADLINE) + CLOCKS_DIFFER;
    let came = schedule::next(schedule, now - late)?;
    (came <= now).then(|| came.duration_since(now) + late)
}

fn schedule(facts: &RunsFacts<'_>, making: Making<'_>, schedule: &Schedule, suspend: bool) -> Option<Effect> {
    let seen = facts.cron_job.present();
    let wanted = workload::cron_job(facts, making, schedule, suspend);
    if facts.cron_job.is_pending() || seen.is_some_and(|seen| workload::is_in_form(seen, &wanted)) {
        return None;
    }
    let hash = making.plan.hash.as_str();
    let anew = scheduled(facts, RUN_PLAN_ANNOTATION) != Some(hash);
    let outlived = scheduled(facts, RUN_PLAN_BEFORE_ANNOTATION)
        .filter(|outlived| anew && *outlived != hash && !runs_by(facts, outlived));
    Some(step(RunStep::Schedule {
        plan: anew.then(|| plan::config_map(facts, making.plan)),
        cron_job: Box::new(wanted),
        outlived: outlived.map(names::plan),
    }))
}

/// The plan of the CronJob that is there, or the one before.
fn scheduled<'a>(facts: &'a RunsFacts<'_>, which: &str) -> Option<&'a str> {
    let annotations = facts.cron_job.present()?.metadata.annotations.as_ref()?;
    annotations.get(which).map(String::as_str)
}

/// The plan before this one. It stays until there is another one again: a Job may have been made by it a moment ago.
fn plan_before<'a>(facts: &'a RunsFacts<'_>, hash: &str) -> Option<&'a str> {
    match scheduled(facts, RUN_PLAN_ANNOTATION) {
        Some(plan) if plan != hash => Some(plan),
        Some(_) | None => scheduled(facts, RUN_PLAN_BEFORE_ANNOTATION),
    }
}

/// Whether a Job has this plan.
fn runs_by(facts: &RunsFacts<'_>, plan: &str) -> bool {
    facts.jobs.iter().any(|job| job.plan.as_deref() == Some(plan))
}

/// The Jobs that are told to stop, and those that have told all and are no longer among the newest.
fn ends(facts: &RunsFacts<'_>, before: &ExportStatus, begun: &Begun) -> Vec<Effect> {
    let ended_in = |runs: &[Run], name: &str| {
        runs.iter()
            .any(|run| run.job.as_deref() == Some(name) && run.outcome == Some(RunOutcome::Stopped))
    };
    let stopped = facts.jobs.iter().filter(|job| {
        job.ended.is_none() && !job.going && (begun.stopping || ended_in(&before.runs, &job.name))
    });
    let outlived = outlived(&before.runs, &begun.runs, &facts.jobs);
    let lonely = |job: &JobSeen| {
        let plan = job.plan.as_ref()?;
        let each = [RUN_PLAN_ANNOTATION, RUN_PLAN_BEFORE_ANNOTATION];
        let kept = each
            .iter()
            .any(|which| scheduled(facts, which) == Some(plan.as_str()));
        let mut others = facts.jobs.iter().filter(|other| other.name != job.name);
        let used = kept || others.any(|other| other.plan.as_ref() == Some(plan));
        (!used && !facts.cron_job.is_pending()).then(|| names::plan(plan))
    };
    let end = |job: &JobSeen, running| {
        step(RunStep::End {
            job: job.name.clone(),
            uid: job.uid.clone(),
            plan: lonely(job),
            running,
        })
    };
    let stopped = stopped.map(|job| end(job, true));
    let outlived = outlived.into_iter().map(|job| end(job, false));
    stopped.chain(outlived).collect()
}

/// What people should hear of: how a run ended, and what became of a request.
#[must_use]
pub fn announcements(before: &ExportStatus, after: &ExportStatus) -> Vec<Announcement> {
    let ended = newly_ended(before, after).map(|run| match run.outcome {
        Some(RunOutcome::Succeeded) => (false, Reason::RunSucceeded),
        Some(RunOutcome::Stopped) => (true, Reason::RunStopped),
        Some(RunOutcome::Failed) | None => (true, failed(after)),
    });
    let request = after.last_request.as_ref();
    let request = request.filter(|request| before.last_request.as_ref() != Some(request));
    let answered = request.map(|request| {
        let Standing { reason, .. } = request::standing(request);
        (request.answer != RequestAnswer::Begun, reason)
    });
    let all = ended.chain(answered);
    all.map(|(warning, reason)| Announcement { warning, reason })
        .collect()
}

/// A failure that holds what follows is told as what it does to the export.
fn failed(after: &ExportStatus) -> Reason {
    let last = find(&after.conditions, ConditionType::LastRunSucceeded);
    if last.is_some_and(|last| last.reason == Reason::RunFailed.as_str()) {
        Reason::RunFailed
    } else {
        Reason::RunFailedForNow
    }
}

/// The runs that have ended since.
pub fn newly_ended<'a>(before: &'a ExportStatus, after: &'a ExportStatus) -> impl Iterator<Item = &'a Run> {
    let told = |run: &Run| {
        let mut known = before.runs.iter();
        known.any(|known| known.job == run.job && known.ended_at.is_some())
    };
    after
        .runs
        .iter()
        .filter(move |run| run.ended_at.is_some() && !told(run))
}
