//! The connections that somebody may be offered: those that they may see, and that are for the purpose.

use super::Session;
use super::cluster::{Cluster, ClusterError, Selection};
use super::exit::{Exit, Failure, Fault};
use super::prompt::Question;
use super::screen::width::isolated;
use crate::api::connection_type::UsedFor;
use crate::api::{ConditionStatus, ConditionType, Connection, SharedConnection};
use crate::governance::conditions;
use crate::governance::message::bounded;
use kube::ResourceExt;
use thiserror::Error;

/// A connection to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub display_name: String,
    /// Its type.
    pub type_: String,
    /// Whether what is on it can run now.
    pub ready: bool,
}

/// Nothing to choose.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "No connection for {use_}s is shared with you in the namespace {namespace}. To have one shared or made, ask an \
     administrator there."
)]
pub struct NothingOffered {
    use_: String,
    namespace: String,
}

impl Fault for NothingOffered {
    fn exit(&self) -> Exit {
        Exit::Not
    }
}

impl Offer {
    /// As it's offered.
    #[must_use]
    pub fn line(&self) -> String {
        let state = if self.ready { "" } else { ", not ready" };
        format!(
            "{}  ({}, {}{state})",
            isolated(&self.display_name),
            self.name,
            self.type_
        )
    }
}

/// All that whoever asks may be offered: connections where they may see them, else those shared with them.
///
/// # Errors
/// If there is none, or it can't be told.
pub async fn offered(cluster: &Cluster, used_for: UsedFor) -> Result<Vec<Offer>, Failure> {
    let selection = |field: &str| Selection {
        namespace: Some(cluster.namespace.clone()),
        fields: Some(format!("{field}={used_for}")),
        labels: None,
    };
    let all = cluster
        .list::<Connection, Connection>(&selection("status.usedFor"))
        .await;
    let mut offers: Vec<Offer> = match all {
        Ok(all) => all.iter().map(of_connection).collect(),
        Err(error) if error.is_forbidden() => {
            let selection = selection("spec.usedFor");
            let shared = cluster
                .list::<SharedConnection, SharedConnection>(&selection)
                .await?;
            shared.iter().map(of_shared).collect()
        }
        Err(error) => return Err(ClusterError::into(error)),
    };
    offers.sort_by_key(|offer| (offer.display_name.to_lowercase(), offer.name.clone()));
    if offers.is_empty() {
        let use_ = used_for.to_string().to_lowercase();
        let namespace = cluster.namespace.clone();
        return Err(NothingOffered { use_, namespace }.into());
    }
    Ok(offers)
}

fn of_connection(connection: &Connection) -> Offer {
    let status = connection.status.as_ref();
    Offer {
        name: connection.name_any(),
        display_name: bounded(connection.spec.display_name.clone()),
        type_: connection.spec.type_.to_string(),
        ready: status.is_some_and(|status| conditions::holds(&status.conditions, ConditionType::Ready)),
    }
}

fn of_shared(shared: &SharedConnection) -> Offer {
    let status = shared.status.as_ref();
    let ready = status.and_then(|status| conditions::find(&status.conditions, ConditionType::Ready));
    Offer {
        name: shared.name_any(),
        display_name: bounded(shared.spec.display_name.clone()),
        type_: shared.spec.type_.to_string(),
        ready: ready.is_some_and(|ready| ready.status == ConditionStatus::True),
    }
}

/// The name of the one that somebody chooses.
///
/// # Errors
/// If nobody can be asked.
pub fn choose(session: &Session, offers: &[Offer], flag: &str) -> Result<String, Failure> {
    let lines: Vec<String> = offers.iter().map(Offer::line).collect();
    let question = Question {
        text: "Over which connection?",
        help: Some("type to filter"),
        flag,
    };
    let chosen = session.prompt.choose(question, &lines)?;
    Ok(offers
        .get(chosen)
        .map(|offer| offer.name.clone())
        .unwrap_or_default())
}
