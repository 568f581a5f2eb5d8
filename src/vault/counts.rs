//! What was asked of vaults, and what they answered, since the process began: numbers only.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The word for a good answer, where else a fault's reason stands.
pub const GOOD: &str = "Good";

/// Counts over all vaults.
#[derive(Debug, Default)]
pub(super) struct Counts {
    requests: AtomicU64,
    answers: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counts {
    /// A request goes out.
    pub fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// A look has ended so.
    pub fn answer(&self, word: &'static str) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry(word).or_default() += 1;
    }

    /// How many requests went out.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many looks ended how.
    pub fn answers(&self) -> BTreeMap<&'static str, u64> {
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
