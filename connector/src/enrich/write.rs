//! The output's file, as its dataset says it is written.

use super::fault::OutputTrouble;
use crate::source::{SourceFault, Trouble, delimiter};
use arrow::array::RecordBatch;
use arrow::csv;
use arrow::datatypes::SchemaRef;
use arrow::json::{self, writer::LineDelimited};
use connection_operator::api::dataset::{Compression, Format, FormatType, Header};
use connection_operator::api::run::PlannedOutput;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression as Packed;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// How large a row group of Parquet becomes, in bytes and rows: it is in memory until it is written.
const GROUP_BYTES: usize = 32 << 20;
const GROUP_ROWS: usize = 128 << 10;

/// The format of an output, if files can be written so.
///
/// # Errors
/// When they can't.
pub fn checked(planned: &PlannedOutput) -> Result<Format, SourceFault> {
    let dataset = planned.dataset.as_str();
    let format = planned.format.as_ref();
    let format = format.ok_or_else(|| Trouble::NotOnVolume.of(dataset))?;
    match format.type_ {
        FormatType::Parquet if format.compression.is_some() => Err(Trouble::ParquetCompressed.of(dataset)),
        FormatType::Csv if delimiter(format).is_none() => Err(Trouble::DelimiterRefused.of(dataset)),
        _ => Ok(format.clone()),
    }
}

/// Writes one file.
pub struct Writer {
    kind: Kind,
    /// What the system said when it refused to write.
    refused: Arc<AtomicI32>,
}

enum Kind {
    Csv { delimiter: u8, sink: Sink },
    NdJson(Sink),
    Parquet(Box<ArrowWriter<Disk>>),
}

impl Writer {
    /// Into this file, whose columns are these.
    pub fn new(format: &Format, file: File, schema: &SchemaRef) -> Result<Self, OutputTrouble> {
        let refused = Arc::new(AtomicI32::new(0));
        let disk = Disk {
            file,
            refused: Arc::clone(&refused),
        };
        let begun = begun(format, disk, schema);
        let Ok((kind, header)) = begun else {
            return Err(trouble(&refused));
        };
        let mut writer = Self { kind, refused };
        if header {
            writer.lines(&RecordBatch::new_empty(Arc::clone(schema)), true)?;
        }
        Ok(writer)
    }

    /// Adds rows.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), OutputTrouble> {
        self.lines(rows, false)
    }

    fn lines(&mut self, rows: &RecordBatch, header: bool) -> Result<(), OutputTrouble> {
        let written = match &mut self.kind {
            Kind::Csv { delimiter, sink } => csv::WriterBuilder::new()
                .with_delimiter(*delimiter)
                .with_header(header)
                .build(sink)
                .write(rows)
                .is_ok(),
            // Each line names all columns, so that one which is NULL everywhere is still there.
            Kind::NdJson(sink) => json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, LineDelimited>(sink)
                .write(rows)
                .is_ok(),
            Kind::Parquet(writer) => writer.write(rows).is_ok(),
        };
        written.then_some(()).ok_or_else(|| trouble(&self.refused))
    }

    /// Ends the file, and waits until all of it stands on the disk.
    pub fn finish(self) -> Result<(), OutputTrouble> {
        let ended = match self.kind {
            Kind::Csv { sink, .. } | Kind::NdJson(sink) => sink.finish(),
            Kind::Parquet(writer) => writer.into_inner().map_err(io::Error::other),
        };
        let synced = ended.and_then(|mut disk| disk.sync());
        synced.map_err(|_| trouble(&self.refused))
    }
}

/// How the file begins, and whether its first line names the columns.
fn begun(format: &Format, disk: Disk, schema: &SchemaRef) -> io::Result<(Kind, bool)> {
    Ok(match format.type_ {
        FormatType::Csv => {
            let options = format.csv.clone().unwrap_or_default();
            let delimiter = delimiter(format).unwrap_or(b',');
            let sink = Sink::new(disk, format.compression)?;
            (
                Kind::Csv { delimiter, sink },
                options.header != Some(Header::Absent),
            )
        }
        FormatType::NdJson => (Kind::NdJson(Sink::new(disk, format.compression)?), false),
        FormatType::Parquet => {
            let properties = WriterProperties::builder()
                .set_compression(Packed::SNAPPY)
                .set_max_row_group_row_count(Some(GROUP_ROWS))
                .set_max_row_group_bytes(Some(GROUP_BYTES))
                .build();
            let writer = ArrowWriter::try_new(disk, Arc::clone(schema), Some(properties));
            (Kind::Parquet(Box::new(writer.map_err(io::Error::other)?)), false)
        }
    })
}

/// The system's own refusals have a number; without one, a value is at fault.
fn trouble(refused: &AtomicI32) -> OutputTrouble {
    match refused.load(Ordering::Relaxed) {
        0 => OutputTrouble::NotText,
        number => OutputTrouble::of_error(&io::Error::from_raw_os_error(number)),
    }
}

/// Text, packed if the dataset wants that.
enum Sink {
    Plain(BufWriter<Disk>),
    Gzip(Box<GzEncoder<BufWriter<Disk>>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, BufWriter<Disk>>>),
}

impl Sink {
    fn new(disk: Disk, compression: Option<Compression>) -> io::Result<Self> {
        let file = BufWriter::new(disk);
        Ok(match compression {
            None => Self::Plain(file),
            Some(Compression::Gzip) => {
                Self::Gzip(Box::new(GzEncoder::new(file, flate2::Compression::default())))
            }
            Some(Compression::Zstd) => Self::Zstd(Box::new(zstd::stream::write::Encoder::new(file, 0)?)),
        })
    }

    fn finish(self) -> io::Result<Disk> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Gzip(packer) => packer.finish()?,
            Self::Zstd(packer) => packer.finish()?,
        };
        file.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(packer) => packer.write(bytes),
            Self::Zstd(packer) => packer.write(bytes),
        }
    }

    /// Nothing is whole before its end: flushing packers for each batch would only make files larger.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The file, and what the system says of it: the libraries between turn errors into words.
struct Disk {
    file: File,
    refused: Arc<AtomicI32>,
}

impl Disk {
    fn note<T>(&self, done: io::Result<T>) -> io::Result<T> {
        done.inspect_err(|error| {
            let number = error.raw_os_error().unwrap_or(-1);
            self.refused.store(number, Ordering::Relaxed);
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        let synced = self.file.sync_all();
        self.note(synced)
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
