//! The port: who follows which secrets in which vaults.
//!
//! **Flow.** An object's controller says what it follows; it is told what is known now, and woken when that changes.
//! Looks at the same secret of the same vault by the same identity are one, however many follow it.
//!
//! **Guarantees.** Nothing here waits for a vault but [`Vaults::list`] and [`Vaults::read`]. Who asks with another
//! identity, credential or certificate authority never sees what others were answered, not even that of the same vault.
//! What nobody follows is dropped, with its credentials.
//!
//! **Caveats.** Credentials stay in memory as long as somebody follows with them.

use super::address::{Look, Provider, VaultAddress, VaultUrl, Wanted};
use super::budget::{Agenda, Pace, Rate, Timing, Urgency};
use super::connect::{Bounds, Clock, Gate, Network, URGENCY};
use super::counts::Counts;
use super::fault::Fault;
use super::run_tokens::RunTokens;
use super::sight::{Listing, Sight};
use super::value::Value;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod changed;
mod client;
mod share;
mod tally;

pub use changed::Changed;
pub use tally::Tally;

use changed::Inbox;
use client::{Client, Key, Keys};
use share::{Share, Subject};

/// Who follows: an object of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// How often and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Each secret is looked at once in it.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How many looks by one identity are under way at one vault.
    pub at_once: usize,
    /// How many requests a vault gets.
    pub rate: Rate,
    /// How large an answer may be, in bytes.
    pub body: usize,
    /// How many secrets of a vault are listed.
    pub listed: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            interval: Duration::from_mins(1),
            timeout: Duration::from_secs(5),
            at_once: 16,
            rate: Rate::default(),
            body: 1024 * 1024,
            listed: 500,
        }
    }
}

/// All vaults that anybody follows. Cheap to clone.
#[derive(Clone)]
pub struct Vaults(Arc<Inner>);

struct Inner {
    network: Network,
    tokens: Arc<dyn RunTokens>,
    limits: Limits,
    clock: Clock,
    keys: Keys,
    inbox: Arc<Inbox>,
    counts: Arc<Counts>,
    book: Mutex<Book>,
}

/// Everything that is kept.
#[derive(Default)]
struct Book {
    /// What each owner follows.
    followed: HashMap<Owner, BTreeSet<(Key, Subject)>>,
    shares: HashMap<Key, Arc<Share>>,
    clients: HashMap<Key, (Arc<Client>, Duration)>,
    paces: HashMap<Paced, Arc<Mutex<Pace>>>,
}

/// What has a pace of its own. It outlives who asks while the vault wants no request, and holds no credential.
#[derive(PartialEq, Eq, Hash)]
enum Paced {
    /// All who ask one vault, of each provider by itself: nobody pauses a Vault by calling it Azure's.
    Vault(VaultUrl, &'static str),
    /// One of them.
    Link(Key),
}

impl Vaults {
    /// Follows nothing yet. The second part tells whose sights have changed.
    #[must_use]
    pub fn new(network: Network, tokens: Arc<dyn RunTokens>, limits: Limits) -> (Self, Changed) {
        let inbox = Arc::new(Inbox::default());
        let inner = Inner {
            network,
            tokens,
            limits,
            clock: Clock::new(),
            keys: Keys::new(),
            inbox: Arc::clone(&inbox),
            counts: Arc::default(),
            book: Mutex::default(),
        };
        (Self(Arc::new(inner)), Changed(inbox))
    }

    /// Says that `owner` follows these secrets and no others, and tells what is known of each now, in the same order.
    /// What is new is looked at as soon as possible; `owner` is told when there is an answer, and whenever it changes.
    ///
    /// To be called inside of a tokio runtime.
    #[must_use]
    pub fn follow(&self, owner: &Owner, looks: &[Look]) -> Vec<Sight> {
        let wanted: Vec<(Key, &Look)> = looks
            .iter()
            .map(|look| (self.0.keys.of(&look.address), look))
            .collect();
        let mut book = self.book();
        let subjects = wanted
            .iter()
            .map(|(key, look)| (*key, Subject::Secret(look.wanted.clone())));
        let now: BTreeSet<(Key, Subject)> = subjects.collect();
        for (key, look) in &wanted {
            let share = self.share(&mut book, *key, &look.address);
            share.join(&Subject::Secret(look.wanted.clone()), owner);
        }
        book.replace(owner, now, |subject| matches!(subject, Subject::Secret(_)));
        let sights = wanted.iter().map(|(key, look)| {
            let share = book.shares.get(key);
            share.map(|share| share.sight(&look.wanted)).unwrap_or_default()
        });
        sights.collect()
    }

    /// Says that `owner` follows which secrets that vault holds, and no other vault's, and tells what is known of it now.
    ///
    /// To be called inside of a tokio runtime.
    #[must_use]
    pub fn survey(&self, owner: &Owner, address: &VaultAddress) -> Sight<Listing> {
        let key = self.0.keys.of(address);
        let mut book = self.book();
        let share = self.share(&mut book, key, address);
        share.join(&Subject::List, owner);
        book.replace(owner, [(key, Subject::List)].into(), |subject| {
            *subject == Subject::List
        });
        share.listing()
    }

    /// Says that `owner` follows nothing any more.
    pub fn leave(&self, owner: &Owner) {
        self.book().replace(owner, BTreeSet::new(), |_| true);
        self.0.inbox.forget(owner);
    }

    /// Which secrets a vault holds, asked now.
    ///
    /// # Errors
    /// When it can't be told.
    pub async fn list(&self, address: &VaultAddress) -> Result<Listing, Fault> {
        let client = self.client(&mut self.book(), self.0.keys.of(address), address);
        let listing = client.list(self.0.limits.listed);
        URGENCY.scope(Urgency::Call, listing).await
    }

    /// The value of a secret, asked now. It isn't kept here.
    ///
    /// # Errors
    /// When it can't be used.
    pub async fn read(&self, address: &VaultAddress, wanted: &Wanted) -> Result<Value, Fault> {
        let client = self.client(&mut self.book(), self.0.keys.of(address), address);
        let value = client.read(wanted, Timestamp::now());
        URGENCY.scope(Urgency::Call, value).await
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn share(&self, book: &mut Book, key: Key, address: &VaultAddress) -> Arc<Share> {
        if let Some(share) = book.shares.get(&key) {
            return Arc::clone(share);
        }
        let limits = self.0.limits;
        let timing = Timing {
            interval: limits.interval,
            at_once: limits.at_once,
        };
        let share = Arc::new(Share::new(
            self.client(book, key, address),
            Agenda::new(timing, fastrand::f64()),
            self.0.clock,
            limits.listed,
            Arc::clone(&self.0.inbox),
        ));
        tokio::spawn(share::work(Arc::clone(&share)));
        book.shares.insert(key, Arc::clone(&share));
        share
    }

    fn client(&self, book: &mut Book, key: Key, address: &VaultAddress) -> Arc<Client> {
        let now = self.0.clock.now();
        book.tidy(now, self.0.limits.interval * 2);
        if let Some((client, used)) = book.clients.get_mut(&key) {
            *used = now;
            return Arc::clone(client);
        }
        let rate = self.0.limits.rate;
        let gate = match address.provider {
            // Azure counts all requests of a vault, by https://learn.microsoft.com/azure/key-vault/general/service-limits
            Provider::Azure { .. } => (book.pace(Paced::Vault(address.url.clone(), "azure"), rate), None),
            // Quotas may be for a namespace, a mount, a path or a role, by
            // https://developer.hashicorp.com/vault/docs/concepts/resource-quotas
            Provider::Vault { .. } => (
                book.pace(Paced::Vault(address.url.clone(), "vault"), rate),
                Some(book.pace(Paced::Link(key), rate)),
            ),
        };
        let gate = Gate {
            pace: gate.0,
            own: gate.1,
            clock: self.0.clock,
            counts: Arc::clone(&self.0.counts),
        };
        let bounds = Bounds {
            timeout: self.0.limits.timeout,
            body: self.0.limits.body,
        };
        let remember = (self.0.limits.interval / 2).min(Duration::from_secs(30));
        let tokens = Arc::clone(&self.0.tokens);
        let client = Arc::new(Client::new(
            address,
            &self.0.network,
            tokens,
            gate,
            bounds,
            remember,
        ));
        book.clients.insert(key, (Arc::clone(&client), now));
        client
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let book = self.book.get_mut().unwrap_or_else(PoisonError::into_inner);
        book.shares.values().for_each(|share| share.close());
    }
}

impl Book {
    /// What `owner` follows of these subjects is now that.
    fn replace(&mut self, owner: &Owner, now: BTreeSet<(Key, Subject)>, concerns: impl Fn(&Subject) -> bool) {
        let followed = self.followed.entry(owner.clone()).or_default();
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(followed)
            .into_iter()
            .partition(|entry| concerns(&entry.1) && !now.contains(entry));
        *followed = kept.into_iter().chain(now).collect();
        if followed.is_empty() {
            self.followed.remove(owner);
        }
        for (key, subject) in gone {
            let over = self
                .shares
                .get(&key)
                .is_some_and(|share| share.leave(&subject, owner));
            if over && let Some(share) = self.shares.remove(&key) {
                share.close();
                self.clients.remove(&key); // and its credentials with it
            }
        }
    }

    fn pace(&mut self, paced: Paced, rate: Rate) -> Arc<Mutex<Pace>> {
        let pace = self.paces.entry(paced);
        Arc::clone(pace.or_insert_with(|| Arc::new(Mutex::new(Pace::new(rate)))))
    }

    /// Lets go of what nobody has used for a while.
    fn tidy(&mut self, now: Duration, idle: Duration) {
        self.clients
            .retain(|_, (client, used)| Arc::strong_count(client) > 1 || *used + idle > now);
        self.paces.retain(|_, pace| {
            let resting = pace
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .paused(now)
                .is_some();
            Arc::strong_count(pace) > 1 || resting
        });
    }
}
