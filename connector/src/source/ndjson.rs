//! NDJSON: one JSON object a line. The columns are those of all lines, and their types what all values have in common:
//! the files are read once to know that, and once more for the rows.

use super::fault::{SourceFault, Trouble};
use super::files::Files;
use super::flat::Flat;
use super::unpack::{self, Line, Text};
use super::{BATCH_BYTES, BATCH_ROWS, Batches, CELL_BYTES, COLUMNS_MAX, ROW_MAX};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder;
use arrow::json::reader::{Decoder, infer_json_schema_from_iterator};
use connection_operator::api::dataset::Compression;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

const OBJECT: &str = "a JSON object in UTF-8 on each line";
const ONE_KIND: &str = "values of one kind in each column: text, numbers, true and false, or null";

/// The columns of all lines of all files.
pub fn schema(files: &Files, compression: Option<Compression>) -> Result<SchemaRef, SourceFault> {
    let mut lines = Lines::new(files, compression);
    let mut names = HashSet::new();
    let mut fault = None;
    let values = std::iter::from_fn(|| match object(&mut lines, &mut names) {
        Ok(object) => object.map(|object| Ok(Value::Object(object))),
        Err(found) => {
            fault = Some(found);
            None
        }
    });
    let inferred =
        infer_json_schema_from_iterator::<_, Value>(values.map(|value: Result<_, ArrowError>| value));
    if let Some(fault) = fault {
        return Err(fault);
    }
    let inferred = inferred.map_err(|_| lines.broken(ONE_KIND))?;
    Ok(Arc::new(inferred))
}

/// The next object; its keys are counted, as each may be one that no other line has.
fn object(
    lines: &mut Lines<&Files>,
    names: &mut HashSet<String>,
) -> Result<Option<Map<String, Value>>, SourceFault> {
    if !lines.read()? {
        return Ok(None);
    }
    let object: BTreeMap<String, Flat> =
        serde_json::from_slice(&lines.line).map_err(|_| lines.broken(OBJECT))?;
    for name in object.keys() {
        if !names.contains(name) {
            names.insert(name.clone());
        }
    }
    if names.len() > COLUMNS_MAX {
        return Err(Trouble::TooManyColumns.of(&lines.files.dataset));
    }
    let object = object.into_iter().map(|(name, Flat(value))| (name, value));
    Ok(Some(object.collect()))
}

/// The rows of all files.
pub fn batches(files: Files, compression: Option<Compression>, wanted: SchemaRef) -> Batches {
    let columns = wanted.fields().len();
    let builder = ReaderBuilder::new(wanted)
        .with_batch_size(BATCH_ROWS)
        .with_coerce_primitive(true); // where one column holds text and numbers, all of it is text
    let dataset = files.dataset.clone();
    match builder.build_decoder() {
        Ok(decoder) => Box::new(Reading {
            columns,
            lines: Lines::new(files, compression),
            decoder,
        }),
        Err(_) => Box::new(std::iter::once(Err(Trouble::NoColumns.of(&dataset)))),
    }
}

struct Reading {
    columns: usize,
    lines: Lines<Files>,
    decoder: Decoder,
}

impl Iterator for Reading {
    type Item = Result<RecordBatch, SourceFault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().transpose()
    }
}

impl Reading {
    fn batch(&mut self) -> Result<Option<RecordBatch>, SourceFault> {
        let (mut rows, mut bytes) = (0, 0);
        while rows < BATCH_ROWS && bytes < BATCH_BYTES && self.lines.read()? {
            self.lines.line.push(b'\n');
            let decoded = self.decoder.decode(&self.lines.line);
            let whole = decoded.is_ok_and(|read| read == self.lines.line.len());
            if !whole || self.decoder.has_partial_record() {
                return Err(self.lines.broken(OBJECT));
            }
            bytes += self.lines.line.len() + self.columns * CELL_BYTES;
            rows += 1;
        }
        self.decoder.flush().map_err(|_| self.lines.broken(ONE_KIND))
    }
}

/// The lines of all files that aren't empty.
struct Lines<F> {
    files: F,
    compression: Option<Compression>,
    next: usize,
    open: Option<Text>,
    line: Vec<u8>,
    row: u64,
}

impl<F: std::borrow::Borrow<Files>> Lines<F> {
    fn new(files: F, compression: Option<Compression>) -> Self {
        Self {
            files,
            compression,
            next: 0,
            open: None,
            line: Vec::new(),
            row: 0,
        }
    }

    /// Reads the next line; false at the end of the last file.
    fn read(&mut self) -> Result<bool, SourceFault> {
        let files = self.files.borrow();
        loop {
            let Some(text) = &mut self.open else {
                if self.next == files.len() {
                    return Ok(false);
                }
                self.open = Some(unpack::open(files, self.next, self.compression)?);
                self.next += 1;
                self.row = 0;
                continue;
            };
            self.row += 1;
            let file = self.next - 1;
            let read = unpack::line(text, &mut self.line, ROW_MAX);
            match read.map_err(|error| unpack::fault(files, file, self.row, &error))? {
                Line::End => self.open = None,
                Line::TooLong => {
                    return Err(Trouble::RowTooLong(files.place(file, self.row)).of(&files.dataset));
                }
                Line::There if self.line.iter().all(u8::is_ascii_whitespace) => {}
                Line::There => return Ok(true),
            }
        }
    }

    fn broken(&self, expected: &'static str) -> SourceFault {
        let files = self.files.borrow();
        let place = files.place(self.next.saturating_sub(1), self.row);
        Trouble::Broken(place, expected).of(&files.dataset)
    }
}
