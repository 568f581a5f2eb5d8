//! How decisions are put on record: under which name, and which are worth a record of their own.

use super::{Canonical, Subject};
use crate::api::{ConsentRecord, Reference, Refers};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The name of the record of one decision: it tells what it is about and which decision in turn it is.
#[must_use]
pub fn name(subject: Subject<'_>, number: u64) -> String {
    let mut text = Canonical::default();
    text.string(subject.kind);
    text.string(subject.name);
    format!("{}-{number}", &text.digest()[..16])
}

/// Which decision in turn a record of this name is. One that no operator would ever reach isn't taken for any.
#[must_use]
pub fn number(name: &str) -> Option<u64> {
    name.rsplit_once('-')?.1.parse::<u32>().ok().map(u64::from)
}

/// The records whose time is over. About an object that is still there the newest of each digest stays, however old: it
/// says why consent counts, or why it doesn't.
#[must_use]
pub fn expired(
    records: &[Arc<ConsentRecord>],
    present: &BTreeSet<Reference>,
    kept_for: SignedDuration,
    now: Timestamp,
) -> Vec<Arc<ConsentRecord>> {
    let about = |record: &ConsentRecord| (record.references().pop(), record.spec.digest.clone());
    let mut newest: BTreeMap<(Option<Reference>, String), u64> = BTreeMap::new();
    for record in records {
        let highest = newest.entry(about(record)).or_default();
        *highest = (*highest).max(number(&record.name_any()).unwrap_or(0));
    }
    let stands = |record: &ConsentRecord| {
        let about = about(record);
        let is_newest = newest.get(&about) == Some(&number(&record.name_any()).unwrap_or(0));
        is_newest && about.0.is_some_and(|subject| present.contains(&subject))
    };
    let over = |record: &ConsentRecord| now.duration_since(record.spec.at.0) > kept_for;
    let expired = records.iter().filter(|record| over(record) && !stands(record));
    expired.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ConsentRecordSpec;
    use crate::api::consent_record::{ConsentDecision, ConsentSubject};
    use crate::fixtures::at;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    const DAY: i64 = 24 * 60 * 60;

    fn record(name: &str, subject: &str, day: i64) -> Arc<ConsentRecord> {
        let mut record = ConsentRecord::new(
            name,
            ConsentRecordSpec {
                subject: ConsentSubject {
                    kind: "Connection".to_owned(),
                    name: subject.into(),
                    uid: String::new(),
                },
                decision: ConsentDecision::Given,
                digest: String::new(),
                by: String::new(),
                via: String::new(),
                destination: String::new(),
                notice_version: String::new(),
                at: Time(at(day * DAY)),
            },
        );
        record.metadata.namespace = Some("marketing".to_owned());
        Arc::new(record)
    }

    #[test]
    fn records_go_after_their_time_but_for_the_newest_of_what_is_there() {
        let present = Reference::Subject("marketing".into(), "Connection".into(), "there".into());
        let records = [
            record("there-1", "there", 0),
            record("there-2", "there", 1),
            record("gone-9", "gone", 0),
            record("gone-10", "gone", 1),
            record("gone-11", "gone", 9),
        ];
        let expired = expired(
            &records,
            &[present].into(),
            SignedDuration::from_hours(5 * 24),
            at(10 * DAY),
        );
        let names: Vec<String> = expired.iter().map(|record| record.name_any()).collect();
        assert_eq!(names, ["there-1", "gone-9", "gone-10"]);
    }

    #[test]
    fn a_name_tells_the_subject_and_the_number() {
        let subject = |name| Subject {
            kind: "Connection",
            namespace: "marketing",
            name,
        };
        let first = name(subject("partner"), 1);
        assert_eq!(first.len(), 18);
        assert_eq!(number(&first), Some(1));
        assert_eq!(number(&name(subject("partner"), 120)), Some(120));
        assert_ne!(first, name(subject("other"), 1));
        assert_eq!(number("no-number"), None);
        assert_eq!(number(&name(subject("partner"), u64::MAX)), None);
    }
}
