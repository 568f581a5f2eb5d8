//! What an export or enrichment hands to its service, gathered from the stores: by index, never by scan.

use super::Stores;
use crate::api::connection_type::LimitScope;
use crate::api::export::PayloadItem;
use crate::api::reference::ConnectionRef;
use crate::api::{Enrichment, Export, Reference, Refers};
use crate::cluster::{Change, ObjectKey};
use crate::governance::connection_types::TypeSeen;
use crate::governance::terms::{self, Age, Item, Load, Twin};
use kube::{Resource, ResourceExt};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// What an export hands over.
#[must_use]
pub fn of_export<'a>(export: &'a Export, stores: &Stores) -> Load<'a> {
    let namespace = export.namespace().unwrap_or_default();
    let items = export.spec.payload.iter().map(|item| Item {
        twins: twins(export, item, stores),
        ..Item::of_payload(item, stores.datasets.get(&namespace, item.dataset.as_str()))
    });
    Load {
        items: items.collect(),
        age: age(export),
        others: others(export, &namespace, stores),
    }
}

/// What an enrichment hands over.
#[must_use]
pub fn of_enrichment<'a>(enrichment: &'a Enrichment, stores: &Stores) -> Load<'a> {
    let namespace = enrichment.namespace().unwrap_or_default();
    let input = &enrichment.spec.input;
    let dataset = stores.datasets.get(&namespace, input.dataset.as_str());
    Load {
        items: vec![Item::of_input(input, dataset)],
        age: age(enrichment),
        others: Vec::new(),
    }
}

fn age<K: Resource>(object: &K) -> Age {
    let created = object.meta().creation_timestamp.as_ref();
    let created = created.map_or(i64::MAX, |time| time.0.as_second());
    (created, object.name_any())
}

/// The other exports that send the same dataset over the same connection.
fn twins(export: &Export, item: &PayloadItem, stores: &Stores) -> Vec<Twin> {
    let connection = export.spec.connection_ref.as_ref();
    let segment = connection.and_then(|connection| export.segment(connection, item));
    let Some(segment) = segment else {
        return Vec::new();
    };
    let found = stores.exports.referring(&segment).into_iter();
    found
        .filter(|key| key.name != export.name_any())
        .filter_map(|key| stores.exports.get(&key.namespace, &key.name))
        .filter_map(|other| Twin::of(item, &other, age(&*other)))
        .collect()
}

/// How much the other exports on the same connection send, if its type limits them together.
fn others(export: &Export, namespace: &str, stores: &Stores) -> Vec<(Age, i64)> {
    let connection = export.spec.connection_ref.as_ref();
    let Some(ConnectionRef { name }) =
        connection.filter(|connection| limited(namespace, connection.name.as_str(), stores))
    else {
        return Vec::new();
    };
    let target = Reference::Connection(namespace.to_owned(), name.to_string());
    let found = stores.exports.referring(&target).into_iter();
    found
        .filter(|key| key.name != export.name_any())
        .filter_map(|key| stores.exports.get(&key.namespace, &key.name))
        .map(|other| (age(&*other), members(&other, namespace, stores)))
        .collect()
}

fn members(export: &Export, namespace: &str, stores: &Stores) -> i64 {
    let payload = export.spec.payload.iter();
    let datasets: Vec<_> = payload
        .filter_map(|item| {
            let dataset = stores.datasets.get(namespace, item.dataset.as_str())?;
            Some((dataset, item.where_.is_some()))
        })
        .collect();
    terms::sent(datasets.iter().map(|(dataset, filtered)| (&**dataset, *filtered)))
}

/// Whether the type of the connection limits all that goes over it together: the type that the exports are judged by,
/// which is what it said before if an edit made it contradict itself.
fn limited(namespace: &str, connection: &str, stores: &Stores) -> bool {
    let connection = stores.connections.get(namespace, connection);
    let type_ = connection.map(|connection| stores.type_seen(connection.spec.type_.as_str()));
    let type_ = type_.as_ref().and_then(TypeSeen::usable);
    let limits = type_.and_then(|type_| type_.spec.limits.as_ref());
    limits.is_some_and(|limits| limits.max_members_per == Some(LimitScope::Destination))
}

/// The exports that hear of a change of another one, as both send the same, or share what their service takes.
#[must_use]
pub fn rivals_of_export(change: &Change<Export>, stores: &Stores) -> Vec<ObjectKey> {
    let view = |export: &Export| {
        let segments = export.references().into_iter();
        let segments: Vec<Reference> = segments
            .filter(|reference| matches!(reference, Reference::Segment(..)))
            .collect();
        let rows = export.spec.payload.iter().map(|item| item.where_.clone());
        let rows: Vec<Option<String>> = rows.collect();
        (segments, rows, export.spec.parameters.clone(), age(export))
    };
    let [before, after] = [&change.before, &change.after].map(|side| side.as_deref().map(view));
    if before == after {
        return Vec::new();
    }
    let segments = before.iter().chain(&after).flat_map(|(segments, ..)| segments);
    let same = segments.flat_map(|segment| stores.exports.referring(segment));
    let limited = limited_with(change.sides().map(|export| &**export), stores);
    same.chain(limited).collect()
}

/// The exports, and those that share what their service takes with one of them.
#[must_use]
pub fn with_limited(exports: Vec<ObjectKey>, stores: &Stores) -> Vec<ObjectKey> {
    let named = exports
        .iter()
        .filter_map(|key| stores.exports.get(&key.namespace, &key.name));
    let named: Vec<_> = named.collect();
    let limited = limited_with(named.iter().map(|export| &**export), stores);
    exports.into_iter().chain(limited).collect()
}

/// All exports on the connections of these whose types limit what goes over each together.
fn limited_with<'a>(exports: impl Iterator<Item = &'a Export>, stores: &Stores) -> Vec<ObjectKey> {
    let connections = exports.filter_map(|export| {
        let connection = export.spec.connection_ref.as_ref()?;
        Some(Reference::Connection(
            export.namespace()?,
            connection.name.to_string(),
        ))
    });
    let connections: BTreeSet<Reference> = connections.collect();
    let limited = connections.iter().filter(|connection| match connection {
        Reference::Connection(namespace, name) => limited(namespace, name, stores),
        _ => false,
    });
    limited
        .flat_map(|connection| stores.exports.referring(connection))
        .collect()
}
