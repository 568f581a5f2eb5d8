//! Decides about one export. Pure: everything it knows is in the facts.

use crate::api::export::ExportStatus;
use crate::governance::activity::{self, ActivityFacts};
use crate::governance::decision::Decision;

/// The wanted state of the export.
#[must_use]
pub fn decide(facts: &ActivityFacts<'_>) -> Decision<ExportStatus> {
    activity::decide(facts)
}
