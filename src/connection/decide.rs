//! Decides about one connection. Pure: everything it knows is in the facts.

use crate::api::connection::{Audience, Connection, ConnectionStatus, ConsentStatus};
use crate::api::connection_type::UsedFor;
use crate::api::names::{CONSENT_ANNOTATION, IN_USE_FINALIZER};
use crate::api::{ConditionType, Reason};
use crate::governance::Standing;
use crate::governance::conditions;
use crate::governance::connection_types::TypeSeen;
use crate::governance::consent::{self, Consent, Subject};
use crate::governance::credentials::{self, Resolution, Secrets};
use crate::governance::decision::{Decision, announcements};
use crate::governance::dependents::Dependents;
use crate::governance::message::sentences;
use crate::governance::readiness;
use crate::governance::removal::{self, Removal};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use std::sync::Arc;

#[cfg(test)]
mod tests;

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
    /// The time of the visit.
    pub now: Timestamp,
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
    let consent = consent(facts, &namespace);
    let resolution = credentials::judge(
        "spec.secrets",
        &namespace,
        &connection.spec.secrets,
        &facts.secrets,
        &before.secrets,
        facts.now,
    );
    let judged = judged(facts, &consent.judged, &resolution, &removal);
    let status = ConnectionStatus {
        observed_generation: connection.metadata.generation,
        conditions: conditions::updated(
            &before.conditions,
            judged,
            connection.metadata.generation,
            facts.now,
        ),
        consent: Some(consent_status(&consent, before.consent.as_ref(), facts.now)),
        secrets: resolution.secrets,
        dependents: Some(facts.dependents.status()),
        used_for: facts.type_.usable().map(|type_| type_.spec.used_for),
        access: access(facts),
    };
    Decision {
        hold: removal::hold(&removal),
        announcements: announcements(&before.conditions, &status.conditions),
        recheck: consent.judged.recheck,
        status,
    }
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
        return Standing::met(
            Reason::AsDeclared,
            format!("What it says fits the type {}.", type_.name),
        );
    }
    Standing::unmet(reason, sentences(&problems))
}

/// Who may use it: enrichment connections are open to all contributors, whatever `spec.access` says.
fn access(facts: &ConnectionFacts) -> Option<Audience> {
    let access = facts.connection.spec.access;
    facts.type_.usable().map(|type_| match type_.spec.used_for {
        UsedFor::Enrichment => Audience::Contributors,
        UsedFor::Export => access.and_then(|access| access.exports).unwrap_or_default(),
    })
}

/// Consent as judged, and the digest that would count.
struct Consented {
    judged: Consent,
    required: Option<String>,
}

fn consent(facts: &ConnectionFacts, namespace: &str) -> Consented {
    let connection = &*facts.connection;
    let TypeSeen::Usable(type_) = &facts.type_ else {
        let standing = Standing::unknown(
            Reason::NotChecked,
            "Consent is to a type's notice: it's judged once the type is there.",
        );
        return Consented {
            judged: Consent {
                standing,
                given: false,
                recheck: None,
            },
            required: None,
        };
    };
    let name = connection.name_any();
    let subject = Subject {
        namespace,
        name: &name,
    };
    let required = consent::required(subject, &connection.spec, &type_.spec);
    let annotation = connection
        .annotations()
        .get(CONSENT_ANNOTATION)
        .map(String::as_str);
    let judged = consent::judge(subject, &type_.name, &required, annotation, facts.now);
    Consented {
        judged,
        required: Some(required.current),
    }
}

fn consent_status(consent: &Consented, before: Option<&ConsentStatus>, now: Timestamp) -> ConsentStatus {
    let same = before.filter(|old| old.given == consent.judged.given && old.required == consent.required);
    ConsentStatus {
        required: consent.required.clone(),
        given: consent.judged.given,
        by: None, // nobody's name is guessed: the API server will have to vouch for it
        since: same.map_or(Some(Time(now)), |old| old.since.clone()),
    }
}
