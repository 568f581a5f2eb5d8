//! What the connector can't do yet: one table, so that nothing is called Active that could never send a byte.

use super::vaults::by_node;
use super::{RunsFacts, Work};
use crate::api::Connection;
use crate::api::Reason;
use crate::api::enrichment::EnrichmentInput;
use crate::api::export::Mode;
use crate::governance::Standing;
use crate::governance::datasets::{Purpose, Use};
use crate::governance::message::listed;
use crate::governance::parameters::CompiledType;
use crate::governance::vaults::KeyVaults;

/// The connectors that can fetch what an enrichment joins.
const FETCHING: [&str; 1] = ["sftp"];

/// What is asked of the connector that it lacks, if anything.
#[must_use]
pub fn judge(
    facts: &RunsFacts<'_>,
    (connection, type_): (&Connection, &CompiledType),
    uses: &[Use],
) -> Option<Standing> {
    let (of_type, of_work) = match facts.work {
        Work::Export { mode, .. } => (None, of_mode(mode)),
        Work::Enrichment { input, .. } => (of_type(type_), of_mapping(input)),
    };
    let lacks: Vec<String> = [
        of_connection(connection, &facts.vaults).map(str::to_owned),
        of_type,
        of_datasets(facts.work, uses),
        of_work.map(str::to_owned),
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

/// What a type asks for whose connector runs exports only.
fn of_type(type_: &CompiledType) -> Option<String> {
    let connector = type_.spec.connector.as_ref()?.as_str();
    (!FETCHING.contains(&connector)).then(|| {
        format!(
            "The type {} names the connector {connector}, which runs no enrichments in this version: name a connection of another \
             type.",
            type_.name
        )
    })
}

/// Which of the datasets that it reads or writes are where the connector can't.
fn of_datasets(work: Work<'_>, uses: &[Use]) -> Option<String> {
    let (writes, does) = match work {
        Work::Export { .. } => (false, "reads"),
        Work::Enrichment { .. } => (true, "reads and writes"),
    };
    let theirs = uses.iter();
    let theirs = theirs.filter(|used| writes || matches!(used.purpose, Purpose::Read));
    let elsewhere = theirs.filter(|used| {
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
        "The {what} {} {are} on a volume, and this version's connector {does} volumes only: name another, or ask an \
         administrator to move it.",
        listed(&names)
    ))
}

/// Without a key no line of a file belongs to any row.
fn of_mapping(input: &EnrichmentInput) -> Option<&'static str> {
    input.mapping.is_empty().then_some(
        "spec.input.mapping is empty, and this version's connector joins a file by its key columns: name each in spec.input.mapping, \
         with the input's column that must be equal to it.",
    )
}

/// Sending all rows where only the changed ones are wanted would be another thing.
fn of_mode(mode: Option<Mode>) -> Option<&'static str> {
    (mode == Some(Mode::Incremental)).then_some(
        "spec.mode is Incremental, and this version's connector sends all rows only: leave spec.mode out.",
    )
}
