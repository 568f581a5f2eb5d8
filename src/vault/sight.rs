//! What is known of a secret without its value.

use super::fault::Fault;
use jiff::Timestamp;

/// A secret that is there and may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The version that a run would read; empty where the vault keeps none.
    pub version: String,
    /// When it can no longer be used, if that is known.
    pub expires: Option<Timestamp>,
}

/// What is known of one secret now, or of a vault's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight<T = Found> {
    /// What the newest look showed; nothing before the first answer.
    pub latest: Option<Result<T, Fault>>,
    /// Since when it shows that.
    pub since: Option<Timestamp>,
    /// The newest good answer, as long as nothing but outages came after it.
    pub good: Option<Good<T>>,
    /// Whether the vault itself has ever said anything, good or bad.
    pub answered: bool,
    /// Since when it is followed.
    pub followed: Option<Timestamp>,
}

/// A good answer, and when it was last given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Good<T = Found> {
    /// What was found.
    pub found: T,
    /// When a look last showed it.
    pub at: Timestamp,
}

impl<T> Default for Sight<T> {
    fn default() -> Self {
        Self {
            latest: None,
            since: None,
            good: None,
            answered: false,
            followed: None,
        }
    }
}

impl<T: Clone + PartialEq> Sight<T> {
    /// What may be used now: the newest answer if it's good, or the last good one while the vault is only away.
    #[must_use]
    pub fn usable(&self) -> Option<&T> {
        match &self.latest {
            Some(Ok(found)) => Some(found),
            Some(Err(fault)) if fault.keeps_last_good() => self.good.as_ref().map(|good| &good.found),
            Some(Err(_)) | None => None,
        }
    }

    /// Takes in an answer, and tells whether people would see a difference.
    pub fn take_in(&mut self, answer: Result<T, Fault>, now: Timestamp) -> bool {
        match &answer {
            Ok(found) => {
                self.good = Some(Good {
                    found: found.clone(),
                    at: now,
                });
            }
            Err(fault) if fault.keeps_last_good() => {}
            // What the vault itself took away doesn't come back because the vault is away.
            Err(_) => self.good = None,
        }
        self.answered |= !matches!(&answer, Err(fault) if fault.keeps_last_good());
        let changed = self.latest.as_ref() != Some(&answer);
        // An outage that shows another face is the same outage.
        let same_reason = match (&self.latest, &answer) {
            (Some(Err(before)), Err(fault)) => before.reason() == fault.reason(),
            _ => !changed,
        };
        if !same_reason {
            self.since = Some(now);
        }
        self.latest = Some(answer);
        changed
    }
}

/// One secret of a vault's list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name, or its path below the mount.
    pub name: String,
    /// Whether it may be read; always so where the vault knows no such switch.
    pub enabled: bool,
    /// When it can no longer be used, if that is known.
    pub expires: Option<Timestamp>,
}

/// What a vault lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// In order of name.
    pub secrets: Vec<Listed>,
    /// Whether the vault holds more than were read.
    pub truncated: bool,
    /// Why no names are told, if the vault answers who asks, but lists nothing to them.
    pub denied: Option<Box<Fault>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::fault::{Absence, Outage};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn version(version: &str) -> Found {
        Found {
            version: version.to_owned(),
            expires: None,
        }
    }

    fn away(why: Outage) -> Fault {
        Fault::VaultUnavailable {
            vault: "https://v.example".to_owned(),
            why,
        }
    }

    fn gone() -> Fault {
        Fault::SecretNotFound {
            vault: "https://v.example".to_owned(),
            secret: "sftp".to_owned(),
            why: Absence::Unknown,
        }
    }

    #[test]
    fn an_outage_keeps_what_was_good_and_anything_else_does_not() {
        let mut sight = Sight::default();
        assert_eq!(sight.usable(), None, "nothing is known yet");
        let rows = [
            ("found", Ok(version("1")), true, Some("1"), 1),
            ("found again", Ok(version("1")), false, Some("1"), 1),
            (
                "the vault is away",
                Err(away(Outage::NoConnection)),
                true,
                Some("1"),
                3,
            ),
            (
                "away in another way",
                Err(away(Outage::Garbage)),
                true,
                Some("1"),
                3,
            ),
            ("a newer version", Ok(version("2")), true, Some("2"), 5),
            ("the secret is gone", Err(gone()), true, None, 6),
            (
                "the vault is away after that",
                Err(away(Outage::NoConnection)),
                true,
                None,
                7,
            ),
            ("it is back", Ok(version("2")), true, Some("2"), 8),
        ];
        for (second, (case, answer, changed, usable, since)) in (1..).zip(rows) {
            assert_eq!(sight.take_in(answer, at(second)), changed, "{case}");
            assert_eq!(
                sight.usable().map(|found| found.version.as_str()),
                usable,
                "{case}"
            );
            assert_eq!(sight.since, Some(at(since)), "{case}");
        }
        let good = sight.good.expect("it was good once");
        assert_eq!((good.found, good.at), (version("2"), at(8)), "its age is known");
    }
}
