//! What can be wrong with an enrichment's input, with the provider's file, and with the output. No text in these holds a host, folder,
//! account, the name of a file, or anything from a row.

use crate::fault::Fault;
use connection_operator::api::run::{FailureClass, Persistence};
use connection_operator::governance::message::listed;
use std::io;
use thiserror::Error;

use super::table::TABLE_MAX;

/// The input doesn't fit the mapping.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InputFault {
    /// Nothing to join by.
    #[error(
        "The mapping is empty, so no line of the file belongs to any row. Name each key column of the file in spec.input.mapping, with the input's column that must be equal to it."
    )]
    NoMapping,
    /// Columns that aren't there. What is there isn't told: of a file without a head those are somebody's data.
    #[error(
        "The mapping names columns that the dataset {dataset} doesn't have: {}. It has {count} others. Correct spec.input.mapping; capitals count.",
        listed(.names)
    )]
    Unknown {
        /// The input.
        dataset: String,
        /// What is named.
        names: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// A column that holds no text, number, time or truth.
    #[error(
        "The mapping names a column of the input that can't be compared as text. Name others in spec.input.mapping."
    )]
    NotText,
}

impl Fault for InputFault {
    fn class(&self) -> FailureClass {
        FailureClass::User
    }

    fn persistence(&self) -> Persistence {
        Persistence::Permanent
    }
}

/// The provider's file isn't what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FileFault {
    /// It has nothing in it.
    #[error(
        "The provider's file is empty: expected a first line that names the columns. Ask the provider for it."
    )]
    Empty,
    /// It isn't whole, or not packed as its name says.
    #[error(
        "The provider's file can't be unpacked: one whose name ends with .gz must be a whole gzip file. Ask the provider for it."
    )]
    Broken,
    /// Its first line lacks keys of the mapping.
    #[error(
        "The provider's file has no columns of these names, which spec.input.mapping names as keys: {}. Its first line names {count} columns. Correct the mapping, capitals count, or delimiter in spec.parameters.",
        listed(.names)
    )]
    KeyMissing {
        /// What the mapping names.
        names: Vec<String>,
        /// How many columns there are.
        count: usize,
    },
    /// Two columns of the output would have one name.
    #[error(
        "The output would have two columns {name}: one of the input that spec.input.mapping names, and one of the provider's file that isn't a key. Map that one too, or name the input's otherwise."
    )]
    SameName {
        /// The name.
        name: String,
    },
    /// Two lines have one key.
    #[error(
        "The provider's file has more than one line for the same key, the second being record {0}, so it isn't known which one counts. Map further key columns in spec.input.mapping, or ask the provider for one line each."
    )]
    KeyTwice(u64),
    /// Two of its columns have one name.
    #[error(
        "The provider's file calls its column {0} as one before it. Ask the provider to give each its own name."
    )]
    ColumnTwice(usize),
    /// A record isn't text.
    #[error(
        "The provider's file can't be read at record {0}: expected text in UTF-8. Ask the provider for it."
    )]
    NotText(u64),
    /// A record has another width.
    #[error(
        "The provider's file can't be read at record {0}: expected as many fields as the first line has. Correct delimiter in spec.parameters, or ask the provider."
    )]
    Width(u64),
    /// A record is too long.
    #[error(
        "The provider's file has a record longer than 16 MiB, record {0}: a quote may be left open. Ask the provider to correct it."
    )]
    LineTooLong(u64),
    /// It has too many columns.
    #[error(
        "The provider's file has more columns than a connector reads. Ask the provider for a narrower one."
    )]
    TooManyColumns,
    /// It doesn't fit in memory.
    #[error(
        "The provider's file is too large to be joined: unpacked, and with 96 bytes for each line, it may have {} MiB. Ask the provider for a smaller one, or for several, each of which an enrichment of its own fetches.",
        TABLE_MAX >> 20
    )]
    TooLarge,
}

impl Fault for FileFault {
    fn class(&self) -> FailureClass {
        match self {
            Self::KeyMissing { .. } | Self::SameName { .. } | Self::KeyTwice(_) => FailureClass::User,
            _ => FailureClass::Destination,
        }
    }

    /// The next time there may be another file.
    fn persistence(&self) -> Persistence {
        Persistence::Transient
    }
}

/// The output can't be written. It stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .trouble.text(.dataset))]
pub struct OutputFault {
    /// The dataset's name.
    pub dataset: String,
    /// What is wrong.
    pub trouble: OutputTrouble,
}

/// What is wrong with an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputTrouble {
    /// It isn't on a volume.
    NotOnVolume,
    /// Its path names no single file.
    PathRefused,
    /// A folder has its name.
    IsFolder,
    /// It would be among the input's files.
    InInput,
    /// Its path, or a link on it, leads out of the volume.
    LeadsOut,
    /// There is no room.
    Full,
    /// The system doesn't let it be written.
    NotAllowed,
    /// It can't be written for another reason.
    Unwritable,
    /// A value can't be written in its format.
    NotText,
}

impl OutputTrouble {
    /// As the fault of a dataset.
    #[must_use]
    pub fn of_dataset(self, dataset: &str) -> OutputFault {
        OutputFault {
            dataset: dataset.to_owned(),
            trouble: self,
        }
    }

    /// What an error of the system means. A way out of the volume is refused by cap-std without asking the system, and so has none of
    /// its error numbers.
    #[must_use]
    pub fn of_error(error: &io::Error) -> Self {
        use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match error.kind() {
            PermissionDenied if error.raw_os_error().is_none() => Self::LeadsOut,
            PermissionDenied | ReadOnlyFilesystem => Self::NotAllowed,
            StorageFull | QuotaExceeded => Self::Full,
            _ => Self::Unwritable,
        }
    }

    fn text(self, dataset: &str) -> String {
        let text = match self {
            Self::NotOnVolume => {
                "isn't in a file on a volume, and this connector writes no others: name another in spec.output."
            }
            Self::PathRefused => {
                "has a path that names no single file below its volume: expected names between single slashes, without * and ?. \
                 Correct its spec.location.volume.path."
            }
            Self::IsFolder => {
                "has the path of a folder, and is one file: correct its spec.location.volume.path."
            }
            Self::InInput => {
                "would lie among the files of the input, which is never changed: give it another spec.location.volume.path."
            }
            Self::LeadsOut => {
                "has a path, or a link on it, that leads out of its volume, and nothing there is written. Correct its \
                 spec.location.volume.path."
            }
            Self::Full => {
                "has no room left on its volume, so it stays as it was. It's tried again; if that lasts, whoever runs the cluster \
                 can make the volume larger."
            }
            Self::NotAllowed => {
                "is on a volume that runs may not write, so it stays as it was. It's tried again; if that lasts, whoever runs the \
                 cluster can look at the volume and at who may write there."
            }
            Self::Unwritable => {
                "can't be written to its volume, so it stays as it was. It's tried again; if that lasts, whoever runs the cluster \
                 can look at the volume."
            }
            Self::NotText => {
                "can't hold a value of a column that the mapping names, such as a time of no calendar. Map another column, or \
                 correct the input."
            }
        };
        format!("The output dataset {dataset} {text}")
    }
}

impl Fault for OutputFault {
    fn class(&self) -> FailureClass {
        use OutputTrouble::{Full, NotAllowed, Unwritable};
        match self.trouble {
            Full | NotAllowed | Unwritable => FailureClass::System,
            _ => FailureClass::User,
        }
    }

    fn persistence(&self) -> Persistence {
        match self.class() {
            FailureClass::System => Persistence::Transient,
            _ => Persistence::Permanent,
        }
    }
}
