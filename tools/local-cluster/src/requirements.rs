//! What a node needs of this machine, looked at before anything is started.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Error;
use crate::processes::run;

/// Files of Debian packages that the node uses.
const FROM_PACKAGES: [(&str, &str); 6] = [
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("runc", "runc"),
    ("buildah", "buildah"),
    ("unshare", "util-linux"),
    ("/usr/lib/cni/ptp", "containernetworking-plugins"),
];

/// Checks what only the machine's owner can give.
///
/// # Errors
/// Says the first thing that is missing.
pub fn check_machine() -> Result<(), Error> {
    let missing = if !cfg!(target_os = "linux") {
        "a node needs Linux"
    } else if !nix::unistd::geteuid().is_root() {
        "a node needs root, for its containers and its network"
    } else if !has_overlay() {
        "a node needs the overlay file system, which this kernel lacks"
    } else if !read("/proc/mounts").contains(" /sys/fs/cgroup") {
        "a node needs control groups at /sys/fs/cgroup, where none are mounted"
    } else {
        return check_compiler();
    };
    Err(Error::NotHere {
        missing: missing.to_owned(),
        next: "run this as root on Linux, or use a cluster that you have: `CLUSTER=existing make up`"
            .to_owned(),
    })
}

/// Checks for the compiler that builds the pinned programs.
///
/// # Errors
/// When there is none.
pub fn check_compiler() -> Result<(), Error> {
    if is_there("go") {
        return Ok(());
    }
    Err(Error::NotHere {
        missing: "the programs of Kubernetes are built with Go, which is not in PATH".to_owned(),
        next: "install Go 1.26 or newer".to_owned(),
    })
}

/// Checks for the program that builds images.
///
/// # Errors
/// When there is none.
pub fn check_image_builder() -> Result<(), Error> {
    if is_there("buildah") {
        return Ok(());
    }
    Err(Error::NotHere {
        missing: "images are built with buildah, which is not in PATH".to_owned(),
        next: "install it: `apt-get install buildah`".to_owned(),
    })
}

/// The Debian packages that are missing.
#[must_use]
pub fn missing_packages() -> Vec<&'static str> {
    FROM_PACKAGES
        .iter()
        .filter(|(file, _)| !is_there(file))
        .map(|(_, package)| *package)
        .collect()
}

/// Installs Debian packages.
///
/// # Errors
/// When this is no Debian, or the installation fails.
pub fn install(packages: &[&str]) -> Result<(), Error> {
    if !is_there("apt-get") {
        return Err(Error::NotHere {
            missing: format!(
                "a node needs what Debian has in the packages {}",
                packages.join(", ")
            ),
            next: "install the like of it by this system's own means".to_owned(),
        });
    }
    let mut refresh = Command::new("apt-get");
    run(refresh.args(["update", "-q"]))?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "-q", "-y", "--no-install-recommends"])
        .args(packages);
    run(install.env("DEBIAN_FRONTEND", "noninteractive")).map(drop)
}

/// Most kernels have it as a module, which nobody may have asked for yet.
fn has_overlay() -> bool {
    let is_known = || read("/proc/filesystems").contains("overlay");
    is_known() || (run(Command::new("modprobe").arg("overlay")).is_ok() && is_known())
}

fn is_there(file: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // Tools for administrators are not in everyone's PATH. An absolute file joined to a folder stays what it is.
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(file).is_file())
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(file)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name_or_path() {
        assert!(is_there("sh"));
        assert!(is_there("/bin/sh"));
        assert!(!is_there("a-program-that-is-not-there"));
    }
}
