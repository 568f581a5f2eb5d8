//! Which change of which object wakes which connection types.

use crate::api::{Connection, ConnectionType, Reference};
use crate::cluster::{Change, ObjectKey, Objects};
use crate::reconcile::wakes;

/// A connection that came or went wakes its type.
#[must_use]
pub fn woken_by_connection(change: &Change<Connection>) -> Vec<ObjectKey> {
    let types = wakes::begun_or_ended(change)
        .into_iter()
        .filter_map(|target| match target {
            Reference::ConnectionType(name) => Some(ObjectKey::new("", &name)),
            _ => None,
        });
    types.collect()
}

/// A type that can be another's replacement, or can't be any more, wakes that one.
#[must_use]
pub fn woken_by_type(change: &Change<ConnectionType>, types: &Objects<ConnectionType>) -> Vec<ObjectKey> {
    wakes::replaced_by_type(change, types)
}
