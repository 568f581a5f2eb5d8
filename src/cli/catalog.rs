//! `catalog check`: what connection types in files would break once applied, told before.

mod effects;
#[cfg(test)]
mod tests;

use super::consent::manifests::Manifests;
use super::with_causes;
use crate::api::{Connection, ConnectionType, Dataset, Enrichment, Export};
use crate::cluster::listing::{everywhere, within};
use effects::Effects;
use jiff::Timestamp;
use kube::{Client, ResourceExt};
use std::path::PathBuf;

/// Which types, and whether to ask a cluster.
#[derive(clap::Args, Clone, Debug)]
pub struct Request {
    /// Files and folders with manifests of connection types; `-` is the standard input.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub files: Vec<PathBuf>,
    /// Only tell whether each type fits together; no cluster is asked.
    #[arg(long)]
    pub offline: bool,
    /// Look at one namespace only, such as where one may not read the others.
    #[arg(short, long)]
    pub namespace: Option<String>,
}

/// What is there and may be broken, and the types as they are.
#[derive(Default)]
pub struct Present {
    /// Connection types.
    pub types: Vec<ConnectionType>,
    /// Connections of any type.
    pub connections: Vec<Connection>,
    /// Exports.
    pub exports: Vec<Export>,
    /// Enrichments.
    pub enrichments: Vec<Enrichment>,
    /// What they read.
    pub datasets: Vec<Dataset>,
}

impl Present {
    /// Reads it as whoever the kubeconfig is for.
    ///
    /// # Errors
    /// When something can't be read, as a sentence.
    pub async fn read(client: &Client, namespace: Option<&str>) -> Result<Self, String> {
        Ok(Self {
            types: told("connection types", everywhere(client).await)?,
            connections: told("connections", within(client, namespace).await)?,
            exports: told("exports", within(client, namespace).await)?,
            enrichments: told("enrichments", within(client, namespace).await)?,
            datasets: told("datasets", within(client, namespace).await)?,
        })
    }
}

fn told<T>(what: &str, read: Result<T, kube::Error>) -> Result<T, String> {
    read.map_err(|error| {
        let why = with_causes(&error);
        format!("the {what} can't be read, so nobody can tell what would break; --namespace looks at one namespace only, --offline at none: {why}")
    })
}

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing breaks.
    Fits,
    /// Something does.
    Breaks,
    /// It can't be told.
    Unclear,
}

/// Reads the types in files.
///
/// # Errors
/// Why one can't be read, as a sentence.
pub fn types(request: &Request) -> Result<Vec<ConnectionType>, String> {
    let mut manifests = Manifests::default();
    if let Some(error) = manifests.read_all(&request.files).first() {
        return Err(with_causes(error));
    }
    if manifests.types.is_empty() {
        return Err("there is no ConnectionType in these files: name one that holds one".to_owned());
    }
    Ok(manifests.types)
}

/// What would become of everything that is there, type by type, for people; and what that comes to.
#[must_use]
pub fn check(types: &[ConnectionType], present: Option<&Present>, now: Timestamp) -> (Outcome, String) {
    let effects = types.iter().map(|type_| {
        let effects = Effects::of(type_, present, now);
        (effects.outcome(), effects.told(&type_.name_any()))
    });
    effects.fold(
        (Outcome::Fits, String::new()),
        |(worst, text), (outcome, told)| (worst.max(outcome), format!("{text}{told}")),
    )
}
