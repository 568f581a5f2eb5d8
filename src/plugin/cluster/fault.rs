//! Why the cluster gives no answer, or not the one that was hoped for.

use crate::cli::with_causes;
use crate::governance::message::{bounded, capitalized};
use crate::plugin::exit::{Exit, Fault};
use kube::core::Status;
use kube::runtime::watcher;
use std::error::Error;
use std::time::Duration;
use thiserror::Error;

/// What the cluster says instead of an answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ClusterError {
    /// No cluster is named, or not well.
    #[error(
        "There is no cluster to speak to: {cause}. Look at the kubeconfig (kubectl config view), or name another by \
         --kubeconfig or --context."
    )]
    Configuration {
        /// What is wrong with the kubeconfig.
        cause: String,
    },
    /// Nobody answers.
    #[error("The cluster doesn't answer: {cause}. To see whether it's there: kubectl cluster-info")]
    Unreachable {
        /// What is wrong with the way there.
        cause: String,
    },
    /// Nobody answers in time.
    #[error("The cluster didn't answer within {after:?}: give it more time by --request-timeout.")]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// The cluster doesn't know who asks.
    #[error(
        "The cluster doesn't take you for anybody: sign in again, then see who you are by kubectl auth whoami."
    )]
    Unauthenticated,
    /// It knows, and refuses.
    #[error("{told}")]
    Forbidden {
        /// What the API server says: by RBAC, or by a policy.
        told: String,
    },
    /// There is no such object.
    #[error("{told}")]
    NotFound {
        /// What the API server says.
        told: String,
    },
    /// There is no such kind.
    #[error(
        "This cluster knows no {kind} of {group}: connection-operator isn't installed there, or it is older than this \
         program. Whoever runs the cluster can tell; kubectl api-resources --api-group={group} shows what is there."
    )]
    KindUnknown {
        /// The plural of the kind.
        kind: String,
        /// Its group.
        group: String,
    },
    /// Somebody else was faster.
    #[error("Somebody else changed it at the same moment: {told}. Look again, then try again.")]
    Conflict {
        /// What the API server says.
        told: String,
    },
    /// What was written doesn't fit.
    #[error("{told}")]
    Invalid {
        /// What the API server says.
        told: String,
    },
    /// It answers that it can't.
    #[error("The cluster can't do that just now: {told}. Try again later.")]
    Unwell {
        /// What the API server says.
        told: String,
    },
    /// It answers something else.
    #[error("The cluster's answer isn't understood: {cause}. The operator may be newer than this program.")]
    Strange {
        /// What isn't understood.
        cause: String,
    },
}

impl ClusterError {
    pub(super) fn configuration(error: impl Error) -> Self {
        Self::Configuration { cause: told(&error) }
    }

    /// Why a watch broke.
    #[must_use]
    pub fn of_watch(error: watcher::Error) -> Self {
        match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => error.into(),
            watcher::Error::WatchError(status) => kube::Error::Api(status).into(),
            other @ watcher::Error::NoResourceVersion => Self::Strange {
                cause: other.to_string(),
            },
        }
    }

    /// Whether waiting is of no use: a right that is taken, or a way to sign in that is gone, doesn't come back by itself. All
    /// else may.
    #[must_use]
    pub const fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Configuration { .. }
                | Self::Forbidden { .. }
                | Self::Unauthenticated
                | Self::KindUnknown { .. }
        )
    }

    /// A list that isn't there is that of a kind that isn't.
    #[must_use]
    pub fn about_kind(self, kind: &str, group: &str) -> Self {
        match self {
            Self::NotFound { .. } => Self::KindUnknown {
                kind: kind.to_owned(),
                group: group.to_owned(),
            },
            other => other,
        }
    }

    /// Whether a right is missing.
    #[must_use]
    pub const fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden { .. })
    }

    /// Whether somebody else was faster.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Whether it is known that nothing was done: the cluster has said no.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Unwell { .. } | Self::Strange { .. }
        )
    }

    /// Whether the object isn't there.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

impl Fault for ClusterError {
    fn exit(&self) -> Exit {
        match self {
            Self::Forbidden { .. } | Self::NotFound { .. } | Self::Conflict { .. } | Self::Invalid { .. } => {
                Exit::Not
            }
            _ => Exit::Unclear,
        }
    }
}

impl From<kube::Error> for ClusterError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => said(&status),
            kube::Error::SerdeError(cause) => Self::Strange { cause: told(&cause) },
            kube::Error::Auth(cause) => Self::Configuration { cause: told(&cause) },
            other => Self::Unreachable { cause: told(&other) },
        }
    }
}

fn said(status: &Status) -> ClusterError {
    let told = bounded(said_by_policy(&status.message));
    match status.code {
        401 => ClusterError::Unauthenticated,
        403 => ClusterError::Forbidden { told },
        404 => ClusterError::NotFound { told },
        409 => ClusterError::Conflict { told },
        400 | 413 | 415 | 422 => ClusterError::Invalid { told },
        _ => ClusterError::Unwell { told },
    }
}

/// What a policy of ours says reads as a sentence, without the names of the policy and its binding.
fn said_by_policy(message: &str) -> String {
    match message.split_once("denied request: ") {
        Some((before, told)) if before.contains("ValidatingAdmissionPolicy") => capitalized(told),
        _ => message.to_owned(),
    }
}

/// On one line, without a full stop.
fn told(error: &(impl Error + ?Sized)) -> String {
    let text = with_causes(&Plain(error));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    bounded(text.trim_end_matches('.').to_owned())
}

/// A reference to an error, as one.
#[derive(Debug)]
struct Plain<'a, E: ?Sized>(&'a E);

impl<E: Error + ?Sized> std::fmt::Display for Plain<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self.0, f)
    }
}

impl<E: Error + ?Sized> Error for Plain<'_, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, message: &str) -> ClusterError {
        let mut status = Status::failure(message, "");
        status.code = code;
        ClusterError::from(kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn answers_are_told_apart() {
        let told = || "x".to_owned();
        let rows = [
            (401, ClusterError::Unauthenticated, Exit::Unclear),
            (403, ClusterError::Forbidden { told: told() }, Exit::Not),
            (404, ClusterError::NotFound { told: told() }, Exit::Not),
            (409, ClusterError::Conflict { told: told() }, Exit::Not),
            (422, ClusterError::Invalid { told: told() }, Exit::Not),
            (429, ClusterError::Unwell { told: told() }, Exit::Unclear),
            (503, ClusterError::Unwell { told: told() }, Exit::Unclear),
        ];
        for (code, expected, exit) in rows {
            let found = answer(code, "x");
            assert_eq!(found.exit(), exit, "{code}");
            assert_eq!(found, expected, "{code}");
        }
    }

    #[test]
    fn a_policy_speaks_for_itself() {
        let message = "exports.connections.dev \"nightly\" is forbidden: ValidatingAdmissionPolicy 'use.connections.dev' \
                       with binding 'use.connections.dev' denied request: you may not use it";
        assert_eq!(answer(403, message).to_string(), "You may not use it");
    }
}
