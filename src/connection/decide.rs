//! Decides about one connection. Pure: everything it knows is in the facts.

use crate::api::connection::{Connection, ConnectionStatus};
use crate::api::names::IN_USE_FINALIZER;
use crate::api::{ConditionType, ConsentRecord, Reason};
use crate::governance::Standing;
use crate::governance::conditions;
use crate::governance::connection_types::TypeSeen;
use crate::governance::consent::{Consent, Proof};
use crate::governance::credentials::{self, Resolution, Secrets};
use crate::governance::decision::{Decision, Effect, announcements};
use crate::governance::dependents::Dependents;
use crate::governance::message::sentences;
use crate::governance::readiness;
use crate::governance::removal::{self, Hold, Removal};
use crate::governance::sharing::SharingFacts;
use jiff::Timestamp;
use kube::ResourceExt;
use std::collections::BTreeSet;
use std::sync::Arc;

mod consent;
mod sharing;
#[cfg(test)]
mod tests;

pub use consent::needs_proof;

/// Everything that a decision about a connection may know.
#[derive(Clone, Debug)]
pub struct ConnectionFacts {
    /// The connection as last seen.
    pub connection: Arc<Connection>,
    /// Its type.
    pub type_: TypeSeen,
    /// The Secrets that it refers to.
    pub secrets: Secrets,
    /// Who uses it.
    pub dependents: Dependents,
    /// What is known about consent beside the connection itself.
    pub consent: ConsentFacts,
    /// What sharing needs to know.
    pub sharing: SharingFacts,
    /// The time of the visit.
    pub now: Timestamp,
}

/// What is known about consent beside the connection itself.
#[derive(Clone, Debug, Default)]
pub struct ConsentFacts {
    /// The decisions on record, the oldest first.
    pub records: Vec<Arc<ConsentRecord>>,
    /// Users who are pipelines.
    pub pipelines: Arc<BTreeSet<String>>,
    /// Whether the API server writes stamps.
    pub stamped: bool,
    /// Whether it vouches for them just now.
    pub proof: Proof,
}

/// The wanted state of the connection.
#[must_use]
pub fn decide(facts: &ConnectionFacts) -> Decision<ConnectionStatus> {
    let connection = &*facts.connection;
    let before = connection.status.clone().unwrap_or_default();
    let namespace = connection.namespace().unwrap_or_default();
    let removal = Removal {
        kind: "connection",
        namespace: &namespace,
        deleting: connection.metadata.deletion_timestamp.is_some(),
        held: connection
            .finalizers()
            .iter()
            .any(|finalizer| finalizer == IN_USE_FINALIZER),
        dependents: &facts.dependents,
    };
    let consent = consent::consent(facts);
    let resolution = credentials::judge(
        "spec.secrets",
        &namespace,
        &connection.spec.secrets,
        &facts.secrets,
        &before.secrets,
        facts.now,
    );
    let judged = judged(facts, &consent.judged, &resolution, &removal);
    let sharing = sharing::outcome(facts, &judged, &removal);
    let status = ConnectionStatus {
        observed_generation: connection.metadata.generation,
        conditions: conditions::updated(
            &before.conditions,
            judged,
            connection.metadata.generation,
            facts.now,
        ),
        consent: Some(consent::status(&consent, before.consent.as_ref(), facts.now)),
        secrets: resolution.secrets,
        dependents: Some(facts.dependents.status(removal::next_step(&removal))),
        used_for: facts.type_.usable().map(|type_| type_.spec.used_for),
        access: sharing::access(facts),
    };
    let hold = removal::hold(&removal);
    Decision {
        hold,
        effects: effects(hold, sharing.effects, consent.effects(facts)),
        announcements: announcements(&before.conditions, &status.conditions),
        recheck: [consent.judged.recheck, sharing.recheck]
            .into_iter()
            .flatten()
            .min(),
        status,
    }
}

/// Rights that end go first, whatever else fails. What goes for good takes along what was kept for it, and nothing new
/// is made; but that consent was taken back is put on record, as one of the same name may be made anew.
fn effects(hold: Hold, sharing: Vec<Effect>, consent: Vec<Effect>) -> Vec<Effect> {
    let recorded = consent.into_iter();
    let recorded = recorded.filter(|effect| hold != Hold::Release || !effect.comes_first());
    let (dropped, kept): (Vec<_>, Vec<_>) = sharing
        .into_iter()
        .partition(|effect| matches!(effect, Effect::Drop(_)));
    dropped.into_iter().chain(recorded).chain(kept).collect()
}

fn judged(
    facts: &ConnectionFacts,
    consent: &Consent,
    resolution: &Resolution,
    removal: &Removal<'_>,
) -> Vec<(ConditionType, Standing)> {
    let concerns = vec![
        (ConditionType::Valid, valid(facts)),
        (ConditionType::ConsentGiven, consent.standing.clone()),
        (ConditionType::SecretsResolved, resolution.standing.clone()),
        (
            ConditionType::Verified,
            Standing::unknown(Reason::NotVerified, "No connector has tried this connection yet."),
        ),
    ];
    let rest = Standing::met(
        Reason::Suspended,
        "It is suspended: nothing on it runs until spec.suspend is false.",
    );
    let rest = facts.connection.spec.suspend.then_some(&rest);
    let ready = match consent.standing.reason {
        _ if removal.deleting => "It is being removed.".to_owned(),
        Reason::ConsentToPreviousNotice => format!("It can be used. {}", consent.standing.message),
        _ => "It can be used.".to_owned(),
    };
    let mut judged = readiness::judged(concerns, rest, &ready);
    consent::told_once(&mut judged);
    judged.push((ConditionType::Deleting, removal::deleting(removal)));
    judged
}

fn valid(facts: &ConnectionFacts) -> Standing {
    let spec = &facts.connection.spec;
    let TypeSeen::Usable(type_) = &facts.type_ else {
        let unusable = facts.type_.unusable(spec.type_.as_str());
        return unusable.unwrap_or_else(|| Standing::unknown(Reason::NotChecked, ""));
    };
    let parameters = type_.connection_problems(&spec.parameters, &spec.fixed_export_parameters);
    let secrets = type_.secret_problems(&spec.secrets);
    let reason = if parameters.is_empty() {
        Reason::SecretsInvalid
    } else {
        Reason::ParametersInvalid
    };
    let problems = [parameters, secrets].concat();
    if problems.is_empty() {
        let fits = format!("What it says fits the type {}.", type_.name);
        return match sharing::name_taken(facts) {
            None => Standing::met(Reason::AsDeclared, fits),
            Some(taken) => Standing::met(Reason::DisplayNameTaken, format!("{fits} {taken}")),
        };
    }
    Standing::unmet(reason, sentences(&problems))
}
