//! What can go wrong, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Why the cluster, or a part of it, could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("could not {action} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A program could not be run at all.
    #[error("could not run {program}: {source}; install it and see that it is in PATH")]
    Unrunnable {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A command ended with an error.
    #[error("`{command}` ended with {status}:\n{output}")]
    Command {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// A pin is missing in a part's go.mod.
    #[error("{} requires no version of {module}; add the line `require {module} <version>`", file.display())]
    Unpinned {
        /// The go.mod.
        file: PathBuf,
        /// The module that should be pinned there.
        module: &'static str,
    },
    /// A component ended while it was waited for.
    #[error("{name} ended with {status}; its log, {}, ends with:\n{tail}", log.display())]
    Ended {
        /// The component.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// Where it logged.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// Something did not come about in time.
    #[error("{what} did not happen within {seconds} s; see the logs in {}", logs.display())]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
        /// Where the logs are.
        logs: PathBuf,
    },
    /// The node ended while something was wanted of it.
    #[error("the node has ended; its log, {}, ends with:\n{tail}", log.display())]
    NodeEnded {
        /// Where its first process logged.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// What is asked for cannot be had here.
    #[error("{missing}; {next}")]
    NotHere {
        /// What is missing.
        missing: String,
        /// What to do about it.
        next: String,
    },
    /// A certificate could not be made.
    #[error("could not make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File { action, path, source }
    }

    /// For `map_err` on starting a program.
    pub(crate) fn unrunnable(program: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let program = program.into();
        move |source| Self::Unrunnable { program, source }
    }
}
