//! Control groups of the node's pods: the one thing that the kernel doesn't take away with the node.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Error;
use crate::readiness::wait_until;

const ROOT: &str = "/sys/fs/cgroup";

/// The group that holds those of all pods, as the kubelet names it.
#[must_use]
pub fn name(number: u8) -> String {
    format!("/local-cluster{number}")
}

/// Makes the group in every hierarchy: one of version 2, or one for each controller of version 1.
///
/// # Errors
/// When it cannot be made.
pub fn make(number: u8) -> Result<(), Error> {
    let controllers = fs::read_to_string(Path::new(ROOT).join("cgroup.controllers")).unwrap_or_default();
    for controller in controllers.split_whitespace() {
        // Not every controller can be had everywhere; the kubelet says so if it misses one.
        let _ = fs::write(
            Path::new(ROOT).join("cgroup.subtree_control"),
            format!("+{controller}"),
        );
    }
    for hierarchy in hierarchies()? {
        let group = within(&hierarchy, number);
        fs::create_dir_all(&group).map_err(Error::file("make", &group))?;
    }
    Ok(())
}

/// Removes it with all that it holds, once their processes have ended.
///
/// # Errors
/// When one stays in use.
pub fn remove(number: u8, logs: &Path) -> Result<(), Error> {
    for hierarchy in hierarchies()? {
        let group = within(&hierarchy, number);
        let what = format!("the control group {} empties", group.display());
        wait_until(&what, Duration::from_secs(10), logs, || Ok(remove_tree(&group)))?;
    }
    Ok(())
}

/// A group goes only after those within; its files need not be removed.
fn remove_tree(group: &Path) -> bool {
    let within = fs::read_dir(group)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    for path in within.filter(|path| path.is_dir()) {
        remove_tree(&path);
    }
    fs::remove_dir(group).is_ok() || !group.exists()
}

fn hierarchies() -> Result<Vec<PathBuf>, Error> {
    let root = Path::new(ROOT);
    if root.join("cgroup.controllers").exists() {
        return Ok(vec![root.to_path_buf()]);
    }
    let entries = fs::read_dir(root).map_err(Error::file("list", root))?;
    let folders = entries.flatten().map(|entry| entry.path());
    Ok(folders
        .filter(|path| path.join("cgroup.procs").exists() && !path.is_symlink())
        .collect())
}

fn within(hierarchy: &Path, number: u8) -> PathBuf {
    hierarchy.join(name(number).trim_start_matches('/'))
}
