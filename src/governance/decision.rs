//! What a kind's `decide` answers: the wanted state of one object, as values.

use super::conditions;
use super::kept::Kept;
use super::removal::Hold;
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
}

impl Effect {
    /// Whether the status may only be written after it: consent counts once it's on record.
    #[must_use]
    pub fn comes_first(&self) -> bool {
        matches!(self, Self::Record { record, .. } if record.decision == ConsentDecision::Given)
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
