//! Rows of the input, each with the line of the provider's file that its keys find.

use super::fault::{FileFault, InputFault};
use super::table::{Table, compose};
use arrow::array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{can_cast_types, cast, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use connection_operator::api::reference::ColumnName;
use connection_operator::governance::message::quoted;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How large rows may be that become the output's at once, in bytes of their lines.
const PORTION_BYTES: usize = 4 << 20;

/// A row of a batch, and its line.
pub type Match = (u32, u32);

/// The table, and how rows find its lines.
pub struct Join {
    table: Table,
    /// The places among the input's columns, for each key.
    keys: Vec<usize>,
    schema: SchemaRef,
}

impl Join {
    /// Of an input with these columns, which are those that the mapping names.
    ///
    /// # Errors
    /// When a column can't be a key, or two of the output would be called the same.
    pub fn new(
        mapping: &BTreeMap<String, ColumnName>,
        input: &Schema,
        table: Table,
    ) -> Result<Self, FileFault> {
        let place = |column: &ColumnName| input.index_of(column.as_str()).ok();
        let keys = mapping.values().filter_map(place).collect();
        let learned = table.names.iter();
        let learned = learned.map(|name| Arc::new(Field::new(name, DataType::Utf8, true)));
        let fields: Vec<_> = input.fields().iter().cloned().chain(learned).collect();
        let mut names = BTreeSet::new();
        if let Some(twice) = fields.iter().find(|field| !names.insert(field.name())) {
            return Err(FileFault::SameName {
                name: quoted(twice.name()),
            });
        }
        Ok(Self {
            table,
            keys,
            schema: Arc::new(Schema::new(fields)),
        })
    }

    /// The columns of the output: the input's that the mapping names, in its order, then the file's other ones.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows of a batch that have a line. Keys are compared as text.
    ///
    /// # Errors
    /// When a key can't be read as text.
    pub fn matches(&self, rows: &RecordBatch) -> Result<Vec<Match>, InputFault> {
        let keys = self.keys.iter().map(|place| text(rows.column(*place)));
        let keys: Vec<StringArray> = keys.collect::<Option<_>>().ok_or(InputFault::NotText)?;
        let (mut matches, mut key) = (Vec::new(), Vec::new());
        for row in 0..rows.num_rows() {
            let parts = keys.iter().map(|column| {
                let there = column.is_valid(row);
                Ok::<_, InputFault>(if there { column.value(row) } else { "" })
            });
            let line = compose(&mut key, parts)?.then(|| self.table.line(&key)).flatten();
            let row = u32::try_from(row).map_err(|_| InputFault::NotText)?;
            matches.extend(line.map(|line| (row, line)));
        }
        Ok(matches)
    }

    /// The matches in portions that aren't large once they are rows.
    pub fn portions<'a>(&self, mut matches: &'a [Match]) -> impl Iterator<Item = &'a [Match]> {
        std::iter::from_fn(move || {
            let mut bytes = 0;
            let fit = matches.iter().take_while(|(_, line)| {
                bytes += self.table.length(*line);
                bytes <= PORTION_BYTES
            });
            let length = fit.count().max(1).min(matches.len());
            let (some, rest) = matches.split_at(length);
            matches = rest;
            (!some.is_empty()).then_some(some)
        })
    }

    /// The output's rows of these matches.
    ///
    /// # Errors
    /// When they can't be put together.
    pub fn rows(&self, input: &RecordBatch, matches: &[Match]) -> Result<RecordBatch, InputFault> {
        let rows = UInt32Array::from_iter_values(matches.iter().map(|(row, _)| *row));
        let lines = UInt32Array::from_iter_values(matches.iter().map(|(_, line)| *line));
        let own = input.columns().iter().map(|column| take(column, &rows, None));
        let learned = self.table.columns.iter().map(|column| take(column, &lines, None));
        let columns: Result<Vec<ArrayRef>, _> = own.chain(learned).collect();
        let columns = columns.map_err(|_| InputFault::NotText)?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|_| InputFault::NotText)
    }
}

/// A column as text, if it can be. Bytes aren't text: as such they would stand in the output otherwise than they were compared.
fn text(column: &ArrayRef) -> Option<StringArray> {
    if column.data_type().is_binary() || !can_cast_types(column.data_type(), &DataType::Utf8) {
        return None;
    }
    let text = cast(column, &DataType::Utf8).ok()?;
    text.as_any().downcast_ref::<StringArray>().cloned()
}
