//! Decides about one connection. Pure: everything it knows is in the facts.

use crate::api::connection::{Connection, ConnectionStatus};
use crate::api::names::IN_USE_FINALIZER;
use crate::api::{ConditionType, Reason};
use crate::governance::Standing;
use crate::governance::conditions;
use crate::governance::connection_types::TypeSeen;
use crate::governance::consent::{Consent, ConsentFacts, told_once};
use crate::governance::credentials::{self, Before, Named, Resolution, Secrets};
use crate::governance::decision::{Decision, Effect, announcements};
use crate::governance::dependents::Dependents;
use crate::governance::message::sentences;
use crate::governance::parameters::CompiledType;
use crate::governance::readiness;
use crate::governance::removal::{self, Removal};
use crate::governance::sharing::SharingFacts;
use crate::governance::vaults::VaultsSeen;
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(test)]
mod awaited_tests;
mod consent;
#[cfg(test)]
mod kept_tests;
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
    /// The key vaults that it refers to, and what was seen there.
    pub vaults: VaultsSeen,
    /// Who uses it.
    pub dependents: Dependents,
    /// What is known about consent beside the connection itself.
    pub consent: ConsentFacts,
    /// What sharing needs to know.
    pub sharing: SharingFacts,
    /// The time of the visit.
    pub now: Timestamp,
}

/// How long a vault's first answer is waited for before people are told that it's outstanding.
const ANSWERS_WITHIN: SignedDuration = SignedDuration::from_secs(2);

/// How long to put off judging, if it's too early: nothing can run on the connection yet, and a vault was asked a moment
/// ago about what it names. The answer wakes it, so that a world which comes all at once is written once.
#[must_use]
pub fn too_early(facts: &ConnectionFacts) -> Option<Duration> {
    let connection = &facts.connection;
    let before = connection.status.as_ref();
    let works = before.is_some_and(|status| conditions::holds(&status.conditions, ConditionType::Ready));
    let going = connection.metadata.deletion_timestamp.is_some();
    let unanswered = facts
        .vaults
        .sights
        .values()
        .filter(|sight| sight.latest.is_none());
    let newest = unanswered.filter_map(|sight| sight.followed).max()?;
    let rest = ANSWERS_WITHIN - facts.now.duration_since(newest);
    (!works && !going && rest.is_positive()).then(|| rest.unsigned_abs())
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
    let mistake = facts.type_.usable().and_then(|type_| mistake(facts, type_));
    let consent = consent::consent(facts, mistake.is_none());
    let resolution = resolution(facts, &before);
    let judged = judged(facts, &consent.judged, mistake, &resolution, &removal);
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
        secrets: resolution.secrets.clone(),
        dependents: Some(facts.dependents.status(removal::next_step(&removal))),
        used_for: facts.type_.usable().map(|type_| type_.spec.used_for),
        access: sharing::access(facts),
    };
    let hold = removal::hold(&removal);
    Decision {
        hold,
        effects: effects(sharing.effects, consent.effects(facts, hold)),
        announcements: announcements(&before.conditions, &status.conditions)
            .into_iter()
            .chain(resolution.announcement())
            .collect(),
        recheck: [consent.judged.recheck, sharing.recheck, resolution.recheck]
            .into_iter()
            .flatten()
            .min(),
        status,
    }
}

/// Where its secrets lead.
fn resolution(facts: &ConnectionFacts, before: &ConnectionStatus) -> Resolution {
    let namespace = facts.connection.namespace().unwrap_or_default();
    credentials::judge(
        &Named {
            place: "spec.secrets",
            namespace: &namespace,
            sources: &facts.connection.spec.secrets,
        },
        &facts.secrets,
        &facts.vaults,
        Before {
            secrets: &before.secrets,
            conditions: &before.conditions,
        },
        facts.now,
    )
}

/// Rights that end go first, whatever else fails.
fn effects(sharing: Vec<Effect>, recorded: Vec<Effect>) -> Vec<Effect> {
    let (dropped, kept): (Vec<_>, Vec<_>) = sharing
        .into_iter()
        .partition(|effect| matches!(effect, Effect::Drop(_)));
    dropped.into_iter().chain(recorded).chain(kept).collect()
}

fn judged(
    facts: &ConnectionFacts,
    consent: &Consent,
    mistake: Option<Standing>,
    resolution: &Resolution,
    removal: &Removal<'_>,
) -> Vec<(ConditionType, Standing)> {
    let concerns = vec![
        (ConditionType::Valid, valid(facts, consent, mistake)),
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
    let ready = if removal.deleting {
        "It is being removed.".to_owned()
    } else {
        usable(facts, consent, resolution)
    };
    let mut judged = readiness::judged(concerns, rest, &ready);
    told_once(&mut judged);
    judged.push((ConditionType::Deleting, removal::deleting(removal)));
    judged
}

/// What Ready says while nothing is in the way.
fn usable(facts: &ConnectionFacts, consent: &Consent, resolution: &Resolution) -> String {
    let forewarned = consent.standing.reason == Reason::ConsentToPreviousNotice;
    let notice = forewarned.then(|| consent.standing.message.clone());
    let type_ = facts.type_.usable();
    let deprecated = type_.and_then(|type_| type_.deprecated());
    let kept = type_.filter(|_| facts.type_.is_kept());
    let kept = kept.map(|type_| {
        format!(
            "It goes on by what its type {} said before {}.",
            type_.name,
            facts.type_.edit()
        )
    });
    let secrets = resolution.forewarning().map(str::to_owned);
    let more = [notice, kept, deprecated, secrets].into_iter().flatten();
    more.fold("It can be used.".to_owned(), |text, more| {
        format!("{text} {more}")
    })
}

fn valid(facts: &ConnectionFacts, consent: &Consent, mistake: Option<Standing>) -> Standing {
    let spec = &facts.connection.spec;
    let Some(type_) = facts.type_.usable() else {
        let unusable = facts.type_.unusable(spec.type_.as_str());
        return unusable.unwrap_or_else(|| Standing::unknown(Reason::NotChecked, ""));
    };
    // What a type said before counts for those who have agreed to it, and for nobody else.
    let awaited = facts.type_.awaited(spec.type_.as_str());
    if let Some(awaited) = awaited.filter(|_| consent.given.is_none()) {
        return awaited;
    }
    mistake.unwrap_or_else(|| fitting(facts, type_))
}

/// What it says that doesn't fit its type, if anything.
fn mistake(facts: &ConnectionFacts, type_: &CompiledType) -> Option<Standing> {
    let spec = &facts.connection.spec;
    let parameters = type_.connection_problems(&spec.parameters, &spec.fixed_export_parameters);
    let secrets = type_.secret_problems(&spec.secrets);
    let reason = if parameters.is_empty() {
        Reason::SecretsInvalid
    } else {
        Reason::ParametersInvalid
    };
    let problems = [parameters, secrets].concat();
    (!problems.is_empty()).then(|| Standing::unmet(reason, sentences(&problems)))
}

/// What was written fits; but more may be worth knowing.
fn fitting(facts: &ConnectionFacts, type_: &CompiledType) -> Standing {
    let fits = format!("What it says fits the type {}", type_.name);
    if facts.type_.is_kept() {
        let text = format!(
            "{fits} as it was before {}: {}.",
            facts.type_.edit(),
            facts.type_.remedy()
        );
        return Standing::met(Reason::LastGoodType, text);
    }
    if let Some(taken) = sharing::name_taken(facts) {
        return Standing::met(Reason::DisplayNameTaken, format!("{fits}. {taken}"));
    }
    match type_.deprecated() {
        Some(deprecated) => Standing::met(Reason::TypeDeprecated, format!("{fits}. {deprecated}")),
        None => Standing::met(Reason::AsDeclared, format!("{fits}.")),
    }
}
