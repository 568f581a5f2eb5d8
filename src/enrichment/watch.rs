//! Which change of which object wakes which enrichments.

use crate::api::{Connection, ConnectionType, Dataset, Enrichment, KeyVault};
use crate::cluster::{Change, ObjectKey, Objects};
use crate::reconcile::wakes;
use kube::Resource;

/// A connection that came, went or changed in what its users see wakes them.
#[must_use]
pub fn woken_by_connection(change: &Change<Connection>, enrichments: &Objects<Enrichment>) -> Vec<ObjectKey> {
    wakes::users_of_connection(change, enrichments)
}

/// A type that came, went or changed wakes what is on its connections.
#[must_use]
pub fn woken_by_type(
    change: &Change<ConnectionType>,
    connections: &Objects<Connection>,
    enrichments: &Objects<Enrichment>,
) -> Vec<ObjectKey> {
    wakes::users_of_type(change, connections, enrichments)
}

/// A key vault that came, went or changed in what its users see wakes what is on connections that name it: runs sign in
/// to it.
#[must_use]
pub fn woken_by_vault(
    change: &Change<KeyVault>,
    connections: &Objects<Connection>,
    enrichments: &Objects<Enrichment>,
) -> Vec<ObjectKey> {
    wakes::on_connections(wakes::users_of_vault(change, connections), enrichments)
}

/// A ServiceAccount, Role or binding of the run account's name that came, went or changed hands wakes those that run as it.
#[must_use]
pub fn woken_by_run_account<K>(change: &Change<K>, enrichments: &Objects<Enrichment>) -> Vec<ObjectKey>
where
    K: Resource<DynamicType = ()>,
{
    wakes::users_of_run_account(change, enrichments)
}

/// A dataset that came, went or changed in what its users see wakes them, and those that would write where it lies.
#[must_use]
pub fn woken_by_dataset(
    change: &Change<Dataset>,
    datasets: &Objects<Dataset>,
    enrichments: &Objects<Enrichment>,
) -> Vec<ObjectKey> {
    let users = wakes::users_of_dataset(change, enrichments);
    [users, wakes::rivals_of_place(change, datasets, enrichments)].concat()
}

/// One that begins or ends to write to a dataset wakes the others that name it: it may be theirs now.
#[must_use]
pub fn woken_by_writer<K: wakes::Writes>(
    change: &Change<K>,
    enrichments: &Objects<Enrichment>,
) -> Vec<ObjectKey> {
    wakes::rivals_of_writer(change, enrichments)
}
