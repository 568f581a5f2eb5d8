mod csv;
mod files;
mod ndjson;
mod parquet;

use super::*;
use crate::fault::tests::is_fit;
use crate::fixtures::dataset;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use tempfile::TempDir;

/// The volume `lake`, which holds these files.
fn lake(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("lake");
    fs::create_dir(&root).expect("made");
    for (name, bytes) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("it is below")).expect("made");
        fs::write(path, bytes).expect("written");
    }
    folder
}

/// A dataset at this path, in this format.
fn at(path: &str, format: &Value) -> PlannedDataset {
    dataset(json!({"location": {"volume": {"claimName": "lake", "path": path}}, "format": format}))
}

/// The names of the columns, and all rows as text, with `-` where there is nothing.
type Table = (Vec<String>, Vec<String>);

fn read(folder: &TempDir, planned: &PlannedDataset) -> Result<Table, SourceFault> {
    let source = Source::open(planned, folder.path())?;
    let names: Vec<String> = source
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let all: Vec<usize> = (0..names.len()).collect();
    let mut rows = Vec::new();
    for batch in source.batches(&all)? {
        rows.extend(shown(&batch?));
    }
    Ok((names, rows))
}

fn shown(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::new().with_null("-");
    let columns = batch.columns().iter();
    let columns: Vec<_> = columns
        .map(|array| ArrayFormatter::try_new(array, &options).expect("it is text"))
        .collect();
    let row = |number| {
        let values: Vec<String> = columns
            .iter()
            .map(|column| column.value(number).to_string())
            .collect();
        values.join("|")
    };
    (0..batch.num_rows()).map(row).collect()
}

/// Reads what should be refused, and tells why it is.
fn refused(folder: &TempDir, planned: &PlannedDataset) -> Trouble {
    let fault = read(folder, planned).expect_err("refused");
    is_fit(&fault);
    fault.trouble
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}

fn texts(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}
