//! Why a run doesn't end well: faults, each with who can do something about it, and orders to stop.
//!
//! Whoever reads exports reads these sentences. None holds a host, a folder or an account of the connection, or anything
//! from a row; nor do the errors of libraries, which may, and are therefore never passed on.

use connection_operator::api::run::{FailureClass, Persistence, RunFailure};
use thiserror::Error;

/// Something that went wrong. Its text is a whole sentence, and says what to do next.
pub trait Fault: std::error::Error {
    /// Who can do something about it.
    fn class(&self) -> FailureClass;
    /// Whether it may pass by itself.
    fn persistence(&self) -> Persistence;
}

/// What ends a run before all is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It could not go on.
    Failed(RunFailure),
    /// It may not go on.
    Stopped(Stop),
    /// It may not go on, and what it had begun is still there.
    StoppedLeaving(Stop),
}

/// What is said where what was begun could not be taken away.
pub const LEFT: &str = " What it began may be left at the destination: the next run replaces it or takes it away, or the owner can.";

impl Ended {
    /// The same, where what was begun could not be taken away.
    #[must_use]
    pub fn leaving(self) -> Self {
        match self {
            Self::Failed(mut failure) => {
                failure.message.push_str(LEFT);
                Self::Failed(failure)
            }
            Self::Stopped(stop) | Self::StoppedLeaving(stop) => Self::StoppedLeaving(stop),
        }
    }
}

impl<F: Fault> From<F> for Ended {
    fn from(fault: F) -> Self {
        Self::Failed(RunFailure {
            class: fault.class(),
            persistence: fault.persistence(),
            message: fault.to_string(),
        })
    }
}

/// Why a run may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Stop {
    /// There is no such connection any more.
    #[error("The connection is gone, so the run stopped. Attach another one.")]
    Gone,
    /// It is being removed.
    #[error("The connection is being removed, so the run stopped. Attach another one.")]
    BeingRemoved,
    /// Its kill switch is on.
    #[error("The connection is suspended, so the run stopped. Its administrator can resume it.")]
    Suspended,
    /// Nobody agrees any more.
    #[error(
        "Consent to the connection isn't given any more, so the run stopped. Its administrator can give it again."
    )]
    NoConsent,
    /// The consent that stands is another than the one that this run was planned by, or not to what the connection says now.
    #[error(
        "The connection has changed since this run was planned, so the run stopped. The next run goes by what it says now, \
         once consent to that is given."
    )]
    Changed,
    /// The process was told to end.
    #[error("The run was told to stop before its end.")]
    Told,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What every fault must be like: a sentence that isn't too long for a status, without a character that breaks lines.
    pub fn is_fit<F: Fault>(fault: &F) {
        let text = fault.to_string();
        assert!(text.ends_with('.'), "{text}");
        assert!(text.chars().count() <= 1000, "{text}");
        assert!(!text.contains(char::is_control), "{text}");
        assert!(text.starts_with(char::is_uppercase), "{text}");
    }

    #[test]
    fn stops_are_told_in_sentences() {
        let stops = [
            Stop::Gone,
            Stop::BeingRemoved,
            Stop::Suspended,
            Stop::NoConsent,
            Stop::Changed,
            Stop::Told,
        ];
        for stop in stops {
            let text = stop.to_string();
            assert!(
                text.starts_with(char::is_uppercase) && text.ends_with('.'),
                "{text}"
            );
        }
    }
}
