//! An enrichment: a file that a provider has, joined to the rows of the input, becomes the output.
//!
//! Flow: what is wrong with the input or the output's path is known before anybody is asked. The file comes in pieces
//! and becomes a [table](table) in memory, of bounded size. Then the input is read once, in batches, and each row that the table
//! has a line for is written. Guarantees: the output is the one of before or the whole new one; the input isn't
//! written, as nothing here opens it for that, nor is it mounted so.

mod fault;
mod join;
mod output;
mod pieces;
mod table;
mod write;

#[cfg(test)]
mod tests;

pub use fault::{FileFault, InputFault, OutputFault, OutputTrouble};
pub use output::Draft;
pub use pieces::Pieces;

use crate::fault::{Ended, Stop};
use crate::progress::Tally;
use crate::rows::Choice;
use crate::source::{Source, text};
use arrow::datatypes::Schema;
use connection_operator::api::dataset::{Compression, Format};
use connection_operator::api::reference::ColumnName;
use connection_operator::api::run::{PlannedDataset, PlannedEnrichment};
use connection_operator::governance::message::quoted;
use join::Join;
use output::Place;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use table::{TABLE_MAX, Table};
use write::Writer;

/// How the provider's file is written.
#[derive(Clone, Copy, Debug)]
pub struct FileForm {
    /// What separates the fields of a line.
    pub delimiter: u8,
    /// Whether it is packed by gzip.
    pub gzip: bool,
}

/// Rows of the input, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Those that stand in the output.
    pub enriched: usize,
    /// Those that the file has no line for.
    pub not_matched: usize,
}

/// An enrichment that can run.
pub struct Enrichment {
    input: Source,
    choice: Choice,
    mapping: BTreeMap<String, ColumnName>,
    place: Place,
    format: Format,
}

impl Enrichment {
    /// Looks at the input, below the folder of volumes, and for a place for the output, below the folder where that's volume is.
    ///
    /// # Errors
    /// When one isn't there, or they aren't what the plan and the datasets say.
    pub fn open(
        planned: &PlannedEnrichment,
        (volumes, output): (&Path, &Path),
        run: &str,
    ) -> Result<Self, Ended> {
        let format = write::checked(&planned.output)?;
        let input = Source::open(&planned.input, volumes)?;
        check(planned, input.schema())?;
        let choice = Choice::new(&chosen(planned), input.schema())?;
        let place = Place::find(planned, &input, (output, run))?;
        Ok(Self {
            input,
            choice,
            mapping: planned.mapping.clone(),
            place,
            format,
        })
    }

    /// Joins the file to the input, until `stopped` says not to go on: the output is whole and has no final name yet.
    ///
    /// # Errors
    /// When the file isn't what it should be, something in the input can't be read, or the output can't be written.
    pub fn run(
        self,
        file: impl Read + Send + 'static,
        form: FileForm,
        tally: &Tally,
        stopped: &AtomicBool,
    ) -> Result<(Draft, Joined), Ended> {
        let text = text(file, form.gzip.then_some(Compression::Gzip)).map_err(|_| FileFault::Broken)?;
        let table = Table::read(text, (form.delimiter, TABLE_MAX), self.mapping.keys())?;
        let join = Join::new(&self.mapping, self.choice.schema(), table)?;
        let (draft, file) = self.place.draft()?;
        let mut writer = Writer::new(&self.format, file, join.schema())
            .map_err(|trouble| trouble.of_dataset(draft.dataset()))?;
        let mut joined = Joined::default();
        for batch in self.input.batches(self.choice.needed())? {
            if stopped.load(Ordering::Relaxed) {
                return Err(Ended::Stopped(Stop::Told)); // whoever stops it says why
            }
            let batch = batch?;
            tally.read(batch.num_rows());
            let chosen = self.choice.of(&batch)?;
            let matches = join.matches(&chosen)?;
            joined.enriched += matches.len();
            joined.not_matched += chosen.num_rows() - matches.len();
            for some in join.portions(&matches) {
                let rows = join.rows(&chosen, some)?;
                writer
                    .write(&rows)
                    .map_err(|trouble| trouble.of_dataset(draft.dataset()))?;
                tally.wrote(rows.num_rows());
            }
        }
        let written = writer.finish();
        written.map_err(|trouble| trouble.of_dataset(draft.dataset()))?;
        Ok((draft, joined))
    }
}

/// The input with the columns that the mapping names, each once, in its order.
fn chosen(planned: &PlannedEnrichment) -> PlannedDataset {
    let mut input = planned.input.clone();
    for column in planned.mapping.values() {
        if !input.columns.contains(column) {
            input.columns.push(column.clone());
        }
    }
    input
}

/// That there is a mapping, and that the input has its columns.
fn check(planned: &PlannedEnrichment, schema: &Schema) -> Result<(), InputFault> {
    let dataset = planned.input.dataset.to_string();
    if planned.mapping.is_empty() {
        return Err(InputFault::NoMapping);
    }
    let columns = planned.mapping.values();
    let mut names: Vec<String> = columns
        .filter(|column| schema.index_of(column.as_str()).is_err())
        .map(|column| quoted(column.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Ok(());
    }
    Err(InputFault::Unknown {
        dataset,
        names,
        count: schema.fields().len(),
    })
}
