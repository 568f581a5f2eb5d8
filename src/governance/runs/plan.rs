//! The plan of a run: what goes out, and by which consent; nothing of the connection but its name.

use super::RunsFacts;
use super::names::{self, hash};
use super::workload::metadata;
use crate::api::Connection;
use crate::api::connection::Parameters;
use crate::api::connection_type::UsedFor;
use crate::api::export::PayloadItem;
use crate::api::names::CONSENT_ANNOTATION;
use crate::api::run::{PLAN_KEY, PLAN_VERSION, Plan, PlannedDataset};
use crate::governance::datasets::Use;
use crate::governance::parameters::CompiledType;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// A plan as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its SHA-256.
    pub hash: String,
    /// Its JSON.
    pub text: String,
}

/// The plan of an export on this connection. None while something that it names isn't there.
#[must_use]
pub fn plan(
    facts: &RunsFacts<'_>,
    (connection, type_): (&Connection, &CompiledType),
    uses: &[Use],
    parameters: &Parameters,
) -> Option<Plan> {
    let payload = facts.payload.iter().map(|item| planned(item, uses));
    Some(Plan {
        version: PLAN_VERSION,
        used_for: UsedFor::Export,
        namespace: facts.namespace.as_str().into(),
        name: facts.name.as_str().into(),
        connection: connection.name_any().as_str().into(),
        consent: connection.annotations().get(CONSENT_ANNOTATION)?.clone(),
        type_: type_.name.as_str().into(),
        type_spec: type_.spec.clone(),
        payload: payload.collect::<Option<_>>()?,
        parameters: parameters.clone(),
    })
}

fn planned(item: &PayloadItem, uses: &[Use]) -> Option<PlannedDataset> {
    let mut named = uses.iter().filter(|used| used.name == item.dataset.as_str());
    let dataset = named.find_map(|used| used.dataset.as_ref())?;
    Some(PlannedDataset {
        dataset: item.dataset.clone(),
        location: dataset.spec.location.clone(),
        format: dataset.spec.format.clone(),
        columns: item.columns.clone(),
        where_: item.where_.clone(),
        rename: item.rename.clone(),
    })
}

/// The plan's text and hash. Fields have their order and maps are sorted, so equal plans have equal hashes.
#[must_use]
pub fn written(plan: &Plan) -> Option<Written> {
    let text = serde_json::to_string(plan).ok()?;
    let hash = hash(text.as_bytes());
    Some(Written { hash, text })
}

/// The ConfigMap that holds it, which goes with the export.
#[must_use]
pub fn config_map(facts: &RunsFacts<'_>, plan: &Written) -> ConfigMap {
    ConfigMap {
        metadata: metadata(facts, names::plan(&plan.hash)),
        immutable: Some(true),
        data: Some(BTreeMap::from([(PLAN_KEY.to_owned(), plan.text.clone())])),
        binary_data: None,
    }
}
