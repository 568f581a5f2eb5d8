//! Follows all objects of one kind, and tells of each change.

use super::events::{Events, Malformed};
use super::guard::{Guarded, Misfit};
use super::objects::{Change, Feed, ObjectKey, Seen, slim};
use super::places::Places;
use super::writes::{self, Target};
use crate::api::Refers;
use crate::api::names::IN_USE_FINALIZER;
use crate::metrics::{Metrics, OfKind};
use futures::{Stream, StreamExt, pin_mut};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// What following a kind needs.
#[derive(Clone)]
pub struct Follower {
    /// Lets go of objects that don't fit their schema and are being removed.
    pub client: Client,
    /// Counts what goes wrong.
    pub metrics: Metrics,
    /// Tells people of objects that don't fit their schema.
    pub events: Events,
}

/// Follows a kind until the process ends. An object that doesn't fit its schema is told of and left out; it never
/// stops the others. An object that isn't `wanted` counts as gone.
pub async fn follow<K>(
    places: Places<Guarded<K>>,
    follower: Follower,
    feed: Feed<K>,
    wanted: fn(&K) -> bool,
    told: impl FnMut(&Change<K>),
) where
    K: Resource<DynamicType = ()> + Refers + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let kind = K::kind(&()).into_owned();
    let metrics = follower.metrics.clone();
    let events = places.seen(|api| {
        let follower = follower.clone();
        watcher(api, watcher::Config::default())
            .default_backoff()
            .filter_map(move |event| {
                let event = event.map(|event| seen(event, &follower, wanted));
                async move { event.transpose() }
            })
    });
    apply(&kind, &metrics, events, feed, told).await;
}

/// Follows only the metadata of a kind.
pub async fn follow_metadata<K>(
    places: Places<PartialObjectMeta<K>>,
    metrics: Metrics,
    feed: Feed<PartialObjectMeta<K>>,
    told: impl FnMut(&Change<PartialObjectMeta<K>>),
) where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
    PartialObjectMeta<K>: Refers,
{
    let kind = K::kind(&()).into_owned();
    let events = places.seen(|api| {
        watcher(api, watcher::Config::default())
            .default_backoff()
            .map(|event| {
                event.map(|event| {
                    Seen::Event(event.modify(|object| {
                        slim(object);
                        object.metadata.annotations = None;
                        object.metadata.labels = None;
                        object.metadata.owner_references = None;
                    }))
                })
            })
    });
    apply(&kind, &metrics, events, feed, told).await;
}

async fn apply<K>(
    kind: &str,
    metrics: &Metrics,
    events: impl Stream<Item = Result<Seen<K>, watcher::Error>>,
    mut feed: Feed<K>,
    mut told: impl FnMut(&Change<K>),
) where
    K: Resource<DynamicType = ()> + Refers + Clone + Debug + 'static,
{
    pin_mut!(events);
    while let Some(event) = events.next().await {
        match event {
            Ok(seen) => feed.apply(&seen).iter().for_each(&mut told),
            Err(error) => {
                metrics
                    .watch_errors
                    .get_or_create(&OfKind {
                        kind: kind.to_owned(),
                    })
                    .inc();
                tracing::warn!(kind, error = %error, "the watch broke and is begun again");
            }
        }
    }
}

/// The event with its object read, if it can be. An object that can't be read counts as gone, as does an unwanted one.
fn seen<K>(event: Event<Guarded<K>>, follower: &Follower, wanted: fn(&K) -> bool) -> Option<Seen<K>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let read = |Guarded(object): Guarded<K>| match object {
        Ok(object) => Some(object).filter(wanted),
        Err(Misfit { metadata, error }) => {
            let kind = K::kind(&()).into_owned();
            tracing::debug!(kind, error, "an object doesn't fit its schema");
            follower.metrics.malformed.get_or_create(&OfKind { kind }).inc();
            let metadata = *metadata;
            let_go::<K>(&follower.client, &metadata);
            follower.events.malformed::<K>(Malformed { metadata });
            None
        }
    };
    match event {
        Event::Init => Some(Seen::Event(Event::Init)),
        Event::InitDone => Some(Seen::Event(Event::InitDone)),
        Event::InitApply(object) => read(object).map(|object| Seen::Event(Event::InitApply(object))),
        Event::Apply(object) => {
            let key = ObjectKey::of(&object);
            Some(read(object).map_or(Seen::Unreadable(key), |object| Seen::Event(Event::Apply(object))))
        }
        Event::Delete(object) => Some(Seen::Unreadable(ObjectKey::of(&object))),
    }
}

/// Takes our finalizer off an object that can't be read and is being removed. It can't be used either: those who name
/// it have heard that it isn't there. So holding it protects nothing, and no controller would ever let it go.
fn let_go<K: Resource<DynamicType = ()> + 'static>(client: &Client, metadata: &ObjectMeta) {
    let finalizers = metadata.finalizers.clone().unwrap_or_default();
    let held = finalizers.iter().any(|finalizer| finalizer == IN_USE_FINALIZER);
    if metadata.deletion_timestamp.is_none() || !held {
        return;
    }
    let target = Target {
        namespace: metadata.namespace.clone(),
        name: metadata.name.clone().unwrap_or_default(),
        version: metadata.resource_version.clone().unwrap_or_default(),
    };
    let client = client.clone();
    tokio::spawn(async move {
        // After a fault its next change, or the next list, brings it here again.
        if let Err(error) = writes::release::<K>(&client, &target, &finalizers).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(kind = %K::kind(&()), name = target.name, error, "an object that doesn't fit its schema wasn't let go");
        }
    });
}
