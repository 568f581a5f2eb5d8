//! Which rows and columns of a dataset are sent, and what the columns are called at the destination.

mod columns;
mod condition;
mod reason;

#[cfg(test)]
mod tests;

pub use columns::ColumnFault;
pub use condition::ConditionFault;

use crate::fault::Fault;
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use columns::Columns;
use condition::Condition;
use connection_operator::api::run::{FailureClass, Persistence, PlannedDataset};
use std::collections::BTreeSet;
use std::sync::Arc;
use thiserror::Error;

/// What is chosen of a dataset.
pub struct Choice {
    dataset: String,
    /// The places in the dataset of the columns that are needed, in order.
    needed: Vec<usize>,
    /// The places among those of the columns that are sent.
    sent: Vec<usize>,
    schema: SchemaRef,
    condition: Option<Condition>,
}

/// The choice doesn't fit the dataset.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChoiceFault {
    /// Its columns don't.
    #[error(transparent)]
    Columns(#[from] ColumnFault),
    /// Its condition doesn't.
    #[error(transparent)]
    Condition(#[from] ConditionFault),
}

impl Fault for ChoiceFault {
    fn class(&self) -> FailureClass {
        FailureClass::User
    }

    fn persistence(&self) -> Persistence {
        Persistence::Permanent
    }
}

impl Choice {
    /// What a plan chooses of a dataset with these columns.
    ///
    /// # Errors
    /// When it names columns that aren't there, or its condition can't be gone by.
    pub fn new(planned: &PlannedDataset, schema: &Schema) -> Result<Self, ChoiceFault> {
        let dataset = planned.dataset.as_str();
        let columns = Columns::new(planned, schema)?;
        let written = planned.where_.as_deref();
        let condition = written
            .map(|text| Condition::parse(dataset, text, schema))
            .transpose()?;
        let asked = condition.as_ref().map(|condition| condition.columns(schema));
        let places = columns.places.iter().copied();
        let needed: BTreeSet<usize> = places.chain(asked.into_iter().flatten()).collect();
        let needed: Vec<usize> = needed.into_iter().collect();
        let place = |column: &usize| needed.binary_search(column).unwrap_or_default();
        let sent = columns.places.iter().map(place).collect();
        let read = schema.project(&needed).map_err(|_| ColumnFault::None {
            dataset: dataset.to_owned(),
        })?;
        let condition = condition.map(|condition| condition.over(&read)).transpose()?;
        Ok(Self {
            dataset: dataset.to_owned(),
            needed,
            sent,
            schema: columns.schema,
            condition,
        })
    }

    /// The places in the dataset of the columns that must be read.
    #[must_use]
    pub fn needed(&self) -> &[usize] {
        &self.needed
    }

    /// The columns as they are sent.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What is sent of a batch of the needed columns.
    ///
    /// # Errors
    /// When the condition can't be judged for a row of it.
    pub fn of(&self, batch: &RecordBatch) -> Result<RecordBatch, ChoiceFault> {
        let kept = match &self.condition {
            Some(condition) => condition.keep(batch)?,
            None => batch.clone(),
        };
        let arrays = self.sent.iter().map(|place| Arc::clone(kept.column(*place)));
        let options = RecordBatchOptions::new().with_row_count(Some(kept.num_rows()));
        let renamed = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays.collect(), &options);
        renamed.map_err(|_| {
            ColumnFault::None {
                dataset: self.dataset.clone(),
            }
            .into()
        })
    }
}
