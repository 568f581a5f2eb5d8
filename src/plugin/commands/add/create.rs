//! A connection is made, with a Secret of its own if values were typed.

use super::{AddError, NewSecret};
use crate::api::{ConditionType, Connection};
use crate::governance::conditions;
use crate::governance::message::capitalized;
use crate::plugin::cluster::{Cluster, ClusterError};
use crate::plugin::commands::consent::LOOKED;
use crate::plugin::exit::Failure;
use k8s_openapi::api::core::v1::Secret;
use kube::{Resource, ResourceExt};
use serde_json::json;

/// Whether the API server would take it.
pub(super) async fn tried(cluster: &Cluster, connection: &Connection) -> Result<(), Failure> {
    let tried = cluster.create(connection, true).await;
    tried.map(|_| ()).map_err(|error| match error {
        ClusterError::Forbidden { told }
        | ClusterError::Invalid { told }
        | ClusterError::Conflict { told } => not_taken(&told).into(),
        error => error.into(),
    })
}

fn not_taken(told: &str) -> AddError {
    AddError::NotTaken { told: sentence(told) }
}

fn sentence(told: &str) -> String {
    capitalized(told.trim_end_matches('.'))
}

/// Tells of a Secret that was made, or may have been, when whoever waits gives up.
struct Alone(Option<String>);

impl Drop for Alone {
    fn drop(&mut self) {
        if let Some(told) = &self.0 {
            eprintln!("{told}");
        }
    }
}

/// One of that name may be somebody else's.
fn perhaps(secret: &str) -> String {
    format!("Whether the Secret {secret} has been made for it isn't known: kubectl get secret {secret}")
}

fn remains(secret: &str) -> String {
    format!(
        "The Secret {secret} has been made for it. If the connection isn't there: kubectl delete secret {secret}"
    )
}

/// Makes the Secret and the connection, and tells what else is to be known. If the connection is refused the Secret goes
/// again; if nobody knows whether it was made the Secret stays, as the connection may name it.
pub(super) async fn create(
    cluster: &Cluster,
    secret: Option<&NewSecret>,
    connection: &Connection,
) -> Result<(Connection, Vec<String>), Failure> {
    let name = secret.map(|secret| secret.name.as_str());
    let mut alone = Alone(name.map(perhaps));
    let secret = match secret {
        None => None,
        Some(new) => {
            let made = cluster.create(&new.object(), false).await;
            Some(made.map_err(|error| {
                alone.0 = None;
                without_secret(error, connection, &new.name)
            })?)
        }
    };
    alone.0 = name.map(remains);
    let made = cluster.create(connection, false).await;
    alone.0 = None;
    match (made, secret) {
        (Ok(made), None) => Ok((made, Vec::new())),
        (Ok(made), Some(secret)) => {
            let told = owned(cluster, &secret, &made).await;
            Ok((made, told.into_iter().collect()))
        }
        (Err(error), Some(secret)) if error.is_refusal() => {
            let kept = cluster.delete(&secret).await.is_err();
            Err(refused(error, kept.then(|| secret.name_any())))
        }
        (Err(error), _) => Err(not_made(error, connection, name)),
    }
}

/// The Secret goes with the connection that it was made for.
async fn owned(cluster: &Cluster, secret: &Secret, connection: &Connection) -> Option<String> {
    let name = secret.name_any();
    let change = json!({"metadata": {
        "uid": secret.metadata.uid,
        "resourceVersion": secret.metadata.resource_version,
        "ownerReferences": [connection.owner_ref(&())?],
    }});
    let owned = cluster.merge::<Secret>(&name, &change).await;
    owned.err().map(|_| {
        format!("The Secret {name} has been made for it. It stays once the connection is removed: kubectl delete secret {name}")
    })
}

/// Why it isn't made, as its Secret isn't, or nobody knows whether that is.
fn without_secret(error: ClusterError, connection: &Connection, secret: &str) -> Failure {
    if error.is_refusal() {
        return refused(error, None);
    }
    AddError::Unknown {
        told: error.to_string(),
        state: format!("{} has not been made. {}", connection.name_any(), perhaps(secret)),
    }
    .into()
}

/// Why it isn't made, or that nobody knows.
fn not_made(error: ClusterError, connection: &Connection, secret: Option<&str>) -> Failure {
    if error.is_refusal() {
        return refused(error, None);
    }
    let name = connection.name_any();
    let secret = secret.map_or_else(String::new, |secret| format!(". {}", remains(secret)));
    AddError::Unknown {
        told: error.to_string(),
        state: format!(
            "Whether {name} has been made isn't known: kubectl connections describe {name}{secret}"
        ),
    }
    .into()
}

fn refused(error: ClusterError, left: Option<String>) -> Failure {
    let told = match error {
        ClusterError::Forbidden { told }
        | ClusterError::Invalid { told }
        | ClusterError::Conflict { told } => told,
        error => error.to_string(),
    };
    match left {
        None => not_taken(&told).into(),
        Some(secret) => AddError::Left {
            told: sentence(&told),
            secret,
        }
        .into(),
    }
}

/// How it stands once the operator has looked.
pub(super) async fn settled(cluster: &Cluster, connection: &Connection, consented: bool) -> String {
    let name = connection.name_any();
    let judged = |connection: &Connection| {
        let status = connection.status.as_ref();
        let ready = status.and_then(|status| conditions::find(&status.conditions, ConditionType::Ready));
        ready.cloned()
    };
    let done = |connection: Option<&Connection>| {
        connection.is_none_or(|connection| {
            judged(connection).is_some_and(|ready| !consented || ready.reason == "Ready")
        })
    };
    let now = cluster.settled::<Connection>(&name, LOOKED, done).await;
    let made = format!("The connection {name} is made.");
    match now.as_ref().and_then(judged) {
        Some(ready) if ready.reason == "Ready" => format!("{made} It is ready."),
        Some(_) if !consented => {
            format!("{made} Nothing runs on it before somebody agrees: kubectl connections consent {name}")
        }
        Some(ready) => format!("{made} It isn't ready yet: {}", ready.message),
        None => format!(
            "{made} The operator hasn't looked at it yet. To see what it says: kubectl connections describe {name}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::exit::Exit;
    use std::time::Duration;

    #[test]
    fn what_is_left_is_told() {
        let connection: Connection = serde_json::from_value(json!({
            "apiVersion": "connections.dev/v1alpha1", "kind": "Connection", "metadata": {"name": "partner"},
            "spec": {"displayName": "Drop", "type": "sftp-export"},
        }))
        .expect("a connection");
        let conflict = ClusterError::Conflict {
            told: "it exists already.".to_owned(),
        };
        let silent = ClusterError::TimedOut {
            after: Duration::from_secs(5),
        };
        let rows = [
            (
                not_made(conflict.clone(), &connection, Some("own")),
                "It exists already. Nothing has been made.",
                Exit::Not,
            ),
            (
                refused(conflict, Some("own".to_owned())),
                "It exists already. The Secret own has been made for it, and is still there: kubectl delete secret own",
                Exit::Not,
            ),
            (
                without_secret(silent.clone(), &connection, "own"),
                "The cluster didn't answer within 5s: give it more time by --request-timeout. partner has not been made. \
                 Whether the Secret own has been made for it isn't known: kubectl get secret own",
                Exit::Unclear,
            ),
            (
                not_made(silent, &connection, Some("own")),
                "The cluster didn't answer within 5s: give it more time by --request-timeout. Whether partner has been made \
                 isn't known: kubectl connections describe partner. The Secret own has been made for it. If the connection \
                 isn't there: kubectl delete secret own",
                Exit::Unclear,
            ),
        ];
        for (failure, told, exit) in rows {
            assert_eq!((failure.told.as_str(), failure.exit), (told, exit));
        }
    }
}
