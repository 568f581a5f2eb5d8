//! Who may do what with connections now, and by which binding.

use super::seen;
use crate::api::names::{CONTRIBUTOR_ROLE, GROUP};
use crate::governance::message::bounded;
use crate::plugin::cluster::Cluster;
use crate::plugin::exit::Failure;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, Subject};
use kube::ResourceExt;
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

/// All that can be seen; nothing where bindings aren't theirs to see.
pub(super) async fn grants(
    cluster: &Cluster,
    connection: Option<&str>,
) -> Result<Option<Vec<Grant>>, Failure> {
    let (bindings, roles) = (seen::<RoleBinding>(cluster).await?, seen::<Role>(cluster).await?);
    let (Some(bindings), Some(roles)) = (bindings, roles) else {
        return Ok(None);
    };
    Ok(Some(of(&bindings, &roles, connection)))
}

/// The rights that bindings of a namespace give.
#[must_use]
pub fn of(bindings: &[RoleBinding], roles: &[Role], connection: Option<&str>) -> Vec<Grant> {
    let uses: BTreeMap<String, String> = roles
        .iter()
        .filter_map(|role| Some((role.name_any(), used(role.rules.as_deref()?, connection)?)))
        .collect();
    let mut grants = Vec::new();
    for binding in bindings {
        let may = match binding.role_ref.kind.as_str() {
            "ClusterRole" => ROLES
                .iter()
                .find(|(name, _)| *name == binding.role_ref.name)
                .map(|(_, may)| (*may).to_owned()),
            _ => uses.get(&binding.role_ref.name).cloned(),
        };
        let Some(may) = may else {
            continue;
        };
        let subjects = binding.subjects.iter().flatten();
        grants.extend(subjects.map(|subject| Grant {
            who: who(subject),
            may: may.clone(),
            by: format!("rolebinding/{}", binding.name_any()),
        }));
    }
    grants.sort();
    grants.dedup();
    grants
}

/// Which connections rules let use.
fn used(rules: &[PolicyRule], connection: Option<&str>) -> Option<String> {
    let has =
        |list: &Option<Vec<String>>, word: &str| list.iter().flatten().any(|one| one == word || one == "*");
    let rules = rules.iter().filter(|rule| {
        has(&rule.api_groups, GROUP)
            && has(&rule.resources, "connections")
            && rule.verbs.iter().any(|verb| verb == "use" || verb == "*")
    });
    let mut names = Vec::new();
    for rule in rules {
        match &rule.resource_names {
            None => return Some("uses all connections".to_owned()),
            Some(some) if some.is_empty() => return Some("uses all connections".to_owned()),
            Some(some) => names.extend(some.iter().cloned()),
        }
    }
    names.retain(|name| connection.is_none_or(|connection| connection == name));
    (!names.is_empty()).then(|| format!("uses {}", bounded(names.join(", "))))
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
