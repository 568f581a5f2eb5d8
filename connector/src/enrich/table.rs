//! The provider's file as a table in memory: found by its key columns, and of bounded size.

use super::fault::FileFault;
use crate::source::{Break, Records};
use arrow::array::{StringArray, StringBuilder};
use connection_operator::governance::message::quoted;
use std::collections::{BTreeSet, HashMap};
use std::io::BufRead;

/// What the table may take in memory, about, in bytes: a quarter of what a run's pod has unless the installation says otherwise.
pub const TABLE_MAX: usize = 128 << 20;
/// What a line takes beside its fields: its key's place in the index, and how long it is.
const LINE_BYTES: usize = 96;
/// What a field takes beside its own bytes.
const CELL_BYTES: usize = 5;

/// The lines of a file.
pub struct Table {
    /// What the columns are called that aren't keys, in the file's order.
    pub names: Vec<String>,
    /// What stands in them. An empty field is NULL.
    pub columns: Vec<StringArray>,
    /// The line of each key.
    lines: HashMap<Box<[u8]>, u32>,
    /// How many bytes each line has in these columns.
    lengths: Vec<usize>,
}

impl Table {
    /// Reads all of it, as long as it takes no more memory than this. Its first line names the columns, among which are the keys.
    ///
    /// # Errors
    /// When it isn't such a file, two lines have one key, or it is too large.
    pub fn read<'a>(
        text: impl BufRead,
        (delimiter, max): (u8, usize),
        keys: impl Iterator<Item = &'a String>,
    ) -> Result<Self, FileFault> {
        let mut records = Records::new(text, delimiter);
        let head = head(&mut records)?;
        let keys: Vec<&String> = keys.collect();
        let places = places(&head, &keys)?;
        let others: Vec<usize> = (0..head.len()).filter(|place| !places.contains(place)).collect();
        let mut columns: Vec<StringBuilder> = others.iter().map(|_| StringBuilder::new()).collect();
        let (mut lines, mut lengths) = (HashMap::new(), Vec::new());
        let (mut taken, mut key) = (0, Vec::new());
        while records.read().map_err(|found| broken(&found, records.row()))? {
            let row = records.row();
            let field = |place: usize| records.field(place).ok_or(FileFault::NotText(row));
            let parts = places.iter().map(|place| field(*place));
            if !compose(&mut key, parts)? {
                continue; // without a key it belongs to no row
            }
            let line = u32::try_from(lengths.len()).map_err(|_| FileFault::TooLarge)?;
            if lines.insert(Box::from(key.as_slice()), line).is_some() {
                return Err(FileFault::KeyTwice(row));
            }
            let mut length = 0;
            for (column, place) in columns.iter_mut().zip(&others) {
                let field = field(*place)?;
                length += field.len();
                column.append_option((!field.is_empty()).then_some(field));
            }
            lengths.push(length);
            taken += length + key.len() + others.len() * CELL_BYTES + LINE_BYTES;
            if taken > max {
                return Err(FileFault::TooLarge);
            }
        }
        Ok(Self {
            names: others
                .iter()
                .filter_map(|place| head.get(*place).cloned())
                .collect(),
            columns: columns.iter_mut().map(StringBuilder::finish).collect(),
            lines,
            lengths,
        })
    }

    /// The line of a key.
    pub fn line(&self, key: &[u8]) -> Option<u32> {
        self.lines.get(key).copied()
    }

    /// How many bytes a line has.
    pub fn length(&self, line: u32) -> usize {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        self.lengths.get(line).copied().unwrap_or_default()
    }
}

/// Writes the parts of a key so that none runs into the next; false if one is empty, which is equal to nothing.
pub fn compose<'a, E>(key: &mut Vec<u8>, parts: impl Iterator<Item = Result<&'a str, E>>) -> Result<bool, E> {
    key.clear();
    for part in parts {
        let part = part?;
        if part.is_empty() {
            return Ok(false);
        }
        key.extend_from_slice(&part.len().to_le_bytes());
        key.extend_from_slice(part.as_bytes());
    }
    Ok(true)
}

/// The names of the columns.
fn head<R: BufRead>(records: &mut Records<R>) -> Result<Vec<String>, FileFault> {
    if !records.read().map_err(|found| broken(&found, 1))? {
        return Err(FileFault::Empty);
    }
    let names = (0..records.width()).map(|place| records.field(place).map(str::to_owned));
    let names: Vec<String> = names.collect::<Option<_>>().ok_or(FileFault::NotText(1))?;
    let mut seen = BTreeSet::new();
    match names.iter().position(|name| !seen.insert(name)) {
        Some(place) => Err(FileFault::ColumnTwice(place + 1)),
        None => Ok(names),
    }
}

/// Where the keys stand among the columns.
fn places(head: &[String], keys: &[&String]) -> Result<Vec<usize>, FileFault> {
    let place = |key: &String| head.iter().position(|name| name == key);
    let missing = keys.iter().filter(|key| place(key).is_none());
    let names: Vec<String> = missing.map(|key| quoted(key)).collect();
    if names.is_empty() {
        return Ok(keys.iter().filter_map(|key| place(key)).collect());
    }
    Err(FileFault::KeyMissing {
        names,
        count: head.len(),
    })
}

fn broken(found: &Break, row: u64) -> FileFault {
    match found {
        Break::Reading(_) => FileFault::Broken,
        Break::TooLong => FileFault::LineTooLong(row),
        Break::TooManyFields => FileFault::TooManyColumns,
        Break::Width => FileFault::Width(row),
    }
}
