//! Consent to one connection: what it says, what is on record, and what becomes of both.

use super::ConnectionFacts;
use crate::api::connection::ConsentStatus;
use crate::api::names::{CONSENT_ANNOTATION, CONSENT_PERSON_ANNOTATION, CONSENTED_BY_ANNOTATION};
use crate::api::{ConditionType, ConsentRecordSpec, Reason};
use crate::governance::Standing;
use crate::governance::consent::{self, Commands, Consent, Required, Said, Stamp, Subject};
use crate::governance::decision::Effect;
use crate::governance::parameters::CompiledType;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

/// Consent as judged, and the digest that would count.
pub(super) struct Consented {
    pub judged: Consent,
    required: Option<String>,
}

impl Consented {
    /// What is put on record, before the status says it.
    pub fn effects(&self, facts: &ConnectionFacts) -> Vec<Effect> {
        let record = self.judged.record.iter().map(|record| Effect::Record {
            name: with_subject(facts, |subject| consent::record_name(subject, newest(facts) + 1)),
            record: Box::new(ConsentRecordSpec::clone(record)),
        });
        record.collect()
    }
}

/// The number of the newest decision on record, or 0.
fn newest(facts: &ConnectionFacts) -> u64 {
    let records = facts.consent.records.iter();
    let numbers = records.filter_map(|record| consent::record_number(&record.name_any()));
    numbers.max().unwrap_or(0)
}

/// Judges consent, if its type is there. `fits` tells whether the destination can stay as it is: a decision that was
/// made counts either way, but nobody is asked for one about a destination that must change.
pub(super) fn consent(facts: &ConnectionFacts, fits: bool) -> Consented {
    let nothing_new = !facts.type_.is_kept() || !is_news(facts);
    let Some(type_) = facts.type_.usable().filter(|_| nothing_new) else {
        return Consented {
            judged: Consent {
                standing: not_judged(),
                given: None,
                recheck: None,
                record: None,
                unproven: said(facts).unproven.map(str::to_owned), // it stays so, whatever becomes of the type
            },
            required: None,
        };
    };
    let required = required(facts, type_);
    let judged = with_subject(facts, |subject| {
        let commands = Commands {
            subject,
            type_: &type_.name,
            stamped: facts.consent.stamped,
            fits,
        };
        consent::judge(commands, &required, &said(facts), facts.now)
    });
    if facts.type_.is_kept() && judged.given.is_none() {
        return waiting(judged);
    }
    let required = (fits || judged.given.is_some()).then_some(required.current);
    Consented { judged, required }
}

/// Nobody is asked to agree while the notice that can be read isn't the one that would count. What somebody took back
/// meanwhile is put on record all the same.
fn waiting(judged: Consent) -> Consented {
    let judged = Consent {
        standing: not_judged(),
        recheck: None,
        ..judged
    };
    Consented {
        judged,
        required: None,
    }
}

fn not_judged() -> Standing {
    Standing::unknown(
        Reason::NotChecked,
        "Consent is to a type's notice: it's judged once the type is there.",
    )
}

/// Whether a new consent is about to be counted, so that somebody must look whether the API server vouches for it.
#[must_use]
pub fn needs_proof(facts: &ConnectionFacts) -> bool {
    is_news(facts) && !facts.type_.is_kept()
}

/// Whether what it says would count as consent that isn't on record yet.
fn is_news(facts: &ConnectionFacts) -> bool {
    facts
        .type_
        .usable()
        .is_some_and(|type_| consent::needs_proof(&said(facts), || required(facts, type_), facts.now))
}

fn required(facts: &ConnectionFacts, type_: &CompiledType) -> Required {
    with_subject(facts, |subject| {
        consent::required(subject, &facts.connection.spec, &type_.spec)
    })
}

fn with_subject<T>(facts: &ConnectionFacts, judge: impl FnOnce(Subject<'_>) -> T) -> T {
    let namespace = facts.connection.namespace().unwrap_or_default();
    let name = facts.connection.name_any();
    judge(Subject {
        kind: "Connection",
        namespace: &namespace,
        name: &name,
    })
}

fn said(facts: &ConnectionFacts) -> Said<'_> {
    let connection = &*facts.connection;
    let annotation = |name: &str| connection.annotations().get(name).map(String::as_str);
    let before = connection.status.as_ref();
    let before = before.and_then(|status| status.consent.as_ref());
    Said {
        annotation: annotation(CONSENT_ANNOTATION).filter(|digest| !digest.is_empty()),
        stamp: Stamp(annotation(CONSENTED_BY_ANNOTATION).unwrap_or_default()),
        person: annotation(CONSENT_PERSON_ANNOTATION),
        pipelines: &facts.consent.pipelines,
        uid: connection.metadata.uid.as_deref().unwrap_or_default(),
        records: facts.consent.records.iter().map(|record| &record.spec).collect(),
        unproven: before.and_then(|consent| consent.unproven.as_deref()),
        proof: &facts.consent.proof,
    }
}

/// How to consent is told by Ready alone, or by `ConsentGiven` alone while something else comes first in Ready.
pub(super) fn told_once(judged: &mut [(ConditionType, Standing)]) {
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
pub(super) fn status(consent: &Consented, before: Option<&ConsentStatus>, now: Timestamp) -> ConsentStatus {
    let given = consent.judged.given.as_ref();
    let author = given.cloned().unwrap_or_default();
    let status = ConsentStatus {
        required: consent.required.clone(),
        given: given.is_some(),
        by: (!author.by.is_empty()).then_some(author.by),
        via: (!author.via.is_empty()).then_some(author.via),
        unproven: consent.judged.unproven.clone(),
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
