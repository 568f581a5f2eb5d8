//! How one reference to a secret in a key vault stands: by what the vault answered, or by what was known before.

use super::{KeyVaults, VaultsSeen, outage, problem, reason, whole_seconds};
use crate::api::Reason;
use crate::api::connection::SecretStatus;
use crate::api::reference::KeyVaultRef;
use crate::vault::fault::Fault;
use crate::vault::sight::{Found, Sight};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

#[cfg(test)]
mod tests;

/// How long before its end a secret is told of.
pub const ANNOUNCED: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Longest time until an end is thought of again.
const THOUGHT_OF: SignedDuration = SignedDuration::from_hours(24);

/// How one reference stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It can be used.
    Good(Good),
    /// The vault is away; what was known before counts.
    Kept {
        /// What was known.
        known: Good,
        /// What is told of the vault.
        reason: Reason,
        /// The same in words.
        told: String,
        /// Since when.
        since: Time,
    },
    /// Nobody has looked since the operator began; what the status says stands until somebody has.
    Carried(SecretStatus),
    /// Nobody has looked yet, and nothing is known.
    Awaited,
    /// It can't be used.
    Unusable(Reason, String),
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Good {
    /// Which version; nothing where the vault keeps none.
    pub version: Option<String>,
    /// What is told of its end, if that is near.
    pub ends: Option<String>,
    /// When there will be more to tell.
    pub recheck: Option<SignedDuration>,
}

/// A reference, and what the status said of it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The field, such as `spec.secrets.password`.
    pub field: &'a str,
    /// The name of the reference.
    pub name: &'a str,
    /// The object's namespace.
    pub namespace: &'a str,
    /// What it names.
    pub named: &'a KeyVaultRef,
    /// What the status said of this very reference.
    pub before: Option<&'a SecretStatus>,
}

/// Judges one reference.
#[must_use]
pub fn judge(asked: Asked<'_>, seen: &VaultsSeen, now: Timestamp) -> Answer {
    let Asked { field, named, .. } = asked;
    if let Some((reason, text)) = problem(field, asked.namespace, named, &seen.linked) {
        return Answer::Unusable(reason, text);
    }
    let known = asked.before.filter(|before| before.since.is_some());
    let sight = seen.sights.get(asked.name);
    match sight.and_then(|sight| Some((sight, sight.latest.as_ref()?))) {
        Some((_, Ok(found))) => Answer::Good(good(asked, found, now)),
        Some((sight, Err(fault))) if fault.keeps_last_good() => away(asked, sight, fault, known, now),
        Some((_, Err(fault))) => unusable(asked, fault),
        None => known.cloned().map_or(Answer::Awaited, Answer::Carried),
    }
}

/// Whether the vault may be asked about it.
#[must_use]
pub fn may_ask(namespace: &str, named: &KeyVaultRef, linked: &KeyVaults) -> bool {
    problem("", namespace, named, linked).is_none()
}

fn unusable(asked: Asked<'_>, fault: &Fault) -> Answer {
    let text = format!(
        "{} can't be used by the key vault {}. {fault}",
        asked.field, asked.named.name
    );
    Answer::Unusable(reason(fault), text)
}

/// The vault is away: what it answered last counts, or, if this process never heard from it, what the status says.
fn away(
    asked: Asked<'_>,
    sight: &Sight,
    fault: &Fault,
    known: Option<&SecretStatus>,
    now: Timestamp,
) -> Answer {
    let remembered = known.filter(|_| !sight.answered);
    let known = match (&sight.good, remembered) {
        (Some(last), _) => good(asked, &last.found, now),
        (None, Some(status)) => Good {
            version: status.version.clone(),
            ends: None,
            recheck: None,
        },
        (None, None) => return unusable(asked, fault),
    };
    let began = sight.since.map_or(Time(now), whole_seconds);
    let since = remembered.and_then(|status| status.unconfirmed_since.clone());
    let since = since.unwrap_or(began);
    Answer::Kept {
        known,
        reason: reason(fault),
        told: outage(fault, &since),
        since,
    }
}

fn good(asked: Asked<'_>, found: &Found, now: Timestamp) -> Good {
    let announced = found
        .expires
        .map(|end| (end, now.duration_until(end) - ANNOUNCED));
    let near = announced.filter(|(_, rest)| !rest.is_positive());
    let far = announced.filter(|(_, rest)| rest.is_positive());
    Good {
        version: Some(found.version.clone()).filter(|version| !version.is_empty()),
        ends: near.map(|(end, _)| {
            format!(
                "{} can be used until {}: give the secret {} a new version in the key vault {} before.",
                asked.field,
                end.strftime("%Y-%m-%d"),
                asked.named.secret,
                asked.named.name
            )
        }),
        recheck: far.map(|(_, rest)| rest.min(THOUGHT_OF)),
    }
}
