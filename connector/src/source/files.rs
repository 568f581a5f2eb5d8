//! The files of a dataset: found and opened below the folder of its volume, and nowhere else.

use super::fault::{Place, SourceFault, Trouble};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use connection_operator::governance::datasets::place::{Name, is_data, segments};
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// Most files of a dataset.
const FILES_MAX: usize = 10_000;
/// Most entries that are looked at to find them.
const ENTRIES_MAX: usize = 1_000_000;

/// The files of a dataset, in the order of their names. There is at least one.
pub struct Files {
    /// The dataset's name.
    pub dataset: String,
    volume: Dir,
    paths: Vec<PathBuf>,
}

impl Files {
    /// Looks for the files that a path means below the folder of a volume: the file itself, the files that lie in a folder,
    /// or what a pattern matches. Files that begin with a dot or an underscore aren't data, unless they are named.
    ///
    /// # Errors
    /// When there is none, or something on the way can't be looked at.
    pub fn find(dataset: &str, volume: &Path, path: &str) -> Result<Self, SourceFault> {
        let segments = segments(path).ok_or_else(|| Trouble::PathRefused.of(dataset))?;
        let opened = Dir::open_ambient_dir(volume, ambient_authority());
        let volume = opened.map_err(|error| fault(dataset, Path::new("."), &error))?;
        let mut search = Search {
            dataset,
            volume: &volume,
            looked_at: 0,
        };
        let mut paths = vec![PathBuf::new()];
        for segment in segments {
            paths = search.step(paths, segment)?;
        }
        let mut found = Vec::new();
        for path in paths {
            found.extend(search.files_at(path)?);
            if found.len() > FILES_MAX {
                return Err(Trouble::TooManyFiles(FILES_MAX).of(dataset));
            }
        }
        if found.is_empty() {
            return Err(Trouble::NothingThere.of(dataset));
        }
        found.sort_unstable();
        Ok(Self {
            dataset: dataset.to_owned(),
            volume,
            paths: found,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// What one of them is called, for a message.
    pub fn name(&self, file: usize) -> String {
        self.paths
            .get(file)
            .map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// Opens one of them.
    ///
    /// # Errors
    /// When it can't be read any more.
    pub fn open(&self, file: usize) -> Result<File, SourceFault> {
        let path = self
            .paths
            .get(file)
            .ok_or_else(|| Trouble::NothingThere.of(&self.dataset))?;
        let opened = self.volume.open(path);
        let opened = opened.map_err(|error| fault(&self.dataset, path, &error))?;
        Ok(opened.into_std())
    }

    /// Where they are below the folder of the volume.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// What the system tells of one of them, or of a folder that they are in.
    ///
    /// # Errors
    /// When it isn't there any more, or can't be looked at.
    pub fn metadata(&self, path: &Path) -> Result<cap_std::fs::Metadata, Error> {
        self.volume.metadata(here(path))
    }

    /// A place in one of them.
    pub fn place(&self, file: usize, row: u64) -> Place {
        Place::row(&self.name(file), row)
    }
}

/// One search for files.
struct Search<'a> {
    dataset: &'a str,
    volume: &'a Dir,
    looked_at: usize,
}

impl Search<'_> {
    /// What one more name leads to from each of these places.
    fn step(&mut self, from: Vec<PathBuf>, segment: &str) -> Result<Vec<PathBuf>, SourceFault> {
        if !segment.contains(['*', '?']) {
            return Ok(from.into_iter().map(|path| path.join(segment)).collect());
        }
        let pattern = Name::new(segment).ok_or_else(|| Trouble::PathRefused.of(self.dataset))?;
        let mut reached = Vec::new();
        for path in from {
            if !self.is_folder(&path)? {
                continue;
            }
            let names = self.names_in(&path)?.into_iter();
            let matching = names.filter(|name| pattern.is(name));
            reached.extend(matching.map(|name| path.join(name)));
        }
        Ok(reached)
    }

    /// The file at this place, or those that lie in the folder there.
    fn files_at(&mut self, path: PathBuf) -> Result<Vec<PathBuf>, SourceFault> {
        if !self.is_folder(&path)? {
            return Ok(if self.is_file(&path)? {
                vec![path]
            } else {
                Vec::new()
            });
        }
        let names = self.names_in(&path)?;
        let data = names.into_iter().filter(|name| is_data(name));
        let mut files = Vec::new();
        for name in data {
            let file = path.join(name);
            if self.is_file(&file)? {
                files.push(file);
            }
        }
        Ok(files)
    }

    fn names_in(&mut self, path: &Path) -> Result<Vec<String>, SourceFault> {
        let unreadable = |error: Error| fault(self.dataset, path, &error);
        let entries = self.volume.read_dir(here(path)).map_err(unreadable)?;
        let mut names = Vec::new();
        for entry in entries {
            self.looked_at += 1;
            if self.looked_at > ENTRIES_MAX {
                return Err(Trouble::TooManyFiles(FILES_MAX).of(self.dataset));
            }
            let name = entry.map_err(unreadable)?.file_name();
            names.extend(name.into_string()); // what isn't text can't be meant by a path
        }
        Ok(names)
    }

    fn is_folder(&self, path: &Path) -> Result<bool, SourceFault> {
        self.metadata(path)
            .map(|found| found.is_some_and(|metadata| metadata.is_dir()))
    }

    /// A pipe or device would let the run wait for ever.
    fn is_file(&self, path: &Path) -> Result<bool, SourceFault> {
        self.metadata(path)
            .map(|found| found.is_some_and(|metadata| metadata.is_file()))
    }

    fn metadata(&self, path: &Path) -> Result<Option<cap_std::fs::Metadata>, SourceFault> {
        match self.volume.metadata(here(path)) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(fault(self.dataset, path, &error)),
        }
    }
}

/// The root of the volume has a name too.
fn here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    }
}

/// A way out of the volume is refused by cap-std without asking the system, and so has none of its error numbers.
fn fault(dataset: &str, path: &Path, error: &Error) -> SourceFault {
    let out = error.kind() == ErrorKind::PermissionDenied && error.raw_os_error().is_none();
    let trouble = match error.kind() {
        _ if out => Trouble::LeadsOut,
        ErrorKind::NotFound | ErrorKind::NotADirectory => Trouble::NothingThere,
        _ => Trouble::Unreadable(Place::file(&path.to_string_lossy())),
    };
    trouble.of(dataset)
}
