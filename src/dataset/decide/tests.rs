use super::*;
use crate::api::connection::DependentsStatus;
use crate::api::dataset::Role;
use crate::api::{Condition, ConditionStatus, Reason};
use crate::fixtures::{at, condition, dataset, used_by};
use crate::governance::conditions::find;
use crate::governance::decision::Announcement;
use crate::governance::removal::Hold;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

fn told(type_: ConditionType, status: ConditionStatus, reason: Reason, message: &str) -> Condition {
    Condition {
        last_transition_time: Time(at(100)),
        message: message.to_owned(),
        ..condition(type_, status, reason)
    }
}

#[test]
fn the_first_visit_holds_it_and_tells_everything() {
    use ConditionStatus::{False, True};
    let expected = Decision {
        hold: Hold::Set,
        effects: Vec::new(),
        status: DatasetStatus {
            observed_generation: Some(1),
            conditions: vec![
                told(ConditionType::Ready, True, Reason::Ready, "It can be used."),
                told(
                    ConditionType::Reconciling,
                    False,
                    Reason::Settled,
                    "The operator has nothing left to do.",
                ),
                told(
                    ConditionType::Stalled,
                    False,
                    Reason::Settled,
                    "No person has to act on it.",
                ),
                told(
                    ConditionType::SecretsResolved,
                    True,
                    Reason::NoSecrets,
                    "It refers to no secret.",
                ),
                told(
                    ConditionType::Deleting,
                    False,
                    Reason::NotDeleting,
                    "It isn't being removed.",
                ),
            ],
            secrets: Vec::new(),
            dependents: Some(DependentsStatus::default()),
            role: Some(Role::Source),
        },
        announcements: vec![Announcement {
            warning: false,
            reason: Reason::Ready,
        }],
        recheck: None,
    };
    assert_eq!(decide(&dataset("customers").facts()), expected);
}

#[test]
fn a_missing_credential_keeps_it_from_being_used() {
    let mut facts = dataset("customers")
        .credential("accessKeyId", "lake", "id")
        .facts();
    facts.secrets.clear();
    let status = decide(&facts).status;
    let ready = find(&status.conditions, ConditionType::Ready).expect("Ready is always there");
    assert_eq!(ready.reason, "SecretNotFound");
    assert_eq!(
        ready.message,
        "spec.credentials.accessKeyId names the Secret lake, which doesn't exist in namespace marketing: create it with \
         the key id."
    );
}

#[test]
fn one_in_use_waits_when_it_is_removed() {
    let rows = [
        ("in use", used_by(&["nightly"], &["weekly"]), Hold::Keep),
        ("free", used_by(&[], &[]), Hold::Release),
    ];
    for (case, dependents, hold) in rows {
        let facts = DatasetFacts {
            dependents,
            ..dataset("customers").held().being_removed().facts()
        };
        assert_eq!(decide(&facts).hold, hold, "{case}");
    }
}
