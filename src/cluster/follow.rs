//! Follows all objects of one kind, and tells of each change.

use super::events::{Events, Malformed};
use super::guard::{Guarded, Misfit};
use super::leadership::Leadership;
use super::objects::{Change, Feed, ObjectKey, Seen, slim};
use super::places::Places;
use super::writes::{self, Target};
use crate::api::Refers;
use crate::api::names::IN_USE_FINALIZER;
use crate::metrics::{Metrics, OfKind};
use futures::{Stream, StreamExt, pin_mut, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt::Debug;
use std::future::ready;
use std::sync::Arc;

/// What following a kind needs.
#[derive(Clone)]
pub struct Follower {
    /// Lets go of objects that don't fit their schema and are being removed.
    pub client: Client,
    /// Counts what goes wrong.
    pub metrics: Metrics,
    /// Tells people of objects that don't fit their schema.
    pub events: Events,
    /// Only the leader does either.
    pub leadership: Leadership,
}

/// Told of an object that can't be read, and once that is gone.
pub type Unread = Arc<dyn Fn(&ObjectKey, Option<&Misfit>) + Send + Sync>;

/// Follows a kind until the process ends. An object that doesn't fit its schema is told of and left out; it never
/// stops the others, and a standby only remembers it, and sees to it once it leads. Of an object, what
/// `wanted` leaves is kept; one of which it leaves nothing counts as gone.
pub async fn follow<K>(
    places: Places<Guarded<K>>,
    follower: Follower,
    feed: Feed<K>,
    wanted: fn(K) -> Option<K>,
    told: impl FnMut(&Change<K>),
    unread: Unread,
) where
    K: Resource<DynamicType = ()> + Refers + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let kind = K::kind(&()).into_owned();
    let metrics = follower.metrics.clone();
    let events = places.seen(|api, which| {
        let leadership = follower.leadership.clone();
        let mut misfits = Misfits::<K>::new(follower.clone(), wanted, Arc::clone(&unread));
        let watched = watcher(api, which).default_backoff();
        let begun = stream::once(async move { leadership.begun().await });
        let steps = stream::select(watched.map(Step::Watched), begun.map(|()| Step::Begun));
        steps.filter_map(move |step| {
            ready(match step {
                Step::Watched(event) => event.map(|event| misfits.sort_out(event)).transpose(),
                Step::Begun => {
                    misfits.see_to_all();
                    None
                }
            })
        })
    });
    apply(&kind, &metrics, events, feed, told).await;
}

enum Step<E> {
    Watched(E),
    Begun,
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
    let events = places.seen(|api, which| {
        watcher(api, which).default_backoff().map(|event| {
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

/// What a watch is answered that begins at a version which the API server no longer holds: nothing is wrong then.
const EXPIRED: u16 = 410;

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
            Err(watcher::Error::WatchError(status)) if status.code == EXPIRED => {
                tracing::debug!(kind, "the watch began too long ago, and lists anew");
            }
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

/// The objects of one kind that don't fit their schema, as last seen, and which others are wanted.
struct Misfits<K> {
    follower: Follower,
    seen: HashMap<ObjectKey, ObjectMeta>,
    /// Those from before the list that is under way.
    before: HashMap<ObjectKey, ObjectMeta>,
    wanted: fn(K) -> Option<K>,
    unread: Unread,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Misfits<K> {
    fn new(follower: Follower, wanted: fn(K) -> Option<K>, unread: Unread) -> Self {
        Self {
            follower,
            seen: HashMap::new(),
            before: HashMap::new(),
            wanted,
            unread,
        }
    }

    /// The event with its object read, if it can be. An object that can't be read counts as gone, as does
    /// an unwanted one.
    fn sort_out(&mut self, event: Event<Guarded<K>>) -> Option<Seen<K>> {
        match event {
            Event::Init => {
                self.before.extend(self.seen.drain());
                Some(Seen::Event(Event::Init))
            }
            Event::InitDone => {
                self.before.drain().for_each(|(key, _)| (self.unread)(&key, None));
                Some(Seen::Event(Event::InitDone))
            }
            Event::InitApply(object) => {
                let object = self.read(object)?;
                Some(Seen::Event(Event::InitApply(object)))
            }
            Event::Apply(object) => {
                let key = ObjectKey::of(&object);
                let object = self.read(object);
                Some(object.map_or(Seen::Unreadable(key), |object| Seen::Event(Event::Apply(object))))
            }
            Event::Delete(object) => {
                let key = ObjectKey::of(&object);
                if self.seen.remove(&key).is_some() {
                    (self.unread)(&key, None);
                }
                Some(Seen::Unreadable(key))
            }
        }
    }

    fn read(&mut self, object: Guarded<K>) -> Option<K> {
        let key = ObjectKey::of(&object);
        match object.0 {
            Ok(object) => {
                self.seen.remove(&key);
                self.before.remove(&key);
                (self.wanted)(object)
            }
            Err(misfit) => {
                (self.unread)(&key, Some(&misfit));
                let Misfit {
                    metadata,
                    place,
                    error,
                } = misfit;
                let kind = K::kind(&()).into_owned();
                let known = self.before.remove(&key);
                let known = known.or_else(|| self.seen.get(&key).cloned());
                // Once for each state of it: a list that begins anew brings it again.
                if known.is_none_or(|known| known.generation != metadata.generation) {
                    tracing::warn!(kind, object = %key.to_ref::<K>(), place, error, "an object can't be read by this version, and is left out");
                }
                self.follower
                    .metrics
                    .malformed
                    .get_or_create(&OfKind { kind })
                    .inc();
                if self.follower.leadership.has_begun() {
                    self.see_to(&metadata);
                }
                self.seen.insert(key, *metadata);
                None
            }
        }
    }

    /// Those that were seen while another replica led, or before any did.
    fn see_to_all(&self) {
        self.seen.values().for_each(|metadata| self.see_to(metadata));
    }

    fn see_to(&self, metadata: &ObjectMeta) {
        let_go::<K>(&self.follower.client, metadata);
        self.follower.events.malformed::<K>(Malformed {
            metadata: metadata.clone(),
        });
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
