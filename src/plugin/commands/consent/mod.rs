//! `consent` and `withdraw`: agreement to one notice for one destination, in one's own name.
//!
//! What is agreed to is what was shown: the digest is computed from the very objects on the screen. If they change in
//! between, it is for something else, and counts for nothing.

mod seen;
mod withdraw;

pub use seen::{Seen, seen, type_of};
pub use withdraw::{Withdraw, run as withdraw};

use crate::api::connection::ConsentStatus;
use crate::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use crate::api::{Condition, ConditionType, Connection, KeyVault};
use crate::cli::consent::{self as offline, ConsentError};
use crate::cli::with_causes;
use crate::governance::conditions;
use crate::governance::message::{bounded, capitalized};
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError, Kept};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::lookup::LookupError;
use crate::plugin::prompt::Question;
use crate::plugin::target::{Kind, Target};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// How long the operator may take to look at what somebody did.
pub(super) const LOOKED: Duration = Duration::from_secs(15);
/// The kinds that ask for consent.
const KINDS: [Kind; 2] = [Kind::Connection, Kind::KeyVault];

/// What somebody agrees to.
#[derive(Clone, Debug, clap::Args)]
pub struct Consent {
    /// The connection, or a link to a vault as keyvault/NAME.
    #[arg(
        value_name = "NAME",
        required_unless_present = "files",
        conflicts_with = "files"
    )]
    pub(in crate::plugin::commands) target: Option<Target>,
    /// Agree without being asked, if this is the digest that is asked for: for scripts whose author has read the notice.
    #[arg(long, value_name = "DIGEST")]
    agree_to: Option<String>,
    /// Only show what it would be consent to.
    #[arg(long, conflicts_with = "agree_to")]
    show: bool,
    /// Files with manifests; - is the standard input. With --offline.
    #[arg(short, long = "filename", value_name = "FILE", requires = "offline")]
    files: Vec<PathBuf>,
    /// Print notice and digest of what is in files, for a pull request; without a cluster.
    #[arg(long, requires = "files", conflicts_with_all = ["agree_to", "show"])]
    offline: bool,
}

/// Why there is no consent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AgreeError {
    /// The object can't be found.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// It can't be agreed to.
    #[error("{told}")]
    InVain {
        /// What is wrong.
        told: String,
        /// How the command ends.
        exit: Exit,
    },
    /// The operator computes another one.
    #[error(
        "What is shown here has the digest {shown}, but the operator asks for {asked}: it hasn't looked at the last change yet, \
         or is of another version than this program. Nothing has changed; try again, and see kubectl connections doctor."
    )]
    Apart {
        /// The digest of what is shown.
        shown: String,
        /// The one in the status.
        asked: String,
    },
    /// What a script agrees to isn't what is there.
    #[error(
        "{given} is not the digest of what there is now, which is {shown}: read it again by kubectl connections consent \
         --show. Nothing has changed."
    )]
    OtherDigest {
        /// What was given.
        given: String,
        /// The digest of what is shown.
        shown: String,
    },
    /// Somebody said no.
    #[error("You haven't agreed; nothing has changed.")]
    Refused,
    /// The right is missing.
    #[error("{told}. Nothing has changed.")]
    Forbidden {
        /// What the API server says.
        told: String,
    },
    /// The cluster doesn't answer.
    #[error(transparent)]
    Cluster(ClusterError),
}

impl Fault for AgreeError {
    fn exit(&self) -> Exit {
        match self {
            Self::Lookup(error) => error.exit(),
            Self::InVain { exit, .. } => *exit,
            Self::Apart { .. } => Exit::Unclear,
            Self::OtherDigest { .. } | Self::Refused | Self::Forbidden { .. } => Exit::Not,
            Self::Cluster(error) => error.exit(),
        }
    }
}

impl From<ClusterError> for AgreeError {
    fn from(error: ClusterError) -> Self {
        match error {
            ClusterError::Forbidden { told } => Self::Forbidden {
                told: capitalized(&told),
            },
            error => Self::Cluster(error),
        }
    }
}

impl From<ConsentError> for AgreeError {
    fn from(error: ConsentError) -> Self {
        let exit = match error {
            ConsentError::Mistaken { .. } | ConsentError::NotOneVault { .. } => Exit::Not,
            _ => Exit::Unclear,
        };
        let told = capitalized(&bounded(with_causes(&error).replace('\n', " ")));
        Self::InVain {
            told: format!("{told}."),
            exit,
        }
    }
}

/// Kinds that ask for consent.
pub trait Consented: Kept {
    /// What its status says about consent.
    fn consent(&self) -> Option<&ConsentStatus>;
    /// What its status judges.
    fn judged(&self) -> &[Condition];
}

impl Consented for Connection {
    fn consent(&self) -> Option<&ConsentStatus> {
        self.status.as_ref()?.consent.as_ref()
    }

    fn judged(&self) -> &[Condition] {
        self.status
            .as_ref()
            .map(|status| &*status.conditions)
            .unwrap_or_default()
    }
}

impl Consented for KeyVault {
    fn consent(&self) -> Option<&ConsentStatus> {
        self.status.as_ref()?.consent.as_ref()
    }

    fn judged(&self) -> &[Condition] {
        self.status
            .as_ref()
            .map(|status| &*status.conditions)
            .unwrap_or_default()
    }
}

/// Shows what is agreed to, asks, and writes it down.
///
/// # Errors
/// See [`AgreeError`].
pub async fn run(asked: Consent, session: &Session) -> Result<Exit, Failure> {
    let Some(target) = asked.target.clone() else {
        let request = offline::Request {
            files: asked.files,
            check: Vec::new(),
            namespace: session.flags.namespace.clone(),
        };
        let told = offline::explain(&request).map_err(AgreeError::from)?;
        session.show(&told);
        return Ok(Exit::Done);
    };
    let kind = target.kind(&KINDS)?;
    let cluster = session.cluster().await?;
    match kind {
        Kind::KeyVault => agree::<KeyVault>(&asked, session, &cluster, kind, &target.name).await,
        _ => agree::<Connection>(&asked, session, &cluster, kind, &target.name).await,
    }
}

async fn agree<K: Consented>(
    asked: &Consent,
    session: &Session,
    cluster: &Cluster,
    kind: Kind,
    name: &str,
) -> Result<Exit, Failure> {
    let seen = seen(cluster, kind, name).await?;
    if seen.stands() && !asked.show {
        session.note(&seen.stands_already());
        return Ok(Exit::Done);
    }
    let page = seen.page(session.screen);
    if asked.show || asked.agree_to.is_some() {
        session.show(&page);
    } else {
        session.show_asked(&page);
    }
    if asked.show {
        return Ok(Exit::Done);
    }
    seen.asked_for()?;
    let user = cluster.whoami().await?;
    agreed(asked.agree_to.as_deref(), &seen, session, &user)?;
    give::<K>(cluster, &seen, &user).await?;
    session.note(&looked_at::<K>(cluster, kind, name, &seen, &user).await);
    Ok(Exit::Done)
}

/// Asks, unless a script has read it.
fn agreed(digest: Option<&str>, seen: &Seen, session: &Session, user: &str) -> Result<(), Failure> {
    let shown = &seen.digest;
    if let Some(given) = digest {
        let other = || AgreeError::OtherDigest {
            given: bounded(given.to_owned()),
            shown: shown.clone(),
        };
        return if given == shown {
            Ok(())
        } else {
            Err(other().into())
        };
    }
    let question = Question {
        text: &format!("Do you agree, as {}?", bounded(user.to_owned())),
        help: None,
        flag: &format!("--agree-to {shown}, once you have read what is above"),
    };
    if session.prompt.agree(question)? {
        Ok(())
    } else {
        Err(AgreeError::Refused.into())
    }
}

/// Writes it down. What stands there and doesn't count, as after a withdrawal that a pipeline undid, goes first, so that
/// it is told who gives it anew.
///
/// # Errors
/// If the API server refuses.
pub async fn give<K: Kept>(cluster: &Cluster, seen: &Seen, user: &str) -> Result<(), AgreeError> {
    if seen.counts_for_nothing() {
        cluster
            .merge::<K>(&seen.name, &taken_back(&seen.digest, user))
            .await?;
    }
    cluster.merge::<K>(&seen.name, &given(&seen.digest, user)).await?;
    Ok(())
}

/// The stamp is the API server's to write; before Kubernetes 1.36 it demands that its author writes the same.
fn given(digest: &str, user: &str) -> Value {
    let stamp = format!("given {digest} {user}");
    json!({"metadata": {"annotations": {CONSENT_ANNOTATION: digest, CONSENTED_BY_ANNOTATION: stamp}}})
}

fn taken_back(digest: &str, user: &str) -> Value {
    let stamp = format!("withdrawn {digest} {user}");
    json!({"metadata": {"annotations": {CONSENT_ANNOTATION: null, CONSENTED_BY_ANNOTATION: stamp}}})
}

/// What the operator makes of it.
async fn looked_at<K: Consented>(
    cluster: &Cluster,
    kind: Kind,
    name: &str,
    seen: &Seen,
    user: &str,
) -> String {
    let counts = |object: &K| {
        object.consent().is_some_and(|consent| consent.given)
            && object
                .meta()
                .annotations
                .as_ref()
                .and_then(|all| all.get(CONSENT_ANNOTATION))
                == Some(&seen.digest)
    };
    let holds = |object: Option<&K>| object.is_none_or(counts);
    let waited = cluster.until::<K>(name, LOOKED, holds).await;
    let by = format!("Consent is given by {}.", bounded(user.to_owned()));
    let noun = kind.noun();
    let Some(object) = waited.object() else {
        return format!(
            "{by} The operator hasn't looked at it yet. To see what it says: kubectl connections describe {name}"
        );
    };
    let ready = conditions::find(object.judged(), ConditionType::Ready);
    match ready {
        Some(ready) if conditions::holds(object.judged(), ConditionType::Ready) => {
            format!("{by} The {noun} {name} is ready ({}).", ready.reason)
        }
        Some(ready) => format!("{by} The {noun} {name} isn't ready yet: {}", ready.message),
        None => by,
    }
}
