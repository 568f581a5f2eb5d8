//! Rows become files: read, chosen and written as text on a thread of their own, a few pieces ahead of the destination.

use super::parts;
use crate::encode::{Encoder, Form, PIECE};
use crate::fault::{Ended, Fault};
use crate::progress::Tally;
use crate::rows::Choice;
use crate::source::Source;
use arrow::array::RecordBatch;
use bytes::Bytes;
use connection_operator::api::dry_run::{DatasetEstimate, NAMED_COLUMNS_MAX};
use connection_operator::api::reference::ColumnName;
use connection_operator::api::run::{FailureClass, Persistence, PlannedDataset};
use std::cell::RefCell;
use std::path::Path;
use thiserror::Error;
use tokio::sync::mpsc::Sender;

/// After how many bytes another file begins, if there may be one more.
const FILE_BYTES: usize = 1 << 30;

/// Most rows that become text at once.
const SLICE_ROWS: usize = 1024;

/// What goes to the destination.
#[derive(Debug)]
pub enum Piece {
    /// A file of this name begins.
    Begin(String),
    /// These are its next bytes.
    Bytes(Bytes),
    /// So many rows more are in what came.
    Rows(usize),
    /// It is whole.
    End,
    /// A dataset is whole; files of these names aren't needed for it.
    Without(Vec<String>),
}

/// How files are made.
#[derive(Clone, Copy, Debug)]
pub struct Making {
    /// How they are written.
    pub form: Form,
    /// How many a dataset may become.
    pub files_max: usize,
}

/// Datasets that can be sent.
pub struct Feed {
    making: Making,
    datasets: Vec<Ready>,
}

struct Ready {
    name: String,
    source: Source,
    choice: Choice,
    /// What may be told of its columns' names: those that the export itself says. A file's own may be a row of it, should it lack the
    /// line with names.
    told: Vec<String>,
}

/// A row can't be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "The dataset {dataset} holds a value that can't be written as text, such as a time of no calendar. Leave its column out of \
     columns, or correct the dataset."
)]
pub struct NotText {
    dataset: String,
}

impl Fault for NotText {
    fn class(&self) -> FailureClass {
        FailureClass::User
    }

    fn persistence(&self) -> Persistence {
        Persistence::Permanent
    }
}

impl Feed {
    /// Looks at all datasets, so that what is wrong with the last one is known before anything of the first has left.
    ///
    /// # Errors
    /// When one isn't there, or isn't what the plan and the dataset say.
    pub fn open(payload: &[PlannedDataset], volumes: &Path, making: Making) -> Result<Self, Ended> {
        let open = |planned: &PlannedDataset| {
            let source = Source::open(planned, volumes)?;
            let choice = Choice::new(planned, source.schema())?;
            let names = choice.schema().fields().iter().map(|field| field.name());
            let is_said = |name: &&String| {
                let mut renamed = planned.rename.values().map(ColumnName::as_str);
                !planned.columns.is_empty() || renamed.any(|to| to == name.as_str())
            };
            let told = names.filter(is_said);
            Ok(Ready {
                name: planned.dataset.to_string(),
                told: told.cloned().collect(),
                source,
                choice,
            })
        };
        let datasets = payload.iter().map(open).collect::<Result<_, Ended>>()?;
        Ok(Self { making, datasets })
    }

    /// Hands all of it over, for as long as somebody takes it.
    ///
    /// # Errors
    /// When something in a dataset can't be read or written.
    pub fn run(self, pieces: &Sender<Piece>, tally: &Tally) -> Result<(), Ended> {
        let hand_over = |piece| pieces.blocking_send(piece).map_err(|_| Cut::NobodyTakes);
        for dataset in self.datasets {
            match send(dataset, self.making, hand_over, tally) {
                Err(Cut::By(ended)) => return Err(ended),
                Err(Cut::NobodyTakes) => return Ok(()), // whoever took has said why
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// What would be handed over, counted and let go.
    ///
    /// # Errors
    /// When something in a dataset can't be read or written.
    pub fn estimate(self, tally: &Tally) -> Result<Vec<DatasetEstimate>, Ended> {
        let estimate = |dataset: Ready| {
            let estimate = RefCell::new(DatasetEstimate {
                dataset: dataset.name.clone(),
                column_count: number(dataset.choice.schema().fields().len()),
                columns: dataset.told.clone(),
                ..DatasetEstimate::default()
            });
            let read = tally.counts().rows_read;
            let count = |piece| {
                add(&mut estimate.borrow_mut(), piece);
                Ok(())
            };
            match send(dataset, self.making, count, tally) {
                Err(Cut::By(ended)) => return Err(ended),
                Err(Cut::NobodyTakes) | Ok(()) => {}
            }
            let mut estimate = estimate.into_inner();
            estimate.rows_read = tally.counts().rows_read - read;
            Ok(estimate.bounded(NAMED_COLUMNS_MAX))
        };
        self.datasets.into_iter().map(estimate).collect()
    }
}

fn add(estimate: &mut DatasetEstimate, piece: Piece) {
    match piece {
        Piece::Begin(name) => estimate.files.push(name),
        Piece::Bytes(bytes) => estimate.bytes_to_send += number(bytes.len()),
        Piece::Rows(rows) => estimate.rows_to_send += number(rows),
        Piece::End | Piece::Without(_) => {}
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Why a feed ends early.
enum Cut {
    By(Ended),
    NobodyTakes,
}

impl<E: Into<Ended>> From<E> for Cut {
    fn from(ended: E) -> Self {
        Self::By(ended.into())
    }
}

fn send(
    dataset: Ready,
    making: Making,
    hand_over: impl Fn(Piece) -> Result<(), Cut> + Copy,
    tally: &Tally,
) -> Result<(), Cut> {
    let Ready {
        name, source, choice, ..
    } = dataset;
    let not_text = |_| NotText {
        dataset: name.clone(),
    };
    let begin = |part: usize| {
        hand_over(Piece::Begin(parts::name(&name, part, making.form)))?;
        Ok::<_, Cut>(Encoder::new(making.form, choice.schema()).map_err(not_text)?)
    };
    let mut part = 1;
    let mut encoder = begin(part)?;
    let mut bytes = 0;
    for batch in source.batches(choice.needed())? {
        let batch = batch?;
        tally.read(batch.num_rows());
        let chosen = choice.of(&batch)?;
        if bytes >= FILE_BYTES && part < making.files_max {
            end(encoder.finish().map_err(not_text)?, hand_over)?;
            (part, bytes) = (part + 1, 0);
            encoder = begin(part)?;
        }
        for some in slices(&chosen) {
            if let Some(mut written) = encoder.write(&some).map_err(not_text)? {
                bytes += written.len();
                while !written.is_empty() {
                    hand_over(Piece::Bytes(written.split_to(written.len().min(PIECE))))?;
                }
            }
            hand_over(Piece::Rows(some.num_rows()))?;
        }
    }
    end(encoder.finish().map_err(not_text)?, hand_over)?;
    let unneeded = (part + 1..=making.files_max).map(|part| parts::name(&name, part, making.form));
    hand_over(Piece::Without(unneeded.collect()))
}

/// The rows in portions that aren't large once they are text.
fn slices(rows: &RecordBatch) -> impl Iterator<Item = RecordBatch> {
    let count = rows.num_rows();
    let row = rows.get_array_memory_size() / count.max(1);
    let step = (PIECE / row.max(1)).clamp(1, SLICE_ROWS);
    (0..count)
        .step_by(step)
        .map(move |from| rows.slice(from, step.min(count - from)))
}

fn end(rest: Bytes, hand_over: impl Fn(Piece) -> Result<(), Cut>) -> Result<(), Cut> {
    hand_over(Piece::Bytes(rest))?;
    hand_over(Piece::End)
}
