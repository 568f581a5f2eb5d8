//! What a pipeline goes by: the exit code, and one sentence about it.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It is done.
    Done,
    /// It was refused, or what was asked about isn't so. Steps that were done before are told.
    Not,
    /// It was called in a way that makes no sense, or can't be told: the cluster doesn't answer, or isn't done with it yet.
    Unclear,
    /// Somebody interrupted it.
    Interrupted,
}

impl Exit {
    /// The code as documented.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Not => 1,
            Self::Unclear => 2,
            Self::Interrupted => 130, // as a shell has it for SIGINT
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error that knows how the command ends by it. Its text is for people: what is wrong, and the next step.
pub trait Fault: std::error::Error {
    /// How the command ends.
    fn exit(&self) -> Exit;
}

/// Why a command didn't do what it's for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is told.
    pub told: String,
    /// How the command ends.
    pub exit: Exit,
}

impl<F: Fault> From<F> for Failure {
    fn from(fault: F) -> Self {
        Self {
            told: fault.to_string(),
            exit: fault.exit(),
        }
    }
}
