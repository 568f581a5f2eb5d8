//! Rows as CSV, packed if the export wants that, in pieces of bounded size.

use arrow::array::RecordBatch;
use arrow::csv::WriterBuilder;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};

/// How large a piece becomes before it's handed over, in bytes.
pub const PIECE: usize = 256 << 10;

/// How the files at the destination are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// What separates the fields of a line.
    pub delimiter: u8,
    /// Whether they are packed by gzip.
    pub gzip: bool,
}

/// Writes one file.
pub struct Encoder {
    form: Form,
    sink: Sink,
}

enum Sink {
    Plain(Vec<u8>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Encoder {
    /// A file that begins with the names of these columns.
    ///
    /// # Errors
    /// When a value can't be written as text.
    pub fn new(form: Form, schema: &SchemaRef) -> io::Result<Self> {
        let sink = if form.gzip {
            Sink::Gzip(Box::new(GzEncoder::new(Vec::new(), Compression::default())))
        } else {
            Sink::Plain(Vec::new())
        };
        let mut encoder = Self { form, sink };
        let names = RecordBatch::new_empty(SchemaRef::clone(schema));
        encoder.lines(&names, true)?;
        Ok(encoder)
    }

    /// Adds rows; gives what there is once it's enough.
    ///
    /// # Errors
    /// When a value can't be written as text.
    pub fn write(&mut self, batch: &RecordBatch) -> io::Result<Option<Bytes>> {
        self.lines(batch, false)?;
        let written = match &mut self.sink {
            Sink::Plain(written) => written,
            Sink::Gzip(packer) => packer.get_mut(),
        };
        Ok((written.len() >= PIECE).then(|| std::mem::take(written).into()))
    }

    /// The rest of the file.
    ///
    /// # Errors
    /// When it can't be packed.
    pub fn finish(self) -> io::Result<Bytes> {
        Ok(match self.sink {
            Sink::Plain(written) => written.into(),
            Sink::Gzip(packer) => packer.finish()?.into(),
        })
    }

    fn lines(&mut self, batch: &RecordBatch, header: bool) -> io::Result<()> {
        let builder = WriterBuilder::new()
            .with_delimiter(self.form.delimiter)
            .with_header(header);
        let mut writer = builder.build(self.sink.writer());
        writer.write(batch).map_err(io::Error::other)
    }
}

impl Sink {
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(written) => written,
            Self::Gzip(packer) => packer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
    };
    use flate2::read::GzDecoder;
    use std::io::Read;
    use std::sync::Arc;

    fn written(form: Form, batch: &RecordBatch) -> Vec<u8> {
        let mut encoder = Encoder::new(form, batch.schema_ref()).expect("begun");
        let mut all = encoder
            .write(batch)
            .expect("written")
            .unwrap_or_default()
            .to_vec();
        all.extend(encoder.finish().expect("finished"));
        all
    }

    fn batch() -> RecordBatch {
        let text: ArrayRef = Arc::new(StringArray::from(vec![
            Some("a,b;c"),
            Some("say \"hi\"\nthere"),
            None,
        ]));
        let number: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(-3)]));
        let real: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.1), Some(1e300), None]));
        let truth: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]));
        let time: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None, Some(1)]).with_timezone("UTC"));
        let columns = [
            ("text", text),
            ("a,b", number),
            ("real", real),
            ("truth", truth),
            ("time", time),
        ];
        RecordBatch::try_from_iter(columns).expect("a batch")
    }

    #[test]
    fn what_needs_quotes_gets_them() {
        let form = |delimiter| Form {
            delimiter,
            gzip: false,
        };
        let comma = "text,\"a,b\",real,truth,time\n\"a,b;c\",1,0.1,true,1970-01-01T00:00:00Z\n\
                     \"say \"\"hi\"\"\nthere\",,1e300,false,\n,-3,,,1970-01-01T00:00:00.000001Z\n";
        let found = String::from_utf8(written(form(b','), &batch())).expect("text");
        assert_eq!(found, comma);
        let found = String::from_utf8(written(form(b';'), &batch())).expect("text");
        assert!(
            found.starts_with("text;a,b;real;truth;time\n\"a,b;c\";1;"),
            "{found}"
        );
    }

    #[test]
    fn gzip_packs_the_same_lines() {
        let plain = written(
            Form {
                delimiter: b',',
                gzip: false,
            },
            &batch(),
        );
        let packed = written(
            Form {
                delimiter: b',',
                gzip: true,
            },
            &batch(),
        );
        let mut unpacked = Vec::new();
        GzDecoder::new(packed.as_slice())
            .read_to_end(&mut unpacked)
            .expect("unpacked");
        assert_eq!(unpacked, plain);
    }

    #[test]
    fn pieces_are_handed_over_once_they_are_large() {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(PIECE / 2)]));
        let batch = RecordBatch::try_from_iter([("a", text)]).expect("a batch");
        let mut encoder = Encoder::new(
            Form {
                delimiter: b',',
                gzip: false,
            },
            batch.schema_ref(),
        )
        .expect("begun");
        let pieces: Vec<Option<usize>> = (0..4)
            .map(|_| encoder.write(&batch).expect("written").map(|piece| piece.len()))
            .collect();
        assert_eq!(pieces, [None, Some(PIECE + 4), None, Some(PIECE + 2)]);
        assert_eq!(encoder.finish().expect("finished").len(), 0);
    }
}
