use super::*;
use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use arrow::array::{ArrayRef, Int64Array, StringArray};
use std::sync::Arc;

fn format() -> Value {
    json!({"type": "Parquet"})
}

fn batch(from: i64, rows: i64) -> RecordBatch {
    let a: ArrayRef = Arc::new(Int64Array::from_iter_values(from..from + rows));
    let names = (from..from + rows).map(|number| (number % 2 == 0).then(|| format!("n{number}")));
    let b: ArrayRef = Arc::new(names.collect::<StringArray>());
    RecordBatch::try_from_iter_with_nullable([("a", a, true), ("b", b, true)]).expect("a batch")
}

fn written(batch: &RecordBatch, codec: Codec) -> Vec<u8> {
    let properties = WriterProperties::builder().set_compression(codec).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
    writer.write(batch).expect("written");
    writer.into_inner().expect("written")
}

#[test]
fn all_usual_codecs_are_read() {
    let codecs = [
        Codec::UNCOMPRESSED,
        Codec::SNAPPY,
        Codec::GZIP(GzipLevel::default()),
        Codec::ZSTD(ZstdLevel::default()),
        Codec::LZ4_RAW,
        Codec::BROTLI(::parquet::basic::BrotliLevel::default()),
    ];
    for codec in codecs {
        let folder = lake(&[("a.parquet", &written(&batch(0, 3), codec))]);
        let table = read(&folder, &at("a.parquet", &format()));
        let expected = (texts(&["a", "b"]), texts(&["0|n0", "1|-", "2|n2"]));
        assert_eq!(table, Ok(expected), "{codec:?}");
    }
}

#[test]
fn columns_are_given_as_they_are_asked_for() {
    let bytes = written(&batch(0, 20_000), Codec::SNAPPY);
    let folder = lake(&[
        ("d/1.parquet", &bytes),
        ("d/2.parquet", &written(&batch(5, 1), Codec::SNAPPY)),
    ]);
    let source = Source::open(&at("d", &format()), folder.path()).expect("opened");
    let batches: Result<Vec<_>, _> = source.batches(&[1, 0]).expect("read").collect();
    let batches = batches.expect("read");
    assert!(batches.iter().all(|batch| batch.num_rows() <= BATCH_ROWS));
    let rows: Vec<String> = batches.iter().flat_map(shown).collect();
    assert_eq!(rows.len(), 20_001);
    assert_eq!((rows[2].as_str(), rows[20_000].as_str()), ("n2|2", "-|5"));
}

#[test]
fn wide_rows_come_in_smaller_batches() {
    let wide: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..64).map(|n| format!("{n}{}", "x".repeat(1 << 20))),
    ));
    let batch = RecordBatch::try_from_iter([("a", wide)]).expect("a batch");
    let folder = lake(&[("a.parquet", &written(&batch, Codec::SNAPPY))]);
    let source = Source::open(&at("a.parquet", &format()), folder.path()).expect("opened");
    let batches = source.batches(&[0]).expect("read");
    let largest = batches.map(|batch| batch.expect("a batch").num_rows()).max();
    assert!(largest <= Some(8), "{largest:?}");
}

#[test]
fn what_is_no_such_file_is_refused() {
    let whole = written(&batch(0, 1000), Codec::SNAPPY);
    let mut flipped = whole.clone();
    for byte in &mut flipped[100..400] {
        *byte ^= 0x55;
    }
    let cut = &whole[..whole.len() / 2];
    let rows: [(&str, &[u8]); 5] = [
        ("nothing at all", b""),
        ("something else", b"a,b\n1,2\n"),
        ("cut off", cut),
        ("only the marks of one", b"PAR1PAR1"),
        ("broken inside", &flipped),
    ];
    for (case, bytes) in rows {
        let folder = lake(&[("a.parquet", bytes)]);
        let trouble = refused(&folder, &at("a.parquet", &format()));
        assert!(matches!(trouble, Trouble::Broken(..)), "{case}: {trouble:?}");
    }
    let folder = lake(&[("a.parquet", &whole)]);
    let packed = json!({"type": "Parquet", "compression": "Gzip"});
    assert_eq!(
        refused(&folder, &at("a.parquet", &packed)),
        Trouble::ParquetCompressed
    );
}

#[test]
fn files_of_one_dataset_have_the_same_columns() {
    let other: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let other = RecordBatch::try_from_iter([("c", other)]).expect("a batch");
    let folder = lake(&[
        ("d/1.parquet", &written(&batch(0, 1), Codec::SNAPPY)),
        ("d/2.parquet", &written(&other, Codec::SNAPPY)),
    ]);
    let trouble = refused(&folder, &at("d", &format()));
    assert_eq!(trouble, Trouble::ColumnsDiffer(Place::file("d/2.parquet")));
}
