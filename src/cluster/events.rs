//! Events for people, under a budget: a storm of them never slows anything else down.

use super::writes::lacks_namespace;
use crate::metrics::Metrics;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::api::names::EVENT_REPORTER;

/// Events that wait for their turn; more than these are dropped and counted.
const WAITING_MAX: usize = 1000;
/// What events are about, in events.k8s.io's word for what the reporter did.
const ACTION: &str = "Reconcile";

/// One thing to tell about one object.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Whether it's bad news.
    pub warning: bool,
    /// What happened, in one word.
    pub reason: String,
    /// What happened, in a sentence that anyone in the namespace may read.
    pub note: String,
}

/// The metadata of an object that doesn't fit its schema.
#[derive(Clone, Debug)]
pub struct Malformed {
    /// As far as it could be read.
    pub metadata: ObjectMeta,
}

/// Takes events without waiting. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    sender: mpsc::Sender<(Notice, ObjectReference)>,
    metrics: Metrics,
}

impl Events {
    /// The taking side, and the task that publishes what was taken until all takers are gone.
    pub fn new(client: Client, metrics: Metrics, per_second: u32) -> (Self, impl Future<Output = ()>) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let events = Self {
            sender,
            metrics: metrics.clone(),
        };
        (events, publish(client, metrics, per_second, receiver))
    }

    /// Tells about an object, if there is room.
    pub fn tell<K: Resource<DynamicType = ()>>(&self, object: &K, notice: Notice) {
        self.send(notice, object.object_ref(&()));
    }

    /// Tells that an object doesn't fit its schema.
    pub fn malformed<K: Resource<DynamicType = ()>>(&self, Malformed { metadata }: Malformed) {
        let reference = ObjectReference {
            api_version: Some(K::api_version(&()).into_owned()),
            kind: Some(K::kind(&()).into_owned()),
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            ..ObjectReference::default()
        };
        let note = "It doesn't fit its schema, so the operator leaves it out. Apply it again to see what the API server refuses.";
        self.send(
            Notice {
                warning: true,
                reason: "SchemaMismatch".to_owned(),
                note: note.to_owned(),
            },
            reference,
        );
    }

    fn send(&self, notice: Notice, reference: ObjectReference) {
        let kind = reference.kind.clone().unwrap_or_default();
        if self.sender.try_send((notice, reference)).is_err() {
            self.metrics.event(&kind, "dropped");
        }
    }
}

async fn publish(
    client: Client,
    metrics: Metrics,
    per_second: u32,
    mut notices: mpsc::Receiver<(Notice, ObjectReference)>,
) {
    let recorder = Recorder::new(client, Reporter::from(EVENT_REPORTER));
    let pause = Duration::from_secs(1) / per_second.max(1);
    let mut turns = interval_at(Instant::now(), pause);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while let Some((notice, reference)) = notices.recv().await {
        turns.tick().await;
        let kind = reference.kind.clone().unwrap_or_default();
        let event = Event {
            type_: if notice.warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: notice.reason,
            note: Some(notice.note),
            action: ACTION.to_owned(),
            secondary: None,
        };
        match recorder.publish(&event, &reference).await {
            Ok(()) => metrics.event(&kind, "published"),
            // Nobody is left to read it.
            Err(error) if lacks_namespace(&error) => metrics.event(&kind, "gone"),
            Err(error) => {
                metrics.event(&kind, "failed");
                tracing::debug!(kind, error = %error, "an event wasn't taken");
            }
        }
    }
}
