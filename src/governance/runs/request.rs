//! A request for a run: answered once, and only while it is fresh.

use crate::api::Reason;
use crate::api::export::{RequestAnswer, RunRequest};
use crate::governance::Standing;
use jiff::{SignedDuration, Timestamp};

#[cfg(test)]
mod tests;

/// How far from now a request may be when it is first seen: a restored backup sends nothing.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
/// Most characters of a request that status keeps.
const VALUE_MAX: usize = 64;

/// What decides about a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestFacts<'a> {
    /// What the annotation says.
    pub requested: Option<&'a str>,
    /// The one that was answered last.
    pub before: Option<&'a RunRequest>,
    /// Whether it may run, a hold after a failure aside.
    pub runnable: bool,
    /// Whether a run is under way.
    pub running: bool,
    /// The time of the visit.
    pub now: Timestamp,
}

/// The answer to a request that has none yet.
#[must_use]
pub fn answer(facts: RequestFacts<'_>) -> Option<RunRequest> {
    let value: String = facts.requested?.chars().take(VALUE_MAX).collect();
    if facts.before.is_some_and(|before| before.value == value) {
        return None;
    }
    let answer = match value.parse::<Timestamp>() {
        Err(_) => RequestAnswer::Unreadable,
        Ok(at) if facts.now.duration_since(at).abs() > FRESH => RequestAnswer::NotNow,
        Ok(_) if !facts.runnable => RequestAnswer::Inactive,
        Ok(_) if facts.running => RequestAnswer::UnderWay,
        Ok(_) => RequestAnswer::Begun,
    };
    Some(RunRequest { value, answer })
}

/// What became of the newest request.
#[must_use]
pub fn standing(request: &RunRequest) -> Standing {
    match request.answer {
        RequestAnswer::Begun => Standing::met(Reason::RequestBegun, "The requested run was begun."),
        RequestAnswer::Inactive => Standing::unmet(
            Reason::RequestedWhileInactive,
            "A run was requested, and nothing ran, as it is inactive: Ready's message says why. Request again once it is Active.",
        ),
        RequestAnswer::UnderWay => Standing::unmet(
            Reason::RequestedWhileRunning,
            "A run was requested while another one was under way, and only one runs at a time: request again once that has ended.",
        ),
        RequestAnswer::NotNow => Standing::unmet(
            Reason::RequestNotNow,
            "A run was requested for a time that isn't within ten minutes of when the operator first saw it, so nothing ran: \
             request again with the time of asking.",
        ),
        RequestAnswer::Unreadable => Standing::unmet(
            Reason::RequestUnreadable,
            "A run was requested by what is no time, so nothing ran: write the time of asking, such as 2026-11-29T06:00:00Z.",
        ),
    }
}
