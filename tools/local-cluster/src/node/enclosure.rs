//! The node from outside: starting it, finding it again, stopping it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::network::Link;
use super::record::Record;
use super::{cgroups, mounts};
use crate::Error;
use crate::places::Places;
use crate::processes::tail;
use crate::readiness::wait_until;

/// What the node's first process says once it is inside. When it is known outside, it hears its number.
pub(super) const INSIDE: &str = "inside";

/// The running node of a clone, if there is one.
#[must_use]
pub fn running(places: &Places) -> Option<Record> {
    Record::read(&places.record()).filter(Record::is_alive)
}

/// Starts a node, which goes on by itself when this process ends.
///
/// It waits for a word before it does anything, and ends without: so there is no moment in which a node runs that no
/// record tells of.
///
/// # Errors
/// When it cannot be started.
pub fn start(places: &Places, versions: &str) -> Result<Record, Error> {
    fs::create_dir_all(places.run()).map_err(Error::file("make", &places.run()))?;
    let mut child = spawn(places)?;
    let ended = || ended(&places.logs());

    if heard(&mut child).as_deref() != Some(INSIDE) {
        return Err(ended());
    }
    let link = Link::connect(child.id())?;
    let record = Record::of(child.id(), link.number(), versions.to_owned()).ok_or_else(ended)?;
    record.write(&places.record())?;
    cgroups::make(link.number())?;
    tell(&mut child, link.number()).map_err(|_| ended())?;
    Ok(record)
}

fn spawn(places: &Places) -> Result<Child, Error> {
    let log = log_of(&places.logs());
    let errors = File::create(&log).map_err(Error::file("open", &log))?;
    let this_program = std::env::current_exe().map_err(Error::unrunnable("this program"))?;
    Command::new("setsid")
        .args([
            "unshare",
            "--mount",
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
            "--",
        ])
        .arg(this_program)
        .arg("node")
        .arg(places.local())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .map_err(Error::unrunnable("setsid"))
}

fn heard(child: &mut Child) -> Option<String> {
    let mut line = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
    Some(line.trim().to_owned())
}

fn tell(child: &mut Child, number: u8) -> std::io::Result<()> {
    match child.stdin.take() {
        Some(mut ear) => writeln!(ear, "{number}"),
        None => Ok(()),
    }
}

/// Stops the node and removes what it leaves behind. Does no harm when there is none.
///
/// # Errors
/// When something stays that should go.
pub fn stop(places: &Places) -> Result<(), Error> {
    if let Some(record) = Record::read(&places.record()) {
        end(&record, &places.logs())?;
        Link::of(record.number).remove()?;
        cgroups::remove(record.number, &places.logs())?;
        if !Link::any_is_left() {
            mounts::clean();
        }
    }
    let state = places.state();
    if state.exists() {
        fs::remove_dir_all(&state).map_err(Error::file("remove", &state))?;
    }
    Ok(())
}

/// Ends the node's processes. The kernel ends them all once the first one is killed, and that one last.
fn end(record: &Record, logs: &Path) -> Result<(), Error> {
    let within = record.processes();
    if record.is_alive() {
        let id = i32::try_from(record.pid).unwrap_or(i32::MAX);
        // An error means that it has just ended by itself.
        let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
    }
    wait_until(
        "the end of the node's processes",
        Duration::from_secs(30),
        logs,
        || Ok(!record.is_alive() && within.is_empty()),
    )
}

/// Looks whether the node still runs, for those who wait for something of it.
///
/// # Errors
/// When it has ended.
pub fn expect_alive(record: &Record, logs: &Path) -> Result<(), Error> {
    if record.is_alive() {
        Ok(())
    } else {
        Err(ended(logs))
    }
}

fn ended(logs: &Path) -> Error {
    let log = log_of(logs);
    Error::NodeEnded {
        tail: tail(&log),
        log,
    }
}

fn log_of(logs: &Path) -> PathBuf {
    logs.join("node.log")
}

/// A command that sees the node's files, such as its sockets.
#[must_use]
pub fn command(record: &Record, program: &Path) -> Command {
    let mut command = Command::new("nsenter");
    command
        .args(["--target", &record.pid.to_string(), "--mount", "--"])
        .arg(program);
    command
}
