//! Gathers what a decision about an enrichment may know.

use crate::api::Enrichment;
use crate::api::connection_type::UsedFor;
use crate::governance::activity::ActivityFacts;
use crate::governance::datasets::{Purpose, Use};
use crate::reconcile::{Context, Writes, load};
use kube::ResourceExt;

pub(super) fn observe<'a>(enrichment: &'a Enrichment, context: &'a Context) -> ActivityFacts<'a> {
    let spec = &enrichment.spec;
    let connection = context.stores.connection_seen(
        &enrichment.namespace().unwrap_or_default(),
        spec.connection_ref.as_ref(),
    );
    ActivityFacts {
        used_for: UsedFor::Enrichment,
        generation: enrichment.metadata.generation,
        before: enrichment.status.clone().unwrap_or_default(),
        uses: uses(enrichment, context),
        load: load::of_enrichment(enrichment, &context.stores),
        parameters: &spec.parameters,
        schedule: spec.schedule.as_ref(),
        suspend: spec.suspend,
        deleting: enrichment.metadata.deletion_timestamp.is_some(),
        connectors: &context.connectors,
        runs: context.runs_of(enrichment, enrichment.status.as_ref(), &connection),
        now: context.now(),
        connection,
    }
}

fn uses(enrichment: &Enrichment, context: &Context) -> Vec<Use> {
    let read = [(
        "spec.input",
        enrichment.spec.input.dataset.as_str(),
        Purpose::Read,
    )];
    let written = enrichment
        .written()
        .into_iter()
        .map(|(field, name, role)| (field, name, Purpose::Write(role)));
    read.into_iter()
        .chain(written)
        .map(|(field, name, purpose)| context.stores.dataset_use(enrichment, field, name, purpose))
        .collect()
}
