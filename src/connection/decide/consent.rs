//! Consent to one connection: what it says, what is on record, and what becomes of both.

use super::ConnectionFacts;
use crate::api::Reason;
use crate::api::connection::ConsentStatus;
use crate::governance::Standing;
use crate::governance::consent::{self, Commands, Consent, NoticeAt, Required, Said, Subject};
use crate::governance::decision::Effect;
use crate::governance::parameters::CompiledType;
use crate::governance::removal::Hold;
use jiff::Timestamp;
use kube::ResourceExt;

/// Consent as judged, and the digest that would count.
pub(super) struct Consented {
    pub judged: Consent,
    required: Option<String>,
}

impl Consented {
    /// What is put on record, before the status says it.
    pub fn effects(&self, facts: &ConnectionFacts, hold: Hold) -> Vec<Effect> {
        with_subject(facts, |subject| {
            consent::effects(&self.judged, subject, &facts.consent, hold)
        })
    }
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
                unproven: unproven(&said(facts)),
            },
            required: None,
        };
    };
    let required = required(facts, type_);
    let deprecated = type_.deprecated();
    let judged = with_subject(facts, |subject| {
        let commands = Commands {
            subject,
            notice: NoticeAt::Type(&type_.name),
            stamped: facts.consent.stamped,
            fits,
            deprecated: deprecated.as_deref(),
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

/// What was found not to count stays so, whatever becomes of the type.
fn unproven(said: &Said<'_>) -> Option<String> {
    consent::doubted(said).or_else(|| said.unproven.map(str::to_owned))
}

fn not_judged() -> Standing {
    Standing::unknown(
        Reason::NotChecked,
        "Consent is to a type's notice: it's judged once the type is there.",
    )
}

/// Whether somebody must look whether the API server vouches for what is said: also while no notice is there to which it
/// could be consent, as that may come.
#[must_use]
pub fn needs_proof(facts: &ConnectionFacts) -> bool {
    let said = said(facts);
    match facts.type_.usable().filter(|_| !facts.type_.is_kept()) {
        Some(type_) => consent::needs_proof(&said, || required(facts, type_), facts.now),
        None => consent::is_unseen(&said),
    }
}

/// Whether what it says would count as consent that isn't on record yet.
fn is_news(facts: &ConnectionFacts) -> bool {
    facts
        .type_
        .usable()
        .is_some_and(|type_| consent::counts_anew(&said(facts), || required(facts, type_), facts.now))
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
    let before = facts.connection.status.as_ref();
    let before = before.and_then(|status| status.consent.as_ref());
    consent::said(&facts.connection.metadata, before, &facts.consent)
}

/// As it stands in the status.
pub(super) fn status(consent: &Consented, before: Option<&ConsentStatus>, now: Timestamp) -> ConsentStatus {
    consent::status(&consent.judged, consent.required.clone(), before, now)
}
