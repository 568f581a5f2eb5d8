//! Gathers what a decision about an export may know.

use crate::api::Export;
use crate::api::connection_type::UsedFor;
use crate::governance::activity::ActivityFacts;
use crate::governance::datasets::{Purpose, Use};
use crate::reconcile::{Context, Writes, load};
use kube::ResourceExt;

pub(super) fn observe<'a>(export: &'a Export, context: &'a Context) -> ActivityFacts<'a> {
    let spec = &export.spec;
    let connection = context.stores.connection_seen(
        &export.namespace().unwrap_or_default(),
        spec.connection_ref.as_ref(),
    );
    ActivityFacts {
        used_for: UsedFor::Export,
        generation: export.metadata.generation,
        before: export.status.clone().unwrap_or_default(),
        uses: uses(export, context),
        load: load::of_export(export, &context.stores),
        parameters: &spec.parameters,
        schedule: spec.schedule.as_ref(),
        suspend: spec.suspend,
        deleting: export.metadata.deletion_timestamp.is_some(),
        connectors: &context.connectors,
        runs: context.runs_of(export, export.status.as_ref(), &connection),
        now: context.now(),
        connection,
    }
}

fn uses(export: &Export, context: &Context) -> Vec<Use> {
    let read = export
        .spec
        .payload
        .iter()
        .map(|item| ("spec.payload", item.dataset.as_str(), Purpose::Read));
    let written = export
        .written()
        .into_iter()
        .map(|(field, name, role)| (field, name, Purpose::Write(role)));
    read.chain(written)
        .map(|(field, name, purpose)| context.stores.dataset_use(export, field, name, purpose))
        .collect()
}
