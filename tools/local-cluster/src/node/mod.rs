//! A whole node on this machine, enclosed in namespaces of its own: processes, mounts and network.
//!
//! The node's first process starts all others and is the parent of whatever they leave behind. When it is killed, the
//! kernel ends every process of the node, and with the last of them go its mounts, interfaces and firewall rules. So
//! nothing has to be undone in order, and a killed `up` is no special case. What is left for [`Node::stop`]: control
//! groups and files.
//!
//! - [`enclosure`]: from outside: start it, stop it, know it again
//! - [`inside`]: its first process
//! - [`mounts`], [`network`], [`cgroups`]: what it is given
//! - [`containers`], [`kubelet`], [`dns`]: the parts that a control plane for tests doesn't have

pub mod cgroups;
pub mod containers;
pub mod dns;
pub mod enclosure;
pub mod images;
pub mod inside;
pub mod kubelet;
pub mod mounts;
pub mod network;
pub mod record;

use std::path::Path;

/// The node's name.
pub const NAME: &str = "local";

/// Where the node keeps everything, as seen from inside.
#[must_use]
pub fn home() -> &'static Path {
    Path::new("/run/local-cluster")
}
