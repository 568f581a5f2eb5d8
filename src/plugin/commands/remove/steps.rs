//! The steps of a removal, one change each.

use super::choices::Fate;
use super::{COUNTED, RemoveError};
use crate::api::connection::DependentsStatus;
use crate::api::{Connection, Enrichment, Export};
use crate::governance::message::listed;
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError, GONE, Kept};
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::lookup::find;
use crate::plugin::target::Kind;
use crate::plugin::users::User;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use serde_json::json;

/// Lets a user go or removes it, if it is as it was seen. False if something holds it.
///
/// # Errors
/// A conflict, if it has changed since.
pub(super) async fn carried(cluster: &Cluster, user: &User, fate: Fate) -> Result<bool, ClusterError> {
    match user.kind {
        Kind::Enrichment => of_kind::<Enrichment>(cluster, user, fate).await,
        _ => of_kind::<Export>(cluster, user, fate).await,
    }
}

async fn of_kind<K: Kept>(cluster: &Cluster, user: &User, fate: Fate) -> Result<bool, ClusterError> {
    match fate {
        Fate::LetGo => {
            let change = json!({
                "metadata": {"uid": user.uid, "resourceVersion": user.version},
                "spec": {"connectionRef": null},
            });
            match cluster.merge::<K>(&user.name, &change).await {
                Err(error) if error.is_not_found() => Ok(true), // somebody else removed it
                done => done.map(|_| true),
            }
        }
        Fate::Removed => {
            let (uid, version) = (Some(user.uid.clone()), user.version.clone());
            cluster.delete_if::<K>(&user.name, uid, version).await?;
            cluster.goes::<K>((&user.name, &user.uid), GONE).await
        }
    }
}

/// Waits until the operator counts no users either, as the API server goes by its count.
pub(super) async fn counted_out(
    cluster: &Cluster,
    name: &str,
    before: Connection,
) -> Result<Connection, Failure> {
    let none = |connection: Option<&Connection>| connection.is_none_or(|it| total(it) == 0);
    if total(&before) == 0 {
        return Ok(before);
    }
    if let Some(connection) = cluster.until::<Connection>(name, COUNTED, none).await.object() {
        return Ok(connection);
    }
    let now: Connection = find(cluster, name).await?;
    if total(&now) == 0 {
        return Ok(now);
    }
    Err(RemoveError::NotCounted {
        name: name.to_owned(),
        summary: dependents(&now).map_or_else(String::new, |dependents| dependents.summary.clone()),
    }
    .into())
}

fn dependents(connection: &Connection) -> Option<&DependentsStatus> {
    connection.status.as_ref()?.dependents.as_ref()
}

fn total(connection: &Connection) -> i64 {
    dependents(connection).map_or(0, |dependents| dependents.total)
}

/// Tells which Secrets go with it, as they were made for it, and who else names them.
pub(super) async fn going_with(cluster: &Cluster, connection: &Connection) -> Result<String, Failure> {
    let here = cluster.here();
    let secrets = match cluster.metadata::<Secret>(&here).await {
        Err(error) if error.is_forbidden() => return Ok(String::new()),
        secrets => secrets?,
    };
    let is_its_own = |owner: &str| connection.metadata.uid.as_deref() == Some(owner);
    let own = secrets.iter().filter(|secret| {
        secret
            .owner_references()
            .iter()
            .any(|owner| is_its_own(&owner.uid))
    });
    let own: Vec<String> = own.map(ResourceExt::name_any).collect();
    if own.is_empty() {
        return Ok(String::new());
    }
    let connections = cluster.list::<Connection, Connection>(&here).await?;
    let others = connections
        .iter()
        .filter(|other| other.metadata.uid != connection.metadata.uid);
    let others: Vec<String> = others
        .filter(|other| names_one(other, &own))
        .map(ResourceExt::name_any)
        .collect();
    Ok(told_of(&own, &others))
}

fn names_one(connection: &Connection, secrets: &[String]) -> bool {
    let named = connection.spec.secrets.values();
    let mut named = named.filter_map(|source| source.secret_key_ref.as_ref());
    named.any(|key| secrets.iter().any(|secret| secret == key.name.as_str()))
}

/// The sentence about Secrets that go with a connection.
pub(super) fn told_of(secrets: &[String], others: &[String]) -> String {
    let (noun, were, go) = match secrets.len() {
        1 => ("Secret", "was", "goes"),
        _ => ("Secrets", "were", "go"),
    };
    let own = format!(
        "The {noun} {} {were} made for it, and {go} with it.",
        listed(secrets)
    );
    match others {
        [] => own,
        others => format!(
            "{own} Other connections name that too, and won't run without: {}.",
            listed(others)
        ),
    }
}

/// Waits until it's gone, and tells.
pub(super) async fn gone(cluster: &Cluster, session: &Session, connection: &Connection) -> Exit {
    let name = connection.name_any();
    let uid = connection.metadata.uid.clone().unwrap_or_default();
    if matches!(cluster.goes::<Connection>((&name, &uid), GONE).await, Ok(true)) {
        session.note(&format!(
            "{name} is removed. Who consented to what stays on record."
        ));
        return Exit::Done;
    }
    session.note(&format!(
        "{name} is being removed, and something still holds it. To see what: kubectl connections describe {name}"
    ));
    Exit::Unclear
}
