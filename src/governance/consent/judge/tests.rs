#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::*;
use crate::api::{ConditionStatus, Connection};
use crate::fixtures::{ANY_TEXT, ConnectionBuilder, at, catalog_type, connection, sftp_partner};
use crate::governance::consent::{NoticeAt, required};
use proptest::prelude::*;

/// Digests of the notice of today and of the one before.
const CURRENT: &str = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";
const PREVIOUS: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
/// A digest that is of neither.
const OTHER: &str = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

/// What is said in a test; what a row doesn't change is as on a connection to which nobody has consented.
#[derive(Clone, Debug)]
struct Scene {
    annotation: Option<String>,
    stamp: String,
    person: Option<String>,
    uid: String,
    records: Vec<ConsentRecordSpec>,
    unproven: Option<String>,
    proof: Proof,
    previous: Option<Timestamp>,
    stamped: bool,
    fits: bool,
    hosts: &'static [&'static str],
    deprecated: Option<&'static str>,
    now: i64,
}

fn scene() -> Scene {
    Scene {
        annotation: None,
        stamp: String::new(),
        person: None,
        uid: "u1".to_owned(),
        records: Vec::new(),
        unproven: None,
        proof: Proof::InPlace,
        previous: None,
        stamped: true,
        fits: true,
        hosts: &[],
        deprecated: None,
        now: 0,
    }
}

impl Scene {
    fn says(mut self, annotation: &str, stamp: &str) -> Self {
        self.annotation = (!annotation.is_empty()).then(|| annotation.to_owned());
        stamp.clone_into(&mut self.stamp);
        self
    }

    fn naming(mut self, person: &str) -> Self {
        self.person = Some(person.to_owned());
        self
    }

    fn recorded(mut self, decision: ConsentDecision, digest: &str, by: &str, via: &str) -> Self {
        self.records.push(ConsentRecordSpec {
            subject: ConsentSubject {
                kind: "Connection".to_owned(),
                name: "sftp-partner".into(),
                uid: self.uid.clone(),
            },
            decision,
            digest: digest.to_owned(),
            by: by.to_owned(),
            via: via.to_owned(),
            destination: "folder \"/in\"".to_owned(),
            notice_version: "1".to_owned(),
            at: Time(at(-10)),
        });
        self
    }

    /// Another object of the same name.
    fn anew(mut self) -> Self {
        "u2".clone_into(&mut self.uid);
        self
    }

    fn said_before_to_be_unproven(mut self) -> Self {
        self.unproven = Some(self.stamp.clone());
        self
    }

    fn missing(mut self) -> Self {
        self.proof = Proof::Missing("consent.connections.dev".to_owned());
        self
    }

    fn required(&self) -> Required {
        Required {
            current: CURRENT.to_owned(),
            previous: self.previous.map(|until| (PREVIOUS.to_owned(), until)),
            destination: vec!["folder \"/in\"".to_owned()],
            hosts: self.hosts.iter().map(|&host| host.to_owned()).collect(),
            notice_versions: ("2".to_owned(), self.previous.map(|_| "1".to_owned())),
        }
    }

    fn with<T>(&self, judge: impl FnOnce(Commands<'_>, &Required, &Said<'_>, Timestamp) -> T) -> T {
        self.with_pipelines(&["pipe"], judge)
    }

    fn with_pipelines<T>(
        &self,
        pipelines: &[&str],
        judge: impl FnOnce(Commands<'_>, &Required, &Said<'_>, Timestamp) -> T,
    ) -> T {
        let pipelines = pipelines.iter().map(|name| (*name).to_owned()).collect();
        let said = Said {
            annotation: self.annotation.as_deref(),
            stamp: Stamp(&self.stamp),
            person: self.person.as_deref(),
            pipelines: &pipelines,
            uid: &self.uid,
            records: self.records.iter().collect(),
            unproven: self.unproven.as_deref(),
            proof: &self.proof,
        };
        let partner = sftp_partner();
        let commands = Commands {
            subject: partner.subject(),
            notice: NoticeAt::Type("sftp-export"),
            stamped: self.stamped,
            fits: self.fits,
            deprecated: self.deprecated,
        };
        judge(commands, &self.required(), &said, at(self.now))
    }

    fn judged(&self) -> Consent {
        self.with(judge)
    }

    /// Once more, with what the first visit wrote.
    fn judged_again(mut self) -> Consent {
        let first = self.judged();
        self.unproven.clone_from(&first.unproven);
        self.records.extend(first.record);
        self.proof = Proof::NotAsked;
        self.judged()
    }
}

/// The decision, its digest, by whom, and through which pipeline.
fn written(consent: &Consent) -> Option<(ConsentDecision, &str, &str, &str)> {
    let record = consent.record.as_ref()?;
    Some((record.decision, &record.digest, &record.by, &record.via))
}

fn given(user: &str) -> String {
    format!("given {CURRENT} {user}")
}

fn withdrawn(user: &str) -> String {
    format!("withdrawn {CURRENT} {user}")
}

#[test]
fn consent_stands_only_for_this_very_destination_and_notice() {
    use Reason::{ConsentCurrent, ConsentRequired, ConsentStale, ConsentToPreviousNotice};
    let until = at(500);
    let rows = [
        ("none", "", None, 0, ConsentRequired),
        ("none, with a notice before", "", Some(until), 0, ConsentRequired),
        ("the required one", CURRENT, None, 0, ConsentCurrent),
        (
            "the required one, with a notice before",
            CURRENT,
            Some(until),
            0,
            ConsentCurrent,
        ),
        (
            "the one before, in time",
            PREVIOUS,
            Some(until),
            499,
            ConsentToPreviousNotice,
        ),
        (
            "the one before, at the end",
            PREVIOUS,
            Some(until),
            500,
            ConsentStale,
        ),
        (
            "the one before, too late",
            PREVIOUS,
            Some(until),
            501,
            ConsentStale,
        ),
        (
            "the one before, which the type forgot",
            PREVIOUS,
            None,
            0,
            ConsentStale,
        ),
        ("garbage", "yes, I agree", Some(until), 0, ConsentStale),
        ("with a line break", "cccc\n", None, 0, ConsentStale),
    ];
    for (case, annotation, previous, now, expected) in rows {
        let stamp = if annotation.is_empty() {
            String::new()
        } else {
            format!("given {annotation} ada")
        };
        let consent = Scene {
            previous,
            now,
            ..scene().says(annotation, &stamp)
        }
        .judged();
        let stands = matches!(expected, ConsentCurrent | ConsentToPreviousNotice);
        assert_eq!(consent.standing.reason, expected, "{case}");
        assert_eq!(consent.given.is_some(), stands, "{case}");
        assert_eq!(consent.standing.status == ConditionStatus::True, stands, "{case}");
        let ends = (expected == ConsentToPreviousNotice).then(|| SignedDuration::from_secs(500 - now));
        assert_eq!(consent.recheck, ends, "{case}");
    }
}

/// The notice before is the one that stood until the present one: consent to an older one went stale, and stays so.
#[test]
fn a_consent_that_went_stale_is_not_brought_back_as_one_to_the_notice_before() {
    use ConsentDecision::{Given, Stale};
    use Reason::{ConsentCurrent, ConsentStale, ConsentToPreviousNotice};
    let stamp = |digest: &str| format!("given {digest} ada");
    let previous = Some(at(500));
    let given = |digest: &str| {
        scene()
            .recorded(Given, digest, "ada", "")
            .says(digest, &stamp(digest))
    };
    let stale = |digest: &str| given(digest).recorded(Stale, digest, "", "");
    let rows = [
        ("it still stands", given(PREVIOUS), ConsentToPreviousNotice),
        ("it went stale", stale(PREVIOUS), ConsentStale),
        (
            "that of another of this name did",
            stale(PREVIOUS).anew(),
            ConsentToPreviousNotice,
        ),
        ("the notice itself was put back", stale(CURRENT), ConsentCurrent),
    ];
    for (case, before, expected) in rows {
        let consent = Scene { previous, ..before }.judged();
        assert_eq!(consent.standing.reason, expected, "{case}");
    }
}

#[test]
fn a_consent_counts_in_the_name_that_the_stamp_gives() {
    use ConsentDecision::{Given, Stale, Withdrawn};
    use Reason::{ConsentCurrent, ConsentRequired, ConsentStale, ConsentUnproven, ConsentWithdrawn};
    let ada = || scene().says(CURRENT, &given("ada"));
    let pipe = || scene().says(CURRENT, &given("pipe"));
    let rows = [
        (
            "a person",
            ada(),
            ConsentCurrent,
            Some((Given, CURRENT, "ada", "")),
        ),
        (
            "on record already",
            ada().recorded(Given, CURRENT, "ada", ""),
            ConsentCurrent,
            None,
        ),
        (
            "a person who names another speaks for herself",
            ada().naming("bob"),
            ConsentCurrent,
            Some((Given, CURRENT, "ada", "")),
        ),
        (
            "a pipeline",
            pipe(),
            ConsentCurrent,
            Some((Given, CURRENT, "pipe", "")),
        ),
        (
            "a pipeline for a person",
            pipe().naming("ada"),
            ConsentCurrent,
            Some((Given, CURRENT, "ada", "pipe")),
        ),
        (
            "another person after the first",
            scene()
                .says(CURRENT, &given("bob"))
                .recorded(Given, CURRENT, "ada", ""),
            ConsentCurrent,
            Some((Given, CURRENT, "bob", "")),
        ),
        (
            "a connection made anew under the same name",
            ada().recorded(Given, CURRENT, "ada", "").anew(),
            ConsentCurrent,
            Some((Given, CURRENT, "ada", "")),
        ),
        (
            "withdrawn",
            scene()
                .says("", &withdrawn("ada"))
                .recorded(Given, CURRENT, "ada", ""),
            ConsentWithdrawn,
            Some((Withdrawn, CURRENT, "ada", "")),
        ),
        (
            "withdrawn, and set again by a pipeline",
            scene()
                .says(CURRENT, &withdrawn("ada"))
                .recorded(Withdrawn, CURRENT, "ada", ""),
            ConsentWithdrawn,
            None,
        ),
        (
            "withdrawn, then made anew by a pipeline",
            pipe().recorded(Withdrawn, CURRENT, "ada", "").anew(),
            ConsentWithdrawn,
            None,
        ),
        (
            "withdrawn, then made anew by a person",
            scene()
                .says(CURRENT, &given("bob"))
                .recorded(Withdrawn, CURRENT, "ada", "")
                .anew(),
            ConsentCurrent,
            Some((Given, CURRENT, "bob", "")),
        ),
        (
            "what was withdrawn was garbage",
            scene().says("", "withdrawn yes ada"),
            ConsentWithdrawn,
            None,
        ),
        (
            "gone without a stamp",
            scene().recorded(Given, CURRENT, "ada", ""),
            ConsentRequired,
            Some((Withdrawn, CURRENT, "", "")),
        ),
        (
            "for another destination now",
            scene()
                .says(PREVIOUS, "given x ada")
                .recorded(Given, PREVIOUS, "ada", ""),
            ConsentStale,
            Some((Stale, PREVIOUS, "", "")),
        ),
        (
            "for this destination again",
            ada()
                .recorded(Given, CURRENT, "ada", "")
                .recorded(Stale, CURRENT, "", ""),
            ConsentCurrent,
            Some((Given, CURRENT, "ada", "")),
        ),
        (
            "never for this destination",
            scene().says("garbage", "given garbage ada"),
            ConsentStale,
            None,
        ),
        (
            "without a stamp",
            scene().says(CURRENT, ""),
            ConsentUnproven,
            None,
        ),
        (
            "with another's stamp",
            scene().says(CURRENT, "given other ada"),
            ConsentUnproven,
            None,
        ),
        (
            "nothing vouches for the stamp",
            ada().missing(),
            ConsentUnproven,
            None,
        ),
        (
            "nothing vouches any more for what is on record",
            ada().recorded(Given, CURRENT, "ada", "").missing(),
            ConsentCurrent,
            None,
        ),
        (
            "unproven once stays so",
            ada().said_before_to_be_unproven(),
            ConsentUnproven,
            None,
        ),
    ];
    for (case, scene, reason, record) in rows {
        let consent = scene.judged();
        assert_eq!(consent.standing.reason, reason, "{case}");
        assert_eq!(written(&consent), record, "{case}");
        let too_late = case == "withdrawn, then made anew by a pipeline";
        assert_eq!(
            consent.unproven.is_some(),
            reason == ConsentUnproven || too_late,
            "{case}"
        );
        assert_eq!(consent.given.is_some(), reason == ConsentCurrent, "{case}");
        let again = scene.judged_again();
        assert_eq!(
            (again.standing, again.record),
            (consent.standing, None),
            "{case}: once more"
        );
    }
}

#[test]
fn a_stamp_that_was_found_not_to_count_never_does_while_it_stands() {
    let unproven = scene().says(CURRENT, &given("ada")).said_before_to_be_unproven();
    let elsewhere = Scene {
        annotation: Some("elsewhere".to_owned()),
        ..unproven.clone()
    };
    assert_eq!(
        elsewhere.judged().unproven.as_deref(),
        Some(given("ada").as_str()),
        "stale meanwhile"
    );
    assert_eq!(
        unproven.judged().standing.reason,
        Reason::ConsentUnproven,
        "and back"
    );
    let another = Scene {
        stamp: given("bob"),
        ..unproven
    };
    assert_eq!(
        another.judged().standing.reason,
        Reason::ConsentCurrent,
        "given by another"
    );

    let too_late =
        scene()
            .says(CURRENT, &given("pipe"))
            .recorded(ConsentDecision::Withdrawn, CURRENT, "ada", "");
    let too_late = too_late.anew();
    let retired = Scene {
        unproven: too_late.judged().unproven,
        stamp: given("pipe"),
        ..too_late.clone()
    };
    let judged = retired.with_pipelines(&[], judge);
    assert_eq!(
        judged.standing.reason,
        Reason::ConsentUnproven,
        "no pipeline any more"
    );
}

#[test]
fn a_stamp_that_came_while_nothing_vouched_never_counts_whatever_comes_to_be_required() {
    let early = scene().says(OTHER, &format!("given {OTHER} ada"));
    let required_later = |early: Scene| {
        let unproven = early.judged().unproven;
        let later = Scene {
            unproven,
            proof: Proof::InPlace,
            ..early
        };
        later.with(|commands, required, said, now| {
            let required = Required {
                current: OTHER.to_owned(),
                ..required.clone()
            };
            judge(commands, &required, said, now).standing.reason
        })
    };
    assert_eq!(
        required_later(early.clone()),
        Reason::ConsentCurrent,
        "vouched for"
    );
    assert_eq!(
        required_later(early.missing()),
        Reason::ConsentUnproven,
        "not vouched for"
    );
}

#[test]
fn proof_is_asked_for_once_and_when_a_consent_is_about_to_count() {
    use ConsentDecision::{Given, Stale};
    let ada = || scene().says(CURRENT, &given("ada"));
    let rows = [
        ("a new consent", ada(), true),
        ("one on record", ada().recorded(Given, CURRENT, "ada", ""), false),
        ("none", scene(), false),
        (
            "one that may come to count later",
            scene().says(OTHER, &format!("given {OTHER} ada")),
            true,
        ),
        (
            "one that has gone stale",
            scene()
                .says(OTHER, &format!("given {OTHER} ada"))
                .recorded(Given, OTHER, "ada", "")
                .recorded(Stale, OTHER, "", ""),
            false,
        ),
        (
            "one that was stale, and counts again",
            ada()
                .recorded(Given, CURRENT, "ada", "")
                .recorded(Stale, CURRENT, "", ""),
            true,
        ),
        (
            "that of another of this name",
            ada().recorded(Given, CURRENT, "ada", "").anew(),
            true,
        ),
        ("a withdrawal", scene().says("", &withdrawn("ada")), false),
        (
            "one that is unproven already",
            ada().said_before_to_be_unproven(),
            false,
        ),
    ];
    for (case, scene, expected) in rows {
        let needed = scene.with(|_, required, said, now| needs_proof(said, || required.clone(), now));
        assert_eq!(needed, expected, "{case}");
    }
}

#[test]
fn a_record_tells_the_destination_and_the_notice_that_were_decided_about() {
    let consent = scene().says(CURRENT, &given("ada")).judged();
    let record = consent.record.expect("a record");
    assert_eq!(
        (record.destination.as_str(), record.notice_version.as_str()),
        ("folder \"/in\"", "2")
    );
    let before = Scene {
        previous: Some(at(9)),
        ..scene().says(PREVIOUS, &format!("given {PREVIOUS} ada"))
    };
    assert_eq!(before.judged().record.expect("a record").notice_version, "1");
}

const READ: &str = "To read the notice: kubectl get connectiontype sftp-export -o jsonpath=\"{range \
    .spec.notice['recipient','data','responsibility','howToStop','privacyStatement']}{@}{'\\n'}{end}\". To agree: \
    kubectl annotate connection sftp-partner -n marketing --overwrite \
    connections.dev/consent=cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

const UNVOUCHED: &str = "There is a consent, but when it was first seen nothing vouched for who gave it: one of the chart's \
    admission policies, or its binding, may have been missing, or changed within the last seconds. A cluster administrator can see whether all are there now: \
    kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings";

const TAKE_OFF: &str = "To give it anew, first take it off (this message then prints how to consent): kubectl annotate \
    connection sftp-partner -n marketing";

#[test]
fn the_message_says_how_to_read_and_how_to_agree() {
    let previous = Some(at(500));
    let rows = [
        (
            scene(),
            format!("Nobody has consented to the notice for this destination (folder \"/in\"). {READ}"),
        ),
        (
            scene().says(OTHER, &format!("given {OTHER} ada")),
            format!(
                "The consent that was given isn't for this connection as it is now (folder \"/in\"): it is another's, or \
                 the destination, the endpoints of the type or its notice have changed. {READ}"
            ),
        ),
        (
            scene().says("", &withdrawn("ada")),
            format!("Consent for this destination (folder \"/in\") was withdrawn. {READ}"),
        ),
        (
            scene().says(CURRENT, &withdrawn("ada")),
            "Consent for this destination (folder \"/in\") was withdrawn. A pipeline has set it again, which counts for \
             nothing. To give it anew, first take it off (this message then prints how to consent): kubectl annotate \
             connection sftp-partner -n marketing connections.dev/consent-"
                .to_owned(),
        ),
        (
            Scene { previous, ..scene().says(PREVIOUS, &format!("given {PREVIOUS} ada")) },
            format!(
                "The notice has changed. Consent to the one before counts until 2023-11-14T22:21:40Z. {READ}"
            ),
        ),
        (
            scene().says(CURRENT, &given("ada")),
            "Consent stands for this destination and the current notice.".to_owned(),
        ),
        (
            scene().says(CURRENT, &given("ada")).missing(),
            format!("{UNVOUCHED},mutatingadmissionpolicies,mutatingadmissionpolicybindings. {TAKE_OFF} connections.dev/consent-"),
        ),
    ];
    for (scene, message) in rows {
        assert_eq!(scene.judged().standing.message, message);
    }
}

#[test]
fn a_stale_consent_is_told_with_what_it_was_for() {
    use ConsentDecision::{Given, Stale, Withdrawn};
    const START: &str = "The consent that was given isn't for this connection as it is now (folder \"/in\")";
    const UNKNOWN: &str =
        ": it is another's, or the destination, the endpoints of the type or its notice have changed. ";
    let says = |digest: &str| scene().says(digest, &format!("given {digest} ada"));
    let to = |mut scene: Scene, destination: &str, version: &str| {
        let record = scene.records.last_mut().expect("a record");
        destination.clone_into(&mut record.destination);
        version.clone_into(&mut record.notice_version);
        scene
    };
    let elsewhere = "It was for folder \"/out\", where there is folder \"/in\" now. ";
    let rows = [
        (
            "on record with another destination",
            to(
                says(PREVIOUS).recorded(Given, PREVIOUS, "ada", ""),
                "folder \"/out\"",
                "2",
            ),
            format!(". {elsewhere}"),
        ),
        (
            "on record as gone stale",
            to(
                says(PREVIOUS).recorded(Stale, PREVIOUS, "", ""),
                "folder \"/out\"",
                "2",
            ),
            format!(". {elsewhere}"),
        ),
        (
            "on record with another notice alone",
            says(PREVIOUS).recorded(Given, PREVIOUS, "ada", ""),
            ". It was to version 1 of the notice, which is of version 2 now. ".to_owned(),
        ),
        (
            "on record of one of the same name before",
            says(PREVIOUS).recorded(Given, PREVIOUS, "ada", "").anew(),
            ". It was to version 1 of the notice, which is of version 2 now. ".to_owned(),
        ),
        (
            "not on record, but what stood before is",
            to(
                says(OTHER).recorded(Given, PREVIOUS, "ada", ""),
                "folder \"/out\"",
                "2",
            ),
            format!("{UNKNOWN}As for the consent that stood before: {}", elsewhere.replace("It was", "it was")),
        ),
        (
            "not on record, and before it stood another's of the same name",
            says(OTHER).recorded(Given, PREVIOUS, "ada", "").anew(),
            UNKNOWN.to_owned(),
        ),
        (
            "another digest, where nothing has changed since a consent stood",
            says(OTHER).recorded(Given, CURRENT, "ada", ""),
            ": its digest isn't the required one. That is still the digest of the consent that stood before: nothing has \
             changed but the annotation connections.dev/consent. "
                .to_owned(),
        ),
        (
            "on record with nothing but its withdrawal",
            to(says(PREVIOUS).recorded(Withdrawn, PREVIOUS, "ada", ""), "", ""),
            UNKNOWN.to_owned(),
        ),
    ];
    for (case, scene, expected) in rows {
        let consent = scene.judged();
        assert_eq!(consent.standing.reason, Reason::ConsentStale, "{case}");
        assert_eq!(
            consent.standing.message,
            format!("{START}{expected}{READ}"),
            "{case}"
        );
    }
}

#[test]
fn whoever_is_asked_to_agree_sees_the_endpoints_of_the_type() {
    let rows: [(&'static [&'static str], &str); 4] = [
        (&["api.hubapi.com"], "; host of the type: api.hubapi.com"),
        (
            &["a.example", "b.example"],
            "; hosts of the type: a.example, b.example",
        ),
        (
            &["a.example", "b.example", "c.example"],
            "; hosts of the type: a.example, b.example, c.example",
        ),
        (
            &["a.example", "b.example", "c.example", "d.example", "e.example"],
            "; hosts of the type: a.example, b.example, c.example and 2 more",
        ),
    ];
    for (hosts, told) in rows {
        let message = Scene { hosts, ..scene() }.judged().standing.message;
        let asked =
            format!("Nobody has consented to the notice for this destination (folder \"/in\"{told}). {READ}");
        assert_eq!(message, asked, "{hosts:?}");
    }
}

#[test]
fn an_endpoint_that_the_type_got_since_is_named() {
    let before = Scene {
        hosts: &["api.hubapi.com"],
        ..scene().says(PREVIOUS, &format!("given {PREVIOUS} ada"))
    };
    let given = before.with(|commands, required, said, now| {
        let then = Required {
            current: PREVIOUS.to_owned(),
            ..required.clone()
        };
        judge(commands, &then, said, now)
    });
    let after = Scene {
        hosts: &["api.hubapi.com", "evil.example"],
        records: given.record.into_iter().collect(),
        ..before
    };
    let message = after.judged().standing.message;
    let told = "The consent that was given isn't for this connection as it is now (folder \"/in\"; hosts of the type: \
                api.hubapi.com, evil.example). It was without host evil.example of the type. ";
    assert!(message.starts_with(told), "{message}");
}

#[test]
fn what_is_no_digest_is_told_to_be_none_whatever_stood_before() {
    let almost = &CURRENT[..60];
    let capitals = CURRENT.to_uppercase();
    let before = || scene().recorded(ConsentDecision::Given, CURRENT, "ada", "");
    let changed = || scene().recorded(ConsentDecision::Given, PREVIOUS, "ada", "");
    let rows = [
        ("a word", scene().says("yes", "given yes ada")),
        ("a word after a consent", before().says("yes", "given yes ada")),
        (
            "a word after a consent to something else",
            changed().says("yes", "given yes ada"),
        ),
        (
            "a part of it",
            before().says(almost, &format!("given {almost} ada")),
        ),
        (
            "in capitals",
            before().says(&capitals, &format!("given {capitals} ada")),
        ),
        ("with a line break", before().says(&format!("{CURRENT}\n"), "")),
    ];
    for (case, scene) in rows {
        let consent = scene.judged();
        assert_eq!(consent.standing.reason, Reason::ConsentStale, "{case}");
        assert_eq!(
            consent.standing.message,
            format!(
                "The annotation connections.dev/consent holds no digest, which has 64 characters of 0-9 and a-f, so it is \
                 no consent to this destination (folder \"/in\"). {READ}"
            ),
            "{case}"
        );
    }
}

#[test]
fn nobody_is_asked_to_agree_to_what_must_change() {
    let ada = || scene().says(CURRENT, &given("ada"));
    let previous = Some(at(500));
    let rows = [
        ("nobody has consented", scene()),
        ("stale", scene().says(OTHER, &format!("given {OTHER} ada"))),
        ("withdrawn", scene().says("", &withdrawn("ada"))),
        (
            "set again by a pipeline",
            scene().says(CURRENT, &withdrawn("ada")),
        ),
        ("unproven", ada().missing()),
        ("unstamped", scene().says(CURRENT, "")),
        (
            "to the notice before",
            Scene {
                previous,
                ..scene().says(PREVIOUS, &format!("given {PREVIOUS} ada"))
            },
        ),
    ];
    let later = "Consent is asked for once what the connection says fits its type: the condition Valid tells what doesn't.";
    for (case, scene) in rows {
        let fitting = scene.judged();
        let mistaken = Scene { fits: false, ..scene }.judged();
        let message = &mistaken.standing.message;
        assert!(message.ends_with(later), "{case}: {message}");
        assert!(
            !message.contains("annotate") && !message.contains(CURRENT),
            "{case}: {message}"
        );
        let told_alike = Consent {
            standing: Standing {
                message: fitting.standing.message.clone(),
                ..mistaken.standing.clone()
            },
            ..mistaken
        };
        assert_eq!(told_alike, fitting, "{case}: what is decided is the same");
    }
    let stands = Scene { fits: false, ..ada() }.judged();
    assert_eq!(stands, ada().judged(), "a consent that was given");
}

#[test]
fn a_name_that_is_too_long_is_recorded_once_and_never_tried_again() {
    use ConsentDecision::{Given, Withdrawn};
    let long = "x".repeat(5000);
    let rows = [
        ("given", scene().says(CURRENT, &given(&long)), Some(Given)),
        (
            "withdrawn",
            scene()
                .says("", &withdrawn(&long))
                .recorded(Given, CURRENT, "ada", ""),
            Some(Withdrawn),
        ),
        (
            "given by a pipeline for a person",
            scene().says(CURRENT, &given("pipe")).naming(&long),
            Some(Given),
        ),
        ("unproven", scene().says(CURRENT, &given(&long)).missing(), None),
        ("unstamped", scene().says(CURRENT, &long), None),
    ];
    for (case, scene, decision) in rows {
        let first = scene.judged();
        let record = first.record.as_ref();
        assert_eq!(record.map(|record| record.decision), decision, "{case}");
        assert!(
            record.is_none_or(|record| record.by.chars().count() == 1024),
            "{case}"
        );
        assert!(
            first
                .unproven
                .as_ref()
                .is_none_or(|stamp| stamp.chars().count() == 2048),
            "{case}"
        );
        let again = scene.clone().judged_again();
        assert_eq!(
            again,
            Consent {
                record: None,
                ..first.clone()
            },
            "{case}: once more"
        );
        let asked = Scene {
            records: first.record.into_iter().collect(),
            unproven: first.unproven,
            ..scene
        };
        let asked = asked.with(|_, required, said, now| needs_proof(said, || required.clone(), now));
        assert!(!asked, "{case}: nothing is new");
    }
}

#[test]
fn where_the_api_server_writes_no_stamp_the_command_does() {
    let asked = Scene {
        stamped: false,
        ..scene()
    }
    .judged()
    .standing
    .message;
    let stamp = format!(
        " connections.dev/consented-by=\"given {CURRENT} $(kubectl auth whoami -o jsonpath='{{.status.userInfo.username}}')\""
    );
    assert!(asked.ends_with(&format!("{READ}{stamp}")), "{asked}");
}

#[test]
fn where_nothing_writes_into_requests_no_such_policy_is_asked_for() {
    let unproven = Scene {
        stamped: false,
        ..scene().says(CURRENT, &given("ada")).missing()
    };
    let message = unproven.judged().standing.message;
    let start = format!("{UNVOUCHED}. {TAKE_OFF} --overwrite connections.dev/consented-by=\"withdrawn ");
    assert!(message.starts_with(&start), "{message}");
}

#[test]
fn consent_copied_from_another_connection_does_not_count() {
    let type_ = catalog_type("sftp-export");
    let twin = ConnectionBuilder(Connection {
        spec: sftp_partner().0.spec,
        ..connection("twin").0
    });
    let copied = sftp_partner().digest();
    let needed = required(twin.subject(), &twin.0.spec, &type_.spec);
    let scene = scene().says(&copied, &format!("given {copied} ada"));
    let consent = scene.with(|commands, _, said, now| judge(commands, &needed, said, now));
    assert_eq!(consent.standing.reason, Reason::ConsentStale);
}

#[test]
fn what_an_author_writes_is_never_repeated() {
    let consent = scene().says("hunter2", "given hunter2 ada").judged();
    assert!(!consent.standing.message.contains("hunter2"));
}

proptest! {
    #[test]
    fn no_annotation_but_the_digest_itself_counts(annotation in ANY_TEXT) {
        let stamp = format!("given {annotation} ada");
        prop_assert!(scene().says(&annotation, &stamp).judged().given.is_none());
    }

    #[test]
    fn no_stamp_but_the_one_for_the_digest_counts(stamp in ANY_TEXT) {
        prop_assert!(scene().says(CURRENT, &stamp).judged().given.is_none());
    }
}

#[test]
fn whoever_is_asked_hears_first_that_the_type_is_deprecated() {
    let told = "Its type sftp-export is deprecated: Old. Use the type s3 instead.";
    let asked = format!("{told} To read the notice: ");
    let rows = [
        ("nobody has", scene(), true),
        ("no digest", scene().says("yes", "given yes ada"), true),
        ("stale", scene().says(OTHER, &format!("given {OTHER} ada")), true),
        ("withdrawn", scene().says("", &withdrawn("ada")), true),
        ("given", scene().says(CURRENT, &given("ada")), false),
        (
            "not asked while something doesn't fit",
            Scene {
                fits: false,
                ..scene()
            },
            false,
        ),
    ];
    for (case, scene, tells) in rows {
        let deprecated = Scene {
            deprecated: Some(told),
            ..scene.clone()
        };
        assert_eq!(
            deprecated.judged().standing.message.contains(&asked),
            tells,
            "{case}"
        );
        assert!(!scene.judged().standing.message.contains(told), "{case}");
    }
}
