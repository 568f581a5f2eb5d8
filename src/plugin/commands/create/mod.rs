//! `export create` and `enrich create`: over a connection that whoever asks may use, with datasets that are there.

mod ask;
mod enrich;
mod export;
#[cfg(test)]
mod tests;

pub use enrich::Enrich;
pub use export::ExportArguments;

use super::attach::{Attached, settled};
use super::made::{Output, put_out};
use crate::api::connection::Parameters;
use crate::api::export::Schedule;
use crate::governance::message::capitalized;
use crate::governance::schedule;
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::prompt::Question;
use crate::plugin::screen::format::yaml;
use thiserror::Error;

/// What is done about exports.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum ExportCommand {
    /// Make an export: which datasets go out over which connection, and when.
    Create(Box<ExportArguments>),
}

/// What is done about enrichments.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum EnrichCommand {
    /// Make an enrichment: which dataset is enriched over which connection, into which one, and when.
    Create(Box<Enrich>),
}

/// What both take.
#[derive(Clone, Debug, clap::Args)]
pub struct Common {
    /// What it's called in the cluster.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// What people call it.
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,
    /// The connection; asked for if absent, among those that may be used.
    #[arg(long, value_name = "CONNECTION")]
    pub connection: Option<String>,
    /// What the connection's type lets it choose; may be given several times.
    #[arg(long, value_name = "PARAMETER=VALUE")]
    pub set: Vec<String>,
    /// When it runs, as five fields of cron, such as "0 6 * * *"; on request only if absent.
    #[arg(long)]
    pub cron: Option<String>,
    /// The IANA time zone of that, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", requires = "cron")]
    pub time_zone: Option<String>,
    /// Don't ask whether to make it.
    #[arg(short, long)]
    pub yes: bool,
    /// How it's put out.
    #[command(flatten)]
    pub output: Output,
}

/// Why nothing is made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CreateError {
    /// A flag says something impossible.
    #[error("{told}")]
    Flag {
        /// What is wrong.
        told: String,
    },
    /// There is nothing to send.
    #[error(
        "There is no dataset to choose in the namespace {namespace}. An administrator there makes them: see kubectl explain \
         dataset.spec."
    )]
    NoDatasets {
        /// Where.
        namespace: String,
    },
    /// Somebody said no.
    #[error("Nothing has been made.")]
    Refused,
    /// The API server wouldn't take it.
    #[error("{told}. Nothing has been made.")]
    NotTaken {
        /// What it says.
        told: String,
    },
}

impl Fault for CreateError {
    fn exit(&self) -> Exit {
        match self {
            Self::Flag { .. } => Exit::Unclear,
            _ => Exit::Not,
        }
    }
}

fn not_taken(error: ClusterError) -> Failure {
    match error {
        ClusterError::Forbidden { told }
        | ClusterError::Invalid { told }
        | ClusterError::Conflict { told } => CreateError::NotTaken {
            told: capitalized(told.trim_end_matches('.')),
        }
        .into(),
        error => error.into(),
    }
}

/// Makes an export.
///
/// # Errors
/// See [`CreateError`].
pub async fn export(asked: ExportCommand, session: &Session) -> Result<Exit, Failure> {
    let ExportCommand::Create(asked) = asked;
    let cluster = session.cluster().await?;
    let export = export::of(&asked, session, &cluster).await?;
    finish(&asked.common, session, &cluster, export).await
}

/// Makes an enrichment.
///
/// # Errors
/// See [`CreateError`].
pub async fn enrich(asked: EnrichCommand, session: &Session) -> Result<Exit, Failure> {
    let EnrichCommand::Create(asked) = asked;
    let cluster = session.cluster().await?;
    let enrichment = enrich::of(&asked, session, &cluster).await?;
    finish(&asked.common, session, &cluster, enrichment).await
}

/// Shows it, asks, and makes it.
async fn finish<K: Attached>(
    asked: &Common,
    session: &Session,
    cluster: &Cluster,
    object: K,
) -> Result<Exit, Failure> {
    let tried = if asked.output.is_tried() {
        cluster.create(&object, true).await.map_err(not_taken)?
    } else {
        object.clone()
    };
    if asked.output.makes_nothing() {
        put_out(session, &asked.output, &tried);
        return Ok(Exit::Done);
    }
    // Who is asked nothing else has said all there is to say.
    if session.asks && !asked.yes {
        session.show_asked(&format!("{}\n", yaml(&object)));
        let question = Question {
            text: &format!("Make this {}?", K::KIND.noun()),
            help: None,
            flag: "--yes",
        };
        if !session.prompt.confirm(question)? {
            return Err(CreateError::Refused.into());
        }
    }
    let made = cluster.create(&object, false).await.map_err(not_taken)?;
    put_out(session, &asked.output, &made);
    let name = made.meta().name.clone().unwrap_or_default();
    session.note(&settled(cluster, &name, &made).await);
    Ok(Exit::Done)
}

/// When it runs; nothing for on request only.
fn schedule(cron: &str, time_zone: Option<&str>) -> Result<Option<Schedule>, CreateError> {
    if cron.trim().is_empty() {
        return Ok(None);
    }
    let schedule = Schedule {
        cron: cron.to_owned(),
        time_zone: time_zone.map(str::to_owned),
    };
    let standing = schedule::judge(Some(&schedule));
    match standing.status {
        crate::api::ConditionStatus::True => Ok(Some(schedule)),
        _ => Err(CreateError::Flag {
            told: standing.message,
        }),
    }
}

/// What is chosen, as far as it's known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Chosen {
    name: String,
    display_name: String,
    connection: String,
    parameters: Parameters,
    schedule: Option<Schedule>,
}
