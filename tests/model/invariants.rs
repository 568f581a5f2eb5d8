//! What the operator promises: each promise one sentence, and one function over a recorded history.
//!
//! A history is a row of steps: what there was, what somebody did, what there was then. All of these promises are kept by a
//! history if each of its steps keeps them, so each function looks at one step. Nothing here asks the product's rules but for
//! what a digest is made of: what they say is what is being judged.
//!
//! Two promises are about what no operator decides, and are judged elsewhere. I4, that nobody without `use` has changed an
//! export of that connection, is kept by policies of the API server: `tests/access` tries them, cell by cell and attempt by
//! attempt. I6, that no secret value stands outside its Secret or vault, is about values, of which the operator's objects
//! know none: `tests/access/secrecy.rs` and `tests/stories/vault_secrecy.rs` look for them.

use connection_operator::api::connection::Audience;
use connection_operator::api::connection_type::{ConnectionTypeSpec, UsedFor};
use connection_operator::api::consent_record::ConsentDecision;
use connection_operator::api::export::{ExportStatus, State};
use connection_operator::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION, IN_USE_FINALIZER};
use connection_operator::api::reference::ConnectionRef;
use connection_operator::api::{ConditionStatus, ConditionType, Connection, ConsentRecord};
use connection_operator::governance::conditions::find;
use connection_operator::governance::consent::{Subject, required};
use jiff::Timestamp;
use kube::{Resource, ResourceExt};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One promise.
pub struct Invariant {
    /// Its number.
    pub name: &'static str,
    /// The promise, in one sentence.
    pub promise: &'static str,
    /// What breaks it in this step, if anything does.
    pub broken: fn(&Step<'_>) -> Option<String>,
}

/// All promises that a history can tell of.
pub const INVARIANTS: [Invariant; 6] = [
    Invariant {
        name: "I1",
        promise: "No run opens a connection without current consent or that is suspended, and none goes on once it has looked again.",
        broken: runs_only_by_consent,
    },
    Invariant {
        name: "I2",
        promise: "A connection is never gone while something references it that did so before its removal was asked for, but for the first moment of its life.",
        broken: stays_while_used,
    },
    Invariant {
        name: "I3",
        promise: "Once quiet, an export or enrichment is Active if and only if all that it depends on is in order.",
        broken: active_if_and_only_if_in_order,
    },
    Invariant {
        name: "I5",
        promise: "Consent in status and its record name the one who gave it, for the destination that it's for, and records stay as they are.",
        broken: consent_names_its_giver,
    },
    Invariant {
        name: "I7",
        promise: "Once quiet, every status is about what is written now, no visit would write, and all is the same whatever way led there.",
        broken: settled,
    },
    Invariant {
        name: "I8",
        promise: "Once quiet, nothing is Terminating whose reason has gone, and nothing that the operator keeps outlives what it's kept for.",
        broken: nothing_left_behind,
    },
];

/// One step of a history.
pub struct Step<'a> {
    /// What there was.
    pub before: &'a Moment,
    /// What somebody did.
    pub deed: Deed,
    /// What there was then.
    pub after: &'a Moment,
    /// What was settled before from the same causes, if anything was.
    pub alike: Option<&'a str>,
}

/// What somebody did, as far as a promise is about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A run was let open this connection, or go on with it.
    RunWasLet(&'static str),
    /// Anything else.
    Other,
}

/// What the API server holds at one moment.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    pub connections: Vec<Arc<ConnectionNow>>,
    pub users: Vec<Arc<UserNow>>,
    /// Users that came to reference their connection when that was on its way already.
    pub late: Vec<String>,
    /// The Secrets that are there.
    pub secrets: Vec<String>,
    /// The records about each connection, by its name.
    pub records: Vec<(&'static str, Arc<Vec<Arc<ConsentRecord>>>)>,
    pub kept: Vec<Arc<KeptNow>>,
    /// The digests that somebody agreed to: by whom, and what is said of the destination.
    pub agreements: Arc<BTreeMap<String, (String, String)>>,
    /// Whether nothing is left to do for anybody but people.
    pub quiet: bool,
    /// What a visit would write that nobody is about to make.
    pub unwritten: Option<String>,
    /// What was settled, if it's quiet.
    pub settled: String,
}

/// A connection, as far as the promises are about it.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct ConnectionNow {
    pub name: String,
    pub uid: String,
    pub going: bool,
    pub held: bool,
    /// Whether the operator has ever judged it.
    pub judged: bool,
    pub suspended: bool,
    /// Whether its annotation and stamp are agreement to what it says now.
    pub agreed: bool,
    pub shared: bool,
    pub used_for: UsedFor,
    pub secrets: Vec<String>,
    /// Whether its status says that consent is given, and by whom.
    pub given: bool,
    pub by: Option<String>,
    /// Whether its status tells that it waits for its users.
    pub told_going: bool,
    /// Whether its status is about what it says now.
    pub observed: bool,
}

impl ConnectionNow {
    pub fn of(connection: &Connection, type_: &ConnectionTypeSpec, now: Timestamp) -> Self {
        let (namespace, name) = (connection.namespace().unwrap_or_default(), connection.name_any());
        let subject = Subject {
            kind: "Connection",
            namespace: &namespace,
            name: &name,
        };
        let annotation = |name: &str| connection.annotations().get(name).map_or("", String::as_str);
        let digest = annotation(CONSENT_ANNOTATION);
        let stamped = annotation(CONSENTED_BY_ANNOTATION).starts_with(&format!("given {digest} "));
        let current = required(subject, &connection.spec, type_)
            .agreed(digest, now)
            .is_some();
        let judged = connection.status.is_some();
        let status = connection.status.clone().unwrap_or_default();
        let consent = status.consent.unwrap_or_default();
        let deleting = find(&status.conditions, ConditionType::Deleting);
        let chosen = connection
            .spec
            .access
            .and_then(|access| access.exports)
            .unwrap_or_default();
        let sources = connection.spec.secrets.values();
        let secrets = sources.filter_map(|source| Some(source.secret_key_ref.as_ref()?.name.to_string()));
        Self {
            uid: connection.uid().unwrap_or_default(),
            going: connection.metadata.deletion_timestamp.is_some(),
            held: connection
                .finalizers()
                .iter()
                .any(|held| held == IN_USE_FINALIZER),
            judged,
            suspended: connection.spec.suspend,
            agreed: current && stamped,
            shared: type_.used_for == UsedFor::Enrichment || chosen == Audience::Contributors,
            used_for: type_.used_for,
            secrets: secrets.collect(),
            given: consent.given,
            by: consent.by,
            told_going: deleting.is_some_and(|deleting| deleting.status == ConditionStatus::True),
            observed: status.observed_generation == connection.metadata.generation,
            name,
        }
    }

    /// Whether data may go.
    fn may_be_used(&self) -> bool {
        self.agreed && !self.suspended && !self.going
    }
}

/// An export or enrichment, as far as the promises are about it.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct UserNow {
    pub name: String,
    pub uid: String,
    pub kind: UsedFor,
    pub connection: Option<String>,
    pub suspended: bool,
    pub going: bool,
    pub active: bool,
    pub observed: bool,
}

impl UserNow {
    pub fn of<K: Resource>(
        object: &K,
        kind: UsedFor,
        (connection, suspended): (Option<&ConnectionRef>, bool),
        status: Option<&ExportStatus>,
    ) -> Self {
        let meta = object.meta();
        Self {
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            kind,
            connection: connection.map(|connection| connection.name.to_string()),
            suspended,
            going: meta.deletion_timestamp.is_some(),
            active: status.and_then(|status| status.state) == Some(State::Active),
            observed: status.and_then(|status| status.observed_generation) == meta.generation,
        }
    }
}

/// Something that is kept for something else.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptNow {
    /// Its kind and name.
    pub what: String,
    pub uid: String,
    /// The uids of its owners.
    pub owners: Vec<String>,
    pub purpose: Purpose,
}

/// What it's kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Its owner is a connection that contributors may use.
    Sharing,
    /// Its owner is an export, by whose schedule runs begin.
    Schedule,
    /// It's a schedule at rest, or a run.
    Run,
}

impl Moment {
    fn connection(&self, name: &str) -> Option<&ConnectionNow> {
        let mut all = self.connections.iter();
        all.find(|connection| connection.name == name)
            .map(|found| &**found)
    }

    fn owner_is_there(&self, kept: &KeptNow) -> bool {
        let connections = self.connections.iter().map(|connection| &connection.uid);
        let users = self.users.iter().map(|user| &user.uid);
        let others = self.kept.iter().map(|kept| &kept.uid);
        let mut uids = connections.chain(users).chain(others);
        uids.any(|uid| kept.owners.contains(uid))
    }

    /// Whether all that an export or enrichment depends on is in order.
    fn is_in_order(&self, user: &UserNow) -> bool {
        let named = user.connection.as_deref().and_then(|name| self.connection(name));
        let there = |secret: &String| self.secrets.contains(secret);
        !user.suspended
            && !user.going
            && named.is_some_and(|connection| {
                connection.may_be_used()
                    && connection.used_for == user.kind
                    && connection.secrets.iter().all(there)
            })
    }
}

fn runs_only_by_consent(step: &Step<'_>) -> Option<String> {
    let Deed::RunWasLet(name) = step.deed else {
        return None;
    };
    // What the run was told is what stood there as it asked: the step itself changes no connection.
    let allowed = step
        .before
        .connection(name)
        .is_some_and(ConnectionNow::may_be_used);
    (!allowed).then(|| format!("a run goes on with {name}, by which no data may go"))
}

fn stays_while_used(step: &Step<'_>) -> Option<String> {
    let stays = |before: &ConnectionNow| step.after.connections.iter().any(|after| after.uid == before.uid);
    // Before Kubernetes 1.36 nothing holds it until the operator first comes by.
    let new = |before: &ConnectionNow| !before.held && !before.judged;
    let gone = step.before.connections.iter();
    let gone = gone.filter(|before| !stays(before) && !new(before));
    gone.flat_map(|gone| step.after.users.iter().map(move |user| (gone, user)))
        .find(|(gone, user)| {
            user.connection.as_ref() == Some(&gone.name) && !step.after.late.contains(&user.name)
        })
        .map(|(gone, user)| format!("the connection {} is gone, and {} is on it", gone.name, user.name))
}

fn active_if_and_only_if_in_order(step: &Step<'_>) -> Option<String> {
    let now = step.after;
    let wrong = now
        .users
        .iter()
        .find(|user| user.active != now.is_in_order(user))?;
    now.quiet.then(|| {
        let state = if wrong.active { "Active" } else { "not Active" };
        format!("{} is {state}: {wrong:?}, {:?}", wrong.name, now.connections)
    })
}

fn consent_names_its_giver(step: &Step<'_>) -> Option<String> {
    let now = step.after;
    for (name, records) in &now.records {
        let before = step.before.records.iter().find(|(other, _)| other == name);
        if before.is_some_and(|(_, before)| !records.starts_with(before)) {
            return Some(format!("a record about {name} was changed or removed"));
        }
        for record in records
            .iter()
            .filter(|record| record.spec.decision == ConsentDecision::Given)
        {
            let agreed = now.agreements.get(&record.spec.digest);
            let fits = agreed.is_some_and(|(by, place)| {
                *by == record.spec.by && record.spec.destination.contains(place.as_str())
            });
            if !fits {
                return Some(format!("the record of {name} names another: {:?}", record.spec));
            }
        }
    }
    // While consent ends, the record comes first, and the status says so a little later.
    let was_given = |connection: &ConnectionNow| {
        let mut before = step.before.connections.iter();
        before.any(|before| before.uid == connection.uid && before.given)
    };
    let on_record = |connection: &ConnectionNow| {
        let records = now.records.iter().find(|(name, _)| **name == connection.name);
        let newest = records.and_then(|(_, records)| records.last());
        newest.is_some_and(|newest| {
            newest.spec.subject.uid == connection.uid
                && newest.spec.decision == ConsentDecision::Given
                && Some(&newest.spec.by) == connection.by.as_ref()
        })
    };
    let mut given = now.connections.iter();
    let untold = given.find(|now| now.given && !(was_given(now) || on_record(now)))?;
    Some(format!(
        "the status of {} says that consent is given, and the newest record doesn't",
        untold.name
    ))
}

fn settled(step: &Step<'_>) -> Option<String> {
    let now = step.after;
    if !now.quiet {
        return None;
    }
    let connections = now
        .connections
        .iter()
        .map(|connection| (&connection.name, connection.observed));
    let users = now.users.iter().map(|user| (&user.name, user.observed));
    if let Some((name, _)) = connections.chain(users).find(|(_, observed)| !observed) {
        return Some(format!("the status of {name} is about what it said before"));
    }
    if let Some(unwritten) = &now.unwritten {
        return Some(format!("nobody is woken for what is due: {unwritten}"));
    }
    let otherwise = step.alike.filter(|alike| *alike != now.settled)?;
    Some(format!(
        "what came of the same causes is\n{}\nand was\n{otherwise}",
        now.settled
    ))
}

fn nothing_left_behind(step: &Step<'_>) -> Option<String> {
    let now = step.after;
    if !now.quiet {
        return None;
    }
    let used = |name: &str| {
        now.users
            .iter()
            .any(|user| user.connection.as_deref() == Some(name))
    };
    let mut going = now.connections.iter().filter(|connection| connection.going);
    if let Some(stuck) = going.find(|going| !going.told_going || !used(&going.name)) {
        return Some(format!("{} is stuck: {stuck:?}", stuck.name));
    }
    let left = now.kept.iter().find(|kept| {
        let owned = |uid: &String| kept.owners.contains(uid);
        let wanted = match kept.purpose {
            Purpose::Run => now.owner_is_there(kept),
            Purpose::Sharing => {
                let mut all = now.connections.iter();
                all.any(|connection| connection.shared && owned(&connection.uid))
            }
            Purpose::Schedule => now.users.iter().any(|user| user.active && owned(&user.uid)),
        };
        !wanted
    });
    left.map(|left| format!("{} is left behind, or goes on: {left:?}", left.what))
}
