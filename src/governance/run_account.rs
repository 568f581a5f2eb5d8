//! The run account: as whom a namespace signs in to vaults, and its runs read their connections.
//!
//! A namespace that needs it has a ServiceAccount of one fixed name, and a Role of that name with its binding. A key vault
//! or what runs has the ServiceAccount made; the account's own visit keeps all three, and ends them when nobody needs it any more.
//! What somebody else made under that name is never taken over: whoever runs as it would become the account.

use super::Standing;
use super::decision::Effect;
use super::kept::{Kept, Seen};
use crate::api::Reason;
use crate::api::names::{MANAGED_BY_LABEL, RUN_ACCOUNT};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// What is there under the name of a namespace's run account.
#[derive(Clone, Debug, Default)]
pub struct RunAccountFacts {
    /// The ServiceAccount.
    pub account: Seen<ServiceAccount>,
    /// The Role.
    pub role: Seen<Role>,
    /// The RoleBinding.
    pub role_binding: Seen<RoleBinding>,
}

/// A key vault, export or enrichment, as far as its namespace's run account is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Need<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Whether it signs in by the account, or runs as it.
    pub needed: bool,
    /// Whether it is being removed.
    pub deleting: bool,
    /// What is there.
    pub facts: &'a RunAccountFacts,
}

/// Whether the operator has made it.
#[must_use]
pub fn is_ours<K: Resource>(object: &K) -> bool {
    let (label, value) = MANAGED_BY_LABEL;
    object.labels().get(label).is_some_and(|found| found == value)
}

/// Whether the key vault can sign in by it.
#[must_use]
pub fn standing(need: Need<'_>) -> Standing {
    if !need.needed {
        return Standing::met(
            Reason::RunAccountNotNeeded,
            "It doesn't sign in by the namespace's run account.",
        );
    }
    let taken = in_the_way(need.facts);
    let namespace = need.namespace;
    if !taken.is_empty() {
        let kinds: Vec<&str> = taken.iter().map(|(kind, _)| *kind).collect();
        let objects: Vec<String> = taken
            .iter()
            .map(|(_, resource)| format!("{resource}/{RUN_ACCOUNT}"))
            .collect();
        let text = format!(
            "It signs in by the ServiceAccount {RUN_ACCOUNT} that the operator keeps, and namespace {namespace} has a {} of \
             that name that somebody else made; the operator takes over nothing of others. Give what uses it another name, \
             end the pods that run as it, and then: kubectl delete {} -n {namespace}. The operator then makes its own.",
            kinds.join(" and a "),
            objects.join(" ")
        );
        return Standing::unmet(Reason::RunAccountTaken, text);
    }
    match need.facts.account {
        Seen::Absent => Standing::unmet(
            Reason::RunAccountMissing,
            format!(
                "It signs in by the ServiceAccount {RUN_ACCOUNT} of namespace {namespace}, which isn't there yet: the operator \
                 makes it. If that lasts, its log tells why."
            ),
        ),
        // What was written a moment ago is there.
        Seen::Pending | Seen::Present(_) => Standing::met(
            Reason::RunAccountKept,
            format!("It signs in by the ServiceAccount {RUN_ACCOUNT}, which the operator keeps."),
        ),
    }
}

/// What keeps runs from beginning: somebody else's object has the account's name.
#[must_use]
pub fn taken(namespace: &str, facts: &RunAccountFacts) -> Option<Standing> {
    let standing = standing(Need {
        namespace,
        needed: true,
        deleting: false,
        facts,
    });
    (standing.reason == Reason::RunAccountTaken).then_some(standing)
}

/// Whether the account is there with its rights, so that what runs as it can begin.
#[must_use]
pub fn is_complete(facts: &RunAccountFacts) -> bool {
    let account = facts.account.present().is_some_and(is_ours);
    let role = facts.role.present().is_some_and(is_ours);
    account && role && facts.role_binding.present().is_some_and(is_ours)
}

/// Has the account made.
#[must_use]
pub fn effects(need: Need<'_>) -> Vec<Effect> {
    let due = need.needed && !need.deleting && matches!(need.facts.account, Seen::Absent);
    let made =
        (due && in_the_way(need.facts).is_empty()).then(|| Kept::ServiceAccount(account(need.namespace)));
    made.map(|kept| Effect::Keep(Box::new(kept)))
        .into_iter()
        .collect()
}

/// The account as it should be: nothing mounts its token unless it asks to.
#[must_use]
pub fn account(namespace: &str) -> ServiceAccount {
    ServiceAccount {
        metadata: meta(namespace),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

/// The metadata of all that belongs to a namespace's run account.
#[must_use]
pub fn meta(namespace: &str) -> ObjectMeta {
    let (label, value) = MANAGED_BY_LABEL;
    ObjectMeta {
        name: Some(RUN_ACCOUNT.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: Some(BTreeMap::from([(label.to_owned(), value.to_owned())])),
        ..ObjectMeta::default()
    }
}

/// What others made under the account's name: the kind, and what kubectl calls it.
fn in_the_way(facts: &RunAccountFacts) -> Vec<(&'static str, &'static str)> {
    let account = facts.account.present().is_some_and(|object| !is_ours(object));
    let role = facts.role.present().is_some_and(|object| !is_ours(object));
    let binding = facts
        .role_binding
        .present()
        .is_some_and(|object| !is_ours(object));
    let all = [
        (account, ("ServiceAccount", "serviceaccount")),
        (role, ("Role", "role")),
        (binding, ("RoleBinding", "rolebinding")),
    ];
    all.into_iter()
        .filter(|(taken, _)| *taken)
        .map(|(_, kind)| kind)
        .collect()
}
