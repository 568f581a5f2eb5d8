//! `add`: a new connection, asked for piece by piece, or by flags; agreed to, and made.
//!
//! Nothing is there until all is: the API server is asked whether it would take everything before anything is made.

mod ask;
mod create;
mod draft;
mod sources;
#[cfg(test)]
mod tests;

pub use draft::{Draft, NewSecret, check_display_name, check_name, name_for};
pub use sources::{Sources, key_of_secret};

use super::consent::AgreeError;
use super::made::{Output, pairs, put_out};
use crate::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use crate::api::{Connection, ConnectionType};
use crate::cli::consent::{Explanation, Manifest};
use crate::governance::message::{bounded, listed, sentences};
use crate::governance::parameters::CompiledType;
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, Selection};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::prompt::Question;
use crate::plugin::screen::format::yaml;
use crate::plugin::screen::nearest::nearest;
use kube::ResourceExt;
use thiserror::Error;

/// What is connected, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Add {
    /// The connection type: kubectl connections discover shows those there are.
    #[arg(value_name = "TYPE")]
    type_: String,
    /// What the connection is called in the cluster.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// What people call it: tell purpose and target.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// A parameter; may be given several times.
    #[arg(long, value_name = "PARAMETER=VALUE")]
    set: Vec<String>,
    /// What exports on it can't choose for themselves.
    #[arg(long, value_name = "PARAMETER=VALUE")]
    fix: Vec<String>,
    #[command(flatten)]
    sources: Sources,
    /// Let all contributors of the namespace make exports on it.
    #[arg(long)]
    share: bool,
    /// Agree without being asked, if this is the digest that is asked for: for scripts whose author has read the notice.
    #[arg(long, value_name = "DIGEST", conflicts_with = "without_consent")]
    agree_to: Option<String>,
    /// Leave consent to somebody else: nothing runs before.
    #[arg(long)]
    without_consent: bool,
    #[command(flatten)]
    output: Output,
}

/// Why there is no new connection.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AddError {
    /// There is no such type.
    #[error("There is no connection type {name:?}.{hint} All of them: kubectl connections discover")]
    TypeUnknown {
        /// What was asked for.
        name: String,
        /// What may have been meant, as a sentence.
        hint: String,
    },
    /// Nothing can be made of it.
    #[error("The connection type {name} can't be used until it's corrected: {problems}")]
    TypeInvalid {
        /// The type.
        name: String,
        /// What is wrong with it, as sentences.
        problems: String,
    },
    /// A flag says something impossible. It never repeats a value.
    #[error("{told}")]
    Flag {
        /// What is wrong.
        told: String,
    },
    /// It doesn't fit its type.
    #[error("It wouldn't fit its type {type_}: {problems} Nothing has been made.")]
    Unfit {
        /// The type.
        type_: String,
        /// What is wrong, as sentences.
        problems: String,
    },
    /// Somebody said no.
    #[error("You haven't agreed, so nothing has been made.")]
    Refused,
    /// The API server wouldn't take it.
    #[error("{told}. Nothing has been made.")]
    NotTaken {
        /// What it says.
        told: String,
    },
    /// It wouldn't, nor take away what had been made for it.
    #[error(
        "{told}. The Secret {secret} has been made for it, and is still there: kubectl delete secret {secret}"
    )]
    Left {
        /// What it says.
        told: String,
        /// The Secret.
        secret: String,
    },
    /// Whether it has taken it isn't known.
    #[error("{told} {state}")]
    Unknown {
        /// What is known.
        told: String,
        /// What may be there, and how to see it.
        state: String,
    },
}

impl Fault for AddError {
    fn exit(&self) -> Exit {
        match self {
            Self::Flag { .. } | Self::Unknown { .. } => Exit::Unclear,
            _ => Exit::Not,
        }
    }
}

impl AddError {
    fn flag(told: impl Into<String>) -> Self {
        Self::Flag { told: told.into() }
    }
}

/// Asks for what is missing, shows it, asks for consent, and makes it.
///
/// # Errors
/// See [`AddError`].
pub async fn run(asked: Add, session: &Session) -> Result<Exit, Failure> {
    let cluster = session.cluster().await?;
    let (type_, compiled) = type_of(&cluster, &asked.type_).await?;
    if let Some(deprecated) = compiled.deprecated() {
        session.note(&deprecated);
    }
    let mut draft = Draft::of(compiled);
    asked.fill(&mut draft)?;
    ask::missing(&mut draft, session, &cluster, asked.share).await?;
    let problems = draft.problems();
    if !problems.is_empty() {
        return Err(AddError::Unfit {
            type_: type_.name_any(),
            problems: sentences(&problems),
        }
        .into());
    }
    made(&asked, draft, &type_, session, &cluster).await
}

impl Add {
    /// What the flags say.
    fn fill(&self, draft: &mut Draft) -> Result<(), Failure> {
        draft.name.clone_from(&self.name);
        draft.display_name.clone_from(&self.display_name);
        for (name, value) in pairs("--set", &self.set)? {
            if draft.has_slot(&name) {
                return Err(AddError::flag(format!(
                    "{name} is a secret: its value never belongs on a command line, nor into a connection. Name a key of a \
                     Secret by --secret {name}=SECRET/KEY, or a file that holds it by --secret-file {name}=FILE."
                ))
                .into());
            }
            draft.parameters.insert(name, value);
        }
        draft.fixed.extend(pairs("--fix", &self.fix)?);
        draft.shared = self.share;
        self.sources.fill(draft)
    }
}

/// The type, ready to be used.
async fn type_of(cluster: &Cluster, name: &str) -> Result<(ConnectionType, CompiledType), Failure> {
    let all = cluster
        .list::<ConnectionType, ConnectionType>(&Selection::default())
        .await?;
    let Some(type_) = all.iter().find(|type_| type_.name_any() == name) else {
        let names: Vec<String> = all.iter().map(ResourceExt::name_any).collect();
        let meant = nearest(name, names.iter().map(String::as_str));
        return Err(AddError::TypeUnknown {
            name: bounded(name.to_owned()),
            hint: meant.map_or_else(String::new, |meant| format!(" Did you mean {meant}?")),
        }
        .into());
    };
    let compiled = CompiledType::compile(name, &type_.spec).map_err(|problems| AddError::TypeInvalid {
        name: name.to_owned(),
        problems: sentences(&problems),
    })?;
    Ok((type_.clone(), compiled))
}

async fn made(
    asked: &Add,
    draft: Draft,
    type_: &ConnectionType,
    session: &Session,
    cluster: &Cluster,
) -> Result<Exit, Failure> {
    let mut connection = draft.connection(&cluster.namespace);
    let manifest = Manifest::Connection(Box::new(connection.clone()));
    let explanation = Explanation::of(&manifest, std::slice::from_ref(type_), None);
    let explanation = explanation.map_err(AgreeError::from)?;
    if asked.output.is_tried() {
        create::tried(cluster, &connection).await?;
    }
    show(asked, &draft, &connection, session, cluster);
    session.note(&explanation.page());
    let consented = consented(asked, session, cluster, &explanation.required.current).await?;
    if let Some(user) = &consented {
        let digest = &explanation.required.current;
        connection.annotations_mut().extend([
            (CONSENT_ANNOTATION.to_owned(), digest.clone()),
            (
                CONSENTED_BY_ANNOTATION.to_owned(),
                format!("given {digest} {user}"),
            ),
        ]);
    }
    if asked.output.makes_nothing() {
        if asked.output.is_tried() {
            create::tried(cluster, &connection).await?;
        }
        put_out(session, &asked.output, &connection);
        return Ok(Exit::Done);
    }
    let (connection, told) = create::create(cluster, draft.secret.as_ref(), &connection).await?;
    put_out(session, &asked.output, &connection);
    for told in told {
        session.note(&told);
    }
    session.note(&create::settled(cluster, &connection, consented.is_some()).await);
    Ok(Exit::Done)
}

/// What is about to be made, without a value of a secret.
fn show(asked: &Add, draft: &Draft, connection: &Connection, session: &Session, cluster: &Cluster) {
    let secret = draft.secret.as_ref();
    if !asked.output.is_asked() {
        let secret = secret.map(|secret| format!("{}---\n", secret.shown(&cluster.namespace)));
        session.show_asked(&format!("{}{}\n", secret.unwrap_or_default(), yaml(connection)));
    } else if let Some(secret) = secret {
        let keys: Vec<&String> = secret.data.keys().collect();
        session.note(&format!(
            "It comes with a new Secret {}, with the keys {}.",
            secret.name,
            listed(&keys)
        ));
    }
}

/// Who consents; nobody if that is left to somebody else.
async fn consented(
    asked: &Add,
    session: &Session,
    cluster: &Cluster,
    digest: &str,
) -> Result<Option<String>, Failure> {
    if asked.without_consent || (asked.output.makes_nothing() && asked.agree_to.is_none()) {
        return Ok(None);
    }
    let user = cluster.whoami().await?;
    if let Some(given) = &asked.agree_to {
        return if given == digest {
            Ok(Some(user))
        } else {
            Err(AgreeError::OtherDigest {
                given: bounded(given.clone()),
                shown: digest.to_owned(),
            }
            .into())
        };
    }
    let question = Question {
        text: &format!("Do you agree, as {}?", bounded(user.clone())),
        help: None,
        flag: &format!(
            "--agree-to {digest}, once you have read what is above, or leave it to somebody else by --without-consent"
        ),
    };
    if session.prompt.agree(question)? {
        return Ok(Some(user));
    }
    let question = Question {
        text: "Make it all the same, for somebody else to agree to?",
        help: None,
        flag: "--without-consent",
    };
    if session.prompt.confirm(question)? {
        Ok(None)
    } else {
        Err(AddError::Refused.into())
    }
}

/// Names for an error.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    listed(&names.collect::<Vec<_>>())
}
