//! Whether an export or enrichment is Active, and if not, why: the same rules for both.

use super::Standing;
use super::attachment::{self, ConnectionSeen};
use super::conditions;
use super::datasets::{self, Use};
use super::decision::{Decision, announcements};
use super::readiness;
use super::removal::Hold;
use super::schedule;
use super::terms::{self, Load, Settings};
use crate::api::connection::Parameters;
use crate::api::connection_type::UsedFor;
use crate::api::export::{ExportStatus, Schedule, State};
use crate::api::{Condition, ConditionStatus, ConditionType, Reason};
use jiff::Timestamp;
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
    let judged = judged(facts);
    let state = if readiness::works(&judged) {
        State::Active
    } else {
        State::Inactive
    };
    let (connection, type_) = shown(&facts.connection);
    let status = ExportStatus {
        observed_generation: facts.generation,
        conditions: conditions::updated(&facts.before.conditions, judged, facts.generation, facts.now),
        state: Some(state),
        connection: Some(connection),
        type_,
        last_run: facts.before.last_run.clone(),
        runs: facts.before.runs.clone(),
        next_run_at: None, // nothing runs by schedule yet, so nothing is promised
    };
    Decision {
        hold: Hold::Keep,
        effects: Vec::new(),
        announcements: announcements(&facts.before.conditions, &status.conditions),
        recheck: None,
        status,
    }
}

fn judged(facts: &ActivityFacts<'_>) -> Vec<(ConditionType, Standing)> {
    let concerns = concerns(facts);
    if facts.deleting {
        // Whatever else is the matter with it, nobody has to mend it any more.
        let summary = readiness::judged(Vec::new(), Some(&leaving()), "");
        return summary.into_iter().chain(concerns).collect();
    }
    let rest = Standing::met(
        Reason::Suspended,
        "It is suspended: nothing runs until spec.suspend is false.",
    );
    let mut ready = "It has all that it needs. This version starts no runs yet.".to_owned();
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
        (
            ConditionType::LastRunSucceeded,
            Standing::unknown(Reason::NeverRan, "It has not run yet."),
        ),
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
    let others = [datasets::judge(&facts.uses), terms].into_iter().flatten();
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
