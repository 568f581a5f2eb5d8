//! The plan of a run: what goes in and out, and by which consent; nothing of the connection but its name.

use super::names::{self, hash};
use super::workload::metadata;
use super::{RunsFacts, Work};
use crate::api::connection::Parameters;
use crate::api::enrichment::EnrichmentInput;
use crate::api::export::PayloadItem;
use crate::api::names::CONSENT_ANNOTATION;
use crate::api::reference::DatasetRef;
use crate::api::run::{PLAN_KEY, PLAN_VERSION, Plan, PlannedDataset, PlannedEnrichment, PlannedOutput};
use crate::api::{Connection, Dataset};
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

/// The plan of an export or enrichment on this connection. None while something that it names isn't there.
#[must_use]
pub fn plan(
    facts: &RunsFacts<'_>,
    (connection, type_): (&Connection, &CompiledType),
    uses: &[Use],
    parameters: &Parameters,
) -> Option<Plan> {
    let (payload, enrichment) = match facts.work {
        Work::Export { payload, .. } => {
            let payload = payload.iter().map(|item| planned(item, uses));
            (payload.collect::<Option<_>>()?, None)
        }
        Work::Enrichment { input, output } => (Vec::new(), Some(enriched(input, output, uses)?)),
    };
    Some(Plan {
        version: PLAN_VERSION,
        used_for: facts.work.used_for(),
        namespace: facts.namespace.as_str().into(),
        name: facts.name.as_str().into(),
        uid: facts.uid.clone(),
        connection: connection.name_any().as_str().into(),
        consent: connection.annotations().get(CONSENT_ANNOTATION)?.clone(),
        type_: type_.name.as_str().into(),
        type_spec: type_.spec.clone(),
        payload,
        enrichment,
        parameters: parameters.clone(),
    })
}

fn planned(item: &PayloadItem, uses: &[Use]) -> Option<PlannedDataset> {
    let dataset = named(item.dataset.as_str(), uses)?;
    Some(PlannedDataset {
        dataset: item.dataset.clone(),
        location: dataset.spec.location.clone(),
        format: dataset.spec.format.clone(),
        columns: item.columns.clone(),
        where_: item.where_.clone(),
        rename: item.rename.clone(),
    })
}

/// What an enrichment reads and writes. Which columns of the input are needed follows from the mapping.
fn enriched(input: &EnrichmentInput, output: &DatasetRef, uses: &[Use]) -> Option<PlannedEnrichment> {
    let (read, written) = (
        named(input.dataset.as_str(), uses)?,
        named(output.dataset.as_str(), uses)?,
    );
    Some(PlannedEnrichment {
        input: PlannedDataset {
            dataset: input.dataset.clone(),
            location: read.spec.location.clone(),
            format: read.spec.format.clone(),
            columns: Vec::new(),
            where_: input.where_.clone(),
            rename: BTreeMap::new(),
        },
        mapping: input.mapping.clone(),
        output: PlannedOutput {
            dataset: output.dataset.clone(),
            location: written.spec.location.clone(),
            format: written.spec.format.clone(),
        },
    })
}

fn named<'a>(dataset: &str, uses: &'a [Use]) -> Option<&'a Dataset> {
    let mut named = uses.iter().filter(|used| used.name == dataset);
    named.find_map(|used| used.dataset.as_deref())
}

/// The plan's text and hash. Fields have their order and maps are sorted, so equal plans have equal hashes.
#[must_use]
pub fn written(plan: &Plan) -> Option<Written> {
    let text = serde_json::to_string(plan).ok()?;
    let hash = hash(text.as_bytes());
    Some(Written { hash, text })
}

/// The ConfigMap that holds it, which goes with what runs by it.
#[must_use]
pub fn config_map(facts: &RunsFacts<'_>, plan: &Written) -> ConfigMap {
    ConfigMap {
        metadata: metadata(facts, names::plan(&plan.hash)),
        immutable: Some(true),
        data: Some(BTreeMap::from([(PLAN_KEY.to_owned(), plan.text.clone())])),
        binary_data: None,
    }
}
