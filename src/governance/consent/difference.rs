//! How what was agreed to differs from what there is now, in words.

use super::Required;
use crate::api::ConsentRecordSpec;
use crate::governance::message::{bounded, cut, listed};

/// Most characters that a message tells of one destination, so that the command at its end is whole.
pub(super) const DESTINATION_MAX: usize = 600;

/// What the record was for, and what it would be for now, as a sentence without its capital.
#[must_use]
pub fn difference(agreed: &ConsentRecordSpec, required: &Required) -> String {
    let now = destination_on_record(required);
    let now_version = &required.notice_versions.0;
    let notice = (agreed.notice_version != *now_version).then(|| {
        format!(
            "it was to version {} of the notice, which is of version {now_version} now",
            agreed.notice_version
        )
    });
    let changes: Vec<String> = moved(&agreed.destination, &now)
        .into_iter()
        .chain(notice)
        .collect();
    if changes.is_empty() {
        return "its destination and the notice's version read as they did then, so the words of the notice have changed, \
                or what is too long to be told here."
            .to_owned();
    }
    format!("{}.", changes.join(", and "))
}

/// A destination as a record holds it, with every endpoint of the type.
pub(super) fn destination_on_record(required: &Required) -> String {
    let hosts = required
        .hosts
        .iter()
        .map(|host| format!("host {host} of the type"));
    let parts: Vec<String> = required.destination.iter().cloned().chain(hosts).collect();
    bounded(parts.join(", "))
}

fn moved(then: &str, now: &str) -> Option<String> {
    let (then, now) = (parts(then), parts(now));
    let only = |one: &[&str], other: &[&str]| {
        let only: Vec<&str> = one.iter().filter(|part| !other.contains(part)).copied().collect();
        (!only.is_empty()).then(|| cut(&listed(&only), DESTINATION_MAX))
    };
    match (only(&then, &now), only(&now, &then)) {
        (None, None) => None,
        (Some(then), None) => Some(format!("it was also for {then}")),
        (None, Some(now)) => Some(format!("it was without {now}")),
        (Some(then), Some(now)) => Some(format!("it was for {then}, where there is {now} now")),
    }
}

/// The parts of a destination; a comma between quotes parts nothing.
fn parts(destination: &str) -> Vec<&str> {
    let mut quoted = false;
    let parts = destination.split(|letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::consent_record::{ConsentDecision, ConsentSubject};
    use crate::fixtures::{ANY_TEXT, at};
    use crate::governance::message::quoted;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use proptest::prelude::*;

    fn agreed(destination: &str, version: &str) -> ConsentRecordSpec {
        ConsentRecordSpec {
            subject: ConsentSubject {
                kind: "Connection".to_owned(),
                name: "sftp-partner".into(),
                uid: String::new(),
            },
            decision: ConsentDecision::Given,
            digest: String::new(),
            by: String::new(),
            via: String::new(),
            destination: destination.to_owned(),
            notice_version: version.to_owned(),
            at: Time(at(0)),
        }
    }

    fn required(destination: &[&str]) -> Required {
        Required {
            current: String::new(),
            previous: None,
            destination: destination.iter().map(|&part| part.to_owned()).collect(),
            hosts: Vec::new(),
            notice_versions: ("2".to_owned(), None),
        }
    }

    #[test]
    fn what_differs_is_told_and_nothing_else() {
        const HOST: &str = "hostname \"a.example\"";
        let long = format!("account {}", quoted(&"x".repeat(100)));
        let rows: [(&str, &str, &str, &[&str], &str); 9] = [
            (
                "the host",
                "folder \"/in\", hostname \"b.example\"",
                "2",
                &["folder \"/in\"", HOST],
                "it was for hostname \"b.example\", where there is hostname \"a.example\" now.",
            ),
            (
                "the key of a Secret",
                "username from key name of Secret partner",
                "2",
                &["username from key other of Secret partner"],
                "it was for username from key name of Secret partner, where there is username from key other of Secret \
                 partner now.",
            ),
            (
                "a comma in a folder",
                "folder \"/in, out\", hostname \"a.example\"",
                "2",
                &["folder \"/in, off\"", HOST],
                "it was for folder \"/in, out\", where there is folder \"/in, off\" now.",
            ),
            (
                "more than before",
                HOST,
                "2",
                &["folder \"/in\"", HOST],
                "it was without folder \"/in\".",
            ),
            (
                "less than before",
                "folder \"/in\", hostname \"a.example\"",
                "2",
                &[HOST],
                "it was also for folder \"/in\".",
            ),
            (
                "the notice alone",
                HOST,
                "1",
                &[HOST],
                "it was to version 1 of the notice, which is of version 2 now.",
            ),
            (
                "host and notice",
                "hostname \"b.example\"",
                "1",
                &[HOST],
                "it was for hostname \"b.example\", where there is hostname \"a.example\" now, and it was to version 1 of \
                 the notice, which is of version 2 now.",
            ),
            (
                "nothing that can be read",
                HOST,
                "2",
                &[HOST],
                "its destination and the notice's version read as they did then, so the words of the notice have \
                 changed, or what is too long to be told here.",
            ),
            (
                "the end of what is told shortened",
                &long,
                "2",
                &[&long],
                "its destination and the notice's version read as they did then, so the words of the notice have \
                 changed, or what is too long to be told here.",
            ),
        ];
        for (case, then, version, now, expected) in rows {
            assert_eq!(
                difference(&agreed(then, version), &required(now)),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn an_endpoint_that_the_type_got_or_lost_is_named() {
        let with = |hosts: &[&str]| Required {
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            ..required(&["folder \"/in\""])
        };
        let rows: [(&str, &[&str], &[&str], &str); 3] = [
            (
                "another",
                &["api.hubapi.com"],
                &["evil.example"],
                "it was for host api.hubapi.com of the type, where there is host evil.example of the type now.",
            ),
            (
                "one more, the last of many",
                &["a.example", "b.example", "c.example"],
                &["a.example", "b.example", "c.example", "evil.example"],
                "it was without host evil.example of the type.",
            ),
            (
                "one less",
                &["a.example", "b.example"],
                &["a.example"],
                "it was also for host b.example of the type.",
            ),
        ];
        for (case, then, now, expected) in rows {
            let then = destination_on_record(&with(then));
            assert_eq!(difference(&agreed(&then, "2"), &with(now)), expected, "{case}");
        }
    }

    proptest! {
        #[test]
        fn equal_destinations_differ_in_nothing(values in proptest::collection::vec(ANY_TEXT, 0..4)) {
            let parts: Vec<String> = values.iter().map(|value| format!("folder {}", quoted(value))).collect();
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let required = required(&parts);
            let same = agreed(&destination_on_record(&required), "1");
            let expected = "it was to version 1 of the notice, which is of version 2 now.";
            prop_assert_eq!(difference(&same, &required), expected);
        }

        #[test]
        fn a_difference_is_short(then in ANY_TEXT, now in ANY_TEXT, times in 1usize..300) {
            let now = now.repeat(times);
            let told = difference(&agreed(&then.repeat(times), "1"), &required(&[&now]));
            prop_assert!(told.chars().count() < 2 * DESTINATION_MAX + 200);
        }
    }
}
