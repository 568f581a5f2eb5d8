//! Whether consent stands: what the annotation says, who the stamp names, and what is on record.

use super::difference::destination_on_record;
use super::stamp::{Author, Stamp};
use super::words::{Commands, Words};
use super::{Agreed, Required, Subject};
use crate::api::Reason;
use crate::api::consent_record::{ConsentDecision, ConsentRecordSpec, ConsentSubject};
use crate::governance::Standing;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// What an object says about consent, and what is known of it.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// The digest that its annotation holds.
    pub annotation: Option<&'a str>,
    /// Who gave or withdrew it.
    pub stamp: Stamp<'a>,
    /// The person whom a pipeline names.
    pub person: Option<&'a str>,
    /// Users who are pipelines.
    pub pipelines: &'a BTreeSet<String>,
    /// The object's own uid.
    pub uid: &'a str,
    /// The decisions on record about an object of this name, the oldest first.
    pub records: Vec<&'a ConsentRecordSpec>,
    /// The stamp that was found unproven before.
    pub unproven: Option<&'a str>,
    /// Whether the API server vouches for stamps just now.
    pub proof: &'a Proof,
}

/// Whether the policies that vouch for stamps are in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// Nobody had to ask.
    #[default]
    NotAsked,
    /// They are.
    InPlace,
    /// This one isn't, or isn't as installed.
    Missing(String),
}

/// Whether somebody agreed.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// The judgement.
    pub standing: Standing,
    /// Whose consent stands, if it does.
    pub given: Option<Author>,
    /// When time alone ends it.
    pub recheck: Option<SignedDuration>,
    /// What is to be put on record before anything else.
    pub record: Option<ConsentRecordSpec>,
    /// The stamp that doesn't count.
    pub unproven: Option<String>,
}

/// What the object itself says, before anything is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict<'a> {
    /// Nobody has said anything.
    Nothing,
    /// It's for another destination or notice.
    Stale,
    /// Somebody took it back: as the stamp says, or else only what is on record.
    Withdrawn { digest: &'a str, by: Option<&'a str> },
    /// Nobody stands for it.
    Unstamped,
    /// Somebody gave it, to the notice of today or to the one before.
    Given {
        digest: &'a str,
        author: Author,
        until: Option<Timestamp>,
    },
}

fn verdict<'a>(said: &Said<'a>, required: &Required, now: Timestamp) -> Verdict<'a> {
    let Some(digest) = said.annotation else {
        let withdrawal = said.stamp.withdrawal();
        return withdrawal.map_or(Verdict::Nothing, |(digest, by)| Verdict::Withdrawn {
            digest,
            by: Some(by),
        });
    };
    let until = match required.agreed(digest, now) {
        Some(Agreed::ToCurrent) => None,
        Some(Agreed::ToPrevious(until)) => Some(until),
        None => return Verdict::Stale,
    };
    if let Some(by) = said.stamp.withdrawn(digest) {
        return Verdict::Withdrawn { digest, by: Some(by) };
    }
    let Some(user) = said.stamp.given(digest) else {
        return Verdict::Unstamped;
    };
    let author = Author::of(user, said.person, said.pipelines);
    let of_digest = said.records.iter().rev().find(|record| record.digest == digest);
    match of_digest {
        Some(record) if record.decision == ConsentDecision::Withdrawn && said.pipelines.contains(user) => {
            Verdict::Withdrawn { digest, by: None }
        }
        // The notice before is the one that stood until now: what has gone stale isn't brought back by a later one.
        Some(record)
            if record.decision == ConsentDecision::Stale
                && record.subject.uid == said.uid
                && until.is_some() =>
        {
            Verdict::Stale
        }
        _ => Verdict::Given {
            digest,
            author,
            until,
        },
    }
}

/// Whether somebody must look whether the API server vouches for what is said: a consent is about to be counted, or its
/// stamp may come to count later.
#[must_use]
pub fn needs_proof(said: &Said<'_>, required: impl FnOnce() -> Required, now: Timestamp) -> bool {
    is_unseen(said) || counts_anew(said, required, now)
}

/// Whether a new consent is about to be counted. What is `required` is only asked for if what is said isn't on record
/// already, as it mostly is.
#[must_use]
pub fn counts_anew(said: &Said<'_>, required: impl FnOnce() -> Required, now: Timestamp) -> bool {
    is_news(said) && matches!(verdict(said, &required(), now), Verdict::Given { .. })
}

/// Whether the stamp says that the annotation's digest was given, and that is neither on record nor known as unproven.
fn is_news(said: &Said<'_>) -> bool {
    let given = said
        .annotation
        .and_then(|digest| Some((digest, said.stamp.given(digest)?)));
    given.is_some_and(|(digest, user)| {
        let author = Author::of(user, said.person, said.pipelines);
        !on_record(said, ConsentDecision::Given, digest, &author) && !is_unproven(said)
    })
}

/// Whether nothing vouched for the stamp yet, whatever it is to.
#[must_use]
pub fn is_unseen(said: &Said<'_>) -> bool {
    let proven = |record: &&ConsentRecordSpec| {
        record.subject.uid == said.uid
            && record.decision == ConsentDecision::Given
            && said.annotation == Some(record.digest.as_str())
            && said.stamp.given(&record.digest).is_some_and(|user| {
                let author = Author::of(user, said.person, said.pipelines);
                (&record.by, &record.via) == (&author.by, &author.via)
            })
    };
    is_news(said) && !said.records.iter().any(proven)
}

/// The stamp that doesn't count: it was found so before, or nothing vouches for it as it is first seen. What it is to may
/// come to be required much later, when all policies have long been back.
#[must_use]
pub fn doubted(said: &Said<'_>) -> Option<String> {
    let missing = matches!(said.proof, Proof::Missing(_)) && is_unseen(said);
    (is_unproven(said) || missing).then(|| said.stamp.kept())
}

/// Whether the stamp was found not to count before.
fn is_unproven(said: &Said<'_>) -> bool {
    said.unproven.is_some_and(|stamp| *stamp == said.stamp.kept())
}

/// Whether the newest record says the same.
fn on_record(said: &Said<'_>, decision: ConsentDecision, digest: &str, author: &Author) -> bool {
    said.records.last().is_some_and(|last| {
        last.subject.uid == said.uid
            && last.decision == decision
            && last.digest == digest
            && last.by == author.by
            && last.via == author.via
    })
}

/// Whether a text has the form of a digest, whatever it is of.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Judges consent to one object.
#[must_use]
pub fn judge(commands: Commands<'_>, required: &Required, said: &Said<'_>, now: Timestamp) -> Consent {
    let words = Words { commands, required };
    let unmet = |reason, message, record| Consent {
        standing: Standing::unmet(reason, message),
        given: None,
        recheck: None,
        record,
        // It stays so for as long as it stands, whatever else changes meanwhile.
        unproven: doubted(said),
    };
    let record = Recording {
        commands,
        required,
        said,
        now,
    };
    match verdict(said, required, now) {
        Verdict::Nothing => unmet(Reason::ConsentRequired, words.nobody(), record.taken_away()),
        Verdict::Stale => {
            let message = record.told_stale(&words);
            unmet(Reason::ConsentStale, message, record.stale())
        }
        Verdict::Withdrawn { digest, by } => {
            let withdrawn = by.and_then(|by| record.withdrawn(digest, by));
            let message = words.withdrawn(said.annotation.is_some());
            let consent = unmet(Reason::ConsentWithdrawn, message, withdrawn);
            // A pipeline's stamp that was found to be too late stays so, also when it's no pipeline any more.
            let too_late = by.is_none().then(|| said.stamp.kept());
            Consent {
                unproven: too_late.or(consent.unproven),
                ..consent
            }
        }
        Verdict::Unstamped => Consent {
            unproven: Some(said.stamp.kept()),
            ..unmet(Reason::ConsentUnproven, words.unproven(), None)
        },
        Verdict::Given {
            digest,
            author,
            until,
        } => {
            let recorded = on_record(said, ConsentDecision::Given, digest, &author);
            if !recorded && (is_unproven(said) || *said.proof != Proof::InPlace) {
                return Consent {
                    unproven: Some(said.stamp.kept()),
                    ..unmet(Reason::ConsentUnproven, words.unproven(), None)
                };
            }
            let (reason, message) = words.given(until);
            Consent {
                standing: Standing::met(reason, message),
                recheck: until.map(|until| until.duration_since(now)),
                record: (!recorded).then(|| record.given(digest, &author, until.is_some())),
                given: Some(author),
                unproven: None,
            }
        }
    }
}

/// What is to be put on record.
struct Recording<'a> {
    commands: Commands<'a>,
    required: &'a Required,
    said: &'a Said<'a>,
    now: Timestamp,
}

impl Recording<'_> {
    fn given(&self, digest: &str, author: &Author, previous: bool) -> ConsentRecordSpec {
        let (current, before) = &self.required.notice_versions;
        let version = before.as_ref().filter(|_| previous).unwrap_or(current);
        self.record(
            ConsentDecision::Given,
            digest,
            author,
            (&destination_on_record(self.required), version),
        )
    }

    /// Consent that was on record is for something else now.
    fn stale(&self) -> Option<ConsentRecordSpec> {
        let last = self
            .last()
            .filter(|last| last.decision == ConsentDecision::Given)?;
        let about = (last.destination.as_str(), last.notice_version.as_str());
        Some(self.record(ConsentDecision::Stale, &last.digest, &Author::default(), about))
    }

    fn told_stale(&self, words: &Words<'_>) -> String {
        if self.said.annotation.is_some_and(is_digest) {
            words.stale(self.agreed(), self.before())
        } else {
            words.no_digest()
        }
    }

    /// What the annotation is agreement to, as it was put on record.
    fn agreed(&self) -> Option<&ConsentRecordSpec> {
        let digest = self.said.annotation?;
        self.newest(|record| record.digest == digest && !record.notice_version.is_empty())
    }

    /// The consent that was given to this very object before.
    fn before(&self) -> Option<&ConsentRecordSpec> {
        self.newest(|record| record.decision == ConsentDecision::Given && record.subject.uid == self.said.uid)
    }

    fn newest(&self, is_meant: impl Fn(&ConsentRecordSpec) -> bool) -> Option<&ConsentRecordSpec> {
        let records = self.said.records.iter().rev().copied();
        records.into_iter().find(|record| is_meant(record))
    }

    /// Consent that was on record is gone, and no stamp says by whose hand: that of somebody who could undo policies.
    fn taken_away(&self) -> Option<ConsentRecordSpec> {
        let last = self
            .last()
            .filter(|last| last.decision != ConsentDecision::Withdrawn)?;
        self.withdrawn(&last.digest, "")
    }

    /// A withdrawal of what isn't a digest is of no interest to anybody.
    fn withdrawn(&self, digest: &str, by: &str) -> Option<ConsentRecordSpec> {
        let author = Author::of(by, self.said.person, self.said.pipelines);
        let known = self
            .last()
            .is_some_and(|last| last.decision == ConsentDecision::Withdrawn && last.digest == digest);
        if !is_digest(digest) || known {
            return None;
        }
        let of_digest = self.newest(|record| record.digest == digest);
        let about = of_digest.map_or(("", ""), |record| {
            (record.destination.as_str(), record.notice_version.as_str())
        });
        Some(self.record(ConsentDecision::Withdrawn, digest, &author, about))
    }

    /// The newest record about this very object.
    fn last(&self) -> Option<&ConsentRecordSpec> {
        self.said
            .records
            .last()
            .copied()
            .filter(|last| last.subject.uid == self.said.uid)
    }

    fn record(
        &self,
        decision: ConsentDecision,
        digest: &str,
        author: &Author,
        (destination, notice_version): (&str, &str),
    ) -> ConsentRecordSpec {
        let Subject { kind, name, .. } = self.commands.subject;
        ConsentRecordSpec {
            subject: ConsentSubject {
                kind: kind.to_owned(),
                name: name.into(),
                uid: self.said.uid.to_owned(),
            },
            decision,
            digest: digest.to_owned(),
            by: author.by.clone(),
            via: author.via.clone(),
            destination: destination.to_owned(),
            notice_version: notice_version.to_owned(),
            at: Time(self.now),
        }
    }
}
