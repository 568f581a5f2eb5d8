//! Which columns are sent, and as what.

use crate::fault::Fault;
use arrow::datatypes::{Field, Schema, SchemaRef};
use connection_operator::api::reference::ColumnName;
use connection_operator::api::run::{FailureClass, Persistence, PlannedDataset};
use connection_operator::governance::message::{listed, quoted};
use std::collections::BTreeSet;
use std::sync::Arc;
use thiserror::Error;

/// The columns of a plan don't fit the dataset.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ColumnFault {
    /// Some aren't there. What is there isn't told: of a file without a head those are somebody's data.
    #[error(
        "The payload names columns that the dataset {dataset} doesn't have: {}. It has {count} others. Correct columns or rename \
         in spec.payload; capitals count. If its files begin without a line of names, say so in the dataset's spec.format.",
        listed(.names)
    )]
    Unknown {
        /// The dataset.
        dataset: String,
        /// What is named.
        names: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// Some are renamed and not sent.
    #[error("The payload renames columns of the dataset {dataset} that it doesn't send: {}. Add them to columns, or leave them out of rename.", listed(.names))]
    NotSent {
        /// The dataset.
        dataset: String,
        /// What is renamed.
        names: Vec<String>,
    },
    /// Two would be called the same.
    #[error(
        "The payload sends two columns of the dataset {dataset} as {name}: give each its own name by rename, and name each but once in columns."
    )]
    SameName {
        /// The dataset.
        dataset: String,
        /// What both would be called.
        name: String,
    },
    /// Some hold lists or objects.
    #[error(
        "The payload sends {count} columns of the dataset {dataset} that hold lists or objects, which a line of a file can't. Name the others in columns."
    )]
    Nested {
        /// The dataset.
        dataset: String,
        /// How many.
        count: usize,
    },
    /// What was read isn't what was asked for.
    #[error("The dataset {dataset} has files of different columns. Give all the same.")]
    None {
        /// The dataset.
        dataset: String,
    },
}

impl Fault for ColumnFault {
    fn class(&self) -> FailureClass {
        FailureClass::User
    }

    fn persistence(&self) -> Persistence {
        Persistence::Permanent
    }
}

/// The columns that are sent, in order.
pub struct Columns {
    /// Their places in the dataset.
    pub places: Vec<usize>,
    /// As they are called at the destination.
    pub schema: SchemaRef,
}

impl Columns {
    /// What a plan sends of a dataset with these columns.
    pub fn new(planned: &PlannedDataset, schema: &Schema) -> Result<Self, ColumnFault> {
        let dataset = planned.dataset.to_string();
        let asked = planned.columns.iter().map(ColumnName::as_str);
        let unknown: Vec<String> = asked
            .clone()
            .chain(planned.rename.keys().map(String::as_str))
            .filter(|name| schema.index_of(name).is_err())
            .map(quoted)
            .collect();
        if !unknown.is_empty() {
            return Err(ColumnFault::Unknown {
                dataset,
                names: unknown,
                count: schema.fields().len(),
            });
        }
        let places: Vec<usize> = if planned.columns.is_empty() {
            (0..schema.fields().len()).collect()
        } else {
            asked.filter_map(|name| schema.index_of(name).ok()).collect()
        };
        let sent: Vec<&Field> = places.iter().map(|place| schema.field(*place)).collect();
        check_rename(planned, &sent)?;
        let nested = sent.iter().filter(|field| field.data_type().is_nested());
        match nested.count() {
            0 => {}
            count => return Err(ColumnFault::Nested { dataset, count }),
        }
        let fields = sent.into_iter().map(|field| {
            let name = planned
                .rename
                .get(field.name())
                .map_or(field.name().as_str(), |name| name.as_str());
            Field::new(name, field.data_type().clone(), true)
        });
        let fields: Vec<Field> = fields.collect();
        let mut names = BTreeSet::new();
        if let Some(field) = fields.iter().find(|field| !names.insert(field.name())) {
            return Err(ColumnFault::SameName {
                dataset,
                name: quoted(field.name()),
            });
        }
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { places, schema })
    }
}

fn check_rename(planned: &PlannedDataset, sent: &[&Field]) -> Result<(), ColumnFault> {
    let idle = planned
        .rename
        .keys()
        .filter(|name| !sent.iter().any(|field| field.name() == *name));
    let names: Vec<String> = idle.map(|name| quoted(name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(ColumnFault::NotSent {
        dataset: planned.dataset.to_string(),
        names,
    })
}
