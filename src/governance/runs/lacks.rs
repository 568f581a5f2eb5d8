//! What the connector can't do yet: one table, so that nothing is called Active that could never send a byte.

use super::RunsFacts;
use super::vaults::by_node;
use crate::api::Connection;
use crate::api::Reason;
use crate::api::export::Mode;
use crate::governance::Standing;
use crate::governance::datasets::{Purpose, Use};
use crate::governance::message::listed;
use crate::governance::vaults::KeyVaults;

/// What is asked of the connector that it lacks, if anything.
#[must_use]
pub fn judge(facts: &RunsFacts<'_>, connection: &Connection, uses: &[Use]) -> Option<Standing> {
    let lacks: Vec<String> = [
        of_connection(connection, &facts.vaults).map(str::to_owned),
        of_datasets(uses),
        of_mode(facts.mode).map(str::to_owned),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!lacks.is_empty()).then(|| Standing::unmet(Reason::ConnectorLacks, lacks.join(" ")))
}

/// What a connection asks for. Contributors read it.
#[must_use]
pub fn of_connection(connection: &Connection, vaults: &KeyVaults) -> Option<&'static str> {
    by_node(connection, vaults).then_some(
        "Its connection takes credentials from a key vault that is asked by the identity of the node, which runs don't have: \
         an administrator can link the vault with an identity of its own, or let the connection name a Secret.",
    )
}

/// Which of the datasets that it reads are where the connector can't read.
fn of_datasets(uses: &[Use]) -> Option<String> {
    let read = uses.iter().filter(|used| matches!(used.purpose, Purpose::Read));
    let elsewhere = read.filter(|used| {
        let dataset = used.dataset.as_ref();
        dataset.is_some_and(|dataset| dataset.spec.location.volume.is_none())
    });
    let mut names: Vec<&str> = elsewhere.map(|used| used.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let (what, are) = match names.as_slice() {
        [] => return None,
        [_] => ("dataset", "isn't"),
        _ => ("datasets", "aren't"),
    };
    Some(format!(
        "The {what} {} {are} on a volume, and this version's connector reads volumes only: name another, or ask an \
         administrator to move it.",
        listed(&names)
    ))
}

/// Sending all rows where only the changed ones are wanted would be another thing.
fn of_mode(mode: Option<Mode>) -> Option<&'static str> {
    (mode == Some(Mode::Incremental)).then_some(
        "spec.mode is Incremental, and this version's connector sends all rows only: leave spec.mode out.",
    )
}
