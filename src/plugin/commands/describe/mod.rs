//! `describe`: all that one wants to know of a connection, on a page; what is wrong, and the next step, first.

mod page;
#[cfg(test)]
mod tests;

use crate::api::{Connection, ConnectionType, SharedConnection};
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, Selection};
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::lookup::{LookupError, find};
use crate::plugin::target::{Kind, Target};
use crate::plugin::users::{User, of_connection};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use page::{Facts, Happening, Page, shared};

/// Which connection.
#[derive(Clone, Debug, clap::Args)]
pub struct Describe {
    /// The connection.
    #[arg(value_name = "NAME")]
    target: Target,
}

/// Shows the page.
///
/// # Errors
/// If there is no such connection, or it isn't theirs to see.
pub async fn run(asked: Describe, session: &Session) -> Result<Exit, Failure> {
    asked.target.kind(&[Kind::Connection])?;
    let cluster = session.cluster().await?;
    let name = &asked.target.name;
    let page = Page {
        screen: session.screen,
        now: Timestamp::now(),
    };
    match find::<Connection>(&cluster, name).await {
        Ok(connection) => {
            let facts = facts(&cluster, connection).await?;
            session.show(&page.of(&facts));
        }
        Err(error) if error.is_forbidden() => {
            let (seen, users) = as_contributor(&cluster, name).await?;
            session.show(&shared(&page, &seen, &users));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Done)
}

async fn facts(cluster: &Cluster, connection: Connection) -> Result<Facts, Failure> {
    let name = connection.metadata.name.clone().unwrap_or_default();
    let catalog: Api<ConnectionType> = Api::all(cluster.client.clone());
    let type_ = cluster
        .answer(catalog.get_opt(connection.spec.type_.as_str()))
        .await;
    // Whoever may not see it is shown the rest.
    let type_ = type_.or_else(|error| {
        if error.is_forbidden() {
            Ok(None)
        } else {
            Err(error)
        }
    })?;
    let users = of_connection(cluster, &name).await;
    let users = users.map(Some);
    let users = users.or_else(|error| {
        if error.is_forbidden() {
            Ok(None)
        } else {
            Err(error)
        }
    })?;
    Ok(Facts {
        events: events(cluster, "Connection", &name).await?,
        connection,
        type_,
        users,
    })
}

/// What has happened to it, the newest first; nothing where events aren't theirs to see.
async fn events(cluster: &Cluster, kind: &str, name: &str) -> Result<Option<Vec<Happening>>, Failure> {
    let selection = Selection {
        namespace: Some(cluster.namespace.clone()),
        fields: Some(format!("involvedObject.kind={kind},involvedObject.name={name}")),
        labels: None,
    };
    match cluster.list::<Event, Event>(&selection).await {
        Ok(events) => Ok(Some(Happening::newest(events))),
        Err(error) if error.is_forbidden() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a contributor may see of it. One that isn't shared and one that isn't there read the same.
async fn as_contributor(cluster: &Cluster, name: &str) -> Result<(SharedConnection, Vec<User>), Failure> {
    let seen = find::<SharedConnection>(cluster, name)
        .await
        .map_err(|error| match error {
            LookupError::Missing {
                name,
                namespace,
                hint,
                ..
            } => LookupError::Missing {
                noun: "connection that is shared with you, called".to_owned(),
                hint: format!("{hint} To have one shared, ask an administrator there."),
                name,
                namespace,
            },
            error => error,
        })?;
    let users = of_connection(cluster, name).await.unwrap_or_default();
    Ok((seen, users))
}
