//! `consent`: what somebody agrees to who puts a digest into a manifest, told without a cluster.

mod check;
mod explanation;
pub(super) mod manifests;
#[cfg(test)]
mod tests;

use crate::connection_type::catalog::{CatalogError, connection_types};
use crate::governance::message::{bounded, listed, sentences};
use manifests::Manifests;
use std::path::PathBuf;
use thiserror::Error;

pub use check::{Checked, Outcome, check};
pub use explanation::Explanation;
pub use manifests::Manifest;

/// Which manifests, and where what they describe stands.
#[derive(clap::Args, Clone, Debug)]
pub struct Request {
    /// Files with manifests of connections and key vaults, and of connection types that the catalog lacks; `-` is the
    /// standard input.
    #[arg(
        short,
        long = "filename",
        value_name = "FILE",
        required_unless_present = "check"
    )]
    pub files: Vec<PathBuf>,
    /// Only tell whether each consent in these files and folders is to what its manifest says. The exit code is 0 if
    /// so, 1 if one isn't, and 2 if something can't be told, or if there is no connection and no key vault in them.
    #[arg(long, value_name = "FILE|FOLDER", num_args = 1.., conflicts_with = "files")]
    pub check: Vec<PathBuf>,
    /// The namespace of connections and key vaults whose manifests name none.
    #[arg(short, long)]
    pub namespace: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ConsentError {
    /// A file that isn't there, or not ours to read.
    #[error("{place} can't be read")]
    Unreadable {
        /// The file.
        place: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Not YAML.
    #[error("{place} isn't YAML")]
    NotYaml {
        /// The file.
        place: String,
        /// Where it goes wrong.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// A manifest of ours that lacks something or has something of the wrong form.
    #[error("{place} holds a {kind} that doesn't fit its kind{at}; kubectl explain {kind} tells what fits")]
    Unfit {
        /// The file.
        place: String,
        /// The kind.
        kind: String,
        /// Where, such as ` at spec.usedFor`; nothing if it is the whole.
        at: String,
        /// What doesn't fit.
        #[source]
        source: serde_json::Error,
    },
    /// Nothing to agree to.
    #[error("there is no Connection or KeyVault in {places}: name a file that holds one")]
    Nothing {
        /// The files.
        places: String,
    },
    /// A digest is for one namespace.
    #[error(
        "the {noun} {name} names no namespace, and consent is for one in one namespace: add metadata.namespace, or say \
         which by --namespace"
    )]
    NoNamespace {
        /// What it is.
        noun: &'static str,
        /// Its name.
        name: String,
    },
    /// The notice is the type's.
    #[error(
        "the connection {name} is of type {type_}, which is neither in the catalog nor in the given files ({known}): \
         give the file with the type's manifest too"
    )]
    TypeUnknown {
        /// The connection.
        name: String,
        /// Its type.
        type_: String,
        /// The types there are.
        known: String,
    },
    /// It would have to change, and then need consent again.
    #[error(
        "the connection {name} doesn't fit its type {type_}, so consent to it would be in vain: {problems}"
    )]
    Mistaken {
        /// The connection.
        name: String,
        /// Its type.
        type_: String,
        /// What is wrong, as sentences.
        problems: String,
    },
    /// The digest is for one place.
    #[error(
        "the key vault {name} doesn't name exactly one vault, so consent to it would be in vain: say under spec either \
         azureKeyVault or vault"
    )]
    NotOneVault {
        /// The key vault.
        name: String,
    },
    /// The catalog in this program is broken.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// For each connection and key vault in the files: the notice, the destination, the digest, and where to put it.
///
/// # Errors
/// See [`ConsentError`].
pub fn explain(request: &Request) -> Result<String, ConsentError> {
    let mut manifests = Manifests::default();
    for file in &request.files {
        manifests.read(file)?;
    }
    let places = request.files.iter().map(|file| file.display().to_string());
    told(
        manifests,
        request.namespace.as_deref(),
        &places.collect::<Vec<_>>().join(", "),
    )
}

fn told(mut manifests: Manifests, namespace: Option<&str>, places: &str) -> Result<String, ConsentError> {
    if manifests.subjects.is_empty() {
        return Err(ConsentError::Nothing {
            places: places.to_owned(),
        });
    }
    // What is given comes before what the catalog says.
    manifests.types.extend(connection_types()?);
    let explained = manifests
        .subjects
        .iter()
        .map(|placed| Explanation::of(&placed.manifest, &manifests.types, namespace))
        .map(|explained| explained.map(|it| it.to_string()));
    let explained: Vec<String> = explained.collect::<Result<_, _>>()?;
    Ok(explained.join("\n"))
}

/// A text that somebody wrote, on one line.
fn line(text: &str) -> String {
    bounded(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Names as an error lists them.
fn names(mut names: Vec<String>) -> String {
    names.sort_unstable();
    names.dedup();
    listed(&names)
}

/// Problems as an error tells them.
fn problems(problems: &[String]) -> String {
    bounded(sentences(problems))
}
