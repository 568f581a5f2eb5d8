//! Which change of which object wakes which connections.

use crate::api::{Connection, ConnectionType, ConsentRecord, Reference, Refers};
use crate::cluster::secrets::SecretMeta;
use crate::cluster::{Change, ObjectKey, Objects};
use crate::reconcile::wakes;
use kube::Resource;

/// A type that came, went or changed wakes all connections of it. Its status says nothing to them.
#[must_use]
pub fn woken_by_type(change: &Change<ConnectionType>, connections: &Objects<Connection>) -> Vec<ObjectKey> {
    wakes::connections_of_type(change, connections)
}

/// A Secret that came, went or changed wakes the connections that refer to it.
#[must_use]
pub fn woken_by_secret(change: &Change<SecretMeta>, connections: &Objects<Connection>) -> Vec<ObjectKey> {
    wakes::users_of_secret(change, connections)
}

/// A decision on record that came or went wakes what it's about.
#[must_use]
pub fn woken_by_record(change: &Change<ConsentRecord>) -> Vec<ObjectKey> {
    let subjects = wakes::begun_or_ended(change).into_iter();
    subjects
        .filter_map(|subject| match subject {
            Reference::Subject(namespace, kind, name) if kind == Connection::kind(&()) => {
                Some(ObjectKey::new(&namespace, &name))
            }
            _ => None,
        })
        .collect()
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
