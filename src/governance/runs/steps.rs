//! What is to be written for the runs of one export or enrichment.

use super::dry_run;
use super::history::{all_told, complete, last_ended, merged, outlived};
use super::request::{self, RequestFacts};
use super::results::JobSeen;
use super::verdict;
use super::workload::{self, Making};
use super::{RunsFacts, names, plan, plans};
use crate::api::Connection;
use crate::api::connection::Parameters;
use crate::api::dry_run::DryRun;
use crate::api::export::{ExportStatus, RequestAnswer, Run, RunRequest, Schedule, Trigger};
use crate::api::run::RunOutcome;
use crate::governance::datasets::Use;
use crate::governance::decision::Effect;
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
        /// The names of plans that nothing runs by any more.
        outlived: Vec<String>,
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

/// How the runs of an export or enrichment stand before anything is judged.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The newest runs, as status will have them.
    pub runs: Vec<Run>,
    /// The newest that has ended, which may not stand there yet.
    pub last_ended: Option<Run>,
    /// Whether those under way may not go on.
    pub stopping: bool,
    /// Whether what runs is being removed, and all that its runs are made of goes before it.
    pub leaving: bool,
}

/// How the runs stand, those ended that may not go on.
#[must_use]
pub fn begun(
    facts: &RunsFacts<'_>,
    before: &ExportStatus,
    (stopping, leaving): (bool, bool),
    now: Timestamp,
) -> Begun {
    let mut runs = merged(&before.runs, &facts.jobs, stopping, now);
    complete(&mut runs, &facts.last_words);
    Begun {
        last_ended: last_ended(&runs, &facts.jobs, now),
        runs,
        stopping,
        leaving,
    }
}

/// What there is to run, if it may.
#[derive(Clone, Copy, Debug)]
pub struct Runnable<'a> {
    /// The connection and its type.
    pub connection: (&'a Connection, &'a CompiledType),
    /// The datasets.
    pub uses: &'a [Use],
    /// What was chosen for its runs.
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
    /// The newest dry run.
    pub dry_run: Option<DryRun>,
    /// When to look again.
    pub recheck: Option<SignedDuration>,
}

/// How long the run account, or a schedule that is to rest, is waited for before it is looked at again.
const BEGIN_WAIT: SignedDuration = SignedDuration::from_secs(1);
/// By how much our clock and that of the controller of CronJobs may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(2);

/// What is due for the runs: the account, what begins, what rests and what ends. `detached` says that its
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
    let under_way = facts.jobs.iter().any(|job| job.ended.is_none());
    let answered = request::answer(RequestFacts {
        requested: facts.requested,
        before: before.last_request.as_ref(),
        begun: facts
            .requested
            .is_some_and(|requested| is_begun(facts, &request::value(requested))),
        runnable: runnable.is_some(),
        running: under_way || !facts.starting.is_empty() || facts.undoing.is_some(),
        now,
    });
    let mut due = Due {
        request: answered.or_else(|| before.last_request.clone()),
        ..Due::default()
    };
    // What had this name before goes at once: nothing of it may run beside what is made now.
    let stray = facts.stray_cron_job();
    let stray = stray.filter(|stray| stray.metadata.deletion_timestamp.is_none());
    due.effects.extend(stray.map(|stray| {
        step(RunStep::Retire {
            cron_job: Box::new(stray.clone()),
            plans: Vec::new(),
        })
    }));
    let dry_run = before.last_dry_run.as_ref();
    let dry_runs = dry_run::standing(facts, dry_run, (runnable.is_some(), begun.stopping), now);
    due.dry_run.clone_from(&dry_runs.newest);
    if let Some(runnable) = runnable {
        due.effects.extend(account(facts));
        begin(facts, before, (runnable, dry_runs.begins, now), &mut due);
    }
    let quiet = is_quiet(facts, &due);
    let told = all_told(&before.runs, &begun.runs);
    let unscheduled = runnable.is_some_and(|runnable| runnable.schedule.is_none());
    if runnable.is_none() || unscheduled {
        // Of what is being removed the Jobs go first, each with its plan.
        let unkept = if begun.leaving {
            facts.jobs.is_empty()
        } else {
            detached || unscheduled
        };
        due.effects.extend(rest(facts, unkept && told && quiet));
    }
    let over = dry_runs.over.into_iter();
    let over = over.filter(|_| quiet || begun.stopping).collect();
    due.effects.extend(ends(facts, before, begun, (over, quiet)));
    due
}

/// Whether the run of a request was begun: its Job is there, or on its way.
fn is_begun(facts: &RunsFacts<'_>, request: &str) -> bool {
    let job = names::requested_job(&facts.kind(), (&facts.name, &facts.uid), request);
    facts.starting.contains(&job) || facts.jobs.iter().any(|seen| seen.name == job)
}

/// Whether no Job is on its way that wasn't seen yet: it may have any plan.
fn is_quiet(facts: &RunsFacts<'_>, due: &Due) -> bool {
    let starts =
        |effect: &Effect| matches!(effect, Effect::Run(step) if matches!(**step, RunStep::Start { .. }));
    facts.starting.is_empty() && facts.dry_runs_starting.is_empty() && !due.effects.iter().any(starts)
}

/// Whether Kubernetes begins nothing by a schedule, as far as is known.
fn rests(facts: &RunsFacts<'_>) -> bool {
    let suspended = |cron_job: &CronJob| cron_job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true);
    !facts.awaits_cron_job() && facts.own_cron_job().is_none_or(suspended)
}

/// Lets the CronJob rest, and removes it once it does, if it isn't kept.
fn rest(facts: &RunsFacts<'_>, retires: bool) -> Option<Effect> {
    let seen = facts.own_cron_job()?;
    let cron_job = Box::new(seen.clone());
    if !rests(facts) {
        return Some(step(RunStep::Suspend(cron_job)));
    }
    (retires && seen.metadata.deletion_timestamp.is_none()).then(|| {
        let plans = plans::retired(facts);
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
    (runnable, dry_run_begins, now): (Runnable<'_>, bool, Timestamp),
    due: &mut Due,
) {
    let request = begins(facts, before, due);
    let planned = plan::plan(facts, runnable.connection, runnable.uses, runnable.parameters);
    let written = planned.as_ref().and_then(plan::written);
    let (Some(written), Some(connector)) = (written, facts.connector) else {
        if request.is_some() {
            due.request.clone_from(&before.last_request);
        }
        if dry_run_begins {
            due.dry_run.clone_from(&before.last_dry_run);
        }
        return;
    };
    let basis = verdict::basis(runnable.generation, runnable.connection.0, runnable.uses);
    let making = Making {
        connector,
        connection: runnable.connection.0,
        vaults: &facts.vaults,
        uses: runnable.uses,
        plan: &written,
        plans_before: "",
        basis: &basis,
        dry_run: false,
    };
    let mut alone = !facts.starting.is_empty()
        || facts.undoing.is_some()
        || facts.jobs.iter().any(is_requested_and_running);
    if let Some(request) = request {
        alone = true;
        if run_account::is_complete(&facts.account) && rests(facts) {
            due.effects.push(step(RunStep::Start {
                plan: plan::config_map(facts, &written),
                job: Box::new(workload::job(facts, making, &request)),
            }));
        } else {
            due.request.clone_from(&before.last_request);
            due.recheck = Some(BEGIN_WAIT);
        }
    }
    if dry_run_begins {
        begin_dry_run(facts, before, making, due);
    }
    if let Some(wanted) = runnable.schedule {
        let passing = passing(facts, wanted, now);
        let undone = facts.undoing.map(|until| until.duration_since(now));
        due.recheck = due.recheck.into_iter().chain(passing).chain(undone).min();
        let suspend = runnable.held || alone || passing.is_some();
        let plans = plans::before(facts, &written.hash, is_quiet(facts, due), now);
        due.effects
            .extend(schedule(facts, making, plans, (wanted, suspend)));
    }
}

/// Begins a dry run, or lets its request wait for what it needs.
fn begin_dry_run(facts: &RunsFacts<'_>, before: &ExportStatus, making: Making<'_>, due: &mut Due) {
    let newest = due.dry_run.as_ref();
    if let Some(job) = newest.and_then(|newest| dry_run::job(facts, making, newest)) {
        due.effects.push(step(RunStep::Start {
            plan: plan::config_map(facts, making.plan),
            job: Box::new(job),
        }));
    } else {
        due.dry_run.clone_from(&before.last_dry_run);
        due.recheck = Some(BEGIN_WAIT);
    }
}

/// The request that a run is begun for now.
fn begins(facts: &RunsFacts<'_>, before: &ExportStatus, due: &Due) -> Option<String> {
    let request = due.request.as_ref()?;
    let new = before.last_request.as_ref() != Some(request);
    let begins = new && request.answer == RequestAnswer::Begun && !is_begun(facts, &request.value);
    begins.then(|| request.value.clone())
}

/// What was requested and the schedule don't know of each other, and only one runs at a time.
fn is_requested_and_running(job: &JobSeen) -> bool {
    job.ended.is_none() && job.trigger == Trigger::Request
}

/// How long a CronJob must rest until Kubernetes no longer makes up for a time that came just before it goes on, or
/// before it got this schedule. One that is made anew makes up for nothing.
fn passing(facts: &RunsFacts<'_>, schedule: &Schedule, now: Timestamp) -> Option<SignedDuration> {
    let seen = facts.own_cron_job()?.spec.as_ref()?;
    if seen.suspend != Some(true) && workload::keeps(seen, schedule) {
        return None;
    }
    let late = SignedDuration::from_secs(workload::STARTING_DEADLINE) + CLOCKS_DIFFER;
    let came = schedule::next(schedule, now - late)?;
    (came <= now).then(|| came.duration_since(now) + late)
}

fn schedule(
    facts: &RunsFacts<'_>,
    making: Making<'_>,
    before: plans::Before,
    (schedule, suspend): (&Schedule, bool),
) -> Option<Effect> {
    let making = Making {
        plans_before: &before.stay,
        ..making
    };
    let seen = facts.own_cron_job();
    let wanted = workload::cron_job(facts, making, schedule, suspend);
    if facts.awaits_cron_job() || seen.is_some_and(|seen| workload::is_in_form(seen, &wanted)) {
        return None;
    }
    let anew = plans::scheduled(facts) != Some(making.plan.hash.as_str());
    Some(step(RunStep::Schedule {
        plan: anew.then(|| plan::config_map(facts, making.plan)),
        cron_job: Box::new(wanted),
        outlived: before.go,
    }))
}

/// The Jobs that are told to stop, and those that have told all and are no longer among the newest; of what is being
/// removed, all that have told. The last that has a plan takes that along.
fn ends(
    facts: &RunsFacts<'_>,
    before: &ExportStatus,
    begun: &Begun,
    (dry_runs, quiet): (Vec<(&JobSeen, bool)>, bool),
) -> Vec<Effect> {
    let ended_in = |runs: &[Run], name: &str| {
        runs.iter()
            .any(|run| run.job.as_deref() == Some(name) && run.outcome == Some(RunOutcome::Stopped))
    };
    let stopped = facts.jobs.iter().filter(|job| {
        job.ended.is_none() && !job.going && (begun.stopping || ended_in(&before.runs, &job.name))
    });
    let over = if begun.leaving && all_told(&before.runs, &begun.runs) {
        let ended = facts.jobs.iter();
        ended.filter(|job| job.ended.is_some() && !job.going).collect()
    } else {
        outlived(&before.runs, &begun.runs, &facts.jobs)
    };
    let over = over.into_iter().map(|job| (job, false));
    let mut left = plans::counted(facts);
    let ends = stopped.map(|job| (job, true)).chain(over).chain(dry_runs);
    ends.map(|(job, running)| {
        let plan = job.plan.as_deref().filter(|plan| {
            let count = left.entry(plan).or_default();
            *count = count.saturating_sub(1);
            *count == 0 && quiet && !plans::is_scheduled(facts, plan)
        });
        step(RunStep::End {
            job: job.name.clone(),
            uid: job.uid.clone(),
            plan: plan.map(names::plan),
            running,
        })
    })
    .collect()
}
