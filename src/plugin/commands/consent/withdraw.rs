//! `withdraw`: consent is taken back, and what runs by it stops.

use super::{AgreeError, Consented, KINDS, LOOKED, taken_back};
use crate::api::names::CONSENT_ANNOTATION;
use crate::api::{Connection, KeyVault};
use crate::governance::message::bounded;
use crate::plugin::Session;
use crate::plugin::cluster::Cluster;
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::lookup::find;
use crate::plugin::prompt::Question;
use crate::plugin::target::{Kind, Target};
use crate::plugin::users::{counted, of_connection, tree};
use kube::ResourceExt;

/// Whose consent is taken back.
#[derive(Clone, Debug, clap::Args)]
pub struct Withdraw {
    /// The connection, or a link to a vault as keyvault/NAME.
    #[arg(value_name = "NAME")]
    pub(in crate::plugin::commands) target: Target,
    /// Don't ask.
    #[arg(short, long)]
    yes: bool,
}

/// Tells what stops, asks, and takes it back.
///
/// # Errors
/// See [`AgreeError`].
pub async fn run(asked: Withdraw, session: &Session) -> Result<Exit, Failure> {
    let kind = asked.target.kind(&KINDS)?;
    let cluster = session.cluster().await?;
    match kind {
        Kind::KeyVault => taken::<KeyVault>(&asked, session, &cluster, kind).await,
        _ => taken::<Connection>(&asked, session, &cluster, kind).await,
    }
}

async fn taken<K: Consented>(
    asked: &Withdraw,
    session: &Session,
    cluster: &Cluster,
    kind: Kind,
) -> Result<Exit, Failure> {
    let (name, noun) = (&asked.target.name, kind.noun());
    let object: K = find(cluster, name).await?;
    let annotation = object
        .annotations()
        .get(CONSENT_ANNOTATION)
        .filter(|digest| !digest.is_empty());
    let Some(digest) = annotation.cloned() else {
        session.note(&format!(
            "There is no consent to the {noun} {name}. Nothing is to do."
        ));
        return Ok(Exit::Done);
    };
    session.note(&stops(cluster, session, kind, name).await?);
    let question = Question {
        text: &format!("Withdraw consent to the {noun} {name} {}?", cluster.place()),
        help: None,
        flag: "--yes",
    };
    if !asked.yes && !session.prompt.confirm(question)? {
        session.note("Nothing has changed.");
        return Ok(Exit::Not);
    }
    let user = cluster.whoami().await.map_err(AgreeError::from)?;
    let withdrawn = cluster.merge::<K>(name, &taken_back(&digest, &user)).await;
    withdrawn.map_err(AgreeError::from)?;
    let seen = |object: &K| object.consent().is_none_or(|consent| !consent.given);
    let waited = cluster
        .until::<K>(name, LOOKED, |object| object.is_none_or(seen))
        .await;
    let by = format!("Consent is withdrawn by {}.", bounded(user));
    session.note(&match waited.object() {
        Some(_) => format!(
            "{by} To give it again: kubectl connections consent {}/{name}",
            kind.word()
        ),
        None => format!("{by} The operator hasn't looked at it yet; runs look for themselves, and stop."),
    });
    Ok(Exit::Done)
}

/// What will stop.
async fn stops(cluster: &Cluster, session: &Session, kind: Kind, name: &str) -> Result<String, Failure> {
    if kind == Kind::KeyVault {
        return Ok(
            "Nobody asks the vault any more; connections whose secrets come from it become inactive."
                .to_owned(),
        );
    }
    let users = of_connection(cluster, name).await?;
    let stopping: Vec<_> = users.into_iter().filter(|user| user.active).collect();
    if stopping.is_empty() {
        return Ok("Nothing that is active uses it.".to_owned());
    }
    Ok(format!(
        "All runs on it stop, those that are on their way included: {} would be inactive.\n{}",
        counted(&stopping),
        tree(&stopping, session.screen.colour).trim_end()
    ))
}
