//! Decides about one connection type. Pure: everything it knows is in the facts.

use crate::api::connection_type::{ConnectionType, ConnectionTypeStatus};
use crate::api::{ConditionType, Reason};
use crate::governance::Standing;
use crate::governance::conditions;
use crate::governance::connection_types::{self, TypeSeen};
use crate::governance::decision::{Decision, announcements};
use crate::governance::readiness;
use crate::governance::removal::Hold;
use jiff::Timestamp;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Everything that a decision about a connection type may know.
#[derive(Clone, Debug)]
pub struct ConnectionTypeFacts {
    /// The type as last seen.
    pub type_: Arc<ConnectionType>,
    /// What became of making it ready.
    pub seen: TypeSeen,
    /// Whether a connector of this installation runs it.
    pub runs: bool,
    /// Whether any connection is of this type.
    pub in_use: bool,
    /// The time of the visit.
    pub now: Timestamp,
}

/// The wanted state of the connection type.
#[must_use]
pub fn decide(facts: &ConnectionTypeFacts) -> Decision<ConnectionTypeStatus> {
    let before = facts.type_.status.clone().unwrap_or_default();
    let generation = facts.type_.metadata.generation;
    let judged = judged(facts);
    let status = ConnectionTypeStatus {
        observed_generation: generation,
        conditions: conditions::updated(&before.conditions, judged, generation, facts.now),
        runs: Some(facts.runs),
        in_use: Some(facts.in_use),
    };
    Decision {
        hold: Hold::Keep,
        effects: Vec::new(),
        announcements: announcements(&before.conditions, &status.conditions),
        recheck: None,
        status,
    }
}

fn judged(facts: &ConnectionTypeFacts) -> Vec<(ConditionType, Standing)> {
    let concerns = vec![(ConditionType::Valid, connection_types::judge(&facts.seen))];
    if matches!(facts.seen, TypeSeen::Leaving(_)) {
        // Whatever else is the matter with it, nobody has to mend it any more.
        let summary = readiness::judged(Vec::new(), Some(&leaving()), "");
        return summary.into_iter().chain(concerns).collect();
    }
    let mut ready = "Connections can be made of it.".to_owned();
    if let Some(deprecated) = facts.seen.usable().and_then(|type_| type_.deprecated()) {
        ready = format!("{ready} {deprecated}");
    }
    readiness::judged(concerns, None, &ready)
}

fn leaving() -> Standing {
    Standing::unmet(
        Reason::BeingRemoved,
        "It is being removed, so no connection can be made of it, and those that have consent go on until it is gone: \
         once those who set the finalizers in metadata.finalizers take them off.",
    )
}
