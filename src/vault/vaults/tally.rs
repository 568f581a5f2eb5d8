//! How all that is followed stands, in numbers, for who asks for metrics.

use super::Vaults;
use crate::vault::counts::GOOD;
use crate::vault::sight::Sight;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Numbers only: nothing in it names a vault or a secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Requests that went out since the process began, those to sign in included.
    pub requests: u64,
    /// Looks since the process began, by `Good` or the reason that came of them.
    pub answers: BTreeMap<&'static str, u64>,
    /// The secrets and lists that are followed now, by `Good`, the reason, or `NotAsked`.
    pub followed: BTreeMap<&'static str, u64>,
    /// The age of the oldest good answer that still counts.
    pub oldest: SignedDuration,
    /// How many of the secrets that are followed end within the time that was asked for.
    pub ending: u64,
}

impl Vaults {
    /// How all stands now; `soon` is how far ahead the end of a secret counts.
    #[must_use]
    pub fn tally(&self, now: Timestamp, soon: SignedDuration) -> Tally {
        let mut tally = Tally {
            requests: self.0.counts.requests(),
            answers: self.0.counts.answers(),
            ..Tally::default()
        };
        for share in self.book().shares.values() {
            let (secrets, list) = share.sights();
            for sight in &secrets {
                tally.count(sight, now);
                let end = sight.good.as_ref().and_then(|good| good.found.expires);
                let near = end.is_some_and(|end| now.duration_until(end) <= soon);
                tally.ending += u64::from(near);
            }
            if let Some(listing) = &list {
                tally.count(listing, now);
            }
        }
        tally
    }
}

impl Tally {
    fn count<T>(&mut self, sight: &Sight<T>, now: Timestamp) {
        *self.followed.entry(state(sight)).or_default() += 1;
        let age = sight.good.as_ref().map(|good| good.at.duration_until(now));
        self.oldest = self.oldest.max(age.unwrap_or_default());
    }
}

/// How it stands, in one word.
fn state<T>(sight: &Sight<T>) -> &'static str {
    match &sight.latest {
        None => "NotAsked",
        Some(Ok(_)) => GOOD,
        Some(Err(fault)) => fault.reason(),
    }
}
