//! When a vault is asked. Two parts, both without a clock of their own:
//!
//! - [`Pace`], one for each vault, however many identities ask it: how many requests it gets, and none while it says that
//!   it wants none.
//! - [`Agenda`], one for each vault and identity: which secret is looked at next, spread over the interval, and only one
//!   now and then while the vault is away.

mod agenda;
mod pace;

pub use agenda::{Agenda, Next, Outcome, Timing, Verdict};
pub use pace::{Admission, Pace, Rate, Urgency};

use std::time::Duration;

/// A point in time, as what has passed since the process began.
pub type Moment = Duration;

#[cfg(test)]
mod tests;
