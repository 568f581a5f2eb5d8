//! Sharing with one person or group: a Role with `use` on one connection, bound to them. Both go with the connection.

use super::ShareError;
use crate::api::Connection;
use crate::api::connection::Audience;
use crate::api::names::GROUP;
use crate::governance::message::bounded;
use crate::plugin::cluster::{Cluster, ClusterError};
use crate::plugin::exit::Failure;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};
use serde_json::json;

const RBAC: &str = "rbac.authorization.k8s.io";

/// What both are called. The operator's own begin otherwise.
fn called(connection: &str) -> String {
    format!("use-connection-{connection}")
}

fn rules(connection: &str) -> Vec<PolicyRule> {
    vec![PolicyRule {
        api_groups: Some(vec![GROUP.to_owned()]),
        resources: Some(vec!["connections".to_owned()]),
        resource_names: Some(vec![connection.to_owned()]),
        verbs: vec!["use".to_owned()],
        ..PolicyRule::default()
    }]
}

/// Lets them use it. Tells whether they couldn't before.
pub(super) async fn grant(
    cluster: &Cluster,
    connection: &Connection,
    subject: &Subject,
) -> Result<bool, Failure> {
    let (name, of) = (called(&connection.name_any()), connection.name_any());
    let refused = |error| may_not(cluster, &of, error);
    match cluster.get::<Role>(&name).await {
        Ok(role) if role.rules.as_ref() == Some(&rules(&of)) => {}
        Ok(_) => return Err(taken("Role", &name, &of).into()),
        Err(error) if error.is_not_found() => {
            let role = Role {
                metadata: metadata(&name, connection),
                rules: Some(rules(&of)),
            };
            cluster.create(&role, false).await.map_err(refused)?;
        }
        Err(error) => return Err(refused(error)),
    }
    let role_ref = RoleRef {
        api_group: RBAC.to_owned(),
        kind: "Role".to_owned(),
        name: name.clone(),
    };
    match cluster.get::<RoleBinding>(&name).await {
        Ok(binding) if binding.role_ref != role_ref => Err(taken("RoleBinding", &name, &of).into()),
        Ok(binding) => {
            let mut subjects = binding.subjects.unwrap_or_default();
            if subjects.contains(subject) {
                return Ok(false);
            }
            subjects.push(subject.clone());
            // Of two who do this at once one is told so, instead of undoing what the other did.
            let version = binding.metadata.resource_version;
            let change = json!({"metadata": {"resourceVersion": version}, "subjects": subjects});
            cluster
                .merge::<RoleBinding>(&name, &change)
                .await
                .map_err(refused)?;
            Ok(true)
        }
        Err(error) if error.is_not_found() => {
            let binding = RoleBinding {
                metadata: metadata(&name, connection),
                role_ref,
                subjects: Some(vec![subject.clone()]),
            };
            cluster.create(&binding, false).await.map_err(refused)?;
            Ok(true)
        }
        Err(error) => Err(refused(error)),
    }
}

/// Takes it back. Tells whether there was something to take.
pub(super) async fn take_back(
    cluster: &Cluster,
    connection: &str,
    subject: &Subject,
) -> Result<bool, Failure> {
    let name = called(connection);
    let refused = |error| may_not(cluster, connection, error);
    let binding = match cluster.get::<RoleBinding>(&name).await {
        Ok(binding) => binding,
        Err(error) if error.is_not_found() => return Ok(false),
        Err(error) => return Err(refused(error)),
    };
    let before = binding.subjects.clone().unwrap_or_default();
    let after: Vec<Subject> = before.iter().filter(|one| *one != subject).cloned().collect();
    if after.len() == before.len() {
        return Ok(false);
    }
    if after.is_empty() {
        cluster.delete(&binding).await.map_err(refused)?;
        return Ok(true);
    }
    let version = binding.metadata.resource_version;
    let change = json!({"metadata": {"resourceVersion": version}, "subjects": after});
    cluster
        .merge::<RoleBinding>(&name, &change)
        .await
        .map_err(refused)?;
    Ok(true)
}

fn metadata(name: &str, connection: &Connection) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        owner_references: connection.owner_ref(&()).map(|owner| vec![owner]),
        ..ObjectMeta::default()
    }
}

fn taken(kind: &'static str, name: &str, connection: &str) -> ShareError {
    let found = match kind {
        "Role" => "its rules are others",
        _ => "it binds another role",
    };
    ShareError::Taken {
        kind,
        name: name.to_owned(),
        found,
        connection: connection.to_owned(),
    }
}

fn may_not(cluster: &Cluster, connection: &str, error: ClusterError) -> Failure {
    match error {
        ClusterError::Forbidden { told } => ShareError::MayNotGrant {
            namespace: cluster.namespace.clone(),
            told,
            connection: connection.to_owned(),
        }
        .into(),
        error => error.into(),
    }
}

/// What is told of a grant.
pub(super) fn granted(connection: &str, subject: &Subject, gained: bool) -> String {
    let who = who(subject);
    if !gained {
        return format!("{who} may use {connection} already. Nothing is to do.");
    }
    format!(
        "{who} may make, change and remove exports on {connection} now, if they may make exports in this namespace at all. They \
         don't find it in a list: tell them its name."
    )
}

/// What is told of one that was taken back.
pub(super) fn taken_back(connection: &str, subject: &Subject, lost: bool, audience: Audience) -> String {
    let who = who(subject);
    let rest = match audience {
        Audience::Contributors => {
            format!(" It is shared with all contributors, though: kubectl connections unshare {connection}")
        }
        Audience::Administrators => " Exports that are there keep running.".to_owned(),
    };
    if lost {
        format!("{who} may no longer use {connection} by a grant of their own.{rest}")
    } else {
        format!("{connection} wasn't shared with {who} alone. Nothing is to do.{rest}")
    }
}

fn who(subject: &Subject) -> String {
    format!(
        "{} {}",
        subject.kind.to_lowercase(),
        bounded(subject.name.clone())
    )
}
