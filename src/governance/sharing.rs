//! Sharing: who may use a connection beside administrators, and what they may see of it.
//!
//! For each shared connection the operator keeps three objects: a Role that grants `use` on it alone, a RoleBinding of
//! that Role to all contributors of the namespace, and a SharedConnection. What stands there is read by contributors:
//! it never holds a host, folder or account of the connection, nor why it isn't ready.

use super::decision::Effect;
use super::kept::{Kept, RBAC, Seen, due};
use super::{Standing, conditions, message};
use crate::api::connection::Audience;
use crate::api::connection_type::UsedFor;
use crate::api::names::{GROUP, MANAGED_BY_LABEL, USE_ROLE_PREFIX};
use crate::api::{
    ConditionStatus, ConditionType, Connection, ConnectionSpec, Reason, SharedConnection,
    SharedConnectionSpec, SharedConnectionStatus,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// When to look again whether a write has been brought back by the watch. Its event comes long before, as a rule.
const BROUGHT_BACK: SignedDuration = SignedDuration::from_secs(10);

/// What sharing may know beside the connection itself.
#[derive(Clone, Debug, Default)]
pub struct SharingFacts {
    /// The contributors of the namespace, as their bindings name them.
    pub contributors: Vec<Subject>,
    /// The Role that is there.
    pub role: Seen<Role>,
    /// The RoleBinding that is there.
    pub role_binding: Seen<RoleBinding>,
    /// The SharedConnection that is there.
    pub shared: Seen<SharedConnection>,
    /// Other shared connections of the namespace that people call the same, in order.
    pub namesakes: Vec<String>,
    /// Whether a connector of this installation runs the type.
    pub connected: bool,
}

/// A connection whose sharing is judged.
#[derive(Clone, Copy, Debug)]
pub struct Sharing<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// What its type is for, if that can be told.
    pub used_for: Option<UsedFor>,
    /// The connection's Ready, as just judged.
    pub ready: &'a Standing,
    /// Whether nothing holds it any more once it's being removed.
    pub unused: bool,
    /// What else is known.
    pub facts: &'a SharingFacts,
    /// The time of the visit.
    pub now: Timestamp,
}

/// What becomes of the kept objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The writes, in order: rights go before what is seen of them, and come before it.
    pub effects: Vec<Effect>,
    /// When to look again.
    pub recheck: Option<SignedDuration>,
}

/// Who may use a connection: those for enrichments are open to all contributors, whatever `spec.access` says.
#[must_use]
pub fn audience(connection: &ConnectionSpec, used_for: UsedFor) -> Audience {
    match used_for {
        UsedFor::Enrichment => Audience::Contributors,
        UsedFor::Export => chosen(connection),
    }
}

fn chosen(connection: &ConnectionSpec) -> Audience {
    let access = connection.access.and_then(|access| access.exports);
    access.unwrap_or_default()
}

/// Whether a binding may not make contributors of this subject: Kubernetes itself fills the groups of this prefix, so
/// that everybody would be let in.
#[must_use]
pub fn refused(subject: &Subject) -> bool {
    (subject.kind == "Group" && subject.name.starts_with("system:")) || subject.name == "system:anonymous"
}

/// Says that a binding names such subjects, if it does.
#[must_use]
pub fn refusal(subjects: &[Subject]) -> Option<String> {
    let refused = subjects.iter().filter(|subject| refused(subject));
    let mut names: Vec<String> = refused.map(|subject| message::quoted(&subject.name)).collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then(|| {
        format!(
            "No connection is shared with {}: Kubernetes itself decides who that is, so everyone would be let in. Name a \
             group of people in this binding instead.",
            message::listed(&names)
        )
    })
}

/// Says which other shared connections people call the same, if there are any.
#[must_use]
pub fn name_taken(namesakes: &[String]) -> Option<String> {
    (!namesakes.is_empty()).then(|| {
        let (others, of) = match namesakes.len() {
            1 => ("another connection", "one"),
            _ => ("other connections", "all but one"),
        };
        format!(
            "Contributors see {others} of the same display name: {}. Change spec.displayName of {of}, so that nobody \
             takes one for the other.",
            message::listed(namesakes)
        )
    })
}

/// What becomes of the kept objects of a connection.
#[must_use]
pub fn outcome(sharing: &Sharing<'_>) -> Outcome {
    let facts = sharing.facts;
    // A type's use can't change, so where the type is gone, what was made while it was there still tells.
    let seen = facts.shared.present().map(|shared| shared.spec.used_for);
    let used_for = sharing.used_for.or(seen);
    let audience = used_for.map_or_else(
        || chosen(&sharing.connection.spec),
        |used_for| audience(&sharing.connection.spec, used_for),
    );
    let effects = match (audience, used_for) {
        _ if deleting(sharing.connection) && sharing.unused => dropped(facts),
        (Audience::Administrators, _) => dropped(facts),
        (Audience::Contributors, Some(used_for)) => kept(sharing, used_for),
        (Audience::Contributors, None) => Vec::new(), // nobody knows what for, until its type is there
    };
    let pending = facts.role.is_pending() || facts.role_binding.is_pending() || facts.shared.is_pending();
    let recheck = (pending || !effects.is_empty()).then_some(BROUGHT_BACK);
    Outcome { effects, recheck }
}

fn deleting(connection: &Connection) -> bool {
    connection.metadata.deletion_timestamp.is_some()
}

fn dropped(facts: &SharingFacts) -> Vec<Effect> {
    let binding = facts.role_binding.present().cloned().map(Kept::RoleBinding);
    let role = facts.role.present().cloned().map(Kept::Role);
    let shared = facts.shared.present().cloned().map(Kept::SharedConnection);
    let all = [binding, role, shared].into_iter().flatten();
    all.map(|kept| Effect::Drop(Box::new(kept))).collect()
}

fn kept(sharing: &Sharing<'_>, used_for: UsedFor) -> Vec<Effect> {
    let facts = sharing.facts;
    let anew = !deleting(sharing.connection);
    let (wanted_role, wanted_binding) = (role(sharing.connection), role_binding(sharing));
    let role = due(&facts.role, &wanted_role, anew, |seen| {
        seen.rules.as_ref() == wanted_role.rules.as_ref()
    });
    let binding = due(&facts.role_binding, &wanted_binding, anew, |seen| {
        seen.role_ref == wanted_binding.role_ref
            && seen.subjects.as_deref().unwrap_or_default()
                == wanted_binding.subjects.as_deref().unwrap_or_default()
    });
    let wanted_shared = shared_connection(sharing, used_for);
    let shared = due(&facts.shared, &wanted_shared, anew, |seen| {
        seen.spec == wanted_shared.spec && seen.status == wanted_shared.status
    });
    let role = role.then_some(Effect::Keep(Box::new(Kept::Role(wanted_role))));
    let shared = shared.then_some(Effect::Keep(Box::new(Kept::SharedConnection(wanted_shared))));
    let binding = binding.then(|| rebound(&facts.role_binding, wanted_binding));
    [role, binding, shared].into_iter().flatten().collect()
}

/// The role of a binding can't be changed: one to another role, that somebody made before the operator, goes first.
fn rebound(seen: &Seen<RoleBinding>, wanted: RoleBinding) -> Effect {
    match seen.present() {
        Some(seen) if seen.role_ref != wanted.role_ref => {
            Effect::Drop(Box::new(Kept::RoleBinding(seen.clone())))
        }
        _ => Effect::Keep(Box::new(Kept::RoleBinding(wanted))),
    }
}

fn meta(connection: &Connection, name: String) -> ObjectMeta {
    let (label, value) = MANAGED_BY_LABEL;
    ObjectMeta {
        name: Some(name),
        namespace: connection.namespace(),
        labels: Some(BTreeMap::from([(label.to_owned(), value.to_owned())])),
        owner_references: connection.controller_owner_ref(&()).map(|owner| vec![owner]),
        ..ObjectMeta::default()
    }
}

fn grant_name(connection: &Connection) -> String {
    format!("{USE_ROLE_PREFIX}{}", connection.name_any())
}

fn role(connection: &Connection) -> Role {
    let rule = PolicyRule {
        api_groups: Some(vec![GROUP.to_owned()]),
        resources: Some(vec!["connections".to_owned()]),
        resource_names: Some(vec![connection.name_any()]),
        verbs: vec!["use".to_owned()],
        ..PolicyRule::default()
    };
    Role {
        metadata: meta(connection, grant_name(connection)),
        rules: Some(vec![rule]),
    }
}

/// It's kept without contributors too, bound to nobody.
fn role_binding(sharing: &Sharing<'_>) -> RoleBinding {
    let name = grant_name(sharing.connection);
    let subjects = subjects(
        &sharing.facts.contributors,
        sharing.connection.namespace().as_deref(),
    );
    RoleBinding {
        metadata: meta(sharing.connection, name.clone()),
        role_ref: RoleRef {
            api_group: RBAC.to_owned(),
            kind: "Role".to_owned(),
            name,
        },
        subjects: (!subjects.is_empty()).then_some(subjects),
    }
}

/// Each once, in order, written as the API server fills them in.
fn subjects(contributors: &[Subject], namespace: Option<&str>) -> Vec<Subject> {
    let admitted = contributors.iter().filter(|subject| !refused(subject));
    let whole = admitted.map(|subject| {
        let account = subject.kind == "ServiceAccount";
        let own = subject.namespace.as_deref().filter(|own| !own.is_empty());
        Subject {
            api_group: (!account).then(|| RBAC.to_owned()),
            kind: subject.kind.clone(),
            name: subject.name.clone(),
            namespace: own.or(namespace).filter(|_| account).map(str::to_owned),
        }
    });
    let key = |subject: &Subject| {
        (
            subject.kind.clone(),
            subject.namespace.clone(),
            subject.name.clone(),
        )
    };
    let ordered: BTreeMap<_, Subject> = whole.map(|subject| (key(&subject), subject)).collect();
    ordered.into_values().collect()
}

fn shared_connection(sharing: &Sharing<'_>, used_for: UsedFor) -> SharedConnection {
    let connection = sharing.connection;
    let before = sharing.facts.shared.present();
    let before = before.and_then(|shared| shared.status.as_ref());
    let before = before.map(|status| &*status.conditions).unwrap_or_default();
    let ready = vec![(ConditionType::Ready, ready(sharing))];
    SharedConnection {
        metadata: meta(connection, connection.name_any()),
        spec: SharedConnectionSpec {
            display_name: connection.spec.display_name.clone(),
            type_: connection.spec.type_.clone(),
            used_for,
        },
        status: Some(SharedConnectionStatus {
            conditions: conditions::updated(before, ready, None, sharing.now),
        }),
    }
}

/// Whether an attached, valid export or enrichment would be Active now; why not, only as far as contributors may know.
fn ready(sharing: &Sharing<'_>) -> Standing {
    if deleting(sharing.connection) {
        return Standing::unmet(
            Reason::BeingRemoved,
            "It is being removed, and nothing on it runs: name another connection in what is on it, or none.",
        );
    }
    if sharing.ready.status != ConditionStatus::True || !sharing.facts.connected {
        return Standing::unmet(
            Reason::WaitsForAdministrator,
            "Nothing on it runs until an administrator of the namespace acts, who can see why. All goes on by itself then.",
        );
    }
    if sharing.ready.reason == Reason::Suspended {
        return Standing::unmet(
            Reason::Suspended,
            "An administrator has suspended it: nothing on it runs until it is resumed.",
        );
    }
    Standing::met(Reason::Ready, "It can be used.")
}
