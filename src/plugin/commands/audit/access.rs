//! Who may do what with connections now, and by which binding.

use super::seen;
use crate::api::names::{CONTRIBUTOR_ROLE, GROUP};
use crate::governance::message::bounded;
use crate::plugin::cluster::{Cluster, ClusterError};
use crate::plugin::exit::Failure;
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role, RoleBinding, Subject};
use kube::{Api, ResourceExt};
use std::collections::BTreeMap;

/// Roles of the chart that say something about connections, and what.
const ROLES: [(&str, &str); 3] = [
    ("connections-admin", "administers all connections"),
    (CONTRIBUTOR_ROLE, "uses those that are shared"),
    ("connections-auditor", "sees all connections"),
];

/// One right of somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// Who.
    pub who: String,
    /// What they may do.
    pub may: String,
    /// The binding that lets them.
    pub by: String,
}

/// What ClusterRoles beside the chart's allow; nothing where one isn't theirs to read.
pub type Others = BTreeMap<String, Option<Vec<PolicyRule>>>;

/// All that can be seen; nothing where bindings aren't theirs to see.
pub(super) async fn grants(
    cluster: &Cluster,
    connection: Option<&str>,
) -> Result<Option<Vec<Grant>>, Failure> {
    let (bindings, roles) = (seen::<RoleBinding>(cluster).await?, seen::<Role>(cluster).await?);
    let (Some(bindings), Some(roles)) = (bindings, roles) else {
        return Ok(None);
    };
    let others = others(cluster, &bindings).await?;
    Ok(Some(of(&bindings, &roles, &others, connection)))
}

async fn others(cluster: &Cluster, bindings: &[RoleBinding]) -> Result<Others, ClusterError> {
    let roles: Api<ClusterRole> = Api::all(cluster.client.clone());
    let mut others = Others::new();
    for binding in bindings
        .iter()
        .filter(|binding| binding.role_ref.kind == "ClusterRole")
    {
        let name = &binding.role_ref.name;
        if known(name).is_some() || others.contains_key(name) {
            continue;
        }
        let allows = match cluster.answer(roles.get(name)).await {
            Ok(role) => Some(role.rules.unwrap_or_default()),
            Err(error) if error.is_forbidden() => None,
            Err(error) if error.is_not_found() => Some(Vec::new()), // it allows nothing
            Err(error) => return Err(error),
        };
        others.insert(name.clone(), allows);
    }
    Ok(others)
}

fn known(role: &str) -> Option<&'static str> {
    ROLES.iter().find(|(name, _)| *name == role).map(|(_, may)| *may)
}

/// The rights that bindings of a namespace give.
#[must_use]
pub fn of(bindings: &[RoleBinding], roles: &[Role], others: &Others, connection: Option<&str>) -> Vec<Grant> {
    let own: BTreeMap<String, &[PolicyRule]> = roles
        .iter()
        .map(|role| (role.name_any(), role.rules.as_deref().unwrap_or_default()))
        .collect();
    let mut grants = Vec::new();
    for binding in bindings {
        let name = &binding.role_ref.name;
        let may = match binding.role_ref.kind.as_str() {
            "ClusterRole" => match (known(name), others.get(name)) {
                (Some(may), _) => Some(may.to_owned()),
                (None, Some(Some(allows))) => allowed(allows, connection),
                (None, Some(None) | None) => Some(format!(
                    "what clusterrole/{name} allows, which you may not look into"
                )),
            },
            _ => own.get(name).and_then(|rules| allowed(rules, connection)),
        };
        let Some(may) = may else {
            continue;
        };
        let subjects = binding.subjects.iter().flatten();
        grants.extend(subjects.map(|subject| Grant {
            who: who(subject),
            may: bounded(may.clone()),
            by: format!("rolebinding/{}", binding.name_any()),
        }));
    }
    grants.sort();
    grants.dedup();
    grants
}

/// What rights on connections come to, by their verbs.
const ABILITIES: [(&str, &[&str]); 4] = [
    (
        "changes",
        &["create", "update", "patch", "delete", "deletecollection"],
    ),
    ("consents to", &["consent"]),
    ("uses", &["use"]),
    ("sees", &["get", "list", "watch"]),
];

/// Which connections rules let somebody change, consent to, use or see.
fn allowed(rules: &[PolicyRule], connection: Option<&str>) -> Option<String> {
    // What is alike is told together.
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    for (ability, verbs) in ABILITIES {
        let Some(scope) = scope(rules, verbs, connection) else {
            continue;
        };
        match told.iter_mut().find(|(same, _)| *same == scope) {
            Some((_, abilities)) => abilities.push(ability),
            None => told.push((scope, vec![ability])),
        }
    }
    let told: Vec<String> = told
        .iter()
        .map(|(scope, abilities)| format!("{} {scope}", abilities.join(", ")))
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// The connections on which rules allow one of these verbs.
fn scope(rules: &[PolicyRule], verbs: &[&str], connection: Option<&str>) -> Option<String> {
    let has =
        |list: &Option<Vec<String>>, word: &str| list.iter().flatten().any(|one| one == word || one == "*");
    let rules = rules.iter().filter(|rule| {
        has(&rule.api_groups, GROUP)
            && has(&rule.resources, "connections")
            && rule
                .verbs
                .iter()
                .any(|verb| verb == "*" || verbs.contains(&verb.as_str()))
    });
    let mut names = Vec::new();
    for rule in rules {
        match rule.resource_names.as_deref() {
            None | Some([]) => return Some("all connections".to_owned()),
            Some(some) => names.extend(some.iter().cloned()),
        }
    }
    names.retain(|name| connection.is_none_or(|connection| connection == name));
    names.sort();
    names.dedup();
    (!names.is_empty()).then(|| names.join(", "))
}

fn who(subject: &Subject) -> String {
    let namespace = subject
        .namespace
        .as_ref()
        .map(|namespace| format!("{namespace}/"))
        .unwrap_or_default();
    format!(
        "{} {namespace}{}",
        subject.kind.to_lowercase(),
        bounded(subject.name.clone())
    )
}
