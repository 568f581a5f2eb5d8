//! Which secret is looked at next.

use super::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Failures in a row after which the vault is left alone but for one look now and then.
const TRIP: u32 = 5;
/// The first pause after a failure; it doubles from there up to the interval.
const PAUSE: Duration = Duration::from_secs(1);
/// The golden ratio's fraction: multiples of it fall evenly into an interval, however many there are.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// How often, and how many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Each secret is looked at once in it.
    pub interval: Duration,
    /// How many looks are under way at most.
    pub at_once: usize,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<K> {
    /// Look at this one.
    Check(K),
    /// Nothing until then, or until something is done or joins.
    Wait(Option<Moment>),
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The vault answered, be it with a refusal.
    Answered,
    /// The vault is away.
    Away,
    /// The vault wants fewer requests, and gets none for so long.
    Throttled(Duration),
}

/// Whom the outcome concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This secret.
    Tell,
    /// Every secret of the vault.
    TellAll,
    /// Nobody yet: once is no outage.
    Keep,
}

#[derive(Clone, Debug)]
struct Item {
    /// Its place in each interval, from 0 to 1.
    phase: f64,
    /// When it's due; nothing while a look is under way.
    due: Option<Moment>,
    /// Whether the vault ever answered about it.
    answered: bool,
    /// How often in a row it didn't.
    failures: u32,
    /// Whether people were told of an outage meanwhile.
    told: bool,
}

/// Whether the vault is known to answer.
#[derive(Clone, Copy, Debug)]
enum Health {
    /// Not yet, or no longer, after so many tries: one look at a time, none before a point in time.
    Unproven { tries: u32, from: Moment },
    /// It answers; how often in a row it didn't.
    Proven { failures: u32 },
}

/// The secrets that are looked at in one vault by one identity.
#[derive(Clone, Debug)]
pub struct Agenda<K> {
    timing: Timing,
    items: BTreeMap<K, Item>,
    /// Those that were never answered. They come before the others, as somebody waits for them.
    new: BTreeSet<(Moment, K)>,
    /// The others.
    known: BTreeSet<(Moment, K)>,
    health: Health,
    /// The look that shows whether the vault is there.
    probe: Option<K>,
    running: usize,
    next_phase: f64,
}

impl<K: Ord + Clone> Agenda<K> {
    /// Nothing is looked at yet. `offset`, between 0 and 1, sets it apart from other vaults' agendas.
    #[must_use]
    pub fn new(timing: Timing, offset: f64) -> Self {
        Self {
            timing,
            items: BTreeMap::new(),
            new: BTreeSet::new(),
            known: BTreeSet::new(),
            health: Health::Unproven {
                tries: 0,
                from: Moment::ZERO,
            },
            probe: None,
            running: 0,
            next_phase: offset.fract().abs(),
        }
    }

    /// A secret is to be looked at, first as soon as possible.
    pub fn join(&mut self, key: &K, now: Moment) {
        if self.items.contains_key(key) {
            return;
        }
        let item = Item {
            phase: self.next_phase,
            due: None,
            answered: false,
            failures: 0,
            told: false,
        };
        self.next_phase = (self.next_phase + GOLDEN).fract();
        self.items.insert(key.clone(), item);
        self.enqueue(key, now);
    }

    /// Nobody wants to know about it any more.
    pub fn leave(&mut self, key: &K) {
        self.dequeue(key);
        self.items.remove(key);
    }

    /// Whether nothing is looked at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether the vault is left alone because it failed.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        matches!(self.health, Health::Unproven { tries: 1.., .. })
    }

    /// What to do now. A look that is handed out counts as under way until [`Agenda::done`].
    pub fn next(&mut self, now: Moment) -> Next<K> {
        let first = |queue: &BTreeSet<(Moment, K)>| queue.first().cloned();
        let (new, known) = (first(&self.new), first(&self.known));
        let is_due = |entry: &(Moment, K)| entry.0 <= now;
        let chosen = match self.health {
            Health::Unproven { .. } if self.probe.is_some() => return Next::Wait(None),
            Health::Unproven { from, .. } if from > now => {
                return Next::Wait(new.or(known).map(|_| from));
            }
            // Any look shows whether the vault is back, due or not.
            Health::Unproven { tries: 1.., .. } => new.clone().or(known.clone()),
            Health::Proven { .. } if self.running >= self.timing.at_once => return Next::Wait(None),
            _ => new.clone().filter(is_due).or(known.clone().filter(is_due)),
        };
        let Some((_, key)) = chosen else {
            return Next::Wait([new, known].into_iter().flatten().map(|(due, _)| due).min());
        };
        self.dequeue(&key);
        self.running += 1;
        if matches!(self.health, Health::Unproven { .. }) {
            self.probe = Some(key.clone());
        }
        Next::Check(key)
    }

    /// Takes in what came of a look. `jitter` is between 0 and 1.
    pub fn done(&mut self, key: &K, outcome: Outcome, now: Moment, jitter: f64) -> Verdict {
        self.running = self.running.saturating_sub(1);
        let away = self.judge(key, outcome, now, jitter);
        let long = matches!(outcome, Outcome::Throttled(rest) if self.rest(rest));
        let mut tell = Verdict::Keep;
        if let Some(item) = self.items.get_mut(key) {
            let answered = outcome == Outcome::Answered;
            item.failures = if answered { 0 } else { item.failures + 1 };
            if answered || !item.answered || item.failures > 1 {
                tell = Verdict::Tell;
            }
            item.told = !answered && (item.told || tell == Verdict::Tell);
            item.answered |= answered;
            let due = match outcome {
                Outcome::Answered => slot(item.phase, self.timing.interval, now),
                Outcome::Away => now + pause(item.failures, self.timing.interval, jitter),
                Outcome::Throttled(rest) => now + rest,
            };
            self.enqueue(key, due);
        }
        if away {
            self.items.values_mut().for_each(|item| item.told = true);
        }
        if away || long {
            return Verdict::TellAll;
        }
        tell
    }

    /// The vault wants no request for so long, whoever it said that to. True if that is so long that people are told.
    pub fn rest(&mut self, rest: Duration) -> bool {
        let long = rest > self.timing.interval;
        if long {
            self.items.values_mut().for_each(|item| item.told = true);
        }
        long
    }

    /// Learns whether the vault is there. True when it has just proved to be away.
    fn judge(&mut self, key: &K, outcome: Outcome, now: Moment, jitter: f64) -> bool {
        let probed = self.probe.as_ref() == Some(key);
        if probed {
            self.probe = None;
        }
        let tries = match (&mut self.health, outcome) {
            (Health::Proven { failures }, Outcome::Answered) => {
                *failures = 0;
                return false;
            }
            (Health::Unproven { .. }, Outcome::Answered) => {
                self.health = Health::Proven { failures: 0 };
                self.probe = None;
                self.recall(now);
                return false;
            }
            (Health::Proven { failures }, Outcome::Away) => {
                *failures += 1;
                if *failures < TRIP {
                    return false;
                }
                1
            }
            (Health::Unproven { tries, .. }, Outcome::Away) if probed => *tries + 1,
            (Health::Unproven { .. }, Outcome::Away) => return false,
            (_, Outcome::Throttled(rest)) => {
                // After the pause, one look shows whether it's over.
                let from = now + rest;
                self.health = Health::Unproven { tries: 0, from };
                return false;
            }
        };
        let from = now + pause(tries, self.timing.interval, jitter);
        self.health = Health::Unproven { tries, from };
        true
    }

    /// The vault is back: everything that was said to be out of reach is looked at again.
    fn recall(&mut self, now: Moment) {
        let stale = self
            .items
            .iter()
            .filter(|(_, item)| item.told && item.due.is_some());
        let stale: Vec<K> = stale.map(|(key, _)| key.clone()).collect();
        for key in stale {
            self.enqueue(&key, now);
        }
    }

    fn enqueue(&mut self, key: &K, due: Moment) {
        self.dequeue(key);
        if let Some(item) = self.items.get_mut(key) {
            item.due = Some(due);
            let queue = if item.answered {
                &mut self.known
            } else {
                &mut self.new
            };
            queue.insert((due, key.clone()));
        }
    }

    fn dequeue(&mut self, key: &K) {
        if let Some(due) = self.items.get_mut(key).and_then(|item| item.due.take()) {
            let entry = (due, key.clone());
            self.new.remove(&entry);
            self.known.remove(&entry);
        }
    }
}

/// The next time after `now` that has this phase in its interval.
fn slot(phase: f64, interval: Duration, now: Moment) -> Moment {
    let begun = now.as_nanos() / interval.as_nanos().max(1);
    let begun = u32::try_from(begun).unwrap_or(u32::MAX);
    let start = interval.saturating_mul(begun) + interval.mul_f64(phase);
    if start > now { start } else { start + interval }
}

/// How long to wait after so many failures in a row: doubling up to the interval, with jitter.
fn pause(failures: u32, interval: Duration, jitter: f64) -> Duration {
    let longest = PAUSE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    longest.min(interval).mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}
