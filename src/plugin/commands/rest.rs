//! `suspend` and `resume`: everything stays, and nothing runs.

use super::told;
use crate::api::{Connection, Enrichment, Export};
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, Kept};
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::lookup::find;
use crate::plugin::target::{Kind, Target};
use crate::plugin::users::{counted, of_connection};
use serde_json::{Value, json};

const KINDS: [Kind; 3] = [Kind::Connection, Kind::Export, Kind::Enrichment];

/// What rests, or no longer.
#[derive(Clone, Debug, clap::Args)]
pub struct Rest {
    /// The connection, or export/NAME, or enrichment/NAME.
    #[arg(value_name = "NAME")]
    pub(in crate::plugin::commands) target: Target,
}

/// Lets it rest, or lets it go on.
///
/// # Errors
/// If it isn't there, or isn't theirs to change.
pub async fn run(asked: Rest, session: &Session, suspend: bool) -> Result<Exit, Failure> {
    let kind = asked.target.kind(&KINDS)?;
    let cluster = session.cluster().await?;
    let name = &asked.target.name;
    let changed = match kind {
        Kind::Export => set::<Export>(&cluster, name, suspend, |one| one.spec.suspend).await?,
        Kind::Enrichment => set::<Enrichment>(&cluster, name, suspend, |one| one.spec.suspend).await?,
        _ => set::<Connection>(&cluster, name, suspend, |one| one.spec.suspend).await?,
    };
    session.note(&match (changed, suspend) {
        (false, true) => format!(
            "The {} {name} is suspended already. Nothing is to do.",
            kind.noun()
        ),
        (false, false) => format!("The {} {name} isn't suspended. Nothing is to do.", kind.noun()),
        (true, true) => format!(
            "The {} {name} is suspended: {}. To let it go on: kubectl connections resume {}/{name}",
            kind.noun(),
            stopped(&cluster, kind, name).await,
            kind.word()
        ),
        (true, false) => format!(
            "The {} {name} goes on. What it missed meanwhile stays missed. To see whether it's ready: {}",
            kind.noun(),
            told::look(kind, name)
        ),
    });
    Ok(Exit::Done)
}

async fn set<K: Kept>(
    cluster: &Cluster,
    name: &str,
    suspend: bool,
    suspended: impl Fn(&K) -> bool,
) -> Result<bool, Failure> {
    let object: K = find(cluster, name).await?;
    if suspended(&object) == suspend {
        return Ok(false);
    }
    let change: Value = json!({"spec": {"suspend": suspend.then_some(true)}});
    cluster.merge::<K>(name, &change).await?;
    Ok(true)
}

/// What that stops. Whoever may not see it suspends all the same: it is the kill switch.
async fn stopped(cluster: &Cluster, kind: Kind, name: &str) -> String {
    if kind != Kind::Connection {
        return "nothing runs, and everything stays".to_owned();
    }
    match of_connection(cluster, name).await {
        Ok(users) if users.is_empty() => "nothing uses it".to_owned(),
        Ok(users) => {
            let run = if users.len() == 1 { "runs" } else { "run" };
            format!("{} on it no longer {run}, and everything stays", counted(&users))
        }
        Err(_) => "nothing on it runs any more, and everything stays".to_owned(),
    }
}
