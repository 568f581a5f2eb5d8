//! A dry run: what a run would send, counted without sending anything.

use super::export::{PAYLOAD_MAX, Run, RunRequest};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most characters of a Dataset's name, as of every object's.
pub const DATASET_NAME_MAX: usize = 253;
/// Most columns of a dataset that are named; a run's result has no room for more.
pub const NAMED_COLUMNS_MAX: usize = 20;
/// Most characters of such a name.
pub const COLUMN_NAME_MAX: usize = 64;
/// Most files of a dataset that are named.
pub const NAMED_FILES_MAX: usize = 5;

/// Most characters of the name of one: a dataset's name, and what follows it.
pub const FILE_NAME_MAX: usize = 300;

/// The newest dry run that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct DryRun {
    /// The request, and what became of it.
    pub request: RunRequest,
    /// How it went, once it was begun. It sends nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Run")]
    pub run: Option<Run>,
    /// What a run would have sent: an entry for each dataset of the payload, in order, as many as there is room for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = PAYLOAD_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["dataset".into()]))]
    pub estimate: Vec<DatasetEstimate>,
}

/// What a run would have sent of one dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatasetEstimate {
    /// The Dataset's name.
    #[schemars(length(max = DATASET_NAME_MAX))]
    pub dataset: String,
    /// Rows that it holds.
    #[schemars(range(min = 0))]
    pub rows_read: i64,
    /// Rows that would be sent.
    #[schemars(range(min = 0))]
    pub rows_to_send: i64,
    /// Bytes that would be sent, as the destination gets them.
    #[schemars(range(min = 0))]
    pub bytes_to_send: i64,
    /// How many columns would be sent.
    #[schemars(range(min = 0))]
    pub column_count: i64,
    /// What those that the export itself names in `columns` or `rename` are called at the destination, as many as there is
    /// room for. What a file calls its columns isn't told: it may be a row, where the line with names is missing.
    #[schemars(length(max = NAMED_COLUMNS_MAX), inner(length(max = COLUMN_NAME_MAX)))]
    pub columns: Vec<String>,
    /// The files that would be written. What is called so at the destination would be replaced.
    #[schemars(length(max = NAMED_FILES_MAX), inner(length(max = FILE_NAME_MAX)))]
    pub files: Vec<String>,
}

impl DatasetEstimate {
    /// The same with no more than the schema takes, and no more names of columns than these.
    #[must_use]
    pub fn bounded(mut self, columns: usize) -> Self {
        for number in [
            &mut self.rows_read,
            &mut self.rows_to_send,
            &mut self.bytes_to_send,
            &mut self.column_count,
        ] {
            *number = (*number).max(0);
        }
        self.columns.truncate(columns.min(NAMED_COLUMNS_MAX));
        for column in &mut self.columns {
            *column = column.chars().take(COLUMN_NAME_MAX).collect();
        }
        self.files.truncate(NAMED_FILES_MAX);
        for file in &mut self.files {
            *file = file.chars().take(FILE_NAME_MAX).collect();
        }
        self.dataset = self.dataset.chars().take(DATASET_NAME_MAX).collect();
        self
    }
}
