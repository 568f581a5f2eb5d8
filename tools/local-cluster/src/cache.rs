//! The user's cache, shared by all clones.

use std::env;
use std::path::PathBuf;

/// Where things are kept that are worth keeping between clones and runs.
#[must_use]
pub fn cache_directory() -> PathBuf {
    env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("connection-operator")
}
