//! CSV (RFC 4180): every column is text, so that nothing is lost of what stands there. An empty field is NULL.

use super::fault::{SourceFault, Trouble};
use super::files::Files;
use super::unpack::{self, Text};
use super::{BATCH_BYTES, BATCH_ROWS, Batches, CELL_BYTES, COLUMNS_MAX, ROW_MAX};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use connection_operator::api::dataset::{Compression, Format, Header};
use csv_core::ReadRecordResult;
use std::io::BufRead;
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
        let csv = format.csv.clone().unwrap_or_default();
        let delimiter = csv.delimiter.unwrap_or_else(|| ",".to_owned());
        let [delimiter] = *delimiter.as_bytes() else {
            return Err(Trouble::DelimiterRefused);
        };
        if matches!(delimiter, b'"' | b'\n' | b'\r') {
            return Err(Trouble::DelimiterRefused);
        }
        Ok(Self {
            delimiter,
            header: csv.header != Some(Header::Absent),
            compression: format.compression,
        })
    }
}

/// The columns, by the first file.
pub fn schema(files: &Files, form: Form) -> Result<SchemaRef, SourceFault> {
    let mut reader = Records::open(files, 0, form)?;
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
    open: Option<(Records, Vec<usize>)>,
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
    fn open(&self) -> Result<(Records, Vec<usize>), SourceFault> {
        let mut reader = Records::open(&self.files, self.next, self.form)?;
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

/// The records of one file, each in room that is bounded.
struct Records {
    text: Text,
    parser: csv_core::Reader,
    file: usize,
    /// The number of the record that is in the room.
    row: u64,
    /// How many fields each record has, once known.
    width: Option<usize>,
    room: Vec<u8>,
    ends: Vec<usize>,
    header: bool,
    /// A record that was read to know the columns, and is a row.
    kept: bool,
}

impl Records {
    fn open(files: &Files, file: usize, form: Form) -> Result<Self, SourceFault> {
        Ok(Self {
            text: unpack::open(files, file, form.compression)?,
            parser: csv_core::ReaderBuilder::new().delimiter(form.delimiter).build(),
            file,
            row: 0,
            width: None,
            room: vec![0; 64 << 10],
            ends: vec![0; 64],
            header: form.header,
            kept: false,
        })
    }

    /// The names of the columns: of the first line, or by their numbers.
    fn columns(&mut self, files: &Files) -> Result<Vec<String>, SourceFault> {
        let there = self.read(files)?;
        let width = self.width.unwrap_or_default();
        if !self.header {
            self.kept = there;
            return Ok((1..=width).map(|number| format!("column_{number}")).collect());
        }
        if !there {
            return Err(self.broken(files, "a first line that names the columns"));
        }
        let names = (0..width).map(|place| self.field(place).map(str::to_owned));
        let names: Option<Vec<String>> = names.collect();
        names.ok_or_else(|| self.broken(files, "names of columns in UTF-8"))
    }

    /// A field of the record that is in the room, if it's text.
    fn field(&self, place: usize) -> Option<&str> {
        let begin = if place == 0 { 0 } else { *self.ends.get(place - 1)? };
        std::str::from_utf8(self.room.get(begin..*self.ends.get(place)?)?).ok()
    }

    fn broken(&self, files: &Files, expected: &'static str) -> SourceFault {
        Trouble::Broken(files.place(self.file, self.row), expected).of(&files.dataset)
    }

    /// Reads the next record into the room; false at the end.
    fn read(&mut self, files: &Files) -> Result<bool, SourceFault> {
        if std::mem::take(&mut self.kept) {
            return Ok(true);
        }
        self.row += 1;
        let (mut filled, mut fields) = (0, 0);
        loop {
            let input = self.text.fill_buf();
            let input = input.map_err(|error| unpack::fault(files, self.file, self.row, &error))?;
            let (result, read, wrote, ended) =
                self.parser
                    .read_record(input, &mut self.room[filled..], &mut self.ends[fields..]);
            self.text.consume(read);
            filled += wrote;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.room.len() >= ROW_MAX => {
                    return Err(Trouble::RowTooLong(files.place(self.file, self.row)).of(&files.dataset));
                }
                ReadRecordResult::OutputFull => self.room.resize((self.room.len() * 2).min(ROW_MAX), 0),
                ReadRecordResult::OutputEndsFull if fields > COLUMNS_MAX => {
                    return Err(Trouble::TooManyColumns.of(&files.dataset));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return self.measured(files, fields),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    fn measured(&mut self, files: &Files, fields: usize) -> Result<bool, SourceFault> {
        let width = *self.width.get_or_insert(fields);
        if width == fields {
            Ok(true)
        } else {
            Err(self.broken(files, "as many fields as the first row has"))
        }
    }
}
