//! Which change of which object wakes which connection types.

use crate::api::{Connection, Reference};
use crate::cluster::{Change, ObjectKey};
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
