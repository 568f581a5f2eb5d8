//! Starting programs: to wait for their end, or to have them run beside this process and end with it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::Error;

/// A program to be started as a part of a cluster.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The name of the part, also of its log.
    pub name: &'static str,
    /// The program's file.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// A started program whose end is that of this value, or of this process, however it ends.
#[derive(Debug)]
pub struct Tied {
    name: &'static str,
    log: PathBuf,
    child: Child,
}

impl Launch {
    /// Starts it; what it prints goes to `<logs>/<name>.log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn tied(&self, logs: &Path) -> Result<Tied, Error> {
        let log = logs.join(format!("{}.log", self.name));
        let command = self.command(&log)?;
        let child = spawn_tied(command).map_err(Error::unrunnable(self.program.display().to_string()))?;
        Ok(Tied {
            name: self.name,
            log,
            child,
        })
    }

    fn command(&self, log: &Path) -> Result<Command, Error> {
        // A part that is started again goes on in the same log.
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Error::file("open", log))?;
        let errors = output.try_clone().map_err(Error::file("open", log))?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        Ok(command)
    }
}

impl Tied {
    /// Tells when it has ended by itself, which it should not.
    ///
    /// # Errors
    /// When it has ended.
    pub fn alive(&mut self) -> Result<(), Error> {
        match self.child.try_wait() {
            Ok(Some(status)) => {
                let (name, log) = (self.name.to_owned(), self.log.clone());
                Err(Error::Ended {
                    name,
                    status,
                    tail: tail(&log),
                    log,
                })
            }
            _ => Ok(()),
        }
    }

    /// The id of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Tied {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be run or ends with an error; the error carries the end of its output.
pub fn run(command: &mut Command) -> Result<String, Error> {
    let line = line_of(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(Error::unrunnable(command.get_program().to_string_lossy()))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let all = printed + &String::from_utf8_lossy(&output.stderr);
    Err(Error::Command {
        command: line,
        status: output.status,
        output: last_lines(&all),
    })
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn tail(log: &Path) -> String {
    last_lines(&fs::read_to_string(log).unwrap_or_default())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

type Order = (Command, Sender<io::Result<Child>>);

/// Starts a process that the kernel kills when this process ends, also by SIGKILL.
///
/// The kernel ties a child to the thread that made it, so all are made by one thread that never ends.
fn spawn_tied(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, incoming) = channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in incoming {
                end_with_parent(&mut command);
                let _ = answer.send(command.spawn());
            }
        });
        orders
    });
    let (answer, child) = channel();
    let gone = "the thread that starts processes is gone";
    spawner
        .send((command, answer))
        .map_err(|_| io::Error::other(gone))?;
    child.recv().map_err(|_| io::Error::other(gone))?
}

#[cfg(target_os = "linux")]
#[allow(
    unsafe_code,
    reason = "only code between fork and exec can ask for the signal"
)]
fn end_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    use nix::sys::{prctl, signal::Signal};
    use nix::unistd::{Pid, getpid, getppid};

    let parent: Pid = getpid();
    // SAFETY: both calls are async-signal-safe and allocate nothing.
    unsafe {
        command.pre_exec(move || {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            // It may have ended before the signal was asked for.
            if getppid() == parent {
                Ok(())
            } else {
                Err(io::ErrorKind::NotFound.into())
            }
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent(_: &mut Command) {}
