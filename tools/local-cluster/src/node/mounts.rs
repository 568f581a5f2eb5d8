//! The node's own view of the file system. It ends with the node.

use std::fs;
use std::path::Path;

use nix::mount::{MsFlags, mount};

use super::home;
use crate::Error;

/// Kernel settings that the kubelet wants for the whole machine, and would set.
const WANTED_BY_KUBELET: [(&str, &str); 6] = [
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/keys/root_maxbytes", "25000000"),
];

/// Places outside `/run` that network plugins and kubelet insist on.
const INSISTED_ON: [&str; 2] = ["/var/lib/cni", "/var/lib/kubelet"];

/// Gives the node, from inside, a `/proc`, a `/run` and further folders of its own.
///
/// # Errors
/// When the kernel refuses a mount.
pub fn prepare(run: &Path) -> Result<(), Error> {
    // Shared inside only: pods may ask for mounts that show up in one another.
    let nothing: Option<&str> = None;
    mounted(
        mount(
            nothing,
            "/",
            nothing,
            MsFlags::MS_REC | MsFlags::MS_SHARED,
            nothing,
        ),
        "/",
    )?;
    fresh("proc", "/proc")?;
    bind(run, Path::new("/run"))?;
    fresh("tmpfs", "/var/log")?;
    for folder in INSISTED_ON {
        fs::create_dir_all(folder).map_err(Error::file("make", Path::new(folder)))?;
        fresh("tmpfs", folder)?;
    }
    fs::create_dir_all(home()).map_err(Error::file("make", home()))?;
    shield_kernel_settings()
}

/// Removes, from outside, the empty folders that had to be there for a mount. It would end that mount in another node.
pub fn clean() {
    for folder in INSISTED_ON {
        // Fails when it is in use by others or was never there: then it must stay as it is.
        let _ = fs::remove_dir(folder);
    }
}

/// Lets the kubelet find its wishes fulfilled, so that it leaves this machine's settings alone.
fn shield_kernel_settings() -> Result<(), Error> {
    let folder = home().join("sysctl");
    fs::create_dir_all(&folder).map_err(Error::file("make", &folder))?;
    for (setting, value) in WANTED_BY_KUBELET {
        let pretended = folder.join(setting.replace('/', "."));
        fs::write(&pretended, format!("{value}\n")).map_err(Error::file("write", &pretended))?;
        bind(&pretended, &Path::new("/proc/sys").join(setting))?;
    }
    Ok(())
}

fn fresh(kind: &str, target: &str) -> Result<(), Error> {
    mounted(
        mount(Some(kind), target, Some(kind), MsFlags::empty(), None::<&str>),
        target,
    )
}

fn bind(source: &Path, target: &Path) -> Result<(), Error> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mounted(
        mount(Some(source), target, None::<&str>, flags, None::<&str>),
        &target.to_string_lossy(),
    )
}

fn mounted(result: nix::Result<()>, target: &str) -> Result<(), Error> {
    result.map_err(|errno| Error::file("mount on", Path::new(target))(errno.into()))
}
