//! What several owners follow in one vault by one identity, and the task that looks.

use super::Owner;
use super::changed::Inbox;
use super::client::Client;
use crate::vault::address::Wanted;
use crate::vault::budget::{Agenda, Next, Outcome, Verdict};
use crate::vault::connect::Clock;
use crate::vault::counts::GOOD;
use crate::vault::fault::Fault;
use crate::vault::sight::{Found, Listing, Sight};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Subject {
    /// One secret.
    Secret(Wanted),
    /// Which secrets there are.
    List,
}

/// What was seen.
enum Seen {
    Secret(Result<Found, Fault>),
    List(Result<Listing, Fault>),
}

impl Seen {
    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Secret(answer) => answer.as_ref().err(),
            Self::List(answer) => answer.as_ref().err(),
        }
    }
}

/// One vault by one identity.
pub(super) struct Share {
    client: Arc<Client>,
    clock: Clock,
    listed: usize,
    inbox: Arc<Inbox>,
    state: Mutex<State>,
    wake: Notify,
    over: AtomicBool,
}

struct State {
    agenda: Agenda<Subject>,
    secrets: BTreeMap<Wanted, Entry<Found>>,
    list: Entry<Listing>,
}

struct Entry<T> {
    sight: Sight<T>,
    owners: BTreeSet<Owner>,
}

impl<T> Default for Entry<T> {
    fn default() -> Self {
        Self {
            sight: Sight::default(),
            owners: BTreeSet::new(),
        }
    }
}

impl<T: Clone + PartialEq> Entry<T> {
    /// True if nobody has followed it before.
    fn join(&mut self, owner: &Owner) -> bool {
        let first = self.owners.is_empty();
        if first {
            self.sight.followed = Some(Timestamp::now());
        }
        self.owners.insert(owner.clone());
        first
    }

    /// The vault is away, or wants no request. What it answered that a person must see to stays told.
    fn told(&mut self, fault: &Fault, now: Timestamp, inbox: &Inbox) {
        let latest = self.sight.latest.as_ref();
        if !latest.is_some_and(|latest| latest.as_ref().is_err_and(|fault| !fault.keeps_last_good())) {
            self.take_in(Err(fault.clone()), now, inbox);
        }
    }

    fn take_in(&mut self, answer: Result<T, Fault>, now: Timestamp, inbox: &Inbox) {
        if !self.owners.is_empty() && self.sight.take_in(answer, now) {
            inbox.put(&self.owners);
        }
    }
}

impl State {
    fn tell_all(&mut self, fault: &Fault, now: Timestamp, inbox: &Inbox) {
        let secrets = self.secrets.values_mut();
        secrets.for_each(|entry| entry.told(fault, now, inbox));
        self.list.told(fault, now, inbox);
    }
}

impl Share {
    pub fn new(
        client: Arc<Client>,
        agenda: Agenda<Subject>,
        clock: Clock,
        listed: usize,
        inbox: Arc<Inbox>,
    ) -> Self {
        let state = State {
            agenda,
            secrets: BTreeMap::new(),
            list: Entry::default(),
        };
        Self {
            client,
            clock,
            listed,
            inbox,
            state: Mutex::new(state),
            wake: Notify::new(),
            over: AtomicBool::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `owner` follows it.
    pub fn join(&self, subject: &Subject, owner: &Owner) {
        let mut state = self.state();
        let first = match subject {
            Subject::Secret(wanted) => state.secrets.entry(wanted.clone()).or_default().join(owner),
            Subject::List => state.list.join(owner),
        };
        if first {
            state.agenda.join(subject, self.clock.now());
            self.wake.notify_one();
        }
    }

    /// `owner` doesn't follow it any more. True if nobody follows anything here.
    pub fn leave(&self, subject: &Subject, owner: &Owner) -> bool {
        let mut state = self.state();
        let unfollowed = match subject {
            Subject::Secret(wanted) => {
                let entry = state.secrets.get_mut(wanted);
                let unfollowed = entry.is_some_and(|entry| {
                    entry.owners.remove(owner);
                    entry.owners.is_empty()
                });
                if unfollowed {
                    state.secrets.remove(wanted);
                }
                unfollowed
            }
            Subject::List => {
                state.list.owners.remove(owner);
                let unfollowed = state.list.owners.is_empty();
                if unfollowed {
                    state.list = Entry::default();
                }
                unfollowed
            }
        };
        if unfollowed {
            state.agenda.leave(subject);
        }
        state.agenda.is_empty()
    }

    /// What is known of a secret.
    pub fn sight(&self, wanted: &Wanted) -> Sight {
        let state = self.state();
        state
            .secrets
            .get(wanted)
            .map(|entry| entry.sight.clone())
            .unwrap_or_default()
    }

    /// What is known of the vault's list.
    pub fn listing(&self) -> Sight<Listing> {
        self.state().list.sight.clone()
    }

    /// What is known of everything that is followed, the vault's list included if it is.
    pub fn sights(&self) -> (Vec<Sight>, Option<Sight<Listing>>) {
        let state = self.state();
        let secrets = state.secrets.values().map(|entry| entry.sight.clone());
        let list = Some(&state.list).filter(|list| !list.owners.is_empty());
        (secrets.collect(), list.map(|list| list.sight.clone()))
    }

    /// Ends the task that looks.
    pub fn close(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    async fn look(self: Arc<Self>, subject: Subject) -> Seen {
        match subject {
            Subject::Secret(wanted) => Seen::Secret(self.client.look(&wanted, Timestamp::now()).await),
            Subject::List => Seen::List(self.client.list(self.listed).await),
        }
    }

    /// Takes in what a look showed.
    fn done(&self, subject: &Subject, seen: Seen) {
        let outcome = match seen.fault() {
            Some(Fault::VaultUnavailable { .. }) => Outcome::Away,
            Some(Fault::Throttled { .. }) => {
                // Where one signs in may throttle too; then the vault itself isn't paused.
                let rest = self.client.gate.paused().unwrap_or(Duration::from_secs(1));
                Outcome::Throttled(rest)
            }
            _ => Outcome::Answered,
        };
        let counts = &self.client.gate.counts;
        counts.answer(seen.fault().map_or(GOOD, Fault::reason));
        let now = Timestamp::now();
        let mut state = self.state();
        let verdict = state
            .agenda
            .done(subject, outcome, self.clock.now(), fastrand::f64());
        if let (Verdict::TellAll, Some(fault)) = (verdict, seen.fault()) {
            state.tell_all(fault, now, &self.inbox);
        }
        if verdict != Verdict::Tell {
            return;
        }
        match (subject, seen) {
            (Subject::Secret(wanted), Seen::Secret(answer)) => {
                if let Some(entry) = state.secrets.get_mut(wanted) {
                    entry.take_in(answer, now, &self.inbox);
                }
            }
            (Subject::List, Seen::List(answer)) => state.list.take_in(answer, now, &self.inbox),
            _ => {}
        }
    }

    /// The vault wants no request for so long, be it that somebody else was told so.
    fn rest(&self, rest: Duration) {
        let mut state = self.state();
        if state.agenda.rest(rest) {
            state.tell_all(&self.client.throttled(), Timestamp::now(), &self.inbox);
        }
    }

    /// A look of which nothing came but a panic.
    fn broke(&self, subject: &Subject) {
        let fault = self.client.broke();
        let seen = match subject {
            Subject::Secret(_) => Seen::Secret(Err(fault)),
            Subject::List => Seen::List(Err(fault)),
        };
        self.done(subject, seen);
    }
}

/// Looks, as the agenda and the vault's pace say, until nobody follows anything here.
pub(super) async fn work(share: Arc<Share>) {
    let mut looks: JoinSet<Seen> = JoinSet::new();
    let mut subjects = HashMap::new();
    while !share.over.load(Ordering::Relaxed) {
        let rest = loop {
            if let Some(rest) = share.client.gate.paused() {
                share.rest(rest);
                break Some(rest);
            }
            let now = share.clock.now();
            let next = share.state().agenda.next(now);
            match next {
                Next::Check(subject) => {
                    let task = looks.spawn(Arc::clone(&share).look(subject.clone()));
                    subjects.insert(task.id(), subject);
                }
                Next::Wait(at) => break at.map(|at| at.saturating_sub(now)),
            }
        };
        tokio::select! {
            () = share.wake.notified() => {}
            () = tokio::time::sleep(rest.unwrap_or_default()), if rest.is_some() => {}
            Some(done) = looks.join_next_with_id() => {
                let (id, seen) = match done {
                    Ok((id, seen)) => (id, Some(seen)),
                    Err(error) => (error.id(), None),
                };
                let Some(subject) = subjects.remove(&id) else { continue };
                match seen {
                    Some(seen) => share.done(&subject, seen),
                    None => share.broke(&subject),
                }
            }
        }
    }
}
