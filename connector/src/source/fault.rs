//! What can be wrong with a dataset.

use crate::fault::Fault;
use connection_operator::api::run::{FailureClass, Persistence};
use connection_operator::governance::message::quoted;
use thiserror::Error;

/// A dataset can't be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .trouble.text(.dataset))]
pub struct SourceFault {
    /// Its name.
    pub dataset: String,
    /// What is wrong.
    pub trouble: Trouble,
}

/// A place in a dataset's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The row, the first being 1; 0 where it's the file as a whole.
    pub row: u64,
}

/// What is wrong with a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This connector reads files of volumes only.
    NotOnVolume,
    /// No file is there.
    NothingThere,
    /// The path isn't one.
    PathRefused,
    /// The path, or a link on it, leads out of the volume.
    LeadsOut,
    /// Too many files.
    TooManyFiles(usize),
    /// The delimiter is no single byte.
    DelimiterRefused,
    /// Parquet files in a gzip or zstd file.
    ParquetCompressed,
    /// No column at all.
    NoColumns,
    /// More columns than anybody could want.
    TooManyColumns,
    /// Two columns of one name: the number of the second. The name isn't told: of a file without a head it's somebody's data.
    ColumnTwice(usize),
    /// A file has other columns than the first.
    ColumnsDiffer(Place),
    /// A row is too long.
    RowTooLong(Place),
    /// The file isn't what the dataset says, with what was expected.
    Broken(Place, &'static str),
    /// The file can't be read from the volume.
    Unreadable(Place),
}

impl Trouble {
    /// As the fault of a dataset.
    #[must_use]
    pub fn of(self, dataset: &str) -> SourceFault {
        SourceFault {
            dataset: dataset.to_owned(),
            trouble: self,
        }
    }

    fn text(&self, dataset: &str) -> String {
        match self {
            Self::NotOnVolume => format!(
                "The dataset {dataset} isn't in files on a volume, and this connector reads no others: name another."
            ),
            Self::NothingThere => format!(
                "The dataset {dataset} has no file at its spec.location.volume.path: correct the path, or put the file there."
            ),
            Self::PathRefused => format!(
                "The path of the dataset {dataset} is none below its volume: expected names between single slashes, in which * \
                 and ? may stand for characters. Correct spec.location.volume.path."
            ),
            Self::LeadsOut => format!(
                "The path of the dataset {dataset}, or a link on it, leads out of its volume, and nothing there is read. Put the \
                 file itself where the link is."
            ),
            Self::TooManyFiles(max) => format!(
                "The dataset {dataset} has more than {max} files: name fewer by spec.location.volume.path."
            ),
            Self::DelimiterRefused => format!(
                "The dataset {dataset} separates fields by what isn't a single byte that may do so: correct \
                 spec.format.csv.delimiter."
            ),
            Self::ParquetCompressed => format!(
                "The dataset {dataset} is Parquet, which compresses by itself: remove spec.format.compression, and unpack files \
                 that were packed once more."
            ),
            Self::NoColumns => {
                format!("The dataset {dataset} has no rows, and nothing that names columns.")
            }
            Self::TooManyColumns => format!(
                "The dataset {dataset} has more columns than the {} that a connector reads: make a narrower one.",
                super::COLUMNS_MAX
            ),
            Self::ColumnTwice(number) => format!(
                "The dataset {dataset} calls its column {number} as one before it: give each its own name. If its files begin \
                 without a line of names, say so in spec.format."
            ),
            Self::ColumnsDiffer(place) => format!(
                "The dataset {dataset} has files of different columns: {} has others than the first. Give all the same.",
                place.in_words()
            ),
            Self::RowTooLong(place) => format!(
                "The dataset {dataset} has a row longer than {} MiB, {}: look whether a quote is left open, or it is another format.",
                super::ROW_MAX >> 20,
                place.in_words()
            ),
            Self::Broken(place, expected) => format!(
                "The dataset {dataset} can't be read, {}: expected {expected}. Correct the file, or the dataset's spec.format.",
                place.in_words()
            ),
            Self::Unreadable(place) => format!(
                "The volume of the dataset {dataset} didn't give what it holds, {}. It's tried again; if that lasts, whoever runs \
                 the cluster can look at the volume and at who may read the file.",
                place.in_words()
            ),
        }
    }
}

impl Place {
    /// The file as a whole.
    #[must_use]
    pub fn file(name: &str) -> Self {
        Self::row(name, 0)
    }

    /// One row of it.
    #[must_use]
    pub fn row(name: &str, row: u64) -> Self {
        Self {
            file: name.to_owned(),
            row,
        }
    }

    fn in_words(&self) -> String {
        match self.row {
            0 => format!("file {}", quoted(&self.file)),
            row => format!("file {}, row {row}", quoted(&self.file)),
        }
    }
}

impl Fault for SourceFault {
    fn class(&self) -> FailureClass {
        match self.trouble {
            Trouble::Unreadable(_) => FailureClass::System,
            _ => FailureClass::User,
        }
    }

    fn persistence(&self) -> Persistence {
        match self.trouble {
            // What has no rows yet may have some the next time.
            Trouble::Unreadable(_) | Trouble::NoColumns => Persistence::Transient,
            _ => Persistence::Permanent,
        }
    }
}
