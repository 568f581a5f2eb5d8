//! `edit`: a connection is changed by flags or in the editor, and what that asks for anew is said before it's saved.

mod change;
mod editor;
#[cfg(test)]
mod tests;

use super::add::{Draft, Sources};
use super::consent::type_of;
use super::made::pairs;
use crate::api::{Connection, ConnectionSpec, ConnectionType};
use crate::governance::message::{bounded, capitalized, sentences};
use crate::governance::parameters::CompiledType;
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::lookup::find;
use crate::plugin::prompt::Question;
use crate::plugin::target::{Kind, Target};
use crate::plugin::users::{counted, of_connection};
use change::{Change, Consent, changed, patch};
use editor::Written;
use kube::ResourceExt;
use std::fmt::Write as _;
use thiserror::Error;

/// What is changed, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Edit {
    /// The connection.
    #[arg(value_name = "NAME")]
    pub(in crate::plugin::commands) target: Target,
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
    #[error("It wouldn't fit its type {type_}: {problems} Nothing has changed.")]
    Unfit {
        /// The type.
        type_: String,
        /// What is wrong, as sentences.
        problems: String,
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

/// Changes it, after saying what goes stale. What was written in the editor is lost by no failure.
///
/// # Errors
/// See [`EditError`].
pub async fn run(asked: Edit, session: &Session) -> Result<Exit, Failure> {
    asked.target.kind(&[Kind::Connection])?;
    let cluster = session.cluster().await?;
    let connection: Connection = find(&cluster, &asked.target.name).await?;
    let type_ = type_of(&cluster, &connection).await?;
    if asked.by_flags() {
        let compiled = CompiledType::compile(&type_.name_any(), &type_.spec).ok();
        let spec = asked.applied(&connection, compiled)?;
        return saved(&asked, session, &cluster, &connection, &type_, &spec).await;
    }
    if !session.asks {
        return Err(EditError::Editor {
            told: "There is no terminal to edit at: say what changes by flags, such as --set, --unset or --secret."
                .to_owned(),
        }
        .into());
    }
    let written = Written::of(&connection)?;
    let ended = match written.edited(session).await {
        Ok(spec) => saved(&asked, session, &cluster, &connection, &type_, &spec).await,
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(exit) => {
            written.discarded();
            Ok(exit)
        }
        Err(failure) => {
            let kept = written.kept().map_or_else(String::new, |kept| format!(" {kept}"));
            let told = failure.told + &kept;
            Err(Failure { told, ..failure })
        }
    }
}

async fn saved(
    asked: &Edit,
    session: &Session,
    cluster: &Cluster,
    connection: &Connection,
    type_: &ConnectionType,
    spec: &ConnectionSpec,
) -> Result<Exit, Failure> {
    let name = &asked.target.name;
    if *spec == connection.spec {
        session.note("Nothing is different, so nothing has changed.");
        return Ok(Exit::Done);
    }
    let compiled = CompiledType::compile(&type_.name_any(), &type_.spec);
    let problems = compiled.map(|type_| problems(&type_, spec)).unwrap_or_default();
    if !problems.is_empty() {
        return Err(EditError::Unfit {
            type_: type_.name_any(),
            problems: sentences(&problems),
        }
        .into());
    }
    let change = changed(connection, spec, type_);
    session.note(&told(cluster, name, &change).await);
    let question = Question {
        text: "Save it?",
        help: None,
        flag: "--yes",
    };
    if !asked.yes && !session.prompt.confirm(question)? {
        return Err(EditError::Refused.into());
    }
    let patch = patch(connection, spec);
    cluster
        .merge::<Connection>(name, &patch)
        .await
        .map_err(not_taken)?;
    session.note(&change.done(name));
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
    if change.consent == Consent::GoesStale {
        let users = of_connection(cluster, name).await.unwrap_or_default();
        let stop = users
            .iter()
            .filter(|user| user.active)
            .cloned()
            .collect::<Vec<_>>();
        text.push_str(change.consent.told());
        if !stop.is_empty() {
            let _ = write!(text, " Until then {} would be inactive.", counted(&stop)); // a String can't fail
        }
    } else {
        text.push_str(change.consent.told());
    }
    text
}
