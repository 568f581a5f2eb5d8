//! Where secret references lead. Values are never seen here: only whether a key is there and holds something.

use super::Standing;
use super::conditions::{find, reason_of};
use super::decision::Announcement;
use super::message::sentences;
use super::readiness::situation;
use super::vaults::answer::{self, Answer, Asked, Good};
use super::vaults::{VaultsSeen, in_vault};
use crate::api::connection::SecretStatus;
use crate::api::reference::{KeyVaultRef, SecretKeyRef, SecretSource};
use crate::api::secret::SecretKeys;
use crate::api::{Condition, ConditionStatus, ConditionType, Reason};
use jiff::{SignedDuration, Timestamp};
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
    /// Whether a secret in a vault has another version than before.
    pub rotated: bool,
    /// When time alone may change the judgement.
    pub recheck: Option<SignedDuration>,
}

impl Resolution {
    /// What people should hear of.
    #[must_use]
    pub fn announcement(&self) -> Option<Announcement> {
        self.rotated.then_some(Announcement {
            warning: false,
            reason: Reason::SecretRotated,
        })
    }

    /// What people should know who see that all is well.
    #[must_use]
    pub fn forewarning(&self) -> Option<&str> {
        let Standing {
            status,
            reason,
            message,
        } = &self.standing;
        let told =
            *status == ConditionStatus::True && !matches!(reason, Reason::AllResolved | Reason::NoSecrets);
        told.then_some(message)
    }
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

/// What the object's status said before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Before<'a> {
    /// Of each reference.
    pub secrets: &'a [SecretStatus],
    /// Of all together, among the rest.
    pub conditions: &'a [Condition],
}

/// Judges references by the Secrets and key vaults that they name.
#[must_use]
pub fn judge(
    named: &Named<'_>,
    seen: &Secrets,
    vaults: &VaultsSeen,
    before: Before<'_>,
    now: Timestamp,
) -> Resolution {
    let Named {
        place,
        namespace,
        sources,
    } = *named;
    let slots = sources.iter().map(|(name, source)| {
        let field = format!("{place}.{name}");
        let mut slot = Slot::new(name, source, before.secrets);
        if let Some(named) = in_vault(source) {
            let asked = Asked {
                field: &field,
                name,
                namespace,
                named,
                before: slot.before,
            };
            slot.take_in(answer::judge(asked, vaults, now), named, now);
        } else {
            slot.problem = problem(&field, namespace, source, seen);
            slot.version = version(source, seen);
            slot.since = slot.dated(slot.version.is_some(), now);
        }
        slot
    });
    let slots: Vec<Slot<'_>> = slots.collect();
    Resolution {
        standing: standing(&slots, before.conditions),
        rotated: slots.iter().any(|slot| slot.rotated),
        recheck: slots.iter().filter_map(|slot| slot.recheck).min(),
        secrets: slots.into_iter().map(Slot::status).collect(),
    }
}

/// One reference, judged.
#[derive(Default)]
struct Slot<'a> {
    name: &'a str,
    source: String,
    /// What the status said of this very reference.
    before: Option<&'a SecretStatus>,
    problem: Option<(Reason, String)>,
    /// The key vault that hasn't answered yet.
    awaited: Option<&'a str>,
    /// Whether it only says what the status said before.
    carried: bool,
    away: Option<(Reason, String)>,
    ends: Option<String>,
    version: Option<String>,
    since: Option<Time>,
    unconfirmed_since: Option<Time>,
    rotated: bool,
    recheck: Option<SignedDuration>,
}

impl<'a> Slot<'a> {
    fn new(name: &'a str, source: &SecretSource, before: &'a [SecretStatus]) -> Self {
        let source = origin(source);
        let before = before.iter().find(|old| old.name == name && old.source == source);
        Self {
            name,
            source,
            before,
            ..Self::default()
        }
    }

    fn take_in(&mut self, answer: Answer, named: &'a KeyVaultRef, now: Timestamp) {
        match answer {
            Answer::Good(good) => {
                let known = self.before.and_then(|before| before.version.as_ref());
                self.rotated = known.is_some() && good.version.is_some() && known != good.version.as_ref();
                self.found(good, now);
            }
            Answer::Kept {
                known,
                reason,
                told,
                since,
            } => {
                self.away = Some((reason, told));
                self.unconfirmed_since = Some(since);
                self.found(known, now);
            }
            Answer::Carried(before) => {
                self.carried = true;
                self.version = before.version;
                self.since = before.since;
                self.unconfirmed_since = before.unconfirmed_since;
            }
            Answer::Awaited => self.awaited = Some(named.name.as_str()),
            Answer::Unusable(reason, text) => self.problem = Some((reason, text)),
        }
    }

    fn found(&mut self, good: Good, now: Timestamp) {
        self.version = good.version;
        self.ends = good.ends;
        self.recheck = good.recheck;
        self.since = self.dated(true, now);
    }

    /// Since when it's this version: the status dates the version, and not the visit.
    fn dated(&self, there: bool, now: Timestamp) -> Option<Time> {
        let unchanged = self.before.filter(|old| old.version == self.version);
        let since = unchanged.and_then(|old| old.since.clone());
        there.then(|| since.unwrap_or(Time(now)))
    }

    fn status(self) -> SecretStatus {
        SecretStatus {
            name: self.name.to_owned(),
            source: self.source,
            version: self.version,
            since: self.since,
            unconfirmed_since: self.unconfirmed_since,
        }
    }
}

/// All references together: what is wrong comes first, then what is waited for, then what is only worth knowing.
fn standing(slots: &[Slot<'_>], before: &[Condition]) -> Standing {
    let problems = slots.iter().filter_map(|slot| slot.problem.as_ref());
    if let Some((reason, _)) = problems.clone().min_by_key(|(reason, _)| situation(*reason)) {
        let texts: Vec<String> = problems.map(|(_, text)| text.clone()).collect();
        return Standing::unmet(*reason, sentences(&texts));
    }
    let awaited: Vec<String> = distinct(slots.iter().filter_map(|slot| slot.awaited.map(str::to_owned)));
    if !awaited.is_empty() {
        let texts = awaited
            .iter()
            .map(|vault| format!("The key vault {vault} hasn't told yet whether its secrets can be used."));
        return Standing::unknown(Reason::VaultNotAsked, sentences(&texts.collect::<Vec<_>>()));
    }
    let told =
        find(before, ConditionType::SecretsResolved).filter(|told| told.status == ConditionStatus::True);
    if let Some((told, reason)) = told
        .filter(|_| slots.iter().any(|slot| slot.carried))
        .and_then(|told| Some((told, reason_of(told)?)))
    {
        return Standing::met(reason, told.message.clone());
    }
    let away = slots.iter().filter_map(|slot| slot.away.clone());
    let ends = slots.iter().filter_map(|slot| slot.ends.clone());
    if let Some((reason, _)) = away.clone().next() {
        return Standing::met(reason, sentences(&distinct(away.map(|(_, told)| told))));
    }
    let ends: Vec<String> = ends.collect();
    if !ends.is_empty() {
        return Standing::met(Reason::SecretExpiresSoon, sentences(&ends));
    }
    if slots.is_empty() {
        return Standing::met(Reason::NoSecrets, "It refers to no secret.");
    }
    Standing::met(Reason::AllResolved, "Every referenced key holds a value.")
}

/// Each once, in the order in which it first comes.
fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

/// Where a reference leads, as status says it.
fn origin(source: &SecretSource) -> String {
    match (&source.secret_key_ref, &source.key_vault_ref) {
        (Some(SecretKeyRef { name, key }), _) => format!("Secret {name}, key {key}"),
        (None, Some(vault)) => {
            let key = vault.key.as_ref().map(|key| format!(", key {key}"));
            let pinned = vault
                .version
                .as_ref()
                .map(|version| format!(", version {version}"));
            format!(
                "KeyVault {}, secret {}{}{}",
                vault.name,
                vault.secret,
                key.unwrap_or_default(),
                pinned.unwrap_or_default()
            )
        }
        (None, None) => String::new(),
    }
}

fn version(source: &SecretSource, seen: &Secrets) -> Option<String> {
    let secret = source.secret_key_ref.as_ref()?;
    seen.get(secret.name.as_str())
        .map(|secret| secret.version.clone())
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
