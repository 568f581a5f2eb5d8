//! Consent as it stands on an object: what it says, what is put on record, and what its status tells.

use super::{Consent, Proof, Said, Stamp, Subject, record_name, record_number};
use crate::api::connection::ConsentStatus;
use crate::api::names::{CONSENT_ANNOTATION, CONSENT_PERSON_ANNOTATION, CONSENTED_BY_ANNOTATION};
use crate::api::{ConditionType, ConsentRecord, ConsentRecordSpec};
use crate::governance::Standing;
use crate::governance::decision::Effect;
use crate::governance::removal::Hold;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::ResourceExt;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is known about consent beside the object itself.
#[derive(Clone, Debug, Default)]
pub struct ConsentFacts {
    /// The decisions on record, the oldest first.
    pub records: Vec<Arc<ConsentRecord>>,
    /// Users who are pipelines.
    pub pipelines: Arc<BTreeSet<String>>,
    /// Whether the API server writes stamps.
    pub stamped: bool,
    /// Whether it vouches for them just now.
    pub proof: Proof,
}

/// What an object says about consent, by its metadata and its status before.
#[must_use]
pub fn said<'a>(
    metadata: &'a ObjectMeta,
    before: Option<&'a ConsentStatus>,
    facts: &'a ConsentFacts,
) -> Said<'a> {
    let annotations = metadata.annotations.as_ref();
    let annotation = |name: &str| annotations.and_then(|all| all.get(name)).map(String::as_str);
    Said {
        annotation: annotation(CONSENT_ANNOTATION).filter(|digest| !digest.is_empty()),
        stamp: Stamp(annotation(CONSENTED_BY_ANNOTATION).unwrap_or_default()),
        person: annotation(CONSENT_PERSON_ANNOTATION),
        pipelines: &facts.pipelines,
        uid: metadata.uid.as_deref().unwrap_or_default(),
        records: facts.records.iter().map(|record| &record.spec).collect(),
        unproven: before.and_then(|consent| consent.unproven.as_deref()),
        proof: &facts.proof,
    }
}

/// What is put on record, before the status says it. For what goes for good nothing new is given; but that consent was
/// taken back is put on record, as one of the same name may be made anew.
#[must_use]
pub fn effects(judged: &Consent, subject: Subject<'_>, facts: &ConsentFacts, hold: Hold) -> Vec<Effect> {
    let record = judged.record.iter().map(|record| Effect::Record {
        name: record_name(subject, newest(facts) + 1),
        record: Box::new(ConsentRecordSpec::clone(record)),
    });
    record
        .filter(|effect| hold != Hold::Release || !effect.comes_first())
        .collect()
}

/// The number of the newest decision on record, or 0.
fn newest(facts: &ConsentFacts) -> u64 {
    let records = facts.records.iter();
    let numbers = records.filter_map(|record| record_number(&record.name_any()));
    numbers.max().unwrap_or(0)
}

/// How to consent is told by Ready alone, or by `ConsentGiven` alone while something else comes first in Ready.
pub fn told_once(judged: &mut [(ConditionType, Standing)]) {
    let message = |type_| judged.iter().find(|(found, _)| *found == type_);
    let told = message(ConditionType::Ready).zip(message(ConditionType::ConsentGiven));
    let twice = told.is_some_and(|((_, ready), (_, consent))| ready.message.ends_with(&consent.message));
    if !twice {
        return;
    }
    let consent = judged
        .iter_mut()
        .find(|(type_, _)| *type_ == ConditionType::ConsentGiven);
    if let Some((_, consent)) = consent {
        consent.message = format!("{} Ready's message says what to do.", consent.reason.meaning());
    }
}

/// As it stands in the status.
#[must_use]
pub fn status(
    judged: &Consent,
    required: Option<String>,
    before: Option<&ConsentStatus>,
    now: Timestamp,
) -> ConsentStatus {
    let given = judged.given.as_ref();
    let author = given.cloned().unwrap_or_default();
    let status = ConsentStatus {
        required,
        given: given.is_some(),
        by: (!author.by.is_empty()).then_some(author.by),
        via: (!author.via.is_empty()).then_some(author.via),
        unproven: judged.unproven.clone(),
        since: None,
    };
    let same = before.filter(|old| {
        ConsentStatus {
            since: None,
            ..(*old).clone()
        } == status
    });
    ConsentStatus {
        since: same.map_or(Some(Time(now)), |old| old.since.clone()),
        ..status
    }
}
