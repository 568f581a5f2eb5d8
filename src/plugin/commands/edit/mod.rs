//! `edit`: a connection is changed by flags or in the editor, and what that asks for anew is said before it's saved.

mod change;
#[cfg(test)]
mod tests;

use super::add::{Draft, Sources};
use super::consent::type_of;
use super::made::pairs;
use crate::api::{Connection, ConnectionSpec};
use crate::governance::message::{bounded, capitalized, sentences};
use crate::governance::parameters::CompiledType;
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::lookup::find;
use crate::plugin::prompt::Question;
use crate::plugin::target::{Kind, Target};
use crate::plugin::users::{counted, of_connection};
use change::{Change, changed, in_editor, kept, patch};
use kube::ResourceExt;
use std::fmt::Write as _;
use thiserror::Error;

/// What is changed, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Edit {
    /// The connection.
    #[arg(value_name = "NAME")]
    target: Target,
    /// What people call it.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// A parameter; may be given several times.
    #[arg(long, value_name = "PARAMETER=VALUE")]
    set: Vec<String>,
    /// A parameter that is left out from now on.
    #[arg(long, value_name = "PARAMETER")]
    unset: Vec<String>,
    #[command(flatten)]
    sources: Sources,
    /// Don't ask whether to save it.
    #[arg(short, long)]
    yes: bool,
}

/// Why nothing is saved.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EditError {
    /// There is no editor to be used.
    #[error("{told} Nothing has changed.")]
    Editor {
        /// What is wrong.
        told: String,
    },
    /// What was written doesn't fit.
    #[error("It wouldn't fit its type {type_}: {problems} Nothing has changed.{kept}")]
    Unfit {
        /// The type.
        type_: String,
        /// What is wrong, as sentences.
        problems: String,
        /// Where what was written is kept.
        kept: String,
    },
    /// Somebody said no.
    #[error("Nothing has changed.")]
    Refused,
    /// The API server wouldn't take it.
    #[error("{told}. Nothing has changed.")]
    NotTaken {
        /// What it says.
        told: String,
    },
}

impl Fault for EditError {
    fn exit(&self) -> Exit {
        match self {
            Self::Editor { .. } => Exit::Unclear,
            _ => Exit::Not,
        }
    }
}

/// Changes it, after saying what goes stale.
///
/// # Errors
/// See [`EditError`].
pub async fn run(asked: Edit, session: &Session) -> Result<Exit, Failure> {
    asked.target.kind(&[Kind::Connection])?;
    let cluster = session.cluster().await?;
    let name = &asked.target.name;
    let connection: Connection = find(&cluster, name).await?;
    let type_ = type_of(&cluster, &connection).await?;
    let compiled = CompiledType::compile(&type_.name_any(), &type_.spec).ok();
    let (spec, file) = if asked.by_flags() {
        (asked.applied(&connection, compiled.clone())?, None)
    } else {
        in_editor(session, &connection)?
    };
    if spec == connection.spec {
        session.note("Nothing is different, so nothing has changed.");
        return Ok(Exit::Done);
    }
    let problems = compiled.map(|type_| problems(&type_, &spec)).unwrap_or_default();
    if !problems.is_empty() {
        return Err(EditError::Unfit {
            type_: type_.name_any(),
            problems: sentences(&problems),
            kept: kept(file),
        }
        .into());
    }
    let change = changed(&connection, &spec, &type_);
    session.note(&told(&cluster, name, &change).await);
    let question = Question {
        text: "Save it?",
        help: None,
        flag: "--yes",
    };
    if !asked.yes && !session.prompt.confirm(question)? {
        return Err(EditError::Refused.into());
    }
    let patch = patch(&connection, &spec);
    cluster
        .merge::<Connection>(name, &patch)
        .await
        .map_err(not_taken)?;
    session.note(&saved(name, &change));
    Ok(Exit::Done)
}

fn not_taken(error: ClusterError) -> Failure {
    match error {
        ClusterError::Forbidden { told } | ClusterError::Invalid { told } => EditError::NotTaken {
            told: capitalized(told.trim_end_matches('.')),
        }
        .into(),
        error => error.into(),
    }
}

fn problems(type_: &CompiledType, spec: &ConnectionSpec) -> Vec<String> {
    let mut problems = type_.connection_problems(&spec.parameters, &spec.fixed_export_parameters);
    problems.extend(type_.secret_problems(&spec.secrets));
    problems
}

impl Edit {
    fn by_flags(&self) -> bool {
        self.display_name.is_some()
            || !self.set.is_empty()
            || !self.unset.is_empty()
            || !self.sources.is_empty()
    }

    /// The spec as the flags change it.
    fn applied(
        &self,
        connection: &Connection,
        type_: Option<CompiledType>,
    ) -> Result<ConnectionSpec, Failure> {
        let mut spec = connection.spec.clone();
        if let Some(text) = &self.display_name {
            spec.display_name.clone_from(text);
        }
        spec.parameters.extend(pairs("--set", &self.set)?);
        for name in &self.unset {
            spec.parameters.remove(name);
        }
        if let Some(type_) = type_ {
            let mut draft = Draft::of(type_);
            self.sources.fill(&mut draft)?;
            if !draft.typed.is_empty() {
                return Err(EditError::Editor {
                    told: "A value of an existing Secret is changed there: kubectl edit secret, or kubectl create secret \
                           with --dry-run=client -o yaml. Then name it by --secret."
                        .to_owned(),
                }
                .into());
            }
            spec.secrets.extend(draft.secrets);
        }
        Ok(spec)
    }
}

/// What is different, and what that asks for.
async fn told(cluster: &Cluster, name: &str, change: &Change) -> String {
    let lines = change.lines.iter().map(|line| bounded(format!("  {line}")));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let mut text = format!("What changes of {name}:\n{lines}\n");
    if change.asks_anew {
        let users = of_connection(cluster, name).await.unwrap_or_default();
        let stop = users
            .iter()
            .filter(|user| user.active)
            .cloned()
            .collect::<Vec<_>>();
        text.push_str(
            "Consent isn't for this destination any more: it goes stale, and nothing runs before somebody consents again.",
        );
        if !stop.is_empty() {
            let _ = write!(text, " Until then {} would be inactive.", counted(&stop)); // a String can't fail
        }
    } else {
        text.push_str("Consent stands: where data goes stays the same.");
    }
    text
}

fn saved(name: &str, change: &Change) -> String {
    if change.asks_anew {
        format!("{name} is changed. To consent again: kubectl connections consent {name}")
    } else {
        format!("{name} is changed.")
    }
}
