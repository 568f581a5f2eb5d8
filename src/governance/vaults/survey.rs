//! How a key vault itself stands: whether its vault answers, and which secrets may be chosen there.

use super::{allowed, outage, reason, whole_seconds};
use crate::api::condition::{Condition, ConditionStatus};
use crate::api::key_vault::{KeyVaultStatus, LISTED_MAX, SecretPattern, VaultSecretStatus};
use crate::api::{ConditionType, Reason};
use crate::governance::Standing;
use crate::governance::conditions::{find, reason_of};
use crate::vault::fault::Fault;
use crate::vault::sight::{Listed, Listing, Sight};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

#[cfg(test)]
mod tests;

/// Longest name of a secret that can be named.
const NAME_MAX: usize = 512;

/// What is known of the vault beside its answers.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The status, as far as it is about the same place; nothing is kept of another.
    pub before: Option<&'a KeyVaultStatus>,
    /// The generation of the key vault.
    pub generation: Option<i64>,
    /// The secrets that may be named; all if nothing is said.
    pub patterns: Option<&'a [SecretPattern]>,
    /// The time of the visit.
    pub now: Timestamp,
}

/// How it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// Whether the vault answers.
    pub standing: Standing,
    /// The secrets that may be named.
    pub secrets: Vec<VaultSecretStatus>,
    /// Since when it doesn't answer, while what was known counts.
    pub unconfirmed_since: Option<Time>,
}

/// Judges by what was seen; nothing was if nobody has looked yet.
#[must_use]
pub fn judge(sight: &Sight<Listing>, known: Known<'_>) -> Survey {
    match &sight.latest {
        Some(Ok(listing)) => answered(listing, known),
        Some(Err(fault)) if fault.keeps_last_good() => away(sight, fault, known),
        Some(Err(fault)) => refused(fault),
        None => carried(known),
    }
}

fn answered(listing: &Listing, known: Known<'_>) -> Survey {
    if let Some(fault) = &listing.denied {
        let text = format!(
            "The vault answers. Its secrets can be named, but status.secrets can't list them. {fault}"
        );
        return Survey {
            standing: Standing::met(Reason::SecretsNotListed, text),
            secrets: Vec::new(),
            unconfirmed_since: None,
        };
    }
    let (secrets, all) = choice(listing, known.patterns);
    Survey {
        standing: Standing::met(
            Reason::VaultAnswers,
            words(&secrets, all, known.patterns.is_some()),
        ),
        secrets,
        unconfirmed_since: None,
    }
}

fn words(secrets: &[VaultSecretStatus], all: bool, bounded: bool) -> String {
    let text = match (secrets.len(), all, bounded) {
        (0, true, _) => "The vault answers, and lists no secret that may be named here.",
        (_, true, _) => "The vault answers, and status.secrets lists what may be named.",
        (_, false, false) => {
            "The vault answers. It holds more than status.secrets lists; what isn't listed can be named all the same."
        }
        (_, false, true) => {
            "The vault answers. It holds more than status.secrets lists; what isn't listed can be named all the same if spec.allowedSecrets permits it."
        }
    };
    text.to_owned()
}

/// What may be named, and whether that is all.
fn choice(listing: &Listing, patterns: Option<&[SecretPattern]>) -> (Vec<VaultSecretStatus>, bool) {
    let mut may: Vec<&Listed> = listing
        .secrets
        .iter()
        .filter(|secret| can_be_named(&secret.name))
        .filter(|secret| patterns.is_none_or(|patterns| allowed(&secret.name, patterns)))
        .collect();
    // The list in a status is by name, and each stands there once.
    may.sort();
    may.dedup_by(|a, b| a.name == b.name);
    let max = LISTED_MAX as usize;
    let all = !listing.truncated && may.len() <= max;
    let shown = may.into_iter().take(max).map(|secret| VaultSecretStatus {
        name: secret.name.clone(),
        enabled: Some(secret.enabled),
        expires: secret.expires.map(whole_seconds),
    });
    (shown.collect(), all)
}

/// Whether a reference can hold the name.
fn can_be_named(name: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'/');
    name.len() <= NAME_MAX
        && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && name.bytes().all(fits)
        && !name.split('/').any(|part| part == "..")
}

fn refused(fault: &Fault) -> Survey {
    Survey {
        standing: Standing::unmet(reason(fault), fault.to_string()),
        secrets: Vec::new(),
        unconfirmed_since: None,
    }
}

/// The vault is away: what it answered last counts, or, if this process never heard from it, what the status says.
fn away(sight: &Sight<Listing>, fault: &Fault, known: Known<'_>) -> Survey {
    let remembered = known.before.filter(|before| !sight.answered && reached(before));
    let secrets = match (&sight.good, remembered) {
        (Some(last), _) => choice(&last.found, known.patterns).0,
        (None, Some(before)) => still_allowed(before, known.patterns),
        (None, None) => return refused(fault),
    };
    let began = sight.since.map_or(Time(known.now), whole_seconds);
    let since = remembered.and_then(|before| before.unconfirmed_since.clone());
    let since = since.unwrap_or(began);
    Survey {
        standing: Standing::met(reason(fault), outage(fault, &since)),
        secrets,
        unconfirmed_since: Some(since),
    }
}

/// Nobody has looked since the operator began, or since the key vault says something else: what was found stands until
/// somebody has; what was refused stands as long as the key vault says the same.
fn carried(known: Known<'_>) -> Survey {
    let told = known.before.and_then(|before| {
        let told = find(&before.conditions, ConditionType::Reachable)?;
        let same = told.observed_generation == known.generation;
        let stands = match told.status {
            ConditionStatus::True => true,
            ConditionStatus::False => same,
            ConditionStatus::Unknown => false,
        };
        stands.then_some((before, told))
    });
    let Some((before, told)) = told else {
        return Survey {
            standing: Standing::unknown(Reason::VaultNotAsked, "The vault hasn't answered yet."),
            secrets: Vec::new(),
            unconfirmed_since: None,
        };
    };
    Survey {
        standing: Standing {
            status: told.status,
            reason: reason_of(told).unwrap_or(Reason::VaultNotAsked),
            message: carried_words(told, known.generation),
        },
        secrets: still_allowed(before, known.patterns),
        unconfirmed_since: before.unconfirmed_since.clone(),
    }
}

/// What the vault answered isn't said of a key vault that says something else since.
fn carried_words(told: &Condition, generation: Option<i64>) -> String {
    let changed = told.observed_generation != generation;
    if changed && reason_of(told) == Some(Reason::VaultAnswers) {
        return "The vault answered before this key vault was changed, and is asked again.".to_owned();
    }
    told.message.clone()
}

fn reached(before: &KeyVaultStatus) -> bool {
    crate::governance::conditions::holds(&before.conditions, ConditionType::Reachable)
}

fn still_allowed(before: &KeyVaultStatus, patterns: Option<&[SecretPattern]>) -> Vec<VaultSecretStatus> {
    let listed = before.secrets.iter();
    let may = listed.filter(|secret| patterns.is_none_or(|patterns| allowed(&secret.name, patterns)));
    may.cloned().collect()
}
