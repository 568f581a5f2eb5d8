#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::*;
use crate::api::connection::{Audience, ConsentStatus, DependentsStatus, SecretStatus};
use crate::api::connection_type::UsedFor;
use crate::api::{Condition, ConditionStatus};
use crate::fixtures::{
    ConnectionBuilder, at, catalog_seen, catalog_type, condition, firmographics, secret, seen, sftp_partner,
    used_by, vault_secret,
};
use crate::governance::conditions::find;
use crate::governance::decision::Announcement;
use crate::governance::removal::Hold;
use ConditionStatus::{False, True, Unknown};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

fn summary(facts: &ConnectionFacts) -> (ConditionStatus, String) {
    let status = decide(facts).status;
    let ready = find(&status.conditions, ConditionType::Ready).expect("Ready is always there");
    (ready.status, ready.reason.clone())
}

fn told(type_: ConditionType, status: ConditionStatus, reason: Reason, message: &str) -> Condition {
    Condition {
        last_transition_time: Time(at(100)),
        message: message.to_owned(),
        ..condition(type_, status, reason)
    }
}

fn secrets() -> Vec<SecretStatus> {
    let entry = |slot: &str| SecretStatus {
        name: slot.to_owned(),
        source: format!("Secret partner, key {slot}"),
        version: Some("7".to_owned()),
        since: Some(Time(at(100))),
        unconfirmed_since: None,
    };
    vec![entry("password"), entry("username")]
}

#[test]
fn the_first_visit_holds_it_and_asks_for_consent() {
    let digest = sftp_partner().digest();
    let consent = format!(
        "Nobody has consented to the notice for this destination (folder \"/in\", hostname \"sftp.partner.example\", \
         port \"22\", username from key username of Secret partner). To read the notice: kubectl get connectiontype sftp-export -o jsonpath=\"{{range .spec.notice\
         ['recipient','data','responsibility','howToStop','privacyStatement']}}{{@}}{{'\\n'}}{{end}}\". To agree: \
         kubectl annotate connection sftp-partner -n marketing --overwrite connections.dev/consent={digest}"
    );
    let expected = Decision {
        hold: Hold::Set,
        effects: Vec::new(),
        status: ConnectionStatus {
            observed_generation: Some(1),
            conditions: vec![
                told(ConditionType::Ready, False, Reason::ConsentRequired, &consent),
                told(
                    ConditionType::Reconciling,
                    False,
                    Reason::Settled,
                    "The operator has nothing left to do.",
                ),
                told(
                    ConditionType::Stalled,
                    True,
                    Reason::WaitingForPerson,
                    "It goes on once a person has done what Ready's message says.",
                ),
                told(
                    ConditionType::Valid,
                    True,
                    Reason::AsDeclared,
                    "What it says fits the type sftp-export.",
                ),
                told(
                    ConditionType::ConsentGiven,
                    False,
                    Reason::ConsentRequired,
                    "Nobody has consented yet. Ready's message says what to do.",
                ),
                told(
                    ConditionType::SecretsResolved,
                    True,
                    Reason::AllResolved,
                    "Every referenced key holds a value.",
                ),
                told(
                    ConditionType::Verified,
                    Unknown,
                    Reason::NotVerified,
                    "No connector has tried this connection yet.",
                ),
                told(
                    ConditionType::Deleting,
                    False,
                    Reason::NotDeleting,
                    "It isn't being removed.",
                ),
            ],
            consent: Some(ConsentStatus {
                required: Some(digest),
                given: false,
                by: None,
                via: None,
                unproven: None,
                since: Some(Time(at(100))),
            }),
            secrets: secrets(),
            dependents: Some(DependentsStatus::default()),
            used_for: Some(UsedFor::Export),
            access: Some(Audience::Administrators),
        },
        announcements: vec![Announcement {
            warning: true,
            reason: Reason::ConsentRequired,
        }],
        recheck: None,
    };
    assert_eq!(decide(&sftp_partner().facts()), expected);
}

#[test]
fn consent_makes_it_ready() {
    let facts = sftp_partner().shared().held().consented().facts();
    let decision = decide(&facts);
    assert_eq!(decision.hold, Hold::Keep);
    assert_eq!(summary(&facts), (True, "Ready".to_owned()));
    assert_eq!(
        decision.status.consent,
        Some(ConsentStatus {
            required: Some(sftp_partner().digest()),
            given: true,
            by: Some("ada".to_owned()),
            via: None,
            unproven: None,
            since: Some(Time(at(100))),
        })
    );
    assert_eq!(decision.status.access, Some(Audience::Contributors));
}

#[test]
fn each_cause_has_its_reason() {
    let with = |edit: fn(&mut ConnectionFacts)| {
        let mut facts = sftp_partner().consented().facts();
        edit(&mut facts);
        facts
    };
    let connection = |builder: ConnectionBuilder| builder.facts();
    let rows: Vec<(&str, ConnectionFacts, ConditionStatus, Reason)> = vec![
        ("all is well", with(|_| {}), True, Reason::Ready),
        (
            "suspended",
            connection(sftp_partner().consented().suspended()),
            True,
            Reason::Suspended,
        ),
        (
            "no consent",
            connection(sftp_partner()),
            False,
            Reason::ConsentRequired,
        ),
        (
            "garbage for consent",
            connection(sftp_partner().annotated("I agree")),
            False,
            Reason::ConsentStale,
        ),
        (
            "another's consent",
            connection(sftp_partner().annotated(&firmographics().digest())),
            False,
            Reason::ConsentStale,
        ),
        (
            "a moved destination",
            connection(sftp_partner().consented().with("folder", "/out")),
            False,
            Reason::ConsentStale,
        ),
        (
            "a wrong parameter",
            connection(sftp_partner().consented().with("port", "0")),
            False,
            Reason::ParametersInvalid,
        ),
        (
            "an unknown parameter",
            connection(sftp_partner().with("host", "x").consented()),
            False,
            Reason::ParametersInvalid,
        ),
        (
            "an unknown secret",
            connection(sftp_partner().secret("token", "partner", "t").consented()),
            False,
            Reason::SecretsInvalid,
        ),
        (
            "a wrong fixed parameter",
            connection(sftp_partner().fixing("compression", "Zip").consented()),
            False,
            Reason::ParametersInvalid,
        ),
        (
            "a key vault",
            connection(
                sftp_partner()
                    .source("password", vault_secret("v", "p"))
                    .consented(),
            ),
            False,
            Reason::VaultNotFound,
        ),
        (
            "a key vault that the type refuses",
            connection(
                firmographics()
                    .source("password", vault_secret("v", "p"))
                    .consented(),
            ),
            False,
            Reason::SecretsInvalid,
        ),
        (
            "no type",
            with(|facts| facts.type_ = TypeSeen::Absent),
            False,
            Reason::TypeNotFound,
        ),
        (
            "a type that contradicts itself",
            with(|facts| facts.type_ = TypeSeen::Invalid(Arc::default())),
            False,
            Reason::TypeNotReady,
        ),
        (
            "no Secret",
            with(|facts| facts.secrets.clear()),
            False,
            Reason::SecretNotFound,
        ),
        (
            "no key",
            with(|facts| {
                facts
                    .secrets
                    .insert("partner".into(), secret("8", [("username", true)]));
            }),
            False,
            Reason::KeyNotFound,
        ),
        (
            "an empty key",
            with(|facts| {
                facts.secrets.insert(
                    "partner".into(),
                    secret("8", [("username", true), ("password", false)]),
                );
            }),
            False,
            Reason::KeyEmpty,
        ),
        (
            "a mistake before consent",
            connection(sftp_partner().with("port", "x")),
            False,
            Reason::ParametersInvalid,
        ),
        (
            "consent before suspension",
            connection(sftp_partner().suspended()),
            False,
            Reason::ConsentRequired,
        ),
    ];
    for (case, facts, status, reason) in rows {
        assert_eq!(summary(&facts), (status, reason.to_string()), "{case}");
    }
}

#[test]
fn how_to_consent_is_told_by_exactly_one_condition() {
    let ready = &[ConditionType::Ready][..];
    let rows = [
        ("nobody has consented", sftp_partner(), ready),
        ("for something else", sftp_partner().annotated("I agree"), ready),
        ("suspended as well", sftp_partner().suspended(), ready),
        (
            "something to correct first",
            sftp_partner().with("port", "x"),
            &[],
        ),
        ("consented", sftp_partner().consented(), &[]),
    ];
    for (case, connection, expected) in rows {
        let conditions = decide(&connection.facts()).status.conditions;
        let telling = conditions
            .iter()
            .filter(|told| told.message.contains("kubectl annotate"));
        let telling: Vec<&str> = telling.map(|told| told.type_.as_str()).collect();
        let expected: Vec<&str> = expected.iter().map(|type_| type_.as_str()).collect();
        assert_eq!(telling, expected, "{case}");
    }
}

#[test]
fn the_digest_to_agree_to_is_told_once_the_connection_fits_its_type() {
    let wrong = || sftp_partner().with("port", "x");
    let rows = [
        ("it fits", sftp_partner(), true, false),
        ("a wrong parameter", wrong(), false, false),
        (
            "an unknown secret",
            sftp_partner().secret("token", "partner", "t"),
            false,
            false,
        ),
        (
            "a consent to something else",
            wrong().annotated("I agree"),
            false,
            false,
        ),
        ("a consent to just that", wrong().consented(), true, true),
        ("a consent to what fits", sftp_partner().consented(), true, true),
    ];
    for (case, connection, asked, given) in rows {
        let decision = decide(&connection.facts());
        let consent = decision.status.consent.expect("it is judged");
        let required = asked.then(|| connection.digest());
        assert_eq!((consent.required, consent.given), (required, given), "{case}");
        assert_eq!(
            decision.effects.len(),
            usize::from(given),
            "{case}: what is decided is on record"
        );
    }
}

#[test]
fn a_missing_secret_is_told_while_consent_is_awaited() {
    let mut facts = sftp_partner().facts();
    facts.secrets.clear();
    assert_eq!(summary(&facts), (False, "ConsentRequired".to_owned()));
    let status = decide(&facts).status;
    let resolved = find(&status.conditions, ConditionType::SecretsResolved).expect("it is there");
    assert_eq!((resolved.status, &*resolved.reason), (False, "SecretNotFound"));
    assert_eq!(
        resolved.message,
        "spec.secrets.password names the Secret partner, which doesn't exist in namespace marketing: create it with the \
         key password. spec.secrets.username names the Secret partner, which doesn't exist in namespace marketing: create \
         it with the key username."
    );
}

#[test]
fn consent_to_the_previous_notice_counts_until_its_end() {
    let mut type_ = catalog_type("sftp-export");
    let old = type_.spec.notice.clone();
    type_.spec.notice.version = "2".to_owned();
    type_.spec.notice.previous = Some(crate::api::notice::PreviousNotice {
        version: old.version,
        recipient: old.recipient,
        data: old.data,
        responsibility: old.responsibility,
        how_to_stop: old.how_to_stop,
        privacy_statement: old.privacy_statement,
        until: Time(at(500)),
    });
    let visit = |second| {
        let mut facts = sftp_partner().consented().facts();
        facts.type_ = seen(&type_);
        facts.now = at(second);
        facts
    };
    let decision = decide(&visit(100));
    assert_eq!(decision.recheck, Some(SignedDuration::from_secs(400)));
    let told =
        find(&decision.status.conditions, ConditionType::ConsentGiven).map(|told| told.message.as_str());
    assert_eq!(
        told,
        Some(
            "Consent stands for the previous notice, which still counts for a while. Ready's message says what to do."
        )
    );
    assert_eq!(summary(&visit(499)), (True, "Ready".to_owned()));
    assert_eq!(summary(&visit(500)), (False, "ConsentStale".to_owned()));
    assert_eq!(decide(&visit(500)).recheck, None);
}

#[test]
fn a_connection_in_use_waits_when_it_is_removed() {
    let going = || sftp_partner().consented().held().visited().being_removed();
    let rows = [
        (
            "in use",
            used_by(&["nightly"], &[]),
            Hold::Keep,
            True,
            Reason::DependentsRemain,
        ),
        (
            "free",
            used_by(&[], &[]),
            Hold::Release,
            True,
            Reason::HeldByOthers,
        ),
    ];
    for (case, dependents, hold, status, reason) in rows {
        let facts = ConnectionFacts {
            dependents,
            ..going().facts()
        };
        let decision = decide(&facts);
        let deleting = find(&decision.status.conditions, ConditionType::Deleting).expect("it is there");
        assert_eq!(decision.hold, hold, "{case}");
        assert_eq!(
            (deleting.status, deleting.reason.as_str()),
            (status, reason.as_str()),
            "{case}"
        );
        assert_eq!(summary(&facts).0, True, "{case}: Ready is unchanged");
    }
    let unheld = ConnectionFacts {
        dependents: used_by(&["nightly"], &[]),
        ..sftp_partner().being_removed().facts()
    };
    assert_eq!(
        decide(&unheld).hold,
        Hold::Keep,
        "no finalizer can be set any more"
    );
}

#[test]
fn dates_in_status_are_those_of_what_they_date() {
    let mut facts = sftp_partner().consented().held().visited().facts();
    let before = facts.connection.status.clone();
    facts.now = at(900);
    assert_eq!(
        Some(decide(&facts).status),
        before,
        "nothing changed, so nothing is dated anew"
    );
    facts.secrets.insert(
        "partner".into(),
        secret("8", [("username", true), ("password", true)]),
    );
    let rotated = decide(&facts).status;
    assert!(
        rotated
            .secrets
            .iter()
            .all(|entry| entry.since == Some(Time(at(900))))
    );
    assert_eq!(
        rotated.consent,
        before.and_then(|before| before.consent),
        "consent is as old as it was"
    );
}

#[test]
fn a_type_that_comes_later_is_judged_then() {
    let without = ConnectionFacts {
        type_: TypeSeen::Absent,
        ..sftp_partner().consented().facts()
    };
    let early = decide(&without).status;
    assert_eq!(early.used_for, None);
    assert_eq!(early.consent.and_then(|consent| consent.required), None);
    let with = ConnectionFacts {
        type_: catalog_seen("sftp-export"),
        ..without
    };
    assert_eq!(summary(&with), (True, "Ready".to_owned()));
}
