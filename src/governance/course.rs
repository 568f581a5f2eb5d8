//! In which order what was decided is written, and what the failure of a write ends.
//!
//! Flow: the finalizer is set; then, one after the other, what must stand before the status; then what is kept for others
//! beside the status, neither waiting for the other; last what ends. What is let go is another matter: first one asks the API
//! server whether really nobody uses it, as the watches don't wait for each other; then comes all that is due, and the
//! finalizer is taken off.

use super::decision::{Effect, Stage};
use super::removal::Hold;

/// What a decision has written, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Course<'a> {
    /// Whether the finalizer is set, before anything else.
    pub holds: bool,
    /// What comes next, one after the other.
    pub first: Vec<&'a Effect>,
    /// Whether it is let go: nothing is written if somebody turns out to use it, and no status in any case.
    pub releases: bool,
    /// What is written beside the status.
    pub beside: Vec<&'a Effect>,
    after: Vec<&'a Effect>,
}

impl<'a> Course<'a> {
    /// The course of a decision.
    #[must_use]
    pub fn of(hold: Hold, effects: &'a [Effect]) -> Self {
        let at = |stage| {
            let due = effects.iter().filter(|effect| effect.stage() == stage);
            due.collect::<Vec<_>>()
        };
        let releases = hold == Hold::Release;
        let (first, beside, after) = if releases {
            (effects.iter().collect(), Vec::new(), Vec::new())
        } else {
            (at(Stage::Before), at(Stage::Beside), at(Stage::After))
        };
        Self {
            holds: hold == Hold::Set,
            first,
            releases,
            beside,
            after,
        }
    }

    /// What comes last. What may not go on is ended, whatever became of the status; what has told all stays until that
    /// stands there.
    #[must_use]
    pub fn last(&self, status_stands: bool) -> Vec<&'a Effect> {
        let due = self.after.iter().copied();
        due.filter(|effect| status_stands || effect.is_urgent()).collect()
    }

    /// Whether the visit ends if this can't be written. Bad news never waits: what fails is tried again, and meanwhile the
    /// status says what was found.
    #[must_use]
    pub fn ends_without(&self, effect: &Effect) -> bool {
        self.releases || effect.comes_first()
    }
}
