//! Decides about one connection type. Pure: everything it knows is in the facts.

use crate::api::connection_type::{ConnectionType, ConnectionTypeStatus};
use crate::api::{ConditionType, Reason};
use crate::governance::Standing;
use crate::governance::conditions;
use crate::governance::connection_types::{self, TypeSeen};
use crate::governance::decision::{Decision, announcements};
use crate::governance::message::listed;
use crate::governance::parameters::runs;
use crate::governance::readiness;
use crate::governance::removal::Hold;
use jiff::Timestamp;
use std::collections::BTreeSet;
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
    /// The connectors that this installation has.
    pub connectors: Arc<BTreeSet<String>>,
    /// Whether any connection is of this type.
    pub in_use: bool,
    /// The type that it names in its place, if that is there.
    pub replacement: Option<Arc<ConnectionType>>,
    /// The time of the visit.
    pub now: Timestamp,
}

impl ConnectionTypeFacts {
    fn runs(&self) -> bool {
        runs(&self.type_.spec, &self.connectors)
    }
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
        runs: Some(facts.runs()),
        in_use: Some(facts.in_use),
        deprecated: Some(facts.type_.spec.deprecated.is_some()),
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
    let deprecated = facts.seen.usable().and_then(|type_| type_.deprecation());
    let deprecated = deprecated.map(|deprecated| format!("It {deprecated}"));
    let misleading = connection_types::misleading(&facts.type_.spec, facts.replacement.as_deref());
    let more = unknown_connector(facts)
        .into_iter()
        .chain(deprecated)
        .chain(misleading);
    let ready = more.fold("Connections can be made of it.".to_owned(), |text, more| {
        format!("{text} {more}")
    });
    readiness::judged(concerns, None, &ready)
}

/// No mistake, as the connector may follow; but a name that is misspelt must be seen somewhere.
fn unknown_connector(facts: &ConnectionTypeFacts) -> Option<String> {
    let connector = facts.type_.spec.connector.as_ref().filter(|_| !facts.runs())?;
    let known: Vec<&String> = facts.connectors.iter().collect();
    let known = match known.as_slice() {
        [] => "which name none".to_owned(),
        known => format!("which name {}", listed(known)),
    };
    Some(format!(
        "Nothing runs it: its connector {connector} isn't among the chart's value connectors, {known}."
    ))
}

fn leaving() -> Standing {
    Standing::unmet(
        Reason::BeingRemoved,
        "It is being removed, so no connection can be made of it, and those that have consent go on until it is gone: \
         once those who set the finalizers in metadata.finalizers take them off.",
    )
}
