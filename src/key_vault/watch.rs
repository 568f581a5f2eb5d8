//! Which change of which object wakes which key vaults.

use crate::api::{ConsentRecord, KeyVault, Reference, Refers};
use crate::cluster::secrets::SecretMeta;
use crate::cluster::{Change, ObjectKey, Objects};
use crate::reconcile::wakes;
use kube::Resource;

/// A Secret that came, went or changed wakes the key vaults that refer to it.
#[must_use]
pub fn woken_by_secret(change: &Change<SecretMeta>, vaults: &Objects<KeyVault>) -> Vec<ObjectKey> {
    wakes::users_of_secret(change, vaults)
}

/// A decision on record that came or went wakes what it's about.
#[must_use]
pub fn woken_by_record(change: &Change<ConsentRecord>) -> Vec<ObjectKey> {
    wakes::subjects::<KeyVault>(change)
}

/// A ServiceAccount, Role or binding of the run account's name that came, went or changed hands wakes the key vaults that
/// sign in by it.
#[must_use]
pub fn woken_by_run_account<K>(change: &Change<K>, vaults: &Objects<KeyVault>) -> Vec<ObjectKey>
where
    K: Resource<DynamicType = ()>,
{
    wakes::users_of_run_account(change, vaults)
}

/// A connection or dataset that begins or ends to use a key vault wakes it.
#[must_use]
pub fn woken_by_user<K: Refers>(change: &Change<K>) -> Vec<ObjectKey> {
    let vaults = wakes::begun_or_ended(change)
        .into_iter()
        .filter_map(|target| match target {
            Reference::KeyVault(namespace, name) => Some(ObjectKey::new(&namespace, &name)),
            _ => None,
        });
    vaults.collect()
}
