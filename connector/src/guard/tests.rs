use super::*;
use crate::fault::Stop;
use crate::fault::tests::is_fit;
use crate::fixtures::{connection, consented, digest, plan, sftp_type};
use connection_operator::api::connection::{ConnectionStatus, ConsentStatus};
use connection_operator::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use connection_operator::api::notice::PreviousNotice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use std::sync::Mutex;

fn changed(change: impl FnOnce(&mut Connection)) -> Connection {
    let mut connection = connection();
    change(&mut connection);
    connection
}

fn annotated(name: &str, value: String) -> Connection {
    changed(|connection| {
        connection.annotations_mut().insert(name.to_owned(), value);
    })
}

#[test]
fn data_goes_only_while_consent_to_this_very_destination_stands() {
    let digest = digest(&connection());
    let rows = [
        ("all is as planned", connection(), Ok(())),
        (
            "it is being removed",
            changed(|connection| connection.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH))),
            Err(Stop::BeingRemoved),
        ),
        (
            "it is suspended",
            changed(|connection| connection.spec.suspend = true),
            Err(Stop::Suspended),
        ),
        (
            "consent was withdrawn",
            changed(|connection| {
                connection.annotations_mut().remove(CONSENT_ANNOTATION);
            }),
            Err(Stop::NoConsent),
        ),
        (
            "for something else",
            annotated(CONSENT_ANNOTATION, "0".repeat(64)),
            Err(Stop::Changed),
        ),
        (
            "the stamp is for something else",
            annotated(CONSENTED_BY_ANNOTATION, format!("given {} ada", "0".repeat(64))),
            Err(Stop::NoConsent),
        ),
        (
            "the stamp says withdrawn",
            annotated(CONSENTED_BY_ANNOTATION, format!("withdrawn {digest} ada")),
            Err(Stop::NoConsent),
        ),
        (
            "nobody stands for it",
            changed(|connection| {
                connection.annotations_mut().remove(CONSENTED_BY_ANNOTATION);
            }),
            Err(Stop::NoConsent),
        ),
    ];
    are_judged(rows);
}

/// Judges each of these connections by the plan.
fn are_judged<const N: usize>(rows: [(&str, Connection, Result<(), Stop>); N]) {
    for (case, found, expected) in rows {
        let judged = judge(&plan(), Some(found), Timestamp::now());
        assert_eq!(judged.map(|_| ()), expected, "{case}");
    }
}

#[test]
fn data_goes_nowhere_but_where_it_was_planned_to() {
    let rows = [
        (
            "the host changed, and the annotation not",
            changed(|connection| {
                let host = "elsewhere.example".to_owned();
                connection.spec.parameters.insert("hostname".to_owned(), host);
            }),
            Err(Stop::Changed),
        ),
        (
            "the host changed, and consent was given again: the plan is of before",
            changed(|connection| {
                let host = "elsewhere.example".to_owned();
                connection.spec.parameters.insert("hostname".to_owned(), host);
                *connection = consented(connection.clone());
            }),
            Err(Stop::Changed),
        ),
        (
            "whose account it is changed",
            changed(|connection| {
                let source = connection.spec.secrets.get_mut("username").expect("given");
                source.secret_key_ref.as_mut().expect("a Secret").key =
                    connection_operator::api::reference::SecretKey("other".to_owned());
            }),
            Err(Stop::Changed),
        ),
        (
            "another Secret for the password is no other destination",
            changed(|connection| {
                let source = connection.spec.secrets.get_mut("password").expect("given");
                source.secret_key_ref.as_mut().expect("a Secret").name = "rotated".into();
            }),
            Ok(()),
        ),
        (
            "the operator found the stamp not to count",
            changed(|connection| {
                let unproven = connection.annotations()[CONSENTED_BY_ANNOTATION].clone();
                let consent = ConsentStatus {
                    unproven: Some(unproven),
                    ..ConsentStatus::default()
                };
                connection.status = Some(ConnectionStatus {
                    consent: Some(consent),
                    ..ConnectionStatus::default()
                });
            }),
            Err(Stop::NoConsent),
        ),
        (
            "a status that says that consent isn't given is older than the consent",
            changed(|connection| {
                let consent = Some(ConsentStatus::default());
                connection.status = Some(ConnectionStatus {
                    consent,
                    ..ConnectionStatus::default()
                });
            }),
            Ok(()),
        ),
        (
            "another type",
            changed(|connection| connection.spec.type_ = "sftp-import".into()),
            Err(Stop::Changed),
        ),
        (
            "another name, as if it had been copied",
            changed(|connection| connection.metadata.name = Some("copy".to_owned())),
            Err(Stop::Changed),
        ),
    ];
    are_judged(rows);
    let gone = judge(&plan(), None, Timestamp::now()).map(|_| ());
    assert_eq!(gone, Err(Stop::Gone));
}

#[test]
fn the_notice_before_counts_until_its_time() {
    let until: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a time");
    let mut plan = plan();
    let notice = &mut plan.type_spec.notice;
    notice.previous = Some(PreviousNotice {
        version: notice.version.clone(),
        recipient: notice.recipient.clone(),
        data: notice.data.clone(),
        responsibility: notice.responsibility.clone(),
        how_to_stop: notice.how_to_stop.clone(),
        privacy_statement: notice.privacy_statement.clone(),
        until: Time(until),
    });
    notice.version = "2".to_owned();
    assert_ne!(plan.type_spec, sftp_type());
    let second = jiff::SignedDuration::from_secs(1);
    let rows = [
        ("before", until - second, Ok(())),
        ("after", until, Err(Stop::Changed)),
    ];
    for (case, now, expected) in rows {
        assert_eq!(
            judge(&plan, Some(connection()), now).map(|_| ()),
            expected,
            "{case}"
        );
    }
}

/// Answers one after the other, the last one for ever.
#[derive(Clone)]
struct Script(Arc<Mutex<Vec<Answer>>>, Arc<Mutex<u32>>);

#[derive(Clone)]
enum Answer {
    Says(Box<Option<Connection>>),
    Refuses,
    Hangs,
}

impl Script {
    fn new(mut answers: Vec<Answer>) -> Self {
        answers.reverse();
        Self(Arc::new(Mutex::new(answers)), Arc::default())
    }
}

impl Reads for Script {
    async fn connection(&self) -> Result<Option<Connection>, NoAnswer> {
        *self.1.lock().expect("not poisoned") += 1;
        let answer = {
            let mut answers = self.0.lock().expect("not poisoned");
            if answers.len() > 1 {
                answers.pop()
            } else {
                answers.last().cloned()
            }
        };
        match answer.expect("an answer") {
            Answer::Says(found) => Ok(*found),
            Answer::Refuses => Err(NoAnswer),
            Answer::Hangs => std::future::pending().await,
        }
    }
}

fn says(found: Option<Connection>) -> Answer {
    Answer::Says(Box::new(found))
}

fn guard(answers: Vec<Answer>) -> (Guard<Script>, Script) {
    let script = Script::new(answers);
    (Guard::new(script.clone(), Arc::new(plan())), script)
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_without_an_answer() {
    let yes = || says(Some(connection()));
    let rows = [
        ("at once", vec![yes()], Ok(()), 0),
        (
            "after two refusals",
            vec![Answer::Refuses, Answer::Refuses, yes()],
            Ok(()),
            4,
        ),
        ("after one that hangs", vec![Answer::Hangs, yes()], Ok(()), 5),
        ("never", vec![Answer::Refuses], Err(Ended::from(Silence)), 15),
        ("all hang", vec![Answer::Hangs], Err(Ended::from(Silence)), 15),
        (
            "a no is an answer",
            vec![says(None)],
            Err(Ended::Stopped(Stop::Gone)),
            0,
        ),
    ];
    for (case, answers, expected, seconds) in rows {
        let begun = Instant::now();
        let (guard, _) = guard(answers);
        assert_eq!(guard.allowed().await.map(|_| ()), expected, "{case}");
        assert_eq!(begun.elapsed().as_secs(), seconds, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_stops_within_its_bound() {
    let yes = || says(Some(connection()));
    let suspended = || says(Some(changed(|connection| connection.spec.suspend = true)));
    let stopped = Ended::Stopped(Stop::Suspended);
    let silence = Ended::from(Silence);
    let rows = [
        ("suspended before the first look", vec![suspended()], &stopped, 2),
        (
            "suspended after three looks",
            vec![yes(), yes(), yes(), suspended()],
            &stopped,
            8,
        ),
        (
            "silence from the first look on",
            vec![Answer::Refuses],
            &silence,
            15,
        ),
        (
            "hanging from the first look on",
            vec![Answer::Hangs],
            &silence,
            15,
        ),
        (
            "silence after two looks",
            vec![yes(), yes(), Answer::Hangs],
            &silence,
            4 + 15,
        ),
        (
            "an answer in time begins the count anew",
            vec![Answer::Hangs, yes(), Answer::Refuses],
            &silence,
            2 + 3 + 2 + 15,
        ),
    ];
    for (case, answers, expected, seconds) in rows {
        let begun = Instant::now();
        let (guard, _) = guard(answers);
        assert_eq!(&guard.watch(begun).await, expected, "{case}");
        assert_eq!(begun.elapsed().as_secs(), seconds, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_read_every_two_seconds() {
    let (guard, script) = guard(vec![says(Some(connection()))]);
    assert!(
        timeout(Duration::from_secs(61), guard.watch(Instant::now()))
            .await
            .is_err(),
        "it goes on"
    );
    assert_eq!(*script.1.lock().expect("not poisoned"), 30);
}

#[test]
fn silence_is_told_in_sentences() {
    is_fit(&Silence);
}
