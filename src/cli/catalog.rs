//! `catalog check`: what connection types in files would break once applied, told before.

mod effects;
mod refusals;
#[cfg(test)]
mod tests;

use super::consent::manifests::Manifests;
use super::with_causes;
use crate::api::{Connection, ConnectionType, Dataset, Enrichment, Export};
use crate::cluster::ObjectKey;
use crate::cluster::guard::Guarded;
use crate::cluster::listing::{everywhere, is_absent, within};
use crate::cluster::trial::{self, Trial};
use crate::governance::connection_types::misleading;
use crate::governance::message::{bounded, quoted};
use effects::Effects;
use jiff::Timestamp;
use kube::{Client, Resource, ResourceExt};
use serde_json::Value;
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
    /// What is there and can't be read, as sentences.
    pub unread: Vec<String>,
}

impl Present {
    /// Reads it as whoever the kubeconfig is for. What can't be read by itself is left out, as the operator does.
    ///
    /// # Errors
    /// When the API server doesn't tell, as a sentence.
    pub async fn read(client: &Client, namespace: Option<&str>) -> Result<Self, String> {
        if let Some(namespace) = namespace
            && is_absent(client, namespace)
                .await
                .map_err(|error| with_causes(&error))?
        {
            return Err(format!(
                "there is no namespace {}: correct the name after --namespace, or leave it out to look at all",
                quoted(namespace)
            ));
        }
        let mut unread = Vec::new();
        Ok(Self {
            types: told("connection types", everywhere(client).await, &mut unread)?,
            connections: told("connections", within(client, namespace).await, &mut unread)?,
            exports: told("exports", within(client, namespace).await, &mut unread)?,
            enrichments: told("enrichments", within(client, namespace).await, &mut unread)?,
            datasets: told("datasets", within(client, namespace).await, &mut unread)?,
            unread,
        })
    }
}

fn told<K: Resource<DynamicType = ()>>(
    what: &str,
    read: Result<Vec<Guarded<K>>, kube::Error>,
    unread: &mut Vec<String>,
) -> Result<Vec<K>, String> {
    let read = read.map_err(|error| {
        let why = with_causes(&error);
        format!("the {what} can't be read, so nobody can tell what would break; --namespace looks at one namespace only, --offline at none: {why}")
    })?;
    let fitting = read.into_iter().filter_map(|object| {
        let place = named(&ObjectKey::of(&object));
        let sorted = object.0.map_err(|misfit| {
            let kind = K::kind(&()).to_lowercase();
            bounded(format!(
                "The {kind} {place} can't be read by this version, at {}: it was left out.",
                misfit.place
            ))
        });
        sorted.map_err(|sentence| unread.push(sentence)).ok()
    });
    Ok(fitting.collect())
}

fn named(ObjectKey { namespace, name }: &ObjectKey) -> String {
    if namespace.is_empty() {
        name.clone()
    } else {
        format!("{namespace}/{name}")
    }
}

/// A type in a file.
#[derive(Debug)]
pub struct Given {
    type_: ConnectionType,
    written: Value,
    /// Why the API server would refuse it, as sentences.
    refused: Vec<String>,
    /// Whether it may not be asked.
    untried: bool,
}

impl From<ConnectionType> for Given {
    fn from(type_: ConnectionType) -> Self {
        Self {
            type_,
            written: Value::Null,
            refused: Vec::new(),
            untried: false,
        }
    }
}

impl Given {
    fn new(type_: ConnectionType, written: Value, unknown: &[String]) -> Self {
        let refused = unknown.iter().map(|field| {
            format!("{field} is no field of a connection type: correct its name, or leave it out.")
        });
        Self {
            refused: refused.collect(),
            written,
            ..Self::from(type_)
        }
    }

    /// Has the API server try it.
    ///
    /// # Errors
    /// When it doesn't answer, as a sentence.
    pub async fn try_on(&mut self, client: &Client) -> Result<(), String> {
        let name = self.type_.name_any();
        let trial = trial::apply::<ConnectionType>(client, &name, &self.written).await;
        let trial = trial.map_err(|error| {
            format!(
                "the API server can't try the type {name}; --offline asks none: {}",
                with_causes(&error)
            )
        })?;
        match trial {
            Trial::Taken => {}
            Trial::Refused(why) => self.refused = vec![format!("The API server refuses it: {why}")],
            Trial::Forbidden => self.untried = true,
        }
        Ok(())
    }
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
pub fn types(request: &Request) -> Result<Vec<Given>, String> {
    let mut manifests = Manifests::default();
    if let Some(error) = manifests.read_all(&request.files).first() {
        return Err(with_causes(error));
    }
    if manifests.types.is_empty() {
        return Err("there is no ConnectionType in these files: name one that holds one".to_owned());
    }
    let pairs = manifests.types.into_iter().zip(manifests.written);
    Ok(pairs
        .map(|(type_, (written, unknown))| Given::new(type_, written, &unknown))
        .collect())
}

/// What would become of everything that is there, type by type, for people; and what that comes to.
#[must_use]
pub fn check(types: &[Given], present: Option<&Present>, now: Timestamp) -> (Outcome, String) {
    let effects = types.iter().map(|given| {
        let effects = Effects::of(&given.type_, present, now).refused(&given.refused);
        (effects.outcome(), effects.told(&given.type_.name_any()))
    });
    let (outcome, mut text) = effects.fold(
        (Outcome::Fits, String::new()),
        |(worst, text), (outcome, told)| (worst.max(outcome), format!("{text}{told}")),
    );
    for given in types {
        if let Some(problem) = misled(&given.type_, types, present) {
            text = format!("{text}{}: {problem}\n", bounded(given.type_.name_any()));
        }
    }
    for sentence in present.iter().flat_map(|present| &present.unread) {
        text = format!("{text}{sentence}\n");
    }
    if present.is_none() {
        text += "No cluster was asked, so the rules of the schema itself weren't checked.\n";
    } else if types.iter().any(|given| given.untried) {
        text +=
            "You may not apply connection types here, so the rules of the schema itself weren't checked.\n";
    }
    (outcome, text)
}

/// What is amiss with its replacement, as far as the files, or they and the cluster, tell. It breaks nothing.
fn misled(type_: &ConnectionType, files: &[Given], present: Option<&Present>) -> Option<String> {
    let name = type_.spec.deprecated.as_ref()?.replacement.as_ref()?;
    let there = present.iter().flat_map(|present| &present.types);
    let mut all = files.iter().map(|given| &given.type_).chain(there);
    let found = all.find(|other| other.name_any() == name.as_str());
    (found.is_some() || present.is_some()).then(|| misleading(&type_.spec, found))?
}
