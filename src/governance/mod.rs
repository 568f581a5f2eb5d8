//! The rules, pure: values in, judgement out. Nothing here asks the cluster, or the clock.

pub mod activity;
pub mod attachment;
pub mod conditions;
pub mod connection_types;
pub mod consent;
pub mod course;
pub mod credentials;
pub mod datasets;
pub mod decision;
pub mod dependents;
pub mod kept;
pub mod message;
pub mod parameters;
#[cfg(test)]
mod properties;
pub mod readiness;
pub mod removal;
pub mod run_account;
pub mod runs;
pub mod schedule;
pub mod sharing;
pub mod terms;
pub mod vaults;

use crate::api::{ConditionStatus, Reason};

/// One concern judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in one word.
    pub reason: Reason,
    /// Why, in whole sentences.
    pub message: String,
}

impl Standing {
    /// The concern is in order.
    #[must_use]
    pub fn met(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status: ConditionStatus::True,
            reason,
            message: message.into(),
        }
    }

    /// The concern is not in order.
    #[must_use]
    pub fn unmet(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status: ConditionStatus::False,
            reason,
            message: message.into(),
        }
    }

    /// The concern can't be judged yet.
    #[must_use]
    pub fn unknown(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status: ConditionStatus::Unknown,
            reason,
            message: message.into(),
        }
    }
}
