//! Which change of which object wakes which connections.

use crate::api::grants::Binding;
use crate::api::{Connection, ConnectionType, ConsentRecord, KeyVault, Reference, Refers};
use crate::cluster::events::Notice;
use crate::cluster::secrets::SecretMeta;
use crate::cluster::{Change, ObjectKey, Objects};
use crate::governance::sharing::{refusal, refused};
use crate::reconcile::wakes;
use k8s_openapi::api::rbac::v1::Subject;
use kube::{Resource, ResourceExt};

#[cfg(test)]
mod tests;

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

/// A key vault that came, went or changed in what its users see wakes the connections that refer to it.
#[must_use]
pub fn woken_by_vault(change: &Change<KeyVault>, connections: &Objects<Connection>) -> Vec<ObjectKey> {
    wakes::users_of_vault(change, connections)
}

/// A decision on record that came or went wakes what it's about.
#[must_use]
pub fn woken_by_record(change: &Change<ConsentRecord>) -> Vec<ObjectKey> {
    wakes::subjects::<Connection>(change)
}

/// An export or enrichment that begins or ends to use a connection wakes it.
#[must_use]
pub fn woken_by_user<K: Refers>(change: &Change<K>) -> Vec<ObjectKey> {
    connections_among(wakes::begun_or_ended(change))
}

/// A connection that came to be shared, ceases to be, or is called differently wakes those of the same display name.
#[must_use]
pub fn woken_by_namesake(change: &Change<Connection>, connections: &Objects<Connection>) -> Vec<ObjectKey> {
    let view = |connection: &Connection| {
        wakes::is_seen(connection).then(|| {
            let namespace = connection.namespace().unwrap_or_default();
            Reference::DisplayName(namespace, connection.spec.display_name.clone())
        })
    };
    let [before, after] = [&change.before, &change.after].map(|side| side.as_deref().and_then(view));
    if before == after {
        return Vec::new();
    }
    let names = before.iter().chain(&after);
    names.flat_map(|name| connections.referring(name)).collect()
}

/// An object that the operator keeps for a connection wakes it.
#[must_use]
pub fn woken_by_kept<K: Resource<DynamicType = ()> + Refers>(change: &Change<K>) -> Vec<ObjectKey> {
    let object = change.sides().next();
    connections_among(object.map(|object| object.references()).unwrap_or_default())
}

fn connections_among(targets: Vec<Reference>) -> Vec<ObjectKey> {
    let connections = targets.into_iter().filter_map(|target| match target {
        Reference::Connection(namespace, name) => Some(ObjectKey::new(&namespace, &name)),
        _ => None,
    });
    connections.collect()
}

/// A binding that makes contributors of others than before wakes the connections of its namespace, or all.
#[must_use]
pub fn woken_by_contributors<B: Binding>(
    change: &Change<B>,
    connections: &Objects<Connection>,
) -> Vec<ObjectKey> {
    let [before, after] = contributors(change);
    if before == after {
        return Vec::new();
    }
    match change.sides().next().and_then(|binding| binding.namespace()) {
        Some(namespace) => connections.referring(&Reference::Namespace(namespace)),
        None => connections.keys(),
    }
}

/// What to tell of a binding that begins to make contributors of subjects which it may not.
#[must_use]
pub fn told_of_contributors<B: Binding>(change: &Change<B>) -> Option<Notice> {
    let [before, after] = contributors(change);
    let news = |subject: &&Subject| refused(subject) && !before.is_some_and(|old| old.contains(subject));
    after?.iter().find(news)?;
    let note = refusal(after?)?;
    Some(Notice {
        warning: true,
        reason: "ContributorRefused".to_owned(),
        note,
    })
}

fn contributors<B: Binding>(change: &Change<B>) -> [Option<&[Subject]>; 2] {
    [&change.before, &change.after].map(|side| {
        let binding = side.as_deref().filter(|binding| binding.makes_contributors());
        binding.map(Binding::subjects)
    })
}
