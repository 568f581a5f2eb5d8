//! Connections whose type was edited so that it contradicts itself.

use super::*;
use crate::api::ConditionStatus;
use crate::api::consent_record::ConsentDecision;
use crate::fixtures::{ConnectionBuilder, after_visit, at, sftp_partner};
use crate::governance::conditions::find;
use crate::governance::consent::Proof;
use ConditionStatus::{False, True};

/// Its type contradicts itself from now on.
fn kept(mut facts: ConnectionFacts) -> ConnectionFacts {
    let before = facts.type_.usable().expect("it fits together").clone();
    facts.type_ = TypeSeen::Kept(Arc::new(vec!["Somewhere.".to_owned()]), before);
    facts.now = at(500);
    facts
}

/// Consented, on record, and ready before the type was edited.
fn ready_before() -> ConnectionFacts {
    after_visit(sftp_partner().consented().facts())
}

fn edited(
    facts: ConnectionFacts,
    edit: impl FnOnce(ConnectionBuilder) -> ConnectionBuilder,
) -> ConnectionFacts {
    let connection = edit(ConnectionBuilder((*facts.connection).clone()));
    ConnectionFacts {
        connection: Arc::new(connection.0),
        ..facts
    }
}

fn ready(facts: &ConnectionFacts) -> (ConditionStatus, String) {
    let status = decide(facts).status;
    let ready = find(&status.conditions, ConditionType::Ready).expect("Ready is always there");
    (ready.status, ready.reason.clone())
}

#[test]
fn one_with_consent_goes_on_by_what_the_type_said_before() {
    let facts = kept(ready_before());
    let decision = decide(&facts);
    let before = facts.connection.status.clone().unwrap_or_default();
    let conditions = &decision.status.conditions;
    let ready = find(conditions, ConditionType::Ready).expect("Ready is always there");
    assert_eq!((ready.status, ready.reason.as_str()), (True, "Ready"));
    assert_eq!(
        ready.message,
        "It can be used. It goes on by what its type sftp-export said before an edit made it contradict itself."
    );
    let valid = find(conditions, ConditionType::Valid).expect("Valid is always there");
    assert_eq!((valid.status, valid.reason.as_str()), (True, "LastGoodType"));
    assert_eq!(
        valid.message,
        "What it says fits the type sftp-export as it was before an edit made it contradict itself: whoever owns it must \
         correct it."
    );
    assert_eq!(
        decision.status.consent, before.consent,
        "the same consent, since the same time"
    );
    assert_eq!((decision.effects, decision.announcements), (vec![], vec![]));
}

#[test]
fn what_must_stop_it_still_does_and_nothing_new_begins() {
    let good = || sftp_partner().consented();
    let withdrawn = |connection: ConnectionBuilder| {
        let digest = connection.digest();
        let mut connection = connection.stamped(&format!("withdrawn {digest} ada"));
        let annotations = connection.0.metadata.annotations.as_mut().expect("the stamp");
        annotations.remove(crate::api::names::CONSENT_ANNOTATION);
        connection
    };
    let waits = (False, "TypeNotReady");
    let rows = [
        (
            "suspended",
            edited(ready_before(), ConnectionBuilder::suspended),
            (True, "Suspended"),
        ),
        (
            "a Secret that went",
            ConnectionFacts {
                secrets: Secrets::new(),
                ..ready_before()
            },
            (False, "SecretNotFound"),
        ),
        ("consent withdrawn", edited(ready_before(), withdrawn), waits),
        (
            "another destination",
            edited(ready_before(), |connection| {
                connection.with("folder", "/elsewhere")
            }),
            waits,
        ),
        (
            "consent to another destination, given just now",
            edited(ready_before(), |connection| {
                connection.with("folder", "/elsewhere").consented()
            }),
            waits,
        ),
        ("made since then", sftp_partner().facts(), waits),
        ("made and consented to since then", good().facts(), waits),
        (
            "a mistake",
            edited(ready_before(), |connection| connection.with("other", "x")),
            (False, "ParametersInvalid"),
        ),
    ];
    for (case, facts, (status, reason)) in rows {
        assert_eq!(ready(&kept(facts)), (status, reason.to_owned()), "{case}");
    }
}

#[test]
fn nobody_is_asked_to_agree_while_another_notice_is_shown() {
    let facts = kept(sftp_partner().facts());
    let decision = decide(&facts);
    let told = serde_json::to_string(&decision.status).expect("a status can be written");
    assert!(
        !told.contains("kubectl annotate") && !told.contains(&sftp_partner().digest()),
        "{told}"
    );
}

#[test]
fn a_withdrawal_is_put_on_record_at_once() {
    let facts = kept(edited(ready_before(), |connection| {
        let digest = connection.digest();
        let mut connection = connection.stamped(&format!("withdrawn {digest} ada"));
        let annotations = connection.0.metadata.annotations.as_mut().expect("the stamp");
        annotations.remove(crate::api::names::CONSENT_ANNOTATION);
        connection
    }));
    let decisions: Vec<ConsentDecision> = decide(&facts)
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Record { record, .. } => Some(record.decision),
            _ => None,
        })
        .collect();
    assert_eq!(decisions, [ConsentDecision::Withdrawn]);
}

#[test]
fn consent_given_meanwhile_counts_once_the_type_is_corrected() {
    let good = sftp_partner().consented().facts();
    let after = after_visit(kept(good.clone()));
    assert_eq!(ready(&after), (False, "TypeNotReady".to_owned()));
    let corrected = ConnectionFacts {
        type_: good.type_.clone(),
        consent: ConsentFacts {
            proof: Proof::InPlace,
            ..after.consent.clone()
        },
        ..after
    };
    assert!(needs_proof(&corrected));
    assert_eq!(ready(&corrected), (True, "Ready".to_owned()));
}
