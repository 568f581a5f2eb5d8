//! containerd and how it gives pods a network.

use std::fs;

use serde_json::json;

use super::home;
use super::network::POD_RANGE;
use crate::Error;
use crate::components::flag;
use crate::processes::Launch;
use crate::programs::{CONTAINERD, CONTAINERD_SHIM};

/// The image of the process that holds a pod's namespaces.
pub const PAUSE_IMAGE: &str = "localhost/pause:1";
/// Where containerd listens, as seen from inside.
pub const SOCKET: &str = "/run/containerd/containerd.sock";

/// containerd.
///
/// # Errors
/// When the program cannot be had or its configuration cannot be written.
pub fn containerd() -> Result<Launch, Error> {
    let networks = home().join("networks");
    fs::create_dir_all(&networks).map_err(Error::file("make", &networks))?;
    let network = networks.join("pods.conflist");
    fs::write(&network, pod_network()).map_err(Error::file("write", &network))?;
    let file = home().join("containerd.toml");
    fs::write(&file, configuration(&CONTAINERD_SHIM.path()?.to_string_lossy()))
        .map_err(Error::file("write", &file))?;
    Ok(Launch {
        name: "containerd",
        program: CONTAINERD.path()?,
        arguments: vec![flag("config", file.display()), flag("log-level", "warn")],
    })
}

/// Every pod has a link of its own to the node, and all that it sends is routed, so that the rules for services see it.
/// On a bridge they would miss answers between two pods.
fn pod_network() -> String {
    json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [{
            "type": "ptp",
            "ipam": {
                "type": "host-local",
                "dataDir": home().join("addresses"),
                "ranges": [[{ "subnet": POD_RANGE }]],
                "routes": [{ "dst": "0.0.0.0/0" }],
            },
        }],
    })
    .to_string()
}

fn configuration(shim: &str) -> String {
    let home = home().display();
    format!(
        r#"version = 3
root = "{home}/containerd"
state = "/run/containerd"

[grpc]
address = "{SOCKET}"

[plugins.'io.containerd.internal.v1.opt']
path = "{home}/opt"

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{PAUSE_IMAGE}"

[plugins.'io.containerd.cri.v1.runtime']
# Not every root may raise a process above others in the eyes of the out-of-memory killer.
restrict_oom_score_adj = true
# A profile would stay in the kernel when the node has gone.
disable_apparmor = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["/usr/lib/cni"]
conf_dir = "{home}/networks"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
# Debian's own shim, should it be there, is too old.
runtime_path = "{shim}"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
"#
    )
}
