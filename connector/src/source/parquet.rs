//! Parquet: columns have types, and only those that are wanted are read.

use super::fault::{SourceFault, Trouble};
use super::files::Files;
use super::{BATCH_BYTES, Batches};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;
use std::fs::File;

/// Most rows of a batch: a file says how large its rows are with repeated values counted once.
const ROWS_MAX: usize = 1024;
const WHOLE: &str = "a whole Parquet file that isn't encrypted";

/// The columns, by the first file.
pub fn schema(files: &Files) -> Result<SchemaRef, SourceFault> {
    Ok(SchemaRef::clone(open(files, 0)?.schema()))
}

fn open(files: &Files, file: usize) -> Result<ParquetRecordBatchReaderBuilder<File>, SourceFault> {
    // What Arrow's own writers put beside the types of Parquet could claim types that the data hasn't.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let opened = ParquetRecordBatchReaderBuilder::try_new_with_options(files.open(file)?, options);
    opened.map_err(|_| Trouble::Broken(files.place(file, 0), WHOLE).of(&files.dataset))
}

/// How many rows a batch of this file may have, so that it isn't large where rows are: by what the file says of its row groups
/// before they are compressed.
fn batch_rows(file: &ParquetMetaData) -> usize {
    let largest = file.row_groups().iter().map(|group| {
        let rows = usize::try_from(group.num_rows()).unwrap_or_default().max(1);
        usize::try_from(group.total_byte_size()).unwrap_or_default() / rows
    });
    let row = largest.max().unwrap_or_default().max(1);
    (BATCH_BYTES / row).clamp(1, ROWS_MAX)
}

/// The rows of all files.
pub fn batches(files: Files, whole: SchemaRef, columns: Vec<usize>) -> Batches {
    Box::new(Reading {
        files,
        whole,
        columns,
        next: 0,
        row: 0,
        open: None,
    })
}

struct Reading {
    files: Files,
    whole: SchemaRef,
    columns: Vec<usize>,
    next: usize,
    row: u64,
    open: Option<ParquetRecordBatchReader>,
}

impl Iterator for Reading {
    type Item = Result<RecordBatch, SourceFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(open) = &mut self.open else {
                if self.next == self.files.len() {
                    return None;
                }
                let opened = self.open();
                self.next += 1;
                self.row = 0;
                match opened {
                    Ok(open) => self.open = Some(open),
                    Err(fault) => return Some(Err(fault)),
                }
                continue;
            };
            match open.next() {
                Some(Ok(batch)) => {
                    self.row += batch.num_rows() as u64;
                    return Some(self.in_order(&batch));
                }
                Some(Err(_)) => return Some(Err(self.broken())),
                None => self.open = None,
            }
        }
    }
}

impl Reading {
    fn open(&self) -> Result<ParquetRecordBatchReader, SourceFault> {
        let builder = open(&self.files, self.next)?;
        if builder.schema().fields() != self.whole.fields() {
            return Err(Trouble::ColumnsDiffer(self.files.place(self.next, 0)).of(&self.files.dataset));
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), self.columns.iter().copied());
        let rows = batch_rows(builder.metadata());
        let reader = builder.with_projection(mask).with_batch_size(rows).build();
        reader.map_err(|_| Trouble::Broken(self.files.place(self.next, 0), WHOLE).of(&self.files.dataset))
    }

    /// Parquet gives columns in the order of the file.
    fn in_order(&self, batch: &RecordBatch) -> Result<RecordBatch, SourceFault> {
        let mut read = self.columns.clone();
        read.sort_unstable();
        let places = self
            .columns
            .iter()
            .map(|column| read.binary_search(column).unwrap_or_default());
        batch
            .project(&places.collect::<Vec<_>>())
            .map_err(|_| self.broken())
    }

    fn broken(&self) -> SourceFault {
        let place = self.files.place(self.next.saturating_sub(1), self.row + 1);
        Trouble::Broken(place, WHOLE).of(&self.files.dataset)
    }
}
