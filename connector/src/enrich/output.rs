//! Where the output goes: one file below the folder of its volume, and nowhere else, which is replaced as a whole.

use super::fault::{OutputFault, OutputTrouble};
use crate::source::{Files, Source};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions};
use connection_operator::api::run::PlannedEnrichment;
use connection_operator::governance::datasets::place::{covers, segments};
use connection_operator::governance::runs::names::hash;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::Path;
use tracing::warn;

/// What unfinished outputs end with.
const UNFINISHED: &str = ".part";

/// The place of an output.
pub struct Place {
    dataset: String,
    folder: Dir,
    name: String,
    /// What the output is called until it is whole.
    unfinished: String,
}

impl Place {
    /// Below this folder, where its volume is, for this run. The folders on its path are made. Unfinished outputs of other runs that
    /// would have its name are taken away: they may be personal data, and fill the volume. Of one output one run goes on at a time: should
    /// another still, on a node that is lost, its output gets no final name.
    ///
    /// # Errors
    /// When there is no such place.
    pub fn find(
        planned: &PlannedEnrichment,
        input: &Source,
        (volume, run): (&Path, &str),
    ) -> Result<Self, OutputFault> {
        let dataset = planned.output.dataset.to_string();
        let fault = |trouble: OutputTrouble| trouble.of_dataset(&dataset);
        let failed = |error: Error| fault(OutputTrouble::of_error(&error));
        let written = planned.output.location.volume.as_ref();
        let written = written.ok_or_else(|| fault(OutputTrouble::NotOnVolume))?;
        let names =
            segments(&written.path).filter(|names| !names.iter().any(|name| name.contains(['*', '?'])));
        let names = names.ok_or_else(|| fault(OutputTrouble::PathRefused))?;
        let (name, folders) = names
            .split_last()
            .ok_or_else(|| fault(OutputTrouble::PathRefused))?;
        let read = planned.input.location.volume.as_ref();
        let read = read.ok_or_else(|| fault(OutputTrouble::InInput))?;
        if read.claim_name == written.claim_name && covers(&read.path, &written.path) {
            return Err(fault(OutputTrouble::InInput));
        }
        let mut folder = Dir::open_ambient_dir(volume, ambient_authority()).map_err(failed)?;
        for name in folders {
            folder = below(&folder, name).map_err(failed)?;
        }
        if folder.symlink_metadata(name).is_ok_and(|found| found.is_dir()) {
            return Err(fault(OutputTrouble::IsFolder));
        }
        if is_read(input.files(), &read.path, (&folder, name)).map_err(failed)? {
            return Err(fault(OutputTrouble::InInput));
        }
        let mark = format!(".connections-{}-", &hash(name.as_bytes())[..16]);
        sweep(&folder, &mark).map_err(failed)?;
        Ok(Self {
            folder,
            name: (*name).to_owned(),
            unfinished: format!("{mark}{run}{UNFINISHED}"),
            dataset,
        })
    }

    /// Begins the output.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn draft(self) -> Result<(Draft, File), OutputFault> {
        let anew = OpenOptions::new().write(true).create_new(true).clone();
        let made = self.folder.open_with(&self.unfinished, &anew);
        let file = made.map_err(|error| OutputTrouble::of_error(&error).of_dataset(&self.dataset))?;
        let draft = Draft {
            place: self,
            published: false,
        };
        Ok((draft, file.into_std()))
    }
}

/// Whether this name in this folder is a file of the input, or would become one: a link may give one folder two names, and two claims may
/// be of one volume.
fn is_read(files: &Files, path: &str, (folder, name): (&Dir, &str)) -> Result<bool, Error> {
    let own = match folder.symlink_metadata(name) {
        Ok(found) => Some(identity(&found)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let here = identity(&folder.dir_metadata()?);
    // One that is gone meanwhile will be told by whoever reads it.
    let found = |path: &Path| files.metadata(path).ok().map(|found| identity(&found));
    let mut parents = BTreeMap::new();
    for file in files.paths() {
        if own.is_some() && found(file) == own {
            return Ok(true);
        }
        let parent = file.parent().unwrap_or(file);
        parents.entry(parent).or_insert_with(|| found(parent));
    }
    let mut beside = parents.iter().filter(|(_, found)| **found == Some(here));
    Ok(beside.any(|(parent, _)| covers(path, &parent.join(name).to_string_lossy())))
}

/// Which file or folder of which volume it is.
fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

/// A folder below another, which is made unless it's there.
fn below(folder: &Dir, name: &str) -> Result<Dir, Error> {
    match folder.open_dir(name) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match folder.create_dir(name) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {} // another run may have made it meanwhile
            }
            folder.open_dir(name)
        }
        opened => opened,
    }
}

/// Takes away what runs that were killed have left.
fn sweep(folder: &Dir, mark: &str) -> Result<(), Error> {
    for entry in folder.entries()? {
        let name = entry?.file_name();
        let left = name
            .to_str()
            .is_some_and(|name| name.starts_with(mark) && name.ends_with(UNFINISHED));
        if left && let Err(error) = folder.remove_file(&name) {
            warn!(kind = %error.kind(), "what an earlier run left can't be taken away");
        }
    }
    Ok(())
}

/// An output that has no final name yet. It is taken away unless it gets one.
pub struct Draft {
    place: Place,
    published: bool,
}

impl Draft {
    /// The dataset.
    #[must_use]
    pub fn dataset(&self) -> &str {
        &self.place.dataset
    }

    /// Puts it, whole as it is, where the one of before is, in one step; `stands` is told at once that it stands there.
    ///
    /// # Errors
    /// When it can't be. The one of before stands.
    pub fn publish(mut self, stands: impl FnOnce()) -> Result<(), OutputFault> {
        let Place {
            folder,
            name,
            unfinished,
            ..
        } = &self.place;
        let renamed = folder.rename(unfinished, folder, name);
        renamed.map_err(|error| OutputTrouble::of_error(&error).of_dataset(&self.place.dataset))?;
        self.published = true;
        stands();
        // That the name outlives a power failure too; not every volume knows how to say so.
        let synced = self.place.folder.open(".").and_then(|folder| folder.sync_all());
        if let Err(error) = synced {
            warn!(kind = %error.kind(), "the volume doesn't say whether the output's name stands");
        }
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published
            && let Err(error) = self.place.folder.remove_file(&self.place.unfinished)
        {
            warn!(kind = %error.kind(), "an unfinished output is left: the next run takes it away");
        }
    }
}
