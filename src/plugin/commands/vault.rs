//! `vault link`, `list` and `unlink`: the dialogue about the company's own vault.

mod link;
mod listing;

use super::consent::{self, AgreeError};
use crate::api::KeyVault;
use crate::governance::message::capitalized;
use crate::plugin::Session;
use crate::plugin::cluster::{ClusterError, GONE};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::lookup::find;
use crate::plugin::prompt::types_name;
use crate::plugin::target::{Kind, Target};
use kube::ResourceExt;
use thiserror::Error;

pub use link::Link;
pub use listing::Listing;

/// What is done about vaults.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Vault {
    /// Link an Azure Key Vault, a HashiCorp Vault or an OpenBao: connections then name secrets there.
    Link(Box<Link>),
    /// Show the linked vaults; of one, the secrets that may be named, and who uses it.
    List(Listing),
    /// Take a link away. Nothing changes in the vault.
    Unlink(Unlink),
}

/// Which link goes.
#[derive(Clone, Debug, clap::Args)]
pub struct Unlink {
    /// The key vault.
    #[arg(value_name = "NAME")]
    target: Target,
    /// Don't ask.
    #[arg(short, long)]
    yes: bool,
}

/// Why a link isn't made, or stays.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VaultError {
    /// The flags don't fit together.
    #[error("{told}")]
    Flags {
        /// What is wrong.
        told: String,
    },
    /// It is in use.
    #[error("{name} is in use by {users}, so it stays. {next}")]
    InUse {
        /// The key vault.
        name: String,
        /// Its users.
        users: String,
        /// How to let the first of them go.
        next: String,
    },
    /// The API server refuses.
    #[error("{told}. Nothing has changed.")]
    Refused {
        /// What it says.
        told: String,
    },
}

impl Fault for VaultError {
    fn exit(&self) -> Exit {
        match self {
            Self::Flags { .. } => Exit::Unclear,
            Self::InUse { .. } | Self::Refused { .. } => Exit::Not,
        }
    }
}

fn refused(error: ClusterError) -> Failure {
    match error {
        ClusterError::Forbidden { told }
        | ClusterError::Invalid { told }
        | ClusterError::Conflict { told } => VaultError::Refused {
            told: capitalized(told.trim_end_matches('.')),
        }
        .into(),
        error => error.into(),
    }
}

/// Does it.
///
/// # Errors
/// See [`VaultError`].
pub async fn run(asked: Vault, session: &Session) -> Result<Exit, Failure> {
    match asked {
        Vault::Link(asked) => link::run(*asked, session).await,
        Vault::List(asked) => listing::run(asked, session).await,
        Vault::Unlink(asked) => unlink(asked, session).await,
    }
}

async fn unlink(asked: Unlink, session: &Session) -> Result<Exit, Failure> {
    asked.target.kind(&[Kind::KeyVault])?;
    let cluster = session.cluster().await?;
    let name = &asked.target.name;
    let vault: KeyVault = find(&cluster, name).await?;
    let dependents = vault
        .status
        .as_ref()
        .and_then(|status| status.dependents.as_ref());
    if let Some(dependents) = dependents.filter(|dependents| dependents.total > 0) {
        return Err(VaultError::InUse {
            name: name.clone(),
            users: dependents.summary.clone(),
            next: dependents.next_step.clone(),
        }
        .into());
    }
    let place = cluster.place();
    let text = format!("Nothing uses {name}. To take the link away {place}, type its name:");
    if !asked.yes && !types_name(session.prompt.as_ref(), &text, name, "take it away")? {
        session.note(&format!("{name} stays; nothing has changed."));
        return Ok(Exit::Not);
    }
    cluster.delete(&vault).await.map_err(refused)?;
    let uid = vault.uid().unwrap_or_default();
    if !matches!(cluster.goes::<KeyVault>((name, &uid), GONE).await, Ok(true)) {
        session.note(&format!(
            "{name} is being taken away, and something still holds it. To see what: kubectl connections vault list {name}"
        ));
        return Ok(Exit::Unclear);
    }
    session.note(&format!(
        "{name} is no longer linked. Nothing has changed in the vault itself."
    ));
    Ok(Exit::Done)
}

/// Consent to a link that is about to be made.
fn agreed(error: crate::cli::consent::ConsentError) -> Failure {
    AgreeError::from(error).into()
}

use consent::LOOKED;
