//! Which change of which object wakes which connections.

use crate::api::{Connection, ConnectionType, Reference, Refers};
use crate::cluster::secrets::SecretMeta;
use crate::cluster::{Change, ObjectKey, Objects};
use crate::reconcile::wakes;
use kube::ResourceExt;

/// A type that came, went or changed wakes all connections of it. Its status says nothing to them.
#[must_use]
pub fn woken_by_type(change: &Change<ConnectionType>, connections: &Objects<Connection>) -> Vec<ObjectKey> {
    let same = change
        .before
        .as_ref()
        .zip(change.after.as_ref())
        .is_some_and(|(before, after)| before.spec == after.spec);
    let name = change
        .sides()
        .next()
        .filter(|_| !same)
        .map(|type_| type_.name_any());
    name.map(|name| connections.referring(&Reference::ConnectionType(name)))
        .unwrap_or_default()
}

/// A Secret that came, went or changed wakes the connections that refer to it.
#[must_use]
pub fn woken_by_secret(change: &Change<SecretMeta>, connections: &Objects<Connection>) -> Vec<ObjectKey> {
    wakes::users_of_secret(change, connections)
}

/// An export or enrichment that begins or ends to use a connection wakes it.
#[must_use]
pub fn woken_by_user<K: Refers>(change: &Change<K>) -> Vec<ObjectKey> {
    let connections = wakes::begun_or_ended(change)
        .into_iter()
        .filter_map(|target| match target {
            Reference::Connection(namespace, name) => Some(ObjectKey::new(&namespace, &name)),
            _ => None,
        });
    connections.collect()
}
