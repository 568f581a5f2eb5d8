//! Which change of which object wakes which exports.

use crate::api::{Connection, ConnectionType, Dataset, Export, KeyVault};
use crate::cluster::{Change, ObjectKey, Objects};
use crate::reconcile::{Stores, load, wakes};
use kube::Resource;

/// A connection that came, went or changed in what its users see wakes them.
#[must_use]
pub fn woken_by_connection(change: &Change<Connection>, exports: &Objects<Export>) -> Vec<ObjectKey> {
    wakes::users_of_connection(change, exports)
}

/// A type that came, went or changed wakes what is on its connections.
#[must_use]
pub fn woken_by_type(
    change: &Change<ConnectionType>,
    connections: &Objects<Connection>,
    exports: &Objects<Export>,
) -> Vec<ObjectKey> {
    wakes::users_of_type(change, connections, exports)
}

/// A key vault that came, went or changed in what its users see wakes what is on connections that name it: runs sign in
/// to it.
#[must_use]
pub fn woken_by_vault(
    change: &Change<KeyVault>,
    connections: &Objects<Connection>,
    exports: &Objects<Export>,
) -> Vec<ObjectKey> {
    wakes::on_connections(wakes::users_of_vault(change, connections), exports)
}

/// A dataset that came, went or changed in what its users see wakes them, and those that share a limit with them.
#[must_use]
pub fn woken_by_dataset(change: &Change<Dataset>, stores: &Stores) -> Vec<ObjectKey> {
    let users = wakes::users_of_dataset(change, &stores.exports);
    let rivals = wakes::rivals_of_place(change, &stores.datasets, &stores.exports);
    load::with_limited([users, rivals].concat(), stores)
}

/// A ServiceAccount, Role or binding of the run account's name that came, went or changed hands wakes those that run as it.
#[must_use]
pub fn woken_by_run_account<K>(change: &Change<K>, exports: &Objects<Export>) -> Vec<ObjectKey>
where
    K: Resource<DynamicType = ()>,
{
    wakes::users_of_run_account(change, exports)
}

/// An export that sends something else, or elsewhere, wakes those that send the same or share a limit with it.
#[must_use]
pub fn woken_by_export(change: &Change<Export>, stores: &Stores) -> Vec<ObjectKey> {
    load::rivals_of_export(change, stores)
}

/// One that begins or ends to write to a dataset wakes the others that name it: it may be theirs now.
#[must_use]
pub fn woken_by_writer<K: wakes::Writes>(change: &Change<K>, exports: &Objects<Export>) -> Vec<ObjectKey> {
    wakes::rivals_of_writer(change, exports)
}
