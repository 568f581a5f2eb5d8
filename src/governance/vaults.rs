//! Which secrets a key vault lets others name, whether it can be used, and what its answers mean.
//!
//! [`address`]: where it is and who asks. [`survey`]: how the key vault itself stands. [`answer`]: how one reference to a
//! secret in it stands.

use super::conditions::holds;
use super::message::listed;
use crate::api::key_vault::{KeyVault, SecretPattern};
use crate::api::reference::{KeyVaultRef, SecretSource};
use crate::api::{ConditionType, Reason};
use crate::vault::fault::Fault;
use crate::vault::sight::Sight;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

pub mod address;
pub mod answer;
pub mod survey;
#[cfg(test)]
mod tests;

/// The key vaults that an object refers to, by name; absent ones are left out.
pub type KeyVaults = BTreeMap<String, Arc<KeyVault>>;

/// What is known of an object's secrets in key vaults.
#[derive(Clone, Debug, Default)]
pub struct VaultsSeen {
    /// The key vaults that it names.
    pub linked: KeyVaults,
    /// What was seen of each secret, by the name of the reference; nothing of those that aren't looked at.
    pub sights: BTreeMap<String, Sight>,
}

/// The secret in a key vault that a reference leads to, if it leads to exactly one.
#[must_use]
pub fn in_vault(source: &SecretSource) -> Option<&KeyVaultRef> {
    let named = source.key_vault_ref.as_ref();
    named.filter(|_| source.secret_key_ref.is_none())
}

/// The word of the conditions for what a vault said.
#[must_use]
pub const fn reason(fault: &Fault) -> Reason {
    match fault {
        Fault::AddressNotAllowed { .. } => Reason::AddressNotAllowed,
        Fault::VaultNotFound { .. } => Reason::VaultNotFound,
        Fault::VaultUnavailable { .. } => Reason::VaultUnavailable,
        Fault::Throttled { .. } => Reason::Throttled,
        Fault::AccessDenied { .. } => Reason::AccessDenied,
        Fault::CredentialRejected { .. } => Reason::CredentialRejected,
        Fault::SecretNotFound { .. } => Reason::SecretNotFound,
        Fault::KeyNotFound { .. } => Reason::KeyNotFound,
        Fault::SecretDisabled { .. } => Reason::SecretDisabled,
        Fault::SecretExpired { .. } => Reason::SecretExpired,
        Fault::VersionNotFound { .. } => Reason::VersionNotFound,
    }
}

/// What is told of a vault that is away while what was known before counts.
fn outage(fault: &Fault, since: &Time) -> String {
    format!(
        "{fault} What was known of its secrets before still counts. It has been so since {}.",
        since.0
    )
}

/// As the API keeps times.
fn whole_seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

/// What keeps a reference to a secret in a key vault from being used, whatever the vault itself says.
#[must_use]
pub fn problem(
    field: &str,
    namespace: &str,
    named: &KeyVaultRef,
    vaults: &KeyVaults,
) -> Option<(Reason, String)> {
    let name = &named.name;
    let Some(vault) = vaults.get(name.as_str()) else {
        let text = format!(
            "{field} names the key vault {name}, which doesn't exist in namespace {namespace}: link it, or name another. To \
             see those there are: kubectl get keyvaults -n {namespace}"
        );
        return Some((Reason::VaultNotFound, text));
    };
    let patterns = vault.spec.allowed_secrets.as_deref();
    if let Some(patterns) = patterns.filter(|patterns| !allowed(&named.secret, patterns)) {
        let patterns: Vec<&str> = patterns.iter().map(|pattern| pattern.0.as_str()).collect();
        let text = format!(
            "{field} names the secret {} of the key vault {name}, which allows only {}: name one of these, or have it added \
             to spec.allowedSecrets of the key vault.",
            named.secret,
            listed(&patterns)
        );
        return Some((Reason::SecretNotAllowed, text));
    }
    if vault.metadata.deletion_timestamp.is_some() {
        let text = format!("{field} names the key vault {name}, which is being removed: name another.");
        return Some((Reason::VaultBeingRemoved, text));
    }
    let ready = vault
        .status
        .as_ref()
        .is_some_and(|status| holds(&status.conditions, ConditionType::Ready));
    (!ready).then(|| {
        let text = format!(
            "{field} names the key vault {name}, which isn't ready. To see why: kubectl describe keyvault {name} -n {namespace}"
        );
        (Reason::VaultNotReady, text)
    })
}

/// Whether one of the patterns fits the secret's name.
#[must_use]
pub fn allowed(secret: &str, patterns: &[SecretPattern]) -> bool {
    patterns.iter().any(|pattern| fits(secret, &pattern.0))
}

/// Whether a pattern, in which `*` stands for any text, fits all of a name. Each part between stars is taken where it
/// first comes, so the time is bounded by the product of both lengths.
fn fits(name: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return name == pattern;
    };
    let Some(mut left) = name.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(end)
}
