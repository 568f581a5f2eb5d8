//! From judgements to the list of conditions in a status.

use super::{Standing, message};
use crate::api::condition::CONDITIONS_MAX;
use crate::api::{Condition, ConditionStatus, ConditionType, Reason};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The condition of one type, if it's there.
#[must_use]
pub fn find(conditions: &[Condition], type_: ConditionType) -> Option<&Condition> {
    conditions
        .iter()
        .find(|condition| condition.type_ == type_.as_str())
}

/// Whether the condition of one type is there and true.
#[must_use]
pub fn holds(conditions: &[Condition], type_: ConditionType) -> bool {
    find(conditions, type_).is_some_and(|condition| condition.status == ConditionStatus::True)
}

/// The reason that a condition gives, if it's one of ours.
#[must_use]
pub fn reason_of(condition: &Condition) -> Option<Reason> {
    let mut all = Reason::ALL.iter();
    all.find(|reason| reason.as_str() == condition.reason).copied()
}

/// The new list: ours in the given order, then those that others wrote, untouched. A condition keeps its transition
/// time while its status stays the same, so that equal judgements give equal lists.
#[must_use]
pub fn updated(
    before: &[Condition],
    judged: Vec<(ConditionType, Standing)>,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    // What doesn't fit the schema any more is left out: a status that is refused as a whole would help nobody.
    let room = (CONDITIONS_MAX as usize).saturating_sub(judged.len());
    let foreign = before
        .iter()
        .filter(|condition| !ours(condition))
        .take(room)
        .cloned();
    judged
        .into_iter()
        .map(|(type_, standing)| updated_one(before, type_, standing, generation, now))
        .chain(foreign)
        .collect()
}

fn ours(condition: &Condition) -> bool {
    ConditionType::ALL
        .iter()
        .any(|type_| type_.as_str() == condition.type_)
}

fn updated_one(
    before: &[Condition],
    type_: ConditionType,
    standing: Standing,
    generation: Option<i64>,
    now: Timestamp,
) -> Condition {
    let unchanged = find(before, type_).filter(|old| old.status == standing.status);
    Condition {
        type_: type_.as_str().to_owned(),
        status: standing.status,
        observed_generation: generation,
        last_transition_time: unchanged.map_or(Time(now), |old| old.last_transition_time.clone()),
        reason: standing.reason.as_str().to_owned(),
        message: message::bounded(standing.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn the_transition_time_moves_only_with_the_status() {
        let first = updated(
            &[],
            vec![(
                ConditionType::Ready,
                Standing::unmet(Reason::ConsentRequired, "a"),
            )],
            Some(1),
            at(10),
        );
        let second = updated(
            &first,
            vec![(ConditionType::Ready, Standing::unmet(Reason::ConsentStale, "b"))],
            Some(2),
            at(20),
        );
        let third = updated(
            &second,
            vec![(ConditionType::Ready, Standing::met(Reason::Ready, "c"))],
            Some(2),
            at(30),
        );
        assert_eq!(
            second[0].last_transition_time,
            Time(at(10)),
            "another reason is no transition"
        );
        assert_eq!(third[0].last_transition_time, Time(at(30)));
    }

    #[test]
    fn conditions_of_others_are_kept() {
        let mut foreign = updated(
            &[],
            vec![(ConditionType::Ready, Standing::met(Reason::Ready, ""))],
            None,
            at(1),
        );
        foreign[0].type_ = "example.com/Audited".into();
        let after = updated(
            &foreign,
            vec![(ConditionType::Ready, Standing::met(Reason::Ready, ""))],
            None,
            at(2),
        );
        assert_eq!(after.len(), 2);
        assert_eq!(after[1], foreign[0]);
    }

    #[test]
    fn a_status_full_of_conditions_of_others_can_still_be_written() {
        let ready = || vec![(ConditionType::Ready, Standing::met(Reason::Ready, ""))];
        let one = updated(&[], ready(), None, at(1)).remove(0);
        let foreign: Vec<Condition> = (0..CONDITIONS_MAX)
            .map(|i| Condition {
                type_: format!("example.com/{i}"),
                ..one.clone()
            })
            .collect();
        let after = updated(&foreign, ready(), None, at(2));
        assert_eq!(after.len(), CONDITIONS_MAX as usize);
        assert_eq!(after[0].type_, "Ready");
        assert_eq!(after[1..], foreign[..foreign.len() - 1]);
    }
}
