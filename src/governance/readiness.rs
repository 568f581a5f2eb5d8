//! Ready, Reconciling and Stalled: the one place that writes them.
//!
//! When several causes hold, the first of these decides, the cause that a person must act on first: a mistake of the
//! author, then what the installation can't run, then consent, then what rests on purpose, then what a run
//! failed by for good, then what waits for other objects. Within one of them the order of the concerns decides.

use super::Standing;
use crate::api::{ConditionStatus, ConditionType, Reason};

/// What sort of cause a reason is, in the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Situation {
    /// The author must correct something.
    Mistake,
    /// The installation has nothing that runs it.
    Unrun,
    /// An administrator must consent.
    Consent,
    /// It rests because somebody wants it to.
    Purpose,
    /// Its newest run failed for good, and somebody must mend what it failed by.
    Held,
    /// It waits for another object and goes on by itself.
    Waiting,
    /// Nothing is in the way.
    Good,
}

/// What sort of cause a reason is.
#[must_use]
pub const fn situation(reason: Reason) -> Situation {
    match reason {
        Reason::ParametersInvalid
        | Reason::SecretsInvalid
        | Reason::ScheduleInvalid
        | Reason::TypeMismatch
        | Reason::DatasetIneligible
        | Reason::OutputTaken
        | Reason::TooManyDatasets
        | Reason::IdentityMissing
        | Reason::TooFewMembers
        | Reason::TooManyMembers
        | Reason::DatasetSentTwice
        | Reason::SecretNotAllowed
        | Reason::IdentityNotAllowed
        | Reason::RunAccountTaken
        | Reason::AddressNotAllowed
        | Reason::TypeInvalid => Situation::Mistake,
        Reason::NoConnector | Reason::ConnectorLacks => Situation::Unrun,
        Reason::ConsentRequired
        | Reason::ConsentWithdrawn
        | Reason::ConsentStale
        | Reason::ConsentUnproven => Situation::Consent,
        Reason::Suspended | Reason::Detached => Situation::Purpose,
        Reason::RunFailed => Situation::Held,
        _ if is_good(reason) => Situation::Good,
        _ => Situation::Waiting,
    }
}

/// Whether nothing is in the way. What isn't named here, or above, keeps its object from being Ready.
const fn is_good(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Ready
            | Reason::DependentsRemain
            | Reason::HeldByOthers
            | Reason::NotDeleting
            | Reason::AsDeclared
            | Reason::LastGoodType
            | Reason::DisplayNameTaken
            | Reason::ConsentCurrent
            | Reason::ConsentToPreviousNotice
            | Reason::AllResolved
            | Reason::SecretExpiresSoon
            | Reason::SecretRotated
            | Reason::VaultAnswers
            | Reason::SecretsNotListed
            | Reason::NoSecrets
            | Reason::RunAccountKept
            | Reason::RunAccountNotNeeded
            | Reason::NotVerified
            | Reason::ConnectionUsable
            | Reason::TypeDeprecated
            | Reason::ScheduleAccepted
            | Reason::Manual
            | Reason::NeverRan
            | Reason::RunSucceeded
            | Reason::RunFailedForNow
            | Reason::RunStopped
            | Reason::RequestBegun
            | Reason::RequestedWhileInactive
            | Reason::RequestedWhileRunning
            | Reason::RequestNotNow
            | Reason::RequestUnreadable
            | Reason::DryRunSucceeded
            | Reason::DryRunFailed
            | Reason::NotChecked
            | Reason::Settled
            | Reason::WaitingForOthers
            | Reason::WaitingForPerson
    )
}

/// Judges the whole object from its concerns, and puts Ready, Reconciling and Stalled before them.
///
/// `rest` says that the object itself is suspended; `ready` is the message while nothing is in the way.
#[must_use]
pub fn judged(
    concerns: Vec<(ConditionType, Standing)>,
    rest: Option<&Standing>,
    ready: &str,
) -> Vec<(ConditionType, Standing)> {
    let cause = concerns.iter().map(|(_, standing)| standing).chain(rest);
    let cause = cause
        .filter(|cause| is_in_the_way(cause))
        .min_by_key(|cause| situation(cause.reason));
    let [ready, reconciling, stalled] = match cause {
        None => [Standing::met(Reason::Ready, ready), idle(), unstalled()],
        Some(cause) => match situation(cause.reason) {
            Situation::Purpose => [
                Standing::met(cause.reason, cause.message.clone()),
                idle(),
                unstalled(),
            ],
            Situation::Waiting => [
                Standing::unmet(cause.reason, cause.message.clone()),
                Standing::met(Reason::WaitingForOthers, awaited(cause.reason)),
                Standing::unmet(
                    Reason::Settled,
                    "It goes on by itself; whether somebody has to bring what it waits for, Ready's message says.",
                ),
            ],
            Situation::Mistake
            | Situation::Unrun
            | Situation::Consent
            | Situation::Held
            | Situation::Good => {
                let stalled = Standing::met(
                    Reason::WaitingForPerson,
                    "It goes on once a person has done what Ready's message says.",
                );
                [
                    Standing::unmet(cause.reason, cause.message.clone()),
                    idle(),
                    stalled,
                ]
            }
        },
    };
    [
        (ConditionType::Ready, ready),
        (ConditionType::Reconciling, reconciling),
        (ConditionType::Stalled, stalled),
    ]
    .into_iter()
    .chain(concerns)
    .collect()
}

/// What holds is in nobody's way, whatever it waits for: a vault that is away keeps what was known of it.
fn is_in_the_way(cause: &Standing) -> bool {
    match situation(cause.reason) {
        Situation::Good => false,
        Situation::Waiting => cause.status != ConditionStatus::True,
        Situation::Mistake | Situation::Unrun | Situation::Consent | Situation::Purpose | Situation::Held => {
            true
        }
    }
}

const fn awaited(reason: Reason) -> &'static str {
    match reason {
        Reason::BeingRemoved => "It goes by itself once nobody holds it any more.",
        _ => "It goes on by itself once what it waits for is there.",
    }
}

fn idle() -> Standing {
    Standing::unmet(Reason::Settled, "The operator has nothing left to do.")
}

fn unstalled() -> Standing {
    Standing::unmet(Reason::Settled, "No person has to act on it.")
}

/// Whether the list says that the object does what it is for: Ready, and not resting.
#[must_use]
pub fn works(judged: &[(ConditionType, Standing)]) -> bool {
    judged.iter().any(|(type_, standing)| {
        *type_ == ConditionType::Ready
            && standing.status == ConditionStatus::True
            && standing.reason == Reason::Ready
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn concern(reason: Reason) -> (ConditionType, Standing) {
        let standing = match situation(reason) {
            Situation::Good | Situation::Purpose => Standing::met(reason, reason.meaning()),
            _ => Standing::unmet(reason, reason.meaning()),
        };
        (ConditionType::Valid, standing)
    }

    fn summary(reasons: &[Reason]) -> [(ConditionStatus, Reason); 3] {
        let judged = judged(reasons.iter().copied().map(concern).collect(), None, "fine");
        [0, 1, 2].map(|i| (judged[i].1.status, judged[i].1.reason))
    }

    #[test]
    fn each_situation_has_its_row_of_the_table() {
        use ConditionStatus::{False, True};
        let rows = [
            (
                "all is well",
                vec![Reason::AsDeclared],
                [
                    (True, Reason::Ready),
                    (False, Reason::Settled),
                    (False, Reason::Settled),
                ],
            ),
            (
                "on purpose",
                vec![Reason::Suspended],
                [
                    (True, Reason::Suspended),
                    (False, Reason::Settled),
                    (False, Reason::Settled),
                ],
            ),
            (
                "a person must consent",
                vec![Reason::ConsentStale],
                [
                    (False, Reason::ConsentStale),
                    (False, Reason::Settled),
                    (True, Reason::WaitingForPerson),
                ],
            ),
            (
                "wrong by its author",
                vec![Reason::ParametersInvalid],
                [
                    (False, Reason::ParametersInvalid),
                    (False, Reason::Settled),
                    (True, Reason::WaitingForPerson),
                ],
            ),
            (
                "nothing that runs it",
                vec![Reason::NoConnector],
                [
                    (False, Reason::NoConnector),
                    (False, Reason::Settled),
                    (True, Reason::WaitingForPerson),
                ],
            ),
            (
                "waits for another object",
                vec![Reason::SecretNotFound],
                [
                    (False, Reason::SecretNotFound),
                    (True, Reason::WaitingForOthers),
                    (False, Reason::Settled),
                ],
            ),
        ];
        for (case, reasons, expected) in rows {
            assert_eq!(summary(&reasons), expected, "{case}");
        }
    }

    #[test]
    fn the_cause_that_a_person_must_act_on_first_decides() {
        let rows = [
            (
                "a mistake before consent",
                vec![Reason::ConsentRequired, Reason::ParametersInvalid],
                Reason::ParametersInvalid,
            ),
            (
                "what its author can correct before what nobody runs",
                vec![Reason::NoConnector, Reason::TooFewMembers],
                Reason::TooFewMembers,
            ),
            (
                "consent before rest",
                vec![Reason::Suspended, Reason::ConsentRequired],
                Reason::ConsentRequired,
            ),
            (
                "rest before waiting",
                vec![Reason::SecretNotFound, Reason::Suspended],
                Reason::Suspended,
            ),
            (
                "else the first concern",
                vec![Reason::KeyNotFound, Reason::SecretNotFound],
                Reason::KeyNotFound,
            ),
        ];
        for (case, reasons, expected) in rows {
            assert_eq!(summary(&reasons)[0].1, expected, "{case}");
        }
    }

    fn any_reason() -> impl Strategy<Value = Reason> {
        proptest::sample::select(Reason::ALL)
    }

    proptest! {
        #[test]
        fn never_both_reconciling_and_stalled(reasons in proptest::collection::vec(any_reason(), 0..6)) {
            let [ready, reconciling, stalled] = summary(&reasons).map(|(status, _)| status == ConditionStatus::True);
            prop_assert!(!(reconciling && stalled));
            prop_assert_eq!(ready, !(reconciling || stalled), "kstatus: exactly one of the three");
        }

        #[test]
        fn the_order_of_situations_never_matters(mut reasons in proptest::collection::vec(any_reason(), 1..6)) {
            let forward = situation(summary(&reasons)[0].1);
            reasons.reverse();
            prop_assert_eq!(situation(summary(&reasons)[0].1), forward);
        }
    }
}
