//! Whom a change wakes, as far as more than one kind is woken by it.

pub use super::lookups::Writes;
pub use super::sharing::is_seen;
use crate::api::connection::SecretStatus;
use crate::api::names::{CONSENT_ANNOTATION, RUN_ACCOUNT};
use crate::api::{
    ConditionType, Connection, ConnectionType, ConsentRecord, Dataset, KeyVault, Reference, Refers,
};
use crate::cluster::secrets::SecretMeta;
use crate::cluster::{Change, ObjectKey, Objects};
use crate::governance::conditions::find;
use crate::governance::datasets::place::is_among;
use crate::governance::run_account::is_ours;
use kube::{Resource, ResourceExt};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// The users of a connection, if it changed in what they see: its spec, consent and the versions of its secrets, whether
/// it's Ready, whether it's going.
#[must_use]
pub fn users_of_connection<K>(change: &Change<Connection>, users: &Objects<K>) -> Vec<ObjectKey>
where
    K: Resource<DynamicType = ()> + Clone,
{
    let view = |connection: &Connection| {
        let status = connection.status.as_ref();
        let ready = status.and_then(|status| find(&status.conditions, ConditionType::Ready));
        let ready = ready.map(|ready| (ready.status, ready.reason.clone()));
        let consent = connection.annotations().get(CONSENT_ANNOTATION).cloned();
        let given = status.and_then(|status| Some(status.consent.as_ref()?.given));
        let secrets = status.map(|status| status.secrets.iter().map(version).collect::<Vec<_>>());
        (
            connection.spec.clone(),
            ready,
            (consent, given),
            secrets,
            connection.metadata.deletion_timestamp.is_some(),
        )
    };
    woken(change, view, users, |namespace, name| {
        Reference::Connection(namespace, name)
    })
}

fn version(secret: &SecretStatus) -> (String, String, Option<String>) {
    (secret.name.clone(), secret.source.clone(), secret.version.clone())
}

/// The users of a dataset, if it changed in what they see: its role and place, what identifies its members and how many
/// there are, whether it's Ready, whether it's going.
#[must_use]
pub fn users_of_dataset<K>(change: &Change<Dataset>, users: &Objects<K>) -> Vec<ObjectKey>
where
    K: Resource<DynamicType = ()> + Clone,
{
    let view = |dataset: &Dataset| {
        let ready = dataset
            .status
            .as_ref()
            .and_then(|status| find(&status.conditions, ConditionType::Ready));
        let going = dataset.metadata.deletion_timestamp.is_some();
        let terms = (dataset.spec.identity.clone(), dataset.spec.members);
        let place = (dataset.spec.location.clone(), dataset.spec.format.clone());
        let ready = ready.map(|ready| ready.status);
        (dataset.spec.role, place, terms, ready, going)
    };
    woken(change, view, users, |namespace, name| {
        Reference::Dataset(namespace, name)
    })
}

/// Those that would write where a dataset lies or lay, if it came, went or changed in that: their place may be theirs now, or no more.
#[must_use]
pub fn rivals_of_place<K>(
    change: &Change<Dataset>,
    datasets: &Objects<Dataset>,
    users: &Objects<K>,
) -> Vec<ObjectKey>
where
    K: Resource<DynamicType = ()> + Clone,
{
    // Its age decides too: one that was made anew under the same name while a watch was broken comes last.
    let view = |dataset: &Dataset| {
        let created = dataset.creation_timestamp();
        (dataset.spec.role, dataset.spec.location.clone(), created)
    };
    let [before, after] = [&change.before, &change.after].map(|side| side.as_deref().map(view));
    if before == after {
        return Vec::new();
    }
    let rivals = change.sides().flat_map(|side| {
        let there = side.claim().map(|claim| datasets.referring(&claim));
        let there = there.into_iter().flatten();
        let there = there.filter_map(|key| datasets.get(&key.namespace, &key.name));
        there.filter(|other| other.name_any() != side.name_any() && is_among(other, side))
    });
    let users_of = |rival: Arc<Dataset>| {
        let namespace = rival.namespace().unwrap_or_default();
        users.referring(&Reference::Dataset(namespace, rival.name_any()))
    };
    rivals.flat_map(users_of).collect()
}

/// The users of a key vault, if it changed in what they see: its spec and whether that was judged, the versions of its
/// credentials, whether it's Ready, whether it's going.
#[must_use]
pub fn users_of_vault<K>(change: &Change<KeyVault>, users: &Objects<K>) -> Vec<ObjectKey>
where
    K: Resource<DynamicType = ()> + Clone,
{
    let view = |vault: &KeyVault| {
        let status = vault.status.as_ref();
        let ready = status.and_then(|status| find(&status.conditions, ConditionType::Ready));
        let judged = status.map(|status| status.observed_generation == vault.metadata.generation);
        let credentials = status.map(|status| status.credentials.clone());
        let going = vault.metadata.deletion_timestamp.is_some();
        let ready = ready.map(|ready| ready.status);
        (vault.spec.clone(), judged, credentials, ready, going)
    };
    woken(change, view, users, |namespace, name| {
        Reference::KeyVault(namespace, name)
    })
}

/// Those that sign in by a run account, if something of its name came, went or changed hands.
#[must_use]
pub fn users_of_run_account<T, K>(change: &Change<T>, users: &Objects<K>) -> Vec<ObjectKey>
where
    T: Resource<DynamicType = ()>,
    K: Resource<DynamicType = ()> + Clone,
{
    let account = change.sides().next();
    let named = account.is_some_and(|account| account.meta().name.as_deref() == Some(RUN_ACCOUNT));
    if !named {
        return Vec::new();
    }
    woken(change, is_ours, users, |namespace, _| {
        Reference::RunAccount(namespace)
    })
}

/// The objects of a kind that a decision on record is about which came or went.
#[must_use]
pub fn subjects<K: Resource<DynamicType = ()>>(change: &Change<ConsentRecord>) -> Vec<ObjectKey> {
    let subjects = begun_or_ended(change).into_iter();
    subjects
        .filter_map(|subject| match subject {
            Reference::Subject(namespace, kind, name) if kind == K::kind(&()) => {
                Some(ObjectKey::new(&namespace, &name))
            }
            _ => None,
        })
        .collect()
}

/// The connections of a type, if the type came, began to go, went or changed in its spec.
#[must_use]
pub fn connections_of_type(
    change: &Change<ConnectionType>,
    connections: &Objects<Connection>,
) -> Vec<ObjectKey> {
    woken(
        change,
        |type_: &ConnectionType| (type_.spec.clone(), type_.metadata.deletion_timestamp.is_some()),
        connections,
        |_, name| Reference::ConnectionType(name),
    )
}

/// The types that name another as their replacement, if that came, began to go, went or changed in whether it can be one.
#[must_use]
pub fn replaced_by_type(change: &Change<ConnectionType>, types: &Objects<ConnectionType>) -> Vec<ObjectKey> {
    let view = |type_: &ConnectionType| {
        let going = type_.metadata.deletion_timestamp.is_some();
        (type_.spec.used_for, type_.spec.deprecated.is_some(), going)
    };
    woken(change, view, types, |_, name| Reference::ConnectionType(name))
}

/// What is on the connections of a type, if the type came, went or changed.
#[must_use]
pub fn users_of_type<K>(
    change: &Change<ConnectionType>,
    connections: &Objects<Connection>,
    users: &Objects<K>,
) -> Vec<ObjectKey>
where
    K: Resource<DynamicType = ()> + Clone,
{
    on_connections(connections_of_type(change, connections), users)
}

/// What is on these connections.
#[must_use]
pub fn on_connections<K>(connections: Vec<ObjectKey>, users: &Objects<K>) -> Vec<ObjectKey>
where
    K: Resource<DynamicType = ()> + Clone,
{
    connections
        .into_iter()
        .flat_map(|connection| users.referring(&Reference::Connection(connection.namespace, connection.name)))
        .collect()
}

/// The others that name a dataset which this one began or ended to write to.
#[must_use]
pub fn rivals_of_writer<W, K>(change: &Change<W>, users: &Objects<K>) -> Vec<ObjectKey>
where
    W: Writes,
    K: Resource<DynamicType = ()> + Clone,
{
    // Its age decides too: one that was made anew under the same name while a watch was broken comes last.
    let written = |side: &W| {
        let created = side.creation_timestamp();
        side.written()
            .into_iter()
            .map(|(_, name, role)| (name.to_owned(), role, created.clone()))
            .collect::<Vec<_>>()
    };
    let [before, after] =
        [&change.before, &change.after].map(|side| side.as_deref().map(written).unwrap_or_default());
    if before == after {
        return Vec::new();
    }
    let namespace = change
        .sides()
        .next()
        .and_then(|writer| writer.namespace())
        .unwrap_or_default();
    before
        .into_iter()
        .chain(after)
        .flat_map(|(name, ..)| users.referring(&Reference::Dataset(namespace.clone(), name)))
        .collect()
}

/// Those that an object began or ended to refer to.
#[must_use]
pub fn begun_or_ended<K: Refers>(change: &Change<K>) -> Vec<Reference> {
    let targets = |side: &K| side.references();
    let [before, after] =
        [&change.before, &change.after].map(|side| side.as_deref().map(targets).unwrap_or_default());
    let ended = before.iter().filter(|target| !after.contains(target));
    after
        .iter()
        .filter(|target| !before.contains(target))
        .chain(ended)
        .cloned()
        .collect()
}

fn woken<T, V, K>(
    change: &Change<T>,
    view: impl Fn(&T) -> V,
    users: &Objects<K>,
    target: impl Fn(String, String) -> Reference,
) -> Vec<ObjectKey>
where
    T: Resource<DynamicType = ()>,
    V: PartialEq,
    K: Resource<DynamicType = ()> + Clone,
{
    let [before, after] = [&change.before, &change.after].map(|side| side.as_deref().map(&view));
    let object = change.sides().next().filter(|_| before != after);
    object
        .map(|object| users.referring(&target(object.namespace().unwrap_or_default(), object.name_any())))
        .unwrap_or_default()
}

/// Those that refer to a Secret which came, went or changed.
#[must_use]
pub fn users_of_secret<K>(change: &Change<SecretMeta>, users: &Objects<K>) -> Vec<ObjectKey>
where
    K: Resource<DynamicType = ()> + Clone,
{
    woken(change, ResourceExt::resource_version, users, |namespace, name| {
        Reference::Secret(namespace, name)
    })
}
