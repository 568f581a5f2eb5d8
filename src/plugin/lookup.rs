//! Finds what somebody named, or says what they may have meant.

use super::cluster::{Cluster, ClusterError, Kept};
use super::exit::{Exit, Fault};
use super::screen::nearest::nearest;
use kube::ResourceExt;
use thiserror::Error;

/// Why it isn't found.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LookupError {
    /// There is none of that name.
    #[error("There is no {noun} {name:?} in the namespace {namespace}.{hint}")]
    Missing {
        /// What it is.
        noun: String,
        /// Its name.
        name: String,
        /// Where it was looked for.
        namespace: String,
        /// What may have been meant, as a sentence.
        hint: String,
    },
    /// Whether there is isn't theirs to know.
    #[error(
        "You may not read {noun}s in the namespace {namespace}: that is for its administrators, who can tell you more. What \
         you may do there: kubectl auth can-i --list -n {namespace}"
    )]
    NoRights {
        /// What it is.
        noun: String,
        /// Where.
        namespace: String,
    },
    /// The cluster doesn't answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl Fault for LookupError {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } | Self::NoRights { .. } => Exit::Not,
            Self::Cluster(error) => error.exit(),
        }
    }
}

impl LookupError {
    /// Whether a right is missing.
    #[must_use]
    pub const fn is_forbidden(&self) -> bool {
        matches!(self, Self::NoRights { .. })
    }
}

/// The object of this name.
///
/// # Errors
/// If it isn't there, or can't be told.
pub async fn find<K: Kept>(cluster: &Cluster, name: &str) -> Result<K, LookupError> {
    let error = match cluster.get::<K>(name).await {
        Ok(object) => return Ok(object),
        Err(error) => error,
    };
    let noun = noun(&K::kind(&()));
    if error.is_forbidden() {
        return Err(LookupError::NoRights {
            noun,
            namespace: cluster.namespace.clone(),
        });
    }
    if !error.is_not_found() {
        return Err(error.into());
    }
    let selection = cluster.here();
    // Where they can't be listed nothing is suggested.
    let known = match cluster.metadata::<K>(&selection).await {
        Err(error) if error.is_forbidden() => Vec::new(),
        known => known?,
    };
    let known: Vec<String> = known.iter().map(ResourceExt::name_any).collect();
    Err(LookupError::Missing {
        hint: hint(name, &known),
        noun,
        name: name.to_owned(),
        namespace: cluster.namespace.clone(),
    })
}

fn hint(name: &str, known: &[String]) -> String {
    let meant = nearest(name, known.iter().map(String::as_str));
    meant.map_or_else(String::new, |meant| format!(" Did you mean {meant}?"))
}

fn noun(kind: &str) -> String {
    match kind {
        "KeyVault" => "key vault".to_owned(),
        "ConnectionType" => "connection type".to_owned(),
        "SharedConnection" => "shared connection".to_owned(),
        kind => kind.to_lowercase(),
    }
}
