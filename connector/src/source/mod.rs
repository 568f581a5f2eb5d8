//! Datasets: the files of a volume, read as batches of rows of bounded size, so that memory stays flat.
//!
//! What a file holds isn't to be trusted: rows, columns and files are bounded, links lead nowhere outside of the volume,
//! and whatever is wrong is told by file and row, never by what stands there.

mod csv;
mod fault;
mod files;
mod flat;
mod ndjson;
mod parquet;
mod records;
mod unpack;

#[cfg(test)]
mod tests;

pub use csv::delimiter;
pub use fault::{Place, SourceFault, Trouble};
pub(crate) use files::Files;
pub use records::{Break, Records};
pub use unpack::text;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use connection_operator::api::dataset::FormatType;
use connection_operator::api::run::PlannedDataset;
use std::collections::BTreeSet;
use std::path::Path;

/// Most rows of a batch.
const BATCH_ROWS: usize = 8192;
/// The size after which a batch of text is full, in bytes.
const BATCH_BYTES: usize = 4 << 20;
/// What a value takes beside its own bytes, at most.
const CELL_BYTES: usize = 16;
/// Longest row of a text file, in bytes.
const ROW_MAX: usize = 16 << 20;
/// Most columns of a file.
const COLUMNS_MAX: usize = 4096;

/// Batches of a dataset, one after the other.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, SourceFault>> + Send>;

/// A dataset whose columns are known.
pub struct Source {
    schema: SchemaRef,
    files: Files,
    kind: Kind,
}

enum Kind {
    Csv(csv::Form),
    NdJson(Option<connection_operator::api::dataset::Compression>),
    Parquet,
}

impl Source {
    /// Looks for the dataset below the folder of volumes, and reads what its columns are.
    ///
    /// # Errors
    /// When there is none, or its files aren't what the dataset says.
    pub fn open(planned: &PlannedDataset, volumes: &Path) -> Result<Self, SourceFault> {
        let dataset = planned.dataset.as_str();
        let volume = planned.location.volume.as_ref();
        let volume = volume.ok_or_else(|| Trouble::NotOnVolume.of(dataset))?;
        let format = planned.format.as_ref();
        let format = format.ok_or_else(|| Trouble::NotOnVolume.of(dataset))?;
        let files = Files::find(dataset, &volumes.join(volume.claim_name.as_str()), &volume.path)?;
        let (schema, kind) = match format.type_ {
            FormatType::Csv => {
                let form = csv::Form::of(format).map_err(|trouble| trouble.of(dataset))?;
                (csv::schema(&files, form)?, Kind::Csv(form))
            }
            FormatType::NdJson => (
                ndjson::schema(&files, format.compression)?,
                Kind::NdJson(format.compression),
            ),
            FormatType::Parquet if format.compression.is_some() => {
                return Err(Trouble::ParquetCompressed.of(dataset));
            }
            FormatType::Parquet => (parquet::schema(&files)?, Kind::Parquet),
        };
        check(dataset, &schema)?;
        Ok(Self { schema, files, kind })
    }

    /// Its columns.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Its files.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// Its rows, with only the columns at these places of the schema, in that order.
    ///
    /// # Errors
    /// When there are no such columns.
    pub fn batches(self, columns: &[usize]) -> Result<Batches, SourceFault> {
        let schema = self.schema.project(columns);
        let schema = schema.map_err(|_| Trouble::NoColumns.of(&self.files.dataset))?;
        let schema = SchemaRef::new(schema);
        Ok(match self.kind {
            Kind::Csv(form) => csv::batches(self.files, form, &self.schema, schema),
            Kind::NdJson(compression) => ndjson::batches(self.files, compression, schema),
            Kind::Parquet => parquet::batches(self.files, self.schema, columns.to_vec()),
        })
    }
}

/// Columns that can be told apart, and not too many of them.
fn check(dataset: &str, schema: &Schema) -> Result<(), SourceFault> {
    if schema.fields().is_empty() {
        return Err(Trouble::NoColumns.of(dataset));
    }
    if schema.fields().len() > COLUMNS_MAX {
        return Err(Trouble::TooManyColumns.of(dataset));
    }
    let mut seen = BTreeSet::new();
    let twice = schema
        .fields()
        .iter()
        .position(|field| !seen.insert(field.name()));
    match twice {
        Some(place) => Err(Trouble::ColumnTwice(place + 1).of(dataset)),
        None => Ok(()),
    }
}
