//! Whether an export or enrichment is Active, and if not, why: the same rules for both.

use super::Standing;
use super::attachment::{self, ConnectionSeen};
use super::conditions;
use super::datasets::{self, Use};
use super::decision::{Decision, announcements};
use super::readiness;
use super::removal::Hold;
use super::run_account;
use super::runs::steps::{self, Begun, Due, Runnable};
use super::runs::{RunsFacts, lacks, news, request, verdict};
use super::schedule;
use super::terms::{self, Load, Settings};
use crate::api::connection::Parameters;
use crate::api::connection_type::UsedFor;
use crate::api::export::{ExportStatus, Schedule, State};
use crate::api::{Condition, ConditionStatus, ConditionType, Reason};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// Everything that the decision may know.
#[derive(Clone, Debug)]
pub struct ActivityFacts<'a> {
    /// Which of the two it is.
    pub used_for: UsedFor,
    /// The generation of its spec.
    pub generation: Option<i64>,
    /// Its status as last seen.
    pub before: ExportStatus,
    /// The connection that it names.
    pub connection: ConnectionSeen,
    /// The datasets that it reads and writes.
    pub uses: Vec<Use>,
    /// The same as the service gets it.
    pub load: Load<'a>,
    /// Its parameters.
    pub parameters: &'a Parameters,
    /// When it runs.
    pub schedule: Option<&'a Schedule>,
    /// Whether it rests.
    pub suspend: bool,
    /// Whether its deletion was asked for. It has no finalizer of ours, but somebody else's may hold it.
    pub deleting: bool,
    /// Connectors that this installation runs.
    pub connectors: &'a BTreeSet<String>,
    /// Its runs.
    pub runs: RunsFacts<'a>,
    /// The time of the visit.
    pub now: Timestamp,
}

/// Whether it's too early to judge: this one never was, and neither was something that it names. The first judgement
/// of that wakes it, so that a world which comes all at once is written once and not in steps.
#[must_use]
pub fn too_early(facts: &ActivityFacts<'_>) -> bool {
    let unjudged = |conditions: Option<&Vec<Condition>>| conditions.is_none_or(Vec::is_empty);
    let connection = match &facts.connection {
        ConnectionSeen::Present { connection, .. } => {
            unjudged(connection.status.as_ref().map(|status| &status.conditions))
        }
        ConnectionSeen::Detached | ConnectionSeen::Absent(_) => false,
    };
    let mut datasets = facts.uses.iter().filter_map(|used| used.dataset.as_ref());
    let dataset = datasets.any(|dataset| unjudged(dataset.status.as_ref().map(|status| &status.conditions)));
    unjudged(Some(&facts.before.conditions)) && (connection || dataset)
}

/// The wanted state.
#[must_use]
pub fn decide(facts: &ActivityFacts<'_>) -> Decision<ExportStatus> {
    let begun = steps::begun(
        &facts.runs,
        &facts.before,
        (may_not_go_on(facts), facts.deleting),
        facts.now,
    );
    let last_run = last_run(facts, &begun);
    let held = last_run.reason == Reason::RunFailed;
    let concerns = concerns(facts);
    let works = readiness::works(&summed(facts, concerns.clone()));
    let runnable = runnable(facts, held).filter(|_| works);
    let due = due(facts, &begun, runnable);
    let last_run = (ConditionType::LastRunSucceeded, last_run);
    let request = due.request.as_ref().map(request::standing);
    let request = request.map(|request| (ConditionType::RequestGranted, request));
    let all = concerns.into_iter().chain([last_run]).chain(request);
    let judged = summed(facts, all.collect());
    let state = if readiness::works(&judged) {
        State::Active
    } else {
        State::Inactive
    };
    let next = runnable
        .filter(|runnable| !runnable.held)
        .and_then(|runnable| schedule::next(runnable.schedule?, facts.now));
    let (connection, type_) = shown(&facts.connection);
    let status = ExportStatus {
        observed_generation: facts.generation,
        conditions: conditions::updated(&facts.before.conditions, judged, facts.generation, facts.now),
        state: Some(state),
        connection: Some(connection),
        type_,
        last_run: begun.runs.first().cloned(),
        runs: begun.runs,
        next_run_at: next.map(Time),
        last_request: due.request,
        last_dry_run: due.dry_run,
    };
    let mut told = announcements(&facts.before.conditions, &status.conditions);
    let of_runs = news::announcements(&facts.before, &status).into_iter();
    let of_runs: Vec<_> = of_runs.filter(|news| !told.contains(news)).collect();
    told.extend(of_runs);
    let due_again = next.map(|next| next.duration_since(facts.now) + AFTER_DUE);
    Decision {
        hold: Hold::Keep,
        effects: due.effects,
        announcements: told,
        recheck: due.recheck.into_iter().chain(due_again).min(),
        status,
    }
}

/// How long after its time a scheduled run is looked for, should no Job have told of it.
const AFTER_DUE: SignedDuration = SignedDuration::from_secs(2);

fn due(facts: &ActivityFacts<'_>, begun: &Begun, runnable: Option<Runnable<'_>>) -> Due {
    let detached = matches!(facts.connection, ConnectionSeen::Detached);
    steps::due(&facts.runs, &facts.before, begun, runnable, detached, facts.now)
}

fn last_run(facts: &ActivityFacts<'_>, begun: &Begun) -> Standing {
    let basis = match &facts.connection {
        ConnectionSeen::Present { connection, .. } => {
            Some(verdict::basis(facts.generation, connection, &facts.uses))
        }
        ConnectionSeen::Detached | ConnectionSeen::Absent(_) => None,
    };
    verdict::judge(begun.last_ended.as_ref(), basis.as_deref())
}

fn runnable<'a>(facts: &'a ActivityFacts<'_>, held: bool) -> Option<Runnable<'a>> {
    facts.runs.connector?;
    Some(Runnable {
        connection: attachment::fitting(&facts.connection, facts.used_for)?,
        uses: &facts.uses,
        parameters: facts.parameters,
        schedule: facts.schedule,
        held,
        generation: facts.generation,
    })
}

/// Whether what is under way may not go on: somebody wants it to stop, or may no longer want it. What waits for another
/// object keeps new runs from beginning, and lets those under way end.
fn may_not_go_on(facts: &ActivityFacts<'_>) -> bool {
    let connection = match &facts.connection {
        ConnectionSeen::Detached | ConnectionSeen::Absent(_) => true,
        ConnectionSeen::Present { connection, .. } => {
            let consent = connection
                .status
                .as_ref()
                .and_then(|status| status.consent.as_ref());
            connection.spec.suspend
                || connection.metadata.deletion_timestamp.is_some()
                || !consent.is_some_and(|consent| consent.given)
        }
    };
    connection || facts.suspend || facts.deleting || facts.runs.writes_anothers(&facts.uses)
}

fn summed(
    facts: &ActivityFacts<'_>,
    concerns: Vec<(ConditionType, Standing)>,
) -> Vec<(ConditionType, Standing)> {
    if facts.deleting {
        // Whatever else is the matter with it, nobody has to mend it any more.
        let summary = readiness::judged(Vec::new(), Some(&leaving()), "");
        return summary.into_iter().chain(concerns).collect();
    }
    let rest = Standing::met(
        Reason::Suspended,
        "It is suspended: nothing runs until spec.suspend is false.",
    );
    let runs = match facts.schedule {
        Some(_) => "It runs when its time comes, and on request.",
        None => "It runs on request.",
    };
    let mut ready = format!("It has all that it needs. {runs}");
    if let Some(deprecated) = attachment::deprecated(&facts.connection) {
        ready = format!("{ready} {deprecated}");
    }
    readiness::judged(concerns, facts.suspend.then_some(&rest), &ready)
}

fn leaving() -> Standing {
    Standing::unmet(
        Reason::BeingRemoved,
        "It is being removed, so nothing of it runs, and goes once those who set the finalizers in metadata.finalizers take \
         them off.",
    )
}

fn concerns(facts: &ActivityFacts<'_>) -> Vec<(ConditionType, Standing)> {
    let attached = attachment::attached(&facts.connection, facts.used_for, facts.connectors);
    // What a type said before counts for what goes on by it, and for nothing that would begin.
    let awaited = attachment::awaited(&facts.connection);
    let awaited = awaited
        .filter(|_| facts.before.state != Some(State::Active) && attached.status == ConditionStatus::True);
    vec![
        (ConditionType::Attached, awaited.unwrap_or(attached)),
        (ConditionType::Valid, valid(facts)),
        (ConditionType::Scheduled, schedule::judge(facts.schedule)),
    ]
}

/// Parameters, datasets and the service's terms are one concern, what the author wrote: the one that a person must act
/// on first speaks, and in this order.
fn valid(facts: &ActivityFacts<'_>) -> Standing {
    let parameters = attachment::parameters(&facts.connection, facts.used_for, facts.parameters);
    let fitting = attachment::fitting(&facts.connection, facts.used_for);
    let terms = fitting.and_then(|(connection, type_)| {
        let settings = Settings::of(&connection.spec, facts.parameters);
        terms::judge(type_, &settings, &facts.load)
    });
    let runs = &facts.runs;
    let lacks = fitting.and_then(|(connection, type_)| {
        lacks::judge(runs, (connection, type_), &facts.uses)
            .or_else(|| run_account::taken(&runs.namespace, &runs.account))
    });
    let others = [datasets::judge(&facts.uses), terms, lacks].into_iter().flatten();
    others.fold(parameters, |first, other| {
        if readiness::situation(other.reason) < readiness::situation(first.reason) {
            other
        } else {
            first
        }
    })
}

/// What the columns CONNECTION and TYPE show.
fn shown(connection: &ConnectionSeen) -> (String, Option<String>) {
    match connection {
        ConnectionSeen::Detached => ("None".to_owned(), None),
        ConnectionSeen::Absent(name) => (name.clone(), None),
        ConnectionSeen::Present { connection, .. } => (
            connection.metadata.name.clone().unwrap_or_default(),
            Some(connection.spec.type_.to_string()),
        ),
    }
}
