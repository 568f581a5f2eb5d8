//! `attach` and `detach`, `activate` and `deactivate`: an export or enrichment gets a connection, or is left without one and
//! keeps its whole configuration.

use super::consent::LOOKED;
use super::told;
use crate::api::connection_type::UsedFor;
use crate::api::export::ExportStatus;
use crate::api::reference::ConnectionRef;
use crate::api::{Enrichment, Export};
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, Kept};
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::lookup::find;
use crate::plugin::offered::{choose, offered};
use crate::plugin::target::{Kind, Target};
use serde_json::json;

/// What gets a connection.
#[derive(Clone, Debug, clap::Args)]
pub struct Attach {
    /// Its name.
    #[arg(value_name = "NAME")]
    pub(in crate::plugin::commands) target: Target,
    /// The connection; asked for if absent, among those that may be used.
    #[arg(long = "to", value_name = "CONNECTION")]
    connection: Option<String>,
}

/// What is left without one.
#[derive(Clone, Debug, clap::Args)]
pub struct Detach {
    /// Its name.
    #[arg(value_name = "NAME")]
    pub(in crate::plugin::commands) target: Target,
}

/// Kinds that are on a connection.
pub trait Attached: Kept {
    /// Which kind it is.
    const KIND: Kind;
    /// What connections it can be on are for.
    const USE: UsedFor;
    /// The connection that it names.
    fn connection(&self) -> Option<&ConnectionRef>;
    /// What the operator says of it.
    fn activity(&self) -> Option<&ExportStatus>;
}

impl Attached for Export {
    const KIND: Kind = Kind::Export;
    const USE: UsedFor = UsedFor::Export;

    fn connection(&self) -> Option<&ConnectionRef> {
        self.spec.connection_ref.as_ref()
    }

    fn activity(&self) -> Option<&ExportStatus> {
        self.status.as_ref()
    }
}

impl Attached for Enrichment {
    const KIND: Kind = Kind::Enrichment;
    const USE: UsedFor = UsedFor::Enrichment;

    fn connection(&self) -> Option<&ConnectionRef> {
        self.spec.connection_ref.as_ref()
    }

    fn activity(&self) -> Option<&ExportStatus> {
        self.status.as_ref()
    }
}

/// Puts it on a connection, and tells how it stands then.
///
/// # Errors
/// If it isn't there, or may not be on it.
pub async fn attach<K: Attached>(asked: Attach, session: &Session) -> Result<Exit, Failure> {
    asked.target.kind(&[K::KIND])?;
    let cluster = session.cluster().await?;
    let name = &asked.target.name;
    let object: K = find(&cluster, name).await?;
    let connection = match asked.connection {
        Some(connection) => connection,
        None => choose(session, &offered(&cluster, K::USE).await?, "--to CONNECTION")?,
    };
    if object
        .connection()
        .is_some_and(|now| now.name.as_str() == connection)
    {
        session.note(&format!(
            "The {} {name} is on {connection} already. Nothing is to do.",
            K::KIND.noun()
        ));
        return Ok(Exit::Done);
    }
    let change = json!({"spec": {"connectionRef": {"name": connection}}});
    let object = cluster.merge::<K>(name, &change).await?;
    session.note(&settled(&cluster, name, &object).await);
    Ok(Exit::Done)
}

/// Takes it off its connection.
///
/// # Errors
/// If it isn't there, or isn't theirs to change.
pub async fn detach<K: Attached>(asked: Detach, session: &Session) -> Result<Exit, Failure> {
    asked.target.kind(&[K::KIND])?;
    let cluster = session.cluster().await?;
    let name = &asked.target.name;
    let object: K = find(&cluster, name).await?;
    let (noun, back) = match K::KIND {
        Kind::Enrichment => ("deactivated", "activate"),
        _ => ("detached", "attach"),
    };
    let Some(connection) = object.connection() else {
        session.note(&format!(
            "The {} {name} is {noun} already. Nothing is to do.",
            K::KIND.noun()
        ));
        return Ok(Exit::Done);
    };
    let change = json!({"spec": {"connectionRef": null}});
    cluster.merge::<K>(name, &change).await?;
    session.note(&format!(
        "The {} {name} is {noun}: it keeps its configuration, and does nothing. To put it back: kubectl connections {back} \
         {name} --to {}",
        K::KIND.noun(),
        connection.name
    ));
    Ok(Exit::Done)
}

/// How it stands once the operator has looked at this change.
pub async fn settled<K: Attached>(cluster: &Cluster, name: &str, object: &K) -> String {
    let generation = object.meta().generation;
    let looked = |object: Option<&K>| {
        object.is_none_or(|object| {
            object
                .activity()
                .is_some_and(|status| status.observed_generation >= generation)
        })
    };
    let waited = cluster.until::<K>(name, LOOKED, looked).await.object();
    told::activity(K::KIND, name, waited.as_ref().and_then(Attached::activity))
}
