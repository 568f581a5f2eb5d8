//! What a kind's `decide` answers: the wanted state of one object, as values.

use super::conditions;
use super::kept::Kept;
use super::removal::Hold;
use super::runs::steps::RunStep;
use crate::api::consent_record::ConsentDecision;
use crate::api::{Condition, ConditionStatus, ConditionType, ConsentRecordSpec, Reason};
use jiff::SignedDuration;

/// What should be true of one object after this visit.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<S> {
    /// What becomes of the finalizer.
    pub hold: Hold,
    /// What is written before the status, in this order.
    pub effects: Vec<Effect>,
    /// The whole status.
    pub status: S,
    /// What people should hear of.
    pub announcements: Vec<Announcement>,
    /// When time alone may change the decision.
    pub recheck: Option<SignedDuration>,
}

/// One write to another object.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Puts a decision on consent on record, under this name; if it's taken, nothing else happens on this visit.
    Record {
        /// The record's name.
        name: String,
        /// The decision.
        record: Box<ConsentRecordSpec>,
    },
    /// Writes an object that the operator keeps, whole.
    Keep(Box<Kept>),
    /// Removes one, as it was seen.
    Drop(Box<Kept>),
    /// Writes to what runs are made of.
    Run(Box<RunStep>),
}

/// When an effect is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before the status is written.
    Before,
    /// Beside it: neither waits for the other.
    Beside,
    /// After it: what a run has told stands in status before its Job goes.
    After,
}

impl Effect {
    /// Whether the status may only be written after it: consent counts once it's on record, and a request is answered
    /// once its Job is there.
    #[must_use]
    pub fn comes_first(&self) -> bool {
        match self {
            Self::Record { record, .. } => record.decision == ConsentDecision::Given,
            Self::Run(step) => matches!(**step, RunStep::Start { .. }),
            Self::Keep(_) | Self::Drop(_) => false,
        }
    }

    /// Whether it doesn't wait for the status to be written: a run that may not go on is ended in any case.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::Run(step) if matches!(**step, RunStep::End { running: true, .. }))
    }

    /// When it is carried out.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Record { .. } | Self::Drop(_) => Stage::Before,
            Self::Keep(_) => Stage::Beside,
            Self::Run(step) => match **step {
                RunStep::Start { .. } => Stage::Before,
                RunStep::Schedule { .. } | RunStep::Suspend(_) => Stage::Beside,
                RunStep::Retire { .. } | RunStep::End { .. } => Stage::After,
            },
        }
    }
}

/// A change of state, told as an event. Its text is the reason's own sentence: events are read by people who may not
/// see the object, so nothing that the object holds stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Whether it's bad news.
    pub warning: bool,
    /// What happened.
    pub reason: Reason,
}

/// What is told although all goes on: a vault is away or wants fewer requests, or a secret in one ends soon.
const FOREWARNED: [Reason; 3] = [
    Reason::VaultUnavailable,
    Reason::Throttled,
    Reason::SecretExpiresSoon,
];

/// What changed for the people who watch: Ready, the wait for dependents, consent that runs out, a name that two
/// shared connections have, and a vault that is away.
#[must_use]
pub fn announcements(before: &[Condition], after: &[Condition]) -> Vec<Announcement> {
    let ready =
        changed(before, after, ConditionType::Ready).map(|now| (now.status != ConditionStatus::True, now));
    let deleting = changed(before, after, ConditionType::Deleting)
        .filter(|now| now.status == ConditionStatus::True)
        .map(|now| (true, now));
    let old_notice = changed(before, after, ConditionType::ConsentGiven)
        .filter(|now| now.reason == Reason::ConsentToPreviousNotice.as_str())
        .map(|now| (true, now));
    let name_taken = changed(before, after, ConditionType::Valid)
        .filter(|now| now.reason == Reason::DisplayNameTaken.as_str())
        .map(|now| (true, now));
    let of_vaults = [ConditionType::SecretsResolved, ConditionType::Reachable]
        .map(|type_| changed(before, after, type_).and_then(|now| forewarning(before, now)));
    [ready, deleting, old_notice, name_taken]
        .into_iter()
        .chain(of_vaults)
        .flatten()
        .filter_map(|(warning, now)| {
            let reason = conditions::reason_of(now)?;
            Some(Announcement { warning, reason })
        })
        .collect()
}

/// What is told of something that holds: that there is something to know of it, or no longer.
fn forewarning<'a>(before: &[Condition], now: &'a Condition) -> Option<(bool, &'a Condition)> {
    let is_told = |condition: &Condition| {
        condition.status == ConditionStatus::True
            && FOREWARNED
                .iter()
                .any(|reason| reason.as_str() == condition.reason)
    };
    let was_told = before
        .iter()
        .any(|condition| condition.type_ == now.type_ && is_told(condition));
    let over = was_told && now.status == ConditionStatus::True;
    (is_told(now) || over).then_some((is_told(now), now))
}

fn changed<'a>(before: &[Condition], after: &'a [Condition], type_: ConditionType) -> Option<&'a Condition> {
    let now = conditions::find(after, type_)?;
    let same = conditions::find(before, type_)
        .is_some_and(|old| old.status == now.status && old.reason == now.reason);
    (!same).then_some(now)
}
