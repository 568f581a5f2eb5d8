//! Where secret references lead. Values are never seen here: only whether a key is there and holds something.

use super::Standing;
use super::message::sentences;
use super::readiness::situation;
use super::vaults::{self, KeyVaults};
use crate::api::Reason;
use crate::api::connection::SecretStatus;
use crate::api::reference::{SecretKeyRef, SecretSource};
use crate::api::secret::SecretKeys;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Secret types that hold credentials of the cluster itself: they are never sent away.
const CLUSTER_CREDENTIALS: [&str; 2] = [
    "kubernetes.io/service-account-token",
    "bootstrap.kubernetes.io/token",
];

/// The Secrets that an object refers to, by name; absent ones are left out.
pub type Secrets = BTreeMap<String, Arc<SecretKeys>>;

/// Where all references of one object lead.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// The judgement.
    pub standing: Standing,
    /// One entry per reference.
    pub secrets: Vec<SecretStatus>,
}

/// References as an object names them.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The field that they stand under, such as `spec.secrets`.
    pub place: &'a str,
    /// The object's namespace.
    pub namespace: &'a str,
    /// Each by its name.
    pub sources: &'a BTreeMap<String, SecretSource>,
}

/// Judges references by the Secrets and key vaults that they name.
#[must_use]
pub fn judge(
    named: &Named<'_>,
    seen: &Secrets,
    vaults: &KeyVaults,
    before: &[SecretStatus],
    now: Timestamp,
) -> Resolution {
    let Named {
        place,
        namespace,
        sources,
    } = *named;
    let problems: Vec<(Reason, String)> = sources
        .iter()
        .filter_map(|(name, source)| {
            let field = format!("{place}.{name}");
            match &source.key_vault_ref {
                Some(in_vault) if source.secret_key_ref.is_none() => {
                    vaults::problem(&field, namespace, in_vault, vaults)
                }
                _ => problem(&field, namespace, source, seen),
            }
        })
        .collect();
    let worst = problems.iter().min_by_key(|(reason, _)| situation(*reason));
    let standing = match worst {
        Some((reason, _)) => {
            let texts: Vec<String> = problems.iter().map(|(_, text)| text.clone()).collect();
            Standing::unmet(*reason, sentences(&texts))
        }
        None if sources.is_empty() => Standing::met(Reason::NoSecrets, "It refers to no secret."),
        None => Standing::met(Reason::AllResolved, "Every referenced key holds a value."),
    };
    let secrets = sources
        .iter()
        .map(|(name, source)| status(name, source, seen, before, now))
        .collect();
    Resolution { standing, secrets }
}

fn problem(field: &str, namespace: &str, source: &SecretSource, seen: &Secrets) -> Option<(Reason, String)> {
    // The schema refuses this, but not in an object that was written before it did.
    if source.secret_key_ref.is_some() == source.key_vault_ref.is_some() {
        let text =
            format!("{field} has no source or more than one: name exactly one, secretKeyRef or keyVaultRef.");
        return Some((Reason::SecretsInvalid, text));
    }
    let SecretKeyRef { name, key } = source.secret_key_ref.as_ref()?;
    let Some(secret) = seen.get(name.as_str()) else {
        let text = format!(
            "{field} names the Secret {name}, which doesn't exist in namespace {namespace}: create it with the key {key}."
        );
        return Some((Reason::SecretNotFound, text));
    };
    if CLUSTER_CREDENTIALS.contains(&secret.type_.as_str()) {
        let text = format!(
            "{field} names the Secret {name} of type {}, which holds a credential of the cluster itself: name another.",
            secret.type_
        );
        return Some((Reason::SecretNotAllowed, text));
    }
    match secret.keys.get(key.as_str()) {
        Some(true) => None,
        Some(false) => Some((
            Reason::KeyEmpty,
            format!("{field} names the key {key} of Secret {name}, which is empty: put the value there."),
        )),
        None => Some((
            Reason::KeyNotFound,
            format!(
                "{field} names the key {key}, which Secret {name} doesn't have: add it, or name another."
            ),
        )),
    }
}

fn status(
    name: &str,
    source: &SecretSource,
    seen: &Secrets,
    before: &[SecretStatus],
    now: Timestamp,
) -> SecretStatus {
    let (origin, version) = match (&source.secret_key_ref, &source.key_vault_ref) {
        (Some(SecretKeyRef { name, key }), _) => {
            let version = seen.get(name.as_str()).map(|secret| secret.version.clone());
            (format!("Secret {name}, key {key}"), version)
        }
        (None, Some(vault)) => (format!("KeyVault {}, secret {}", vault.name, vault.secret), None),
        (None, None) => (String::new(), None),
    };
    let unchanged = before
        .iter()
        .find(|old| old.name == name && old.source == origin && old.version == version);
    let since = match unchanged {
        Some(old) => old.since.clone(),
        None => version.is_some().then_some(Time(now)),
    };
    SecretStatus {
        name: name.to_owned(),
        source: origin,
        version,
        since,
    }
}
