//! The node's own network, and the one link between it and this machine.
//!
//! Pods reach this machine (their traffic bears the node's address), not what lies beyond it.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::home;
use crate::Error;
use crate::processes::run;

/// The range of the pods' addresses.
pub const POD_RANGE: &str = "10.244.0.0/24";

/// Nodes that one machine can have at a time.
const COUNT: u8 = 100;

/// The two ends of the link of the node with this number.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    number: u8,
}

impl Link {
    /// The link of a node.
    #[must_use]
    pub fn of(number: u8) -> Self {
        Self { number }
    }

    fn is_unused(self, routes: &str) -> bool {
        let network = format!("10.213.{}.", self.number);
        !self.interface().exists() && !routes.contains(&network) && !routes.contains("10.213.0.0/16")
    }

    /// Tells the nodes of one machine apart.
    #[must_use]
    pub fn number(self) -> u8 {
        self.number
    }

    /// The name of the end on this machine.
    #[must_use]
    pub fn name(self) -> String {
        format!("local-cluster{}", self.number)
    }

    fn interface(self) -> PathBuf {
        Path::new("/sys/class/net").join(self.name())
    }

    /// This machine's address, as the node sees it.
    #[must_use]
    pub fn machine(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 213, self.number, 1)
    }

    /// The node's address.
    #[must_use]
    pub fn node(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 213, self.number, 2)
    }

    /// Makes a link, from outside, to the network of a process, whose name and addresses nothing else uses.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn connect(pid: u32) -> Result<Self, Error> {
        let routes = run(Command::new("ip").args(["-4", "route", "show", "table", "all"]))?;
        for link in (0..COUNT).map(Self::of).filter(|link| link.is_unused(&routes)) {
            let name = link.name();
            match ip(&format!("link add {name} type veth peer name eth0 netns {pid}")) {
                // Another node has just come to be.
                Err(_) if link.interface().exists() => continue,
                made => made?,
            }
            ip(&format!("addr add {}/30 dev {name}", link.machine()))?;
            ip(&format!("link set {name} up"))?;
            return Ok(link);
        }
        Err(Error::NotHere {
            missing: "all networks from 10.213.0.0 to 10.213.99.255 are in use".to_owned(),
            next: "stop other nodes, or remove a route of this range".to_owned(),
        })
    }

    /// Removes the link, from outside. The kernel would do it too, but only when the last connection in the node's
    /// network has timed out.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(self) -> Result<(), Error> {
        if self.interface().exists() {
            ip(&format!("link delete {}", self.name()))
        } else {
            Ok(())
        }
    }

    /// Whether any node of this machine has one.
    #[must_use]
    pub fn any_is_left() -> bool {
        (0..COUNT).any(|number| Self::of(number).interface().exists())
    }

    /// Sets up the node's end, and lets pods through, from inside.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn set_up_inside(self) -> Result<(), Error> {
        ip("link set lo up")?;
        ip(&format!("addr add {}/30 dev eth0", self.node()))?;
        ip("link set eth0 up")?;
        ip(&format!("route add default via {}", self.machine()))?;
        let forward = Path::new("/proc/sys/net/ipv4/ip_forward");
        fs::write(forward, "1").map_err(Error::file("write", forward))?;
        let rules = home().join("masquerade.nft");
        let text = format!(
            "table ip local-cluster {{\n  chain leaving {{\n    type nat hook postrouting priority srcnat;\n    \
             ip saddr {POD_RANGE} oifname eth0 masquerade\n  }}\n}}\n"
        );
        fs::write(&rules, text).map_err(Error::file("write", &rules))?;
        run(Command::new("nft").arg("-f").arg(&rules)).map(drop)
    }
}

fn ip(arguments: &str) -> Result<(), Error> {
    run(Command::new("ip").args(arguments.split_whitespace())).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_others_are_left_alone() {
        let free = Link::of(42);
        assert!(free.is_unused("default via 192.0.2.1 dev eth0\n10.213.43.0/30 dev local-cluster43\n"));
        assert!(!free.is_unused("10.213.42.0/30 dev tun0\n"));
        assert!(!free.is_unused("10.213.0.0/16 dev tun0\n"));
    }
}
