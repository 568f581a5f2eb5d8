//! CSV (RFC 4180): every column is text, so that nothing is lost of what stands there. An empty field is NULL.

use super::fault::{SourceFault, Trouble};
use super::files::Files;
use super::records::{Break, Records};
use super::unpack::{self, Text};
use super::{BATCH_BYTES, BATCH_ROWS, Batches, CELL_BYTES};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use connection_operator::api::dataset::{Compression, Format, Header};
use std::sync::Arc;

/// How the files are written.
#[derive(Clone, Copy)]
pub struct Form {
    delimiter: u8,
    header: bool,
    compression: Option<Compression>,
}

impl Form {
    /// As the dataset says.
    pub fn of(format: &Format) -> Result<Self, Trouble> {
        let header = format.csv.as_ref().and_then(|csv| csv.header);
        Ok(Self {
            delimiter: delimiter(format).ok_or(Trouble::DelimiterRefused)?,
            header: header != Some(Header::Absent),
            compression: format.compression,
        })
    }
}

/// What separates the fields of a dataset's files, if it's a single byte that may do so.
#[must_use]
pub fn delimiter(format: &Format) -> Option<u8> {
    let csv = format.csv.as_ref();
    let delimiter = csv.and_then(|csv| csv.delimiter.as_deref()).unwrap_or(",");
    let [delimiter] = *delimiter.as_bytes() else {
        return None;
    };
    (!matches!(delimiter, b'"' | b'\n' | b'\r')).then_some(delimiter)
}

/// The columns, by the first file.
pub fn schema(files: &Files, form: Form) -> Result<SchemaRef, SourceFault> {
    let mut reader = Opened::open(files, 0, form)?;
    let names = reader.columns(files)?;
    let fields = names
        .into_iter()
        .map(|name| Field::new(name, DataType::Utf8, true));
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// The rows of all files.
pub fn batches(files: Files, form: Form, whole: &Schema, wanted: SchemaRef) -> Batches {
    let all: Vec<String> = whole.fields().iter().map(|field| field.name().clone()).collect();
    Box::new(Reading {
        files,
        form,
        all,
        wanted,
        next: 0,
        open: None,
    })
}

struct Reading {
    files: Files,
    form: Form,
    all: Vec<String>,
    wanted: SchemaRef,
    next: usize,
    open: Option<(Opened, Vec<usize>)>,
}

impl Iterator for Reading {
    type Item = Result<RecordBatch, SourceFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.open.is_none() {
                if self.next == self.files.len() {
                    return None;
                }
                let opened = self.open();
                self.next += 1;
                match opened {
                    Ok(open) => self.open = Some(open),
                    Err(fault) => return Some(Err(fault)),
                }
            }
            match self.batch() {
                Ok(Some(batch)) => return Some(Ok(batch)),
                Ok(None) => self.open = None,
                Err(fault) => return Some(Err(fault)),
            }
        }
    }
}

impl Reading {
    /// The next file, and where in its records the wanted columns stand.
    fn open(&self) -> Result<(Opened, Vec<usize>), SourceFault> {
        let mut reader = Opened::open(&self.files, self.next, self.form)?;
        let names = reader.columns(&self.files)?;
        let differ = || Trouble::ColumnsDiffer(self.files.place(self.next, 0)).of(&self.files.dataset);
        if names.len() != self.all.len() || !self.all.iter().all(|name| names.contains(name)) {
            return Err(differ());
        }
        let wanted = self.wanted.fields().iter();
        let places = wanted.map(|field| names.iter().position(|name| name == field.name()));
        let places: Option<Vec<usize>> = places.collect();
        Ok((reader, places.ok_or_else(differ)?))
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>, SourceFault> {
        let Some((reader, places)) = &mut self.open else {
            return Ok(None);
        };
        let mut columns: Vec<StringBuilder> = places.iter().map(|_| StringBuilder::new()).collect();
        let (mut rows, mut bytes) = (0, 0);
        while rows < BATCH_ROWS && bytes < BATCH_BYTES && reader.read(&self.files)? {
            for (column, place) in columns.iter_mut().zip(places.iter()) {
                let field = reader
                    .records
                    .field(*place)
                    .ok_or_else(|| reader.broken(&self.files, "text in UTF-8"))?;
                bytes += field.len() + CELL_BYTES;
                column.append_option((!field.is_empty()).then_some(field));
            }
            rows += 1;
        }
        if rows == 0 {
            return Ok(None);
        }
        let arrays = columns
            .iter_mut()
            .map(|column| Arc::new(column.finish()) as ArrayRef)
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.wanted), arrays, &options);
        batch
            .map(Some)
            .map_err(|_| reader.broken(&self.files, "rows of these columns"))
    }
}

/// The records of one file.
struct Opened {
    records: Records<Text>,
    file: usize,
    header: bool,
    /// A record that was read to know the columns, and is a row.
    kept: bool,
}

impl Opened {
    fn open(files: &Files, file: usize, form: Form) -> Result<Self, SourceFault> {
        let text = unpack::open(files, file, form.compression)?;
        Ok(Self {
            records: Records::new(text, form.delimiter),
            file,
            header: form.header,
            kept: false,
        })
    }

    /// The names of the columns: of the first line, or by their numbers.
    fn columns(&mut self, files: &Files) -> Result<Vec<String>, SourceFault> {
        let there = self.read(files)?;
        let width = self.records.width();
        if !self.header {
            self.kept = there;
            return Ok((1..=width).map(|number| format!("column_{number}")).collect());
        }
        if !there {
            return Err(self.broken(files, "a first line that names the columns"));
        }
        let names = (0..width).map(|place| self.records.field(place).map(str::to_owned));
        let names: Option<Vec<String>> = names.collect();
        names.ok_or_else(|| self.broken(files, "names of columns in UTF-8"))
    }

    fn broken(&self, files: &Files, expected: &'static str) -> SourceFault {
        Trouble::Broken(files.place(self.file, self.records.row()), expected).of(&files.dataset)
    }

    /// Reads the next record; false at the end.
    fn read(&mut self, files: &Files) -> Result<bool, SourceFault> {
        if std::mem::take(&mut self.kept) {
            return Ok(true);
        }
        self.records.read().map_err(|found| {
            let row = self.records.row();
            match found {
                Break::Reading(error) => unpack::fault(files, self.file, row, &error),
                Break::TooLong => Trouble::RowTooLong(files.place(self.file, row)).of(&files.dataset),
                Break::TooManyFields => Trouble::TooManyColumns.of(&files.dataset),
                Break::Width => self.broken(files, "as many fields as the first row has"),
            }
        })
    }
}
