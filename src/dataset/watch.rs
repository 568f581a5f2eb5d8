//! Which change of which object wakes which datasets.

use crate::api::{Dataset, KeyVault, Reference, Refers};
use crate::cluster::secrets::SecretMeta;
use crate::cluster::{Change, ObjectKey, Objects};
use crate::reconcile::wakes;

/// A Secret that came, went or changed wakes the datasets that refer to it.
#[must_use]
pub fn woken_by_secret(change: &Change<SecretMeta>, datasets: &Objects<Dataset>) -> Vec<ObjectKey> {
    wakes::users_of_secret(change, datasets)
}

/// A key vault that came, went or changed in what its users see wakes the datasets that refer to it.
#[must_use]
pub fn woken_by_vault(change: &Change<KeyVault>, datasets: &Objects<Dataset>) -> Vec<ObjectKey> {
    wakes::users_of_vault(change, datasets)
}

/// An export or enrichment that begins or ends to use a dataset wakes it.
#[must_use]
pub fn woken_by_user<K: Refers>(change: &Change<K>) -> Vec<ObjectKey> {
    let datasets = wakes::begun_or_ended(change)
        .into_iter()
        .filter_map(|target| match target {
            Reference::Dataset(namespace, name) => Some(ObjectKey::new(&namespace, &name)),
            _ => None,
        });
    datasets.collect()
}
