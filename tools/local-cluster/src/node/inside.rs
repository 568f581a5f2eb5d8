//! The node's first process: prepares what the others need, starts them, and starts them again should they end.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::wait::wait;

use super::enclosure::INSIDE;
use super::network::Link;
use super::{NAME, containers, home, kubelet, mounts};
use crate::Error;
use crate::certificates::write_private;
use crate::components::Site;
use crate::places::Places;
use crate::processes::{Launch, Tied};
use crate::programs::KUBECTL;
use crate::readiness::wait_until;

const PATIENCE: Duration = Duration::from_mins(2);
const BEFORE_A_RESTART: Duration = Duration::from_secs(1);

/// Runs the node. Only an error ends it, or a kill from outside.
///
/// # Errors
/// When something that the node needs cannot be had.
pub fn run(places: &Places) -> Result<(), Error> {
    let Some(number) = number() else {
        return Err(Error::NotHere {
            missing: "whoever started this node has ended".to_owned(),
            next: "start it anew: `make up`".to_owned(),
        });
    };
    let link = Link::of(number);
    mounts::prepare(&places.run())?;
    link.set_up_inside()?;

    let site = Site::prepare(home(), link.node().into())?;
    let mut parts = Parts {
        running: Vec::new(),
        logs: places.logs(),
    };
    parts.start(site.etcd()?)?;
    parts.start(site.api_server()?)?;
    parts.start(containers::containerd()?)?;
    let admin = home().join("admin.kubeconfig");
    write_private(&admin, &site.kubeconfig_for("admin", Some("system:masters"))?)?;

    parts.wait_for(
        "the API server to be ready",
        &admin,
        &["get", "--raw", "/readyz"],
        |_| true,
    )?;
    parts.start(site.controller_manager()?)?;
    parts.start(kubelet::scheduler(&site)?)?;
    parts.start(kubelet::kubelet(&site, link.node(), number)?)?;
    // The proxy ends when the node's address changes, so it comes when there is one.
    let address = ["get", "node", NAME, "--output=jsonpath={.status.addresses}"];
    parts.wait_for("the node to have an address", &admin, &address, |answer| {
        !answer.is_empty()
    })?;
    parts.start(kubelet::proxy(&site)?)?;
    parts.keep_running()
}

/// Says that this process is inside, and waits until it is known outside and has a number.
fn number() -> Option<u8> {
    let mut out = std::io::stdout();
    writeln!(out, "{INSIDE}").and_then(|()| out.flush()).ok()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    line.trim().parse().ok()
}

struct Parts {
    running: Vec<(Launch, Tied)>,
    logs: PathBuf,
}

impl Parts {
    fn start(&mut self, launch: Launch) -> Result<(), Error> {
        let started = launch.tied(&self.logs)?;
        self.running.push((launch, started));
        Ok(())
    }

    fn wait_for(
        &mut self,
        what: &str,
        kubeconfig: &Path,
        question: &[&str],
        is_so: impl Fn(&str) -> bool,
    ) -> Result<(), Error> {
        let kubectl = KUBECTL.path()?;
        let logs = self.logs.clone();
        wait_until(what, PATIENCE, &logs, || {
            for (_, part) in &mut self.running {
                part.alive()?;
            }
            let mut asked = Command::new(&kubectl);
            asked
                .env("KUBECONFIG", kubeconfig)
                .args(question)
                .stdin(Stdio::null());
            let answer = asked.output().map_err(Error::unrunnable("kubectl"))?;
            Ok(answer.status.success() && is_so(&String::from_utf8_lossy(&answer.stdout)))
        })
    }

    /// Takes leave of every process that ends here, as the first process must, and starts parts again.
    fn keep_running(&mut self) -> Result<(), Error> {
        loop {
            let Ok(ended) = wait() else { continue };
            let Some(id) = ended.pid() else { continue };
            let part = self
                .running
                .iter_mut()
                .find(|(_, part)| i32::try_from(part.id()) == Ok(id.as_raw()));
            if let Some((launch, part)) = part {
                eprintln!("{} ended: {ended:?}; starting it again", launch.name);
                thread::sleep(BEFORE_A_RESTART);
                *part = launch.tied(&self.logs)?;
            }
        }
    }
}
