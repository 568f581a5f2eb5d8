//! Gathers what a decision about a dataset may know.

use super::DatasetFacts;
use crate::api::{Dataset, Reference};
use crate::reconcile::{Context, Fault};
use kube::ResourceExt;
use std::sync::Arc;

pub(super) async fn observe(dataset: Arc<Dataset>, context: &Context) -> Result<DatasetFacts, Fault> {
    let target = Reference::Dataset(dataset.namespace().unwrap_or_default(), dataset.name_any());
    Ok(DatasetFacts {
        secrets: context.secrets_of(&*dataset).await?,
        vaults: context
            .vaults_seen(&*dataset, &dataset.spec.credentials, &context.stores.datasets)
            .await?,
        dependents: context.stores.dependents(&target),
        now: context.now(),
        dataset,
    })
}
