//! A connection's secrets against the slots that its type declares.

use super::{CompiledType, known};
use crate::api::connection_type::{SecretKind, SecretSlot, Support};
use crate::api::reference::SecretSource;
use crate::governance::message::{explanation, listed, quoted};
use std::collections::BTreeMap;

type Given = BTreeMap<String, SecretSource>;

impl CompiledType {
    /// What is wrong with the names and sources of a connection's secrets, as sentences.
    #[must_use]
    pub fn secret_problems(&self, given: &Given) -> Vec<String> {
        let slots = &self.spec.secrets;
        let unknown = given
            .keys()
            .filter(|name| !slots.iter().any(|slot| slot.name.as_str() == name.as_str()))
            .map(|name| {
                format!(
                    "spec.secrets has {}, which the type doesn't know: {}.",
                    quoted(name),
                    known(&names(slots.iter()))
                )
            });
        let unsupported = given
            .iter()
            .filter(|(_, source)| source.key_vault_ref.is_some() && self.spec.key_vault == Support::Unsupported)
            .map(|(name, _)| {
                format!("spec.secrets.{name} comes from a key vault, which the type doesn't support: use a secretKeyRef.")
            });
        let amiss = slots
            .iter()
            .filter_map(|slot| missing_or_doubled(slot, slots, given));
        let mut problems: Vec<String> = unknown.chain(unsupported).chain(amiss).collect();
        if problems.is_empty() {
            // What is plainly missing isn't told once more as part of something.
            problems.extend(slots.iter().filter_map(|slot| parted(slot, slots, given)));
        }
        problems
    }
}

/// A slot and its alternatives: exactly one of them if the slot is required, else at most one.
fn missing_or_doubled(slot: &SecretSlot, slots: &[SecretSlot], given: &Given) -> Option<String> {
    if slot.alternative_to.is_some() {
        return None; // judged with the slot that it stands in for
    }
    let alternatives = slots
        .iter()
        .filter(|other| other.alternative_to.as_ref() == Some(&slot.name));
    let names: Vec<&str> = [slot]
        .into_iter()
        .chain(alternatives)
        .map(|slot| slot.name.as_str())
        .collect();
    let count = names.iter().filter(|name| given.contains_key(**name)).count();
    match (count, names.as_slice()) {
        (0, [name]) if slot.required => Some(format!(
            "spec.secrets.{name} is missing: add it. The type says of it: {}",
            explanation(&slot.description)
        )),
        (0, _) if slot.required => Some(format!(
            "spec.secrets needs one of {}: add one.",
            names.join(", ")
        )),
        (2.., _) => Some(format!(
            "spec.secrets has more than one of {}: keep one.",
            names.join(", ")
        )),
        _ => None,
    }
}

/// One that is given without those that it is of no use without: a passphrase without its key, or part of an OAuth 2.0
/// client.
fn parted(slot: &SecretSlot, slots: &[SecretSlot], given: &Given) -> Option<String> {
    if !given.contains_key(slot.name.as_str()) {
        return None;
    }
    let lacking = slots.iter().filter(|other| {
        belongs(slot.kind, other.kind) && other.name != slot.name && !given.contains_key(other.name.as_str())
    });
    let lacking = names(lacking);
    (!lacking.is_empty()).then(|| {
        format!(
            "spec.secrets.{} is of no use without {}: add what is missing, or leave it out.",
            slot.name,
            listed(&lacking)
        )
    })
}

fn names<'a>(slots: impl Iterator<Item = &'a SecretSlot>) -> Vec<&'a str> {
    slots.map(|slot| slot.name.as_str()).collect()
}

/// Whether a secret of one kind is of no use without that of the other kind, where a type declares both.
const fn belongs(kind: SecretKind, other: SecretKind) -> bool {
    match kind {
        SecretKind::Passphrase => matches!(other, SecretKind::PrivateKey),
        SecretKind::OAuthClientId | SecretKind::OAuthClientSecret | SecretKind::OAuthRefreshToken => {
            matches!(
                other,
                SecretKind::OAuthClientId | SecretKind::OAuthClientSecret | SecretKind::OAuthRefreshToken
            )
        }
        _ => false,
    }
}
