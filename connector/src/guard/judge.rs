//! Whether data may go by what the connection says: consent to this very destination, and nothing that stops it.

use crate::fault::Stop;
use connection_operator::api::Connection;
use connection_operator::api::connection::ConsentStatus;
use connection_operator::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use connection_operator::api::run::Plan;
use connection_operator::governance::consent::{Stamp, Subject, required};
use jiff::Timestamp;
use kube::ResourceExt;

/// The connection, if data may go to where it says.
///
/// # Errors
/// Why it may not.
pub fn judge(plan: &Plan, found: Option<Connection>, now: Timestamp) -> Result<Connection, Stop> {
    let connection = found.ok_or(Stop::Gone)?;
    if connection.metadata.deletion_timestamp.is_some() {
        return Err(Stop::BeingRemoved);
    }
    if connection.spec.suspend {
        return Err(Stop::Suspended);
    }
    let digest = annotation(&connection, CONSENT_ANNOTATION).ok_or(Stop::NoConsent)?;
    if digest != plan.consent
        || connection.spec.type_ != plan.type_
        || !is_for(plan, &connection, digest, now)
    {
        return Err(Stop::Changed);
    }
    let consent = connection
        .status
        .as_ref()
        .and_then(|status| status.consent.as_ref());
    if stands(&connection, consent, digest) {
        Ok(connection)
    } else {
        Err(Stop::NoConsent)
    }
}

/// An annotation of an object.
pub fn annotation<'a>(object: &'a impl ResourceExt, name: &str) -> Option<&'a str> {
    object.annotations().get(name).map(String::as_str)
}

/// Whether the digest is agreement to what the connection says and the type of the plan declares. It is computed anew by
/// the rule that the operator goes by: no status, and nothing that is said of the digest elsewhere, plays a part.
fn is_for(plan: &Plan, connection: &Connection, digest: &str, now: Timestamp) -> bool {
    let namespace = connection.namespace().unwrap_or_default();
    let name = connection.name_any();
    let subject = Subject {
        kind: "Connection",
        namespace: &namespace,
        name: &name,
    };
    let required = required(subject, &connection.spec, &plan.type_spec);
    required.agreed(digest, now).is_some()
}

/// Whether somebody gave it, by the API server's own stamp, which the operator hasn't found not to count: only that can
/// see that a pipeline gave again what was withdrawn.
pub fn stands(object: &impl ResourceExt, consent: Option<&ConsentStatus>, digest: &str) -> bool {
    let stamp = Stamp(annotation(object, CONSENTED_BY_ANNOTATION).unwrap_or_default());
    let unproven = consent.and_then(|consent| consent.unproven.as_deref());
    stamp.given(digest).is_some() && unproven != Some(stamp.kept().as_str())
}
