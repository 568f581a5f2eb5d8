//! Sharing of one connection, from what is known of it.

use super::ConnectionFacts;
use crate::api::ConditionType;
use crate::api::connection::Audience;
use crate::governance::Standing;
use crate::governance::removal::Removal;
use crate::governance::sharing::{self, Outcome, Sharing};

/// Who may use it, if its type is there.
pub(super) fn access(facts: &ConnectionFacts) -> Option<Audience> {
    let type_ = facts.type_.usable()?;
    Some(sharing::audience(&facts.connection.spec, type_.spec.used_for))
}

/// The sentence about others of the same name, if contributors see it.
pub(super) fn name_taken(facts: &ConnectionFacts) -> Option<String> {
    let shared = access(facts) == Some(Audience::Contributors);
    sharing::name_taken(&facts.sharing.namesakes).filter(|_| shared)
}

/// What becomes of the objects that are kept for it, given what was just judged.
pub(super) fn outcome(
    facts: &ConnectionFacts,
    judged: &[(ConditionType, Standing)],
    removal: &Removal<'_>,
) -> Outcome {
    let ready = judged.iter().find(|(type_, _)| *type_ == ConditionType::Ready);
    let Some((_, ready)) = ready else {
        return Outcome::default();
    };
    sharing::outcome(&Sharing {
        connection: &facts.connection,
        used_for: facts.type_.usable().map(|type_| type_.spec.used_for),
        ready,
        unused: !removal.held || removal.dependents.is_empty(),
        facts: &facts.sharing,
        now: facts.now,
    })
}
