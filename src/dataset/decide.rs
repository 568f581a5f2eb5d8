//! Decides about one dataset. Pure: everything it knows is in the facts.

use crate::api::ConditionType;
use crate::api::dataset::{Dataset, DatasetStatus};
use crate::api::names::IN_USE_FINALIZER;
use crate::governance::conditions;
use crate::governance::credentials::{self, Before, Named, Secrets};
use crate::governance::decision::{Decision, announcements};
use crate::governance::dependents::Dependents;
use crate::governance::readiness;
use crate::governance::removal::{self, Removal};
use crate::governance::vaults::VaultsSeen;
use jiff::Timestamp;
use kube::ResourceExt;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Everything that a decision about a dataset may know.
#[derive(Clone, Debug)]
pub struct DatasetFacts {
    /// The dataset as last seen.
    pub dataset: Arc<Dataset>,
    /// The Secrets that it refers to.
    pub secrets: Secrets,
    /// The key vaults that it refers to, and what was seen there.
    pub vaults: VaultsSeen,
    /// Who uses it.
    pub dependents: Dependents,
    /// The time of the visit.
    pub now: Timestamp,
}

/// The wanted state of the dataset.
#[must_use]
pub fn decide(facts: &DatasetFacts) -> Decision<DatasetStatus> {
    let dataset = &*facts.dataset;
    let before = dataset.status.clone().unwrap_or_default();
    let namespace = dataset.namespace().unwrap_or_default();
    let removal = Removal {
        kind: "dataset",
        namespace: &namespace,
        deleting: dataset.metadata.deletion_timestamp.is_some(),
        held: dataset
            .finalizers()
            .iter()
            .any(|finalizer| finalizer == IN_USE_FINALIZER),
        dependents: &facts.dependents,
    };
    let resolution = credentials::judge(
        &Named {
            place: "spec.credentials",
            namespace: &namespace,
            sources: &dataset.spec.credentials,
        },
        &facts.secrets,
        &facts.vaults,
        Before {
            secrets: &before.secrets,
            conditions: &before.conditions,
        },
        facts.now,
    );
    let ready = match resolution.forewarning() {
        _ if removal.deleting => "It is being removed.".to_owned(),
        Some(told) => format!("It can be used. {told}"),
        None => "It can be used.".to_owned(),
    };
    let mut judged = readiness::judged(
        vec![(ConditionType::SecretsResolved, resolution.standing.clone())],
        None,
        &ready,
    );
    judged.push((ConditionType::Deleting, removal::deleting(&removal)));
    let status = DatasetStatus {
        observed_generation: dataset.metadata.generation,
        conditions: conditions::updated(&before.conditions, judged, dataset.metadata.generation, facts.now),
        secrets: resolution.secrets.clone(),
        dependents: Some(facts.dependents.status(removal::next_step(&removal))),
        role: Some(dataset.spec.role.unwrap_or_default()),
    };
    Decision {
        hold: removal::hold(&removal),
        effects: Vec::new(),
        announcements: announcements(&before.conditions, &status.conditions)
            .into_iter()
            .chain(resolution.announcement())
            .collect(),
        recheck: resolution.recheck,
        status,
    }
}
