//! A folder for one run, removed with it, or by the next run if this one is killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Error;
use crate::cache::cache_directory;

/// Exists as long as its value does. A lock that ends with the process says to others that it is in use.
#[derive(Debug)]
pub(crate) struct RunDirectory {
    path: PathBuf,
    _lock: File,
}

impl RunDirectory {
    /// Makes one, and removes those whose owners are no more.
    pub(crate) fn create() -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let all = cache_directory().join("run");
        fs::create_dir_all(&all).map_err(Error::file("make", &all))?;
        // Nobody may sweep between the making of a folder and its lock.
        let _sweeping = locked(&all.join("sweep.lock"))?;
        sweep(&all)?;

        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = all.join(format!("{}-{count}", std::process::id()));
        fs::create_dir(&path).map_err(Error::file("make", &path))?;
        let lock = locked(&path.join("owner.lock"))?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn sweep(all: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(all).map_err(Error::file("list", all))? {
        let path = entry.map_err(Error::file("list", all))?.path();
        if path.is_dir() && !in_use(&path) {
            fs::remove_dir_all(&path).map_err(Error::file("remove", &path))?;
        }
    }
    Ok(())
}

fn in_use(path: &Path) -> bool {
    File::open(path.join("owner.lock")).is_ok_and(|lock| lock.try_lock().is_err())
}

/// Opens the file and waits for its lock, which is held until the file is dropped or the process ends.
pub(crate) fn locked(path: &Path) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::file("open", path))?;
    file.lock().map_err(Error::file("lock", path))?;
    Ok(file)
}
