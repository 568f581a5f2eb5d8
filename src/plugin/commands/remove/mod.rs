//! `remove`: a connection goes once nothing uses it any more, and whoever removes it decides what becomes of each user.
//!
//! Each step is a change of its own in the cluster: after an interruption at any point `remove` picks up from there.

mod choices;
#[cfg(test)]
mod tests;

use crate::api::connection::DependentsStatus;
use crate::api::{Connection, Enrichment, Export};
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError, Kept};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::lookup::find;
use crate::plugin::prompt::Question;
use crate::plugin::target::{Kind, Target};
use crate::plugin::users::{User, counted, of_connection, tree};
use choices::{Fate, decided};
use kube::ResourceExt;
use serde_json::json;
use std::time::Duration;
use thiserror::Error;

/// How long the operator may take to count again.
const COUNTED: Duration = Duration::from_secs(20);

/// Which connection, and what becomes of its users.
#[derive(Clone, Debug, clap::Args)]
pub struct Remove {
    /// The connection.
    #[arg(value_name = "NAME")]
    target: Target,
    /// Detach all exports and deactivate all enrichments on it: they keep their configuration.
    #[arg(long, conflicts_with = "too")]
    detach_all: bool,
    /// Remove all exports and enrichments on it.
    #[arg(long = "remove-all")]
    too: bool,
    /// Don't ask for confirmation.
    #[arg(short, long)]
    yes: bool,
}

/// Why it stays.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RemoveError {
    /// It is in use.
    #[error(
        "{name} is in use by {users}, so it stays, and nothing has changed. To let all of them go and keep their configuration: \
         kubectl connections remove {name} --detach-all; to remove them too: --remove-all."
    )]
    InUse {
        /// The connection.
        name: String,
        /// Its users.
        users: String,
    },
    /// Somebody decided so.
    #[error("{name} stays. {done}")]
    Kept {
        /// The connection.
        name: String,
        /// What has changed so far.
        done: String,
    },
    /// The operator doesn't count.
    #[error(
        "Nothing uses {name} any more, but the operator still counts {summary}: see whether it runs, by kubectl connections \
         doctor, then try again."
    )]
    NotCounted {
        /// The connection.
        name: String,
        /// As the status has it.
        summary: String,
    },
    /// The API server refuses.
    #[error("{told}. {done}")]
    Refused {
        /// What it says.
        told: String,
        /// What has changed so far.
        done: String,
    },
}

impl Fault for RemoveError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotCounted { .. } => Exit::Unclear,
            Self::InUse { .. } | Self::Kept { .. } | Self::Refused { .. } => Exit::Not,
        }
    }
}

/// Removes it.
///
/// # Errors
/// See [`RemoveError`].
pub async fn run(asked: Remove, session: &Session) -> Result<Exit, Failure> {
    asked.target.kind(&[Kind::Connection])?;
    let cluster = session.cluster().await?;
    let name = &asked.target.name;
    let mut connection: Connection = find(&cluster, name).await?;
    let mut done = Vec::new();
    let mut confirmed = asked.yes;
    loop {
        let users = of_connection(&cluster, name).await?;
        if !users.is_empty() {
            if asked.all().is_some() {
                // Whoever can't be asked has changed nothing by finding that out.
                let before = format!("That also lets go of, or removes, {}.", counted(&users));
                confirm(session, name, &before, &done, &mut confirmed)?;
            }
            let fates = fates(&asked, session, &users, &done)?;
            carry_out(&cluster, session, &users, &fates, &mut done).await?;
            continue; // somebody may have put another one on it meanwhile
        }
        connection = counted_out(&cluster, name, connection).await?;
        if connection.metadata.deletion_timestamp.is_none() {
            confirm(
                session,
                name,
                &format!("Nothing uses {name}."),
                &done,
                &mut confirmed,
            )?;
            match cluster.delete(&connection).await {
                Ok(()) => {}
                Err(ClusterError::Forbidden { .. }) if !of_connection(&cluster, name).await?.is_empty() => {
                    continue;
                }
                Err(ClusterError::Forbidden { told }) => {
                    return Err(RemoveError::Refused {
                        told,
                        done: so_far(&done),
                    }
                    .into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        return Ok(gone(&cluster, session, &connection).await);
    }
}

impl Remove {
    /// What becomes of all users, if that is said.
    fn all(&self) -> Option<Fate> {
        match (self.detach_all, self.too) {
            (true, _) => Some(Fate::LetGo),
            (_, true) => Some(Fate::Removed),
            (false, false) => None,
        }
    }
}

/// What becomes of each user.
fn fates(asked: &Remove, session: &Session, users: &[User], done: &[String]) -> Result<Vec<Fate>, Failure> {
    let name = &asked.target.name;
    if let Some(fate) = asked.all() {
        return Ok(vec![fate; users.len()]);
    }
    session.note(&format!(
        "{name} is in use by {}, so it can't be removed yet:\n{}",
        counted(users),
        tree(users, session.screen.colour).trim_end()
    ));
    let decided = decided(session.prompt.as_ref(), users).map_err(|error| match error {
        crate::plugin::prompt::PromptError::Nobody { .. } => RemoveError::InUse {
            name: name.clone(),
            users: counted(users),
        }
        .into(),
        error => Failure::from(error),
    })?;
    decided.ok_or_else(|| {
        RemoveError::Kept {
            name: name.clone(),
            done: so_far(done),
        }
        .into()
    })
}

async fn carry_out(
    cluster: &Cluster,
    session: &Session,
    users: &[User],
    fates: &[Fate],
    done: &mut Vec<String>,
) -> Result<(), Failure> {
    for (user, fate) in users.iter().zip(fates) {
        let carried = match user.kind {
            Kind::Enrichment => carried::<Enrichment>(cluster, user, *fate).await,
            _ => carried::<Export>(cluster, user, *fate).await,
        };
        carried.map_err(|error| match error {
            ClusterError::Forbidden { told } => Failure::from(RemoveError::Refused {
                told,
                done: so_far(done),
            }),
            error => error.into(),
        })?;
        let told = format!("{} {}", user.called(), fate.told(user));
        session.note(&told);
        done.push(told);
    }
    Ok(())
}

async fn carried<K: Kept>(cluster: &Cluster, user: &User, fate: Fate) -> Result<(), ClusterError> {
    let done = match fate {
        Fate::LetGo => {
            let change = json!({"spec": {"connectionRef": null}});
            cluster.merge::<K>(&user.name, &change).await.map(|_| ())
        }
        Fate::Removed => match cluster.get::<K>(&user.name).await {
            Ok(object) => cluster.delete(&object).await,
            Err(error) => Err(error),
        },
    };
    match done {
        Err(error) if error.is_not_found() => Ok(()), // somebody else did it
        done => done,
    }
}

/// Waits until the operator counts no users either, as the API server goes by its count.
async fn counted_out(cluster: &Cluster, name: &str, before: Connection) -> Result<Connection, Failure> {
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

/// By its name, as nothing brings it back.
fn confirm(
    session: &Session,
    name: &str,
    before: &str,
    done: &[String],
    confirmed: &mut bool,
) -> Result<(), Failure> {
    if *confirmed {
        return Ok(());
    }
    let question = Question {
        text: &format!("{before} To remove {name} for good, type its name:"),
        help: Some("nothing, to keep it"),
        flag: "--yes",
    };
    let check = |answer: &str| match answer.trim() {
        "" => Ok(()),
        typed if typed == name => Ok(()),
        _ => Err(format!(
            "That isn't its name. Type {name} to remove it, or nothing to keep it."
        )),
    };
    if session.prompt.text(question, &check)?.trim() == name {
        *confirmed = true;
        return Ok(());
    }
    Err(RemoveError::Kept {
        name: name.to_owned(),
        done: so_far(done),
    }
    .into())
}

fn so_far(done: &[String]) -> String {
    if done.is_empty() {
        "Nothing has changed.".to_owned()
    } else {
        format!("Done so far: {}.", done.join(", "))
    }
}

async fn gone(cluster: &Cluster, session: &Session, connection: &Connection) -> Exit {
    let name = connection.name_any();
    let uid = connection.metadata.uid.clone();
    let gone = |object: Option<&Connection>| object.is_none_or(|object| object.metadata.uid != uid);
    let waited = cluster.until::<Connection>(&name, COUNTED, gone).await;
    if matches!(waited, crate::plugin::cluster::Waited::Come(_)) {
        session.note(&format!(
            "{name} is removed. Who consented to what stays on record."
        ));
    } else {
        session.note(&format!(
            "{name} is being removed, and something still holds it. To see what: kubectl connections describe {name}"
        ));
    }
    Exit::Done
}
