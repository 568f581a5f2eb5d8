//! How many requests one vault gets.

use super::Moment;
use std::collections::VecDeque;
use std::time::Duration;

/// Shortest pause after a vault asked for fewer requests.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest one, whatever a vault asks for.
const PAUSE_MAX: Duration = Duration::from_mins(10);
/// The least share of the rate that is left, however often it was halved.
const SHARE_MIN: f64 = 1.0 / 32.0;
/// By how much that share grows in a quiet window.
const GROWTH: f64 = 1.25;
/// How often the own pause is doubled at most.
const DOUBLINGS_MAX: u32 = 4;

/// So many requests in any window of that length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests.
    pub requests: u32,
    /// The window.
    pub window: Duration,
}

impl Default for Rate {
    /// A quarter of what Azure allows for a vault: 4,000 requests in 10 seconds, by
    /// <https://learn.microsoft.com/azure/key-vault/general/service-limits>.
    fn default() -> Self {
        Self {
            requests: 1000,
            window: Duration::from_secs(10),
        }
    }
}

/// Whether somebody waits for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// A look among many, by the operator itself. A tenth of the rate is left for calls.
    Check,
    /// A call that something waits for.
    Call,
}

/// Whether a request may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Now. It is counted already.
    Go,
    /// Not before so long.
    Wait(Duration),
    /// The vault wants none for so long.
    Paused(Duration),
}

/// What one vault was sent lately, and what it said to that.
#[derive(Clone, Debug)]
pub struct Pace {
    rate: Rate,
    sent: VecDeque<Moment>,
    paused_until: Moment,
    /// When somebody who asks with others was told to pause.
    slowed: Option<Moment>,
    /// The share of the rate that was left when the pause began, or the vault slowed down.
    share: f64,
    /// How often in a row a pause was too short.
    again: u32,
}

impl Pace {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            sent: VecDeque::new(),
            paused_until: Moment::ZERO,
            slowed: None,
            share: 1.0,
            again: 0,
        }
    }

    /// Asks for leave to send one request.
    pub fn ask(&mut self, urgency: Urgency, now: Moment) -> Admission {
        if let Some(rest) = self.paused(now) {
            return Admission::Paused(rest);
        }
        let window = self.rate.window;
        while self.sent.front().is_some_and(|sent| *sent + window <= now) {
            self.sent.pop_front();
        }
        let allowed = self.allowed(urgency, now);
        match self.sent.len().checked_sub(allowed) {
            None => {
                self.sent.push_back(now);
                Admission::Go
            }
            Some(over) => {
                let free = self.sent.get(over).map_or(now, |sent| *sent + window);
                Admission::Wait(free.saturating_sub(now))
            }
        }
    }

    /// The vault has said that it wants fewer requests, perhaps for how long. What was under way before it said so and
    /// hears the same counts once. `jitter` is between 0 and 1.
    pub fn throttled(&mut self, retry_after: Option<Duration>, now: Moment, jitter: f64) {
        let known = self.paused(now).is_some();
        if !known {
            let soon = !self.paused_until.is_zero() && now < self.paused_until + self.rate.window;
            self.again = if soon {
                (self.again + 1).min(DOUBLINGS_MAX)
            } else {
                0
            };
            self.share = (self.share_left(now) / 2.0).max(SHARE_MIN);
        }
        // The first time the vault is taken at its word; if that was too little, the own pause counts as well.
        let own = self.rate.window * 2_u32.pow(self.again);
        let pause = match retry_after {
            Some(asked) if known || self.again == 0 => asked,
            Some(asked) => asked.max(own),
            None if known => return,
            None => own,
        };
        let pause = pause
            .mul_f64(1.0 + 0.1 * jitter.clamp(0.0, 1.0))
            .clamp(PAUSE_MIN, PAUSE_MAX);
        self.paused_until = self.paused_until.max(now + pause);
    }

    /// The vault wants fewer requests of one of those who ask, and may count them together. What several of them hear
    /// within a window counts once.
    pub fn slower(&mut self, now: Moment) {
        if self.slowed.is_none_or(|slowed| now >= slowed + self.rate.window) {
            self.share = (self.share_left(now) / 2.0).max(SHARE_MIN);
            self.slowed = Some(now);
        }
    }

    /// How long no request may go out, if that is so.
    #[must_use]
    pub fn paused(&self, now: Moment) -> Option<Duration> {
        self.paused_until.checked_sub(now).filter(|rest| !rest.is_zero())
    }

    /// After a pause it begins with half the rate, so that what has piled up doesn't throttle the vault again, and grows
    /// from there as long as the vault is content.
    fn allowed(&self, urgency: Urgency, now: Moment) -> usize {
        let thousandths = Duration::from_secs(1).mul_f64(self.share_left(now)).as_millis();
        let all = (u128::from(self.rate.requests) * thousandths / 1000).max(1);
        let allowed = match urgency {
            Urgency::Call => all,
            Urgency::Check => (all - all / 10).max(1),
        };
        usize::try_from(allowed).unwrap_or(usize::MAX)
    }

    fn share_left(&self, now: Moment) -> f64 {
        let content = self
            .slowed
            .map_or(self.paused_until, |slowed| slowed.max(self.paused_until));
        let quiet = now.saturating_sub(content).as_nanos() / self.rate.window.as_nanos().max(1);
        let grown = GROWTH.powi(i32::try_from(quiet).unwrap_or(i32::MAX));
        (self.share * grown).min(1.0)
    }
}
