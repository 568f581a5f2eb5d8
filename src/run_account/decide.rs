//! Decides about the run account of one namespace. Pure: everything it knows is in the facts.

use crate::api::names::{GROUP, RUN_ACCOUNT};
use crate::governance::decision::Effect;
use crate::governance::kept::{Kept, RBAC, Seen, due};
use crate::governance::run_account::{account, is_ours, meta};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, ResourceExt};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Everything that a decision about a run account may know.
#[derive(Clone, Debug)]
pub struct AccountFacts {
    /// The ServiceAccount as last seen.
    pub account: Arc<ServiceAccount>,
    /// The Role that is there.
    pub role: Seen<Role>,
    /// The RoleBinding that is there.
    pub role_binding: Seen<RoleBinding>,
    /// Whether anybody signs in by it.
    pub needed: bool,
}

/// The writes that are due, in order: the right goes before the account, and comes after it.
#[must_use]
pub fn decide(facts: &AccountFacts) -> Vec<Effect> {
    let going = facts.account.metadata.deletion_timestamp.is_some();
    if going || !is_ours(&*facts.account) {
        return Vec::new();
    }
    if facts.needed { kept(facts) } else { dropped(facts) }
}

fn dropped(facts: &AccountFacts) -> Vec<Effect> {
    let binding = ours(&facts.role_binding).cloned().map(Kept::RoleBinding);
    let role = ours(&facts.role).cloned().map(Kept::Role);
    let account = Some(Kept::ServiceAccount((*facts.account).clone()));
    let all = [binding, role, account].into_iter().flatten();
    all.map(|kept| Effect::Drop(Box::new(kept))).collect()
}

fn kept(facts: &AccountFacts) -> Vec<Effect> {
    let namespace = facts.account.namespace().unwrap_or_default();
    let wanted = account(&namespace);
    let seen = Seen::Present(Arc::clone(&facts.account));
    let account = due(&seen, &wanted, true, |seen| {
        seen.automount_service_account_token == wanted.automount_service_account_token
            && seen.secrets.as_deref().unwrap_or_default().is_empty()
            && seen.image_pull_secrets.as_deref().unwrap_or_default().is_empty()
    });
    let account = account.then_some(Effect::Keep(Box::new(Kept::ServiceAccount(wanted))));
    [account, role(facts), role_binding(facts)]
        .into_iter()
        .flatten()
        .collect()
}

/// Reads connections, and the key vaults that they name, and nothing else.
fn role(facts: &AccountFacts) -> Option<Effect> {
    let rule = PolicyRule {
        api_groups: Some(vec![GROUP.to_owned()]),
        resources: Some(vec!["connections".to_owned(), "keyvaults".to_owned()]),
        verbs: vec!["get".to_owned()],
        ..PolicyRule::default()
    };
    let mut wanted = Role {
        rules: Some(vec![rule]),
        ..Role::default()
    };
    wanted.metadata = meta(&facts.account.namespace().unwrap_or_default());
    wanted.metadata.owner_references = owner(facts);
    let due = !taken(&facts.role) && due(&facts.role, &wanted, true, |seen| seen.rules == wanted.rules);
    due.then(|| Effect::Keep(Box::new(Kept::Role(wanted))))
}

fn role_binding(facts: &AccountFacts) -> Option<Effect> {
    let namespace = facts.account.namespace().unwrap_or_default();
    let subject = Subject {
        kind: "ServiceAccount".to_owned(),
        name: RUN_ACCOUNT.to_owned(),
        namespace: Some(namespace.clone()),
        api_group: None,
    };
    let mut wanted = RoleBinding {
        role_ref: RoleRef {
            api_group: RBAC.to_owned(),
            kind: "Role".to_owned(),
            name: RUN_ACCOUNT.to_owned(),
        },
        subjects: Some(vec![subject]),
        metadata: meta(&namespace),
    };
    wanted.metadata.owner_references = owner(facts);
    let seen = ours(&facts.role_binding).filter(|seen| seen.role_ref != wanted.role_ref);
    if let Some(other) = seen {
        // The role of a binding can't be changed.
        return Some(Effect::Drop(Box::new(Kept::RoleBinding(other.clone()))));
    }
    let due = !taken(&facts.role_binding)
        && due(&facts.role_binding, &wanted, true, |seen| {
            seen.subjects == wanted.subjects
        });
    due.then(|| Effect::Keep(Box::new(Kept::RoleBinding(wanted))))
}

/// With the account goes what belongs to it, by the garbage collector, also while no operator runs.
fn owner(facts: &AccountFacts) -> Option<Vec<OwnerReference>> {
    facts.account.owner_ref(&()).map(|owner| vec![owner])
}

fn ours<K: Resource>(seen: &Seen<K>) -> Option<&K> {
    seen.present().filter(|object| is_ours(*object))
}

fn taken<K: Resource>(seen: &Seen<K>) -> bool {
    seen.present().is_some_and(|object| !is_ours(object))
}
