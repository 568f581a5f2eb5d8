//! What the service at the other end takes: how many datasets and members, with which identifying columns, and each
//! but once. Judged from what types and datasets declare; no dataset is ever read.

use super::Standing;
use super::message::sentences;
use super::parameters::{CompiledType, effective};
use crate::api::Reason;
use crate::api::connection::{ConnectionSpec, Parameters};
use crate::api::connection_type::{LimitScope, Limits, ParameterType};
use crate::api::dataset::Dataset;
use crate::api::enrichment::EnrichmentInput;
use crate::api::export::{Export, PayloadItem};
use crate::api::reference::ColumnName;
use std::sync::Arc;

mod identity;

#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod tests;

/// What the parameters of a type are set to, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// What the connection says of itself.
    pub connection: &'a Parameters,
    /// What the connection fixes for all that is on it.
    pub fixed: &'a Parameters,
    /// What the export or enrichment chose.
    pub chosen: &'a Parameters,
}

impl<'a> Settings<'a> {
    /// Those of an export or enrichment on a connection.
    #[must_use]
    pub fn of(connection: &'a ConnectionSpec, chosen: &'a Parameters) -> Self {
        Self {
            connection: &connection.parameters,
            fixed: &connection.fixed_export_parameters,
            chosen,
        }
    }
}

/// All that one export or enrichment hands to the service.
#[derive(Clone, Debug, Default)]
pub struct Load<'a> {
    /// Each dataset of it.
    pub items: Vec<Item<'a>>,
    /// When it was created, in seconds, and its name: which of two is older.
    pub age: Age,
    /// The other exports on the same connection, if the type limits them together.
    pub others: Vec<(Age, i64)>,
}

/// What decides who is older: the time of creation in seconds, then the name.
pub type Age = (i64, String);

/// One dataset that is handed over.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// The field that names it, such as `spec.payload`.
    pub field: &'static str,
    /// The dataset's name.
    pub name: &'a str,
    /// The dataset, if it exists.
    pub dataset: Option<Arc<Dataset>>,
    /// The columns that go out; all if empty.
    pub columns: &'a [ColumnName],
    /// The service's fields that are filled by name.
    pub mapped: Vec<&'a str>,
    /// Whether only some of its rows go out.
    pub filtered: bool,
    /// The other exports that send it over the same connection.
    pub twins: Vec<Twin>,
}

/// Another export that sends the same dataset over the same connection.
#[derive(Clone, Debug)]
pub struct Twin {
    /// Its age.
    pub age: Age,
    /// What it chooses there.
    pub chosen: Parameters,
    /// Whether it sends the same rows.
    pub same_rows: bool,
}

impl Twin {
    /// Another export of this age, if it sends the dataset of this item.
    #[must_use]
    pub fn of(item: &PayloadItem, other: &Export, age: Age) -> Option<Self> {
        let theirs = other
            .spec
            .payload
            .iter()
            .filter(|theirs| theirs.dataset == item.dataset);
        let theirs: Vec<&PayloadItem> = theirs.collect();
        (!theirs.is_empty()).then(|| Self {
            age,
            chosen: other.spec.parameters.clone(),
            same_rows: theirs.iter().any(|theirs| theirs.where_ == item.where_),
        })
    }
}

impl<'a> Item<'a> {
    /// One dataset of an export's payload, as far as the export itself and the dataset tell.
    #[must_use]
    pub fn of_payload(item: &'a PayloadItem, dataset: Option<Arc<Dataset>>) -> Self {
        Self {
            field: "spec.payload",
            name: item.dataset.as_str(),
            dataset,
            columns: &item.columns,
            mapped: Vec::new(),
            filtered: item.where_.is_some(),
            twins: Vec::new(),
        }
    }

    /// What an enrichment reads.
    #[must_use]
    pub fn of_input(input: &'a EnrichmentInput, dataset: Option<Arc<Dataset>>) -> Self {
        Self {
            field: "spec.input",
            name: input.dataset.as_str(),
            dataset,
            columns: &[],
            mapped: input.mapping.keys().map(String::as_str).collect(),
            filtered: input.where_.is_some(),
            twins: Vec::new(),
        }
    }
}

/// What is wrong, if anything, by the terms of a connection's type.
#[must_use]
pub fn judge(type_: &CompiledType, settings: &Settings<'_>, load: &Load<'_>) -> Option<Standing> {
    let limits = type_.spec.limits.clone().unwrap_or_default();
    let each = load.items.iter().flat_map(|item| {
        [
            identity::missing(type_, settings, item),
            too_small(&type_.name, item, &limits),
            too_large(&type_.name, item, &limits),
            sent_twice(type_, settings, item, &load.age),
        ]
    });
    let whole = [
        too_many_datasets(&type_.name, load, &limits),
        too_many_members(&type_.name, load, &limits),
    ];
    let problems: Vec<(Reason, String)> = whole.into_iter().chain(each).flatten().collect();
    let (reason, _) = problems.first()?;
    let reason = *reason;
    let texts: Vec<String> = problems.into_iter().map(|(_, text)| text).collect();
    Some(Standing::unmet(reason, sentences(&texts)))
}

type Problem = Option<(Reason, String)>;

fn too_many_datasets(type_: &str, load: &Load<'_>, limits: &Limits) -> Problem {
    let most = usize::try_from(limits.max_datasets?).ok()?;
    let count = load.items.len();
    (count > most).then(|| {
        let text = format!(
            "spec.payload has {count} datasets, and the type {type_} takes at most {most} at once: make another export for \
             each of the others."
        );
        (Reason::TooManyDatasets, text)
    })
}

fn members(item: &Item<'_>) -> Option<i64> {
    item.dataset.as_ref()?.spec.members
}

/// Members that go out for certain: where only some rows do, nobody knows how many.
fn certain(item: &Item<'_>) -> Option<i64> {
    members(item).filter(|_| !item.filtered)
}

fn too_small(type_: &str, item: &Item<'_>, limits: &Limits) -> Problem {
    let (least, count) = (limits.min_members?, members(item)?);
    (count < least).then(|| {
        let text = format!(
            "{} names the dataset {} of {count} members, and the type {type_} takes {least} and more: name a larger one, \
             or have an administrator correct its spec.members.",
            item.field, item.name
        );
        (Reason::TooFewMembers, text)
    })
}

fn too_large(type_: &str, item: &Item<'_>, limits: &Limits) -> Problem {
    limits
        .max_members_per
        .filter(|scope| *scope == LimitScope::Dataset)?;
    let (most, count) = (limits.max_members?, certain(item)?);
    (count > most).then(|| {
        let text = format!(
            "{} names the dataset {} of {count} members, and the type {type_} takes at most {most} of each: send fewer of \
             them, or have an administrator correct its spec.members.",
            item.field, item.name
        );
        (Reason::TooManyMembers, text)
    })
}

fn too_many_members(type_: &str, load: &Load<'_>, limits: &Limits) -> Problem {
    let most = limits.max_members?;
    let own = load.items.iter().filter_map(certain).fold(0, i64::saturating_add);
    let older = load.others.iter().filter(|(age, _)| *age < load.age);
    let before = older.map(|(_, members)| *members).fold(0, i64::saturating_add);
    let text = match limits.max_members_per {
        Some(LimitScope::Destination) if before.saturating_add(own) > most && own > 0 => format!(
            "{own} members would go out, older exports on the connection send {before} already, and the type {type_} takes \
             at most {most} in all: send fewer of them."
        ),
        Some(LimitScope::Export) | None if own > most => format!(
            "{own} members would go out, and the type {type_} takes at most {most} of each export: send fewer of them, or \
             spread them over several exports."
        ),
        _ => return None, // it fits, or each dataset is told by itself
    };
    Some((Reason::TooManyMembers, text))
}

/// Members that an export sends for certain, as others must know.
#[must_use]
pub fn sent<'a>(items: impl Iterator<Item = (&'a Dataset, bool)>) -> i64 {
    items
        .filter(|(_, filtered)| !filtered)
        .filter_map(|(dataset, _)| dataset.spec.members)
        .fold(0, i64::saturating_add)
}

fn sent_twice(type_: &CompiledType, settings: &Settings<'_>, item: &Item<'_>, age: &Age) -> Problem {
    let fixed = settings.fixed;
    let mine = place(type_, fixed, settings.chosen);
    let same_file = is_file_of_dataset(type_);
    let older = item.twins.iter().filter(|twin| twin.age < *age);
    let clashing = older.filter(|twin| same_file || twin.same_rows);
    let clashing = clashing.filter(|twin| place(type_, fixed, &twin.chosen) == mine);
    let oldest = &clashing.min_by_key(|twin| &twin.age)?.age.1;
    let (field, name) = (item.field, item.name);
    let text = if same_file {
        format!(
            "{field} names the dataset {name}, and the export {oldest}, the older of the two, writes the same file of it: \
             choose another place by parameters, or leave it out."
        )
    } else {
        format!(
            "{field} names the dataset {name}, whose same rows the export {oldest}, the older of the two, sends to the same \
             place: choose other rows by where, another place by parameters, or leave it out."
        )
    };
    Some((Reason::DatasetSentTwice, text))
}

/// Whether a dataset becomes a file that is called after it alone, so that two exports of it would overwrite each other's.
fn is_file_of_dataset(type_: &CompiledType) -> bool {
    let connector = type_.spec.connector.as_ref();
    connector.is_some_and(|connector| FILES_OF_DATASETS.contains(&connector.as_str()))
}

/// The connectors that call files so.
const FILES_OF_DATASETS: [&str; 3] = ["azure-blob", "s3", "sftp"];

/// Where at the destination it goes, as far as exports decide that: texts and numbers name lists, folders and tables;
/// the rest says how.
fn place<'a>(type_: &'a CompiledType, fixed: &Parameters, chosen: &'a Parameters) -> Vec<Option<&'a str>> {
    let free = type_
        .spec
        .export_parameters
        .iter()
        .filter(|parameter| !fixed.contains_key(parameter.name.as_str()));
    free.filter(|parameter| matches!(parameter.type_, ParameterType::String | ParameterType::Integer))
        .map(|parameter| effective(parameter, chosen))
        .collect()
}
