//! Who is told of which change.

use super::super::queues::Wakers;
use crate::api::export::{ExportStatus, Trigger};
use crate::api::grants::Binding;
use crate::api::run::RunOutcome;
use crate::api::run_objects::run_of;
use crate::api::{
    Connection, ConnectionType, ConsentRecord, Dataset, Enrichment, Export, KeyVault, Reference, Refers,
};
use crate::cluster::events::Events;
use crate::cluster::follow::Unread;
use crate::cluster::secrets::SecretMeta;
use crate::cluster::{Change, Leadership, Objects};
use crate::governance::connection_types::CompiledTypes;
use crate::governance::runs::news;
use crate::metrics::Metrics;
use crate::reconcile::{Links, Stores, Writes};
use crate::{connection, connection_type, dataset, enrichment, export, key_vault, run_account};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, Role, RoleBinding};
use kube::{Resource, ResourceExt};
use std::sync::Arc;

/// Makes each type ready as it comes, also in a replica that doesn't lead yet: so it knows what the type said before,
/// should an edit make it contradict itself. Of one that goes, nothing stays.
pub(super) fn knowing(
    types: Arc<CompiledTypes>,
    mut told: impl FnMut(&Change<ConnectionType>),
) -> impl FnMut(&Change<ConnectionType>) {
    move |change| {
        match (&change.after, &change.before) {
            (Some(here), _) => types.arrived(here),
            (None, Some(gone)) => types.forget(&gone.name_any()),
            (None, None) => {}
        }
        told(change);
    }
}

/// What is of a type that can't be read goes on by what that said before, if anybody knows, and is told why.
pub(super) fn on_unreadable_type(leadership: Leadership, (wakers, stores): Woken) -> Unread {
    Arc::new(move |key, misfit| {
        match misfit {
            Some(misfit) => {
                stores
                    .types
                    .cannot_read(&key.name, misfit.metadata.uid.as_deref(), &misfit.place);
            }
            None => stores.types.gone(&key.name),
        }
        if leadership.has_begun() {
            let connections = stores
                .connections
                .referring(&Reference::ConnectionType(key.name.clone()));
            for connection in &connections {
                let users = Reference::Connection(connection.namespace.clone(), connection.name.clone());
                wakers.exports.wake(stores.exports.referring(&users));
                wakers.enrichments.wake(stores.enrichments.referring(&users));
            }
            wakers.connections.wake(connections);
        }
    })
}

type Woken = (Wakers, Stores);

pub(super) fn on_type((wakers, stores): Woken) -> impl FnMut(&Change<ConnectionType>) {
    move |change| {
        wakers.connection_types.wake_itself(change);
        wakers
            .connection_types
            .wake(connection_type::watch::woken_by_type(
                change,
                &stores.connection_types,
            ));
        wakers
            .connections
            .wake(connection::watch::woken_by_type(change, &stores.connections));
        wakers.exports.wake(export::watch::woken_by_type(
            change,
            &stores.connections,
            &stores.exports,
        ));
        wakers.enrichments.wake(enrichment::watch::woken_by_type(
            change,
            &stores.connections,
            &stores.enrichments,
        ));
    }
}

pub(super) fn on_key_vault((wakers, stores): Woken, links: Links) -> impl FnMut(&Change<KeyVault>) {
    move |change| {
        if let (Some(gone), None) = (&change.before, &change.after) {
            links.forget(gone);
        }
        wakers.key_vaults.wake_itself(change);
        wakers
            .run_accounts
            .wake(run_account::watch::woken_by_user(change));
        wakers
            .connections
            .wake(connection::watch::woken_by_vault(change, &stores.connections));
        wakers.exports.wake(export::watch::woken_by_vault(
            change,
            &stores.connections,
            &stores.exports,
        ));
        wakers.enrichments.wake(enrichment::watch::woken_by_vault(
            change,
            &stores.connections,
            &stores.enrichments,
        ));
        wakers
            .datasets
            .wake(dataset::watch::woken_by_vault(change, &stores.datasets));
    }
}

pub(super) fn on_connection((wakers, stores): Woken, links: Links) -> impl FnMut(&Change<Connection>) {
    move |change| {
        let_go(&links, change);
        wakers.connections.wake_itself(change);
        wakers.key_vaults.wake(key_vault::watch::woken_by_user(change));
        wakers
            .connections
            .wake(connection::watch::woken_by_namesake(change, &stores.connections));
        wakers
            .connection_types
            .wake(connection_type::watch::woken_by_connection(change));
        wakers
            .exports
            .wake(export::watch::woken_by_connection(change, &stores.exports));
        wakers.enrichments.wake(enrichment::watch::woken_by_connection(
            change,
            &stores.enrichments,
        ));
    }
}

pub(super) fn on_export((wakers, stores): Woken, metrics: Metrics) -> impl FnMut(&Change<Export>) {
    move |change| {
        count_runs(change, &metrics, |export| export.status.as_ref());
        wakers.exports.wake_itself(change);
        wakers
            .run_accounts
            .wake(run_account::watch::woken_by_user(change));
        wakers
            .exports
            .wake(export::watch::woken_by_export(change, &stores));
        on_user(&wakers, &stores, change);
    }
}

/// Runs are counted once they stand in a status that somebody can read.
fn count_runs<K: Resource<DynamicType = ()>>(
    change: &Change<K>,
    metrics: &Metrics,
    status: impl Fn(&K) -> Option<&ExportStatus>,
) {
    let (Some(before), Some(after)) = (&change.before, &change.after) else {
        return; // at the first sight, what stands there was counted before
    };
    let [before, after] = [before, after].map(|side| status(side).cloned().unwrap_or_default());
    for run in news::newly_ended(&before, &after) {
        let trigger = run.trigger.map_or("", Trigger::as_str);
        let outcome = run.outcome.map_or("", RunOutcome::as_str);
        metrics.ran(&K::kind(&()), trigger, outcome);
    }
}

/// What runs are made of wakes what runs.
pub(super) fn on_run<K: Resource<DynamicType = ()>>(wakers: Wakers) -> impl FnMut(&Change<K>) {
    move |change| {
        if let Some(run) = change.sides().find_map(|object| run_of(&**object)) {
            wakers.wake_run(&run);
        }
    }
}

pub(super) fn on_enrichment((wakers, stores): Woken, metrics: Metrics) -> impl FnMut(&Change<Enrichment>) {
    move |change| {
        count_runs(change, &metrics, |enrichment| enrichment.status.as_ref());
        wakers.enrichments.wake_itself(change);
        wakers
            .run_accounts
            .wake(run_account::watch::woken_by_user(change));
        on_user(&wakers, &stores, change);
    }
}

/// What exports and enrichments have in common: they use connections and datasets, and write to some.
fn on_user<K: Writes + Refers>(wakers: &Wakers, stores: &Stores, change: &Change<K>) {
    wakers.connections.wake(connection::watch::woken_by_user(change));
    wakers.datasets.wake(dataset::watch::woken_by_user(change));
    wakers
        .exports
        .wake(export::watch::woken_by_writer(change, &stores.exports));
    wakers
        .enrichments
        .wake(enrichment::watch::woken_by_writer(change, &stores.enrichments));
}

/// What is gone follows nothing in a vault any more.
fn let_go<K: Resource<DynamicType = ()>>(links: &Links, change: &Change<K>) {
    if let (Some(gone), None) = (&change.before, &change.after) {
        links.leave(&**gone);
    }
}

pub(super) fn on_dataset((wakers, stores): Woken, links: Links) -> impl FnMut(&Change<Dataset>) {
    move |change| {
        let_go(&links, change);
        wakers.datasets.wake_itself(change);
        wakers.key_vaults.wake(key_vault::watch::woken_by_user(change));
        wakers
            .exports
            .wake(export::watch::woken_by_dataset(change, &stores));
        wakers.enrichments.wake(enrichment::watch::woken_by_dataset(
            change,
            &stores.datasets,
            &stores.enrichments,
        ));
    }
}

pub(super) fn on_consent_record((wakers, _): Woken) -> impl FnMut(&Change<ConsentRecord>) {
    move |change| {
        wakers
            .connections
            .wake(connection::watch::woken_by_record(change));
        wakers.key_vaults.wake(key_vault::watch::woken_by_record(change));
    }
}

/// What the operator keeps for a connection.
pub(super) fn on_kept<K: Resource<DynamicType = ()> + Refers>((wakers, _): Woken) -> impl FnMut(&Change<K>) {
    move |change| wakers.connections.wake(connection::watch::woken_by_kept(change))
}

pub(super) fn on_service_account((wakers, stores): Woken) -> impl FnMut(&Change<ServiceAccount>) {
    move |change| {
        wakers.run_accounts.wake_itself(change);
        on_run_account(&wakers, &stores, change);
    }
}

/// What is of a run account wakes those that sign in by it, and those that run as it.
fn on_run_account<K: Resource<DynamicType = ()>>(wakers: &Wakers, stores: &Stores, change: &Change<K>) {
    wakers
        .key_vaults
        .wake(key_vault::watch::woken_by_run_account(change, &stores.key_vaults));
    wakers
        .exports
        .wake(export::watch::woken_by_run_account(change, &stores.exports));
    wakers.enrichments.wake(enrichment::watch::woken_by_run_account(
        change,
        &stores.enrichments,
    ));
}

/// A grant belongs to a connection or to a run account.
pub(super) fn on_role(woken: Woken) -> impl FnMut(&Change<Role>) {
    move |change| on_grant(&woken, change)
}

fn on_grant<K: Resource<DynamicType = ()> + Refers>((wakers, stores): &Woken, change: &Change<K>) {
    wakers.connections.wake(connection::watch::woken_by_kept(change));
    wakers
        .run_accounts
        .wake(run_account::watch::woken_by_kept(change));
    on_run_account(wakers, stores, change);
}

pub(super) fn on_role_binding(woken: Woken, events: Events) -> impl FnMut(&Change<RoleBinding>) {
    move |change| {
        on_grant(&woken, change);
        on_contributors(&woken, &events, change);
    }
}

pub(super) fn on_cluster_role_binding(
    woken: Woken,
    events: Events,
) -> impl FnMut(&Change<ClusterRoleBinding>) {
    move |change| on_contributors(&woken, &events, change)
}

/// Tells of the bindings that there were before this process led.
pub(in crate::process) fn tell_of_contributors(stores: &Stores, events: &Events) {
    tell_of_all(&stores.role_bindings, events);
    tell_of_all(&stores.cluster_role_bindings, events);
}

fn tell_of_all<B: Binding + Clone>(bindings: &Objects<B>, events: &Events) {
    for binding in bindings.store().state() {
        let change = Change {
            before: None,
            after: Some(binding),
        };
        tell_of(&change, events);
    }
}

fn tell_of<B: Binding>(change: &Change<B>, events: &Events) {
    if let (Some(binding), Some(notice)) = (&change.after, connection::watch::told_of_contributors(change)) {
        events.tell(&**binding, notice);
    }
}

fn on_contributors<B: Binding>((wakers, stores): &Woken, events: &Events, change: &Change<B>) {
    wakers.connections.wake(connection::watch::woken_by_contributors(
        change,
        &stores.connections,
    ));
    tell_of(change, events);
}

pub(super) fn on_secret((wakers, stores): Woken) -> impl FnMut(&Change<SecretMeta>) {
    move |change| {
        wakers
            .connections
            .wake(connection::watch::woken_by_secret(change, &stores.connections));
        wakers
            .datasets
            .wake(dataset::watch::woken_by_secret(change, &stores.datasets));
        wakers
            .key_vaults
            .wake(key_vault::watch::woken_by_secret(change, &stores.key_vaults));
    }
}
