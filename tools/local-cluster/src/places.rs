//! Where `up` leaves things: the folder `.local` of a clone.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::programs::{HELM, KUBECTL};

/// The folders and files of one cluster.
#[derive(Debug, Clone)]
pub struct Places {
    clone: PathBuf,
    local: PathBuf,
}

impl Places {
    /// The clone that this program was built from, and its `.local`, or the folder that `LOCAL_CLUSTER` names: each has
    /// a cluster of its own.
    #[must_use]
    pub fn here() -> Self {
        let clone = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let clone = clone.canonicalize().unwrap_or(clone);
        let local = env::var_os("LOCAL_CLUSTER").unwrap_or_else(|| ".local".into());
        Self::of(&clone, &clone.join(local))
    }

    /// A given clone and folder.
    #[must_use]
    pub fn of(clone: &Path, local: &Path) -> Self {
        Self {
            clone: clone.to_path_buf(),
            local: local.to_path_buf(),
        }
    }

    /// The clone itself.
    #[must_use]
    pub fn clone_root(&self) -> &Path {
        &self.clone
    }

    /// The folder that holds all others.
    #[must_use]
    pub fn local(&self) -> &Path {
        &self.local
    }

    /// The administrator's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.local.join("kubeconfig")
    }

    /// Holds `kubectl` and `helm`.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        self.local.join("bin")
    }

    /// Holds a log for each component.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.local.join("log")
    }

    /// Holds all that the node writes; removed with it.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.local.join("state")
    }

    /// What the node sees as `/run`.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.state().join("run")
    }

    /// Held by the one who changes something here.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.local.join("lock")
    }

    /// Says which process the node is.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.state().join("node.json")
    }

    /// Makes the folders that must be there first.
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn make(&self) -> Result<(), Error> {
        for folder in [self.programs(), self.logs(), self.state()] {
            fs::create_dir_all(&folder).map_err(Error::file("make", &folder))?;
        }
        Ok(())
    }

    /// Makes `kubectl` and `helm` available to people.
    ///
    /// # Errors
    /// When they cannot be had.
    pub fn provide_tools(&self) -> Result<(), Error> {
        for tool in [KUBECTL, HELM] {
            let name = self.programs().join(tool.name);
            forget(&name)?;
            symlink(tool.path()?, &name).map_err(Error::file("link", &name))?;
        }
        Ok(())
    }

    /// Removes what people use to reach the cluster.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn forget_tools(&self) -> Result<(), Error> {
        for tool in [KUBECTL, HELM] {
            forget(&self.programs().join(tool.name))?;
        }
        forget(&self.kubeconfig())
    }
}

fn forget(file: &Path) -> Result<(), Error> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file("remove", file)(error)),
        _ => Ok(()),
    }
}
