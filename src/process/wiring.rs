//! Which change wakes which controller: one queue a kind, one follower a kind.

use crate::api::grants::Binding;
use crate::api::{
    Connection, ConnectionType, ConsentRecord, Dataset, Enrichment, Export, Refers, SharedConnection,
};
use crate::cluster::events::Events;
use crate::cluster::follow::{Follower, follow, follow_metadata};
use crate::cluster::secrets::SecretMeta;
use crate::cluster::{Change, Feed, Leadership, ObjectKey, Objects};
use crate::reconcile::{Stores, Writes};
use crate::{connection, connection_type, dataset, enrichment, export};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, Role, RoleBinding};
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;
use tokio::task::JoinSet;

/// The names of objects to visit.
pub(super) type Queue<K> = UnboundedReceiver<ObjectRef<K>>;

/// Puts names into one kind's queue. A queue holds each name once, so that a storm is visited once.
struct Waker<K: Resource>(UnboundedSender<ObjectRef<K>>);

impl<K: Resource> Clone for Waker<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Resource<DynamicType = ()>> Waker<K> {
    fn new() -> (Self, Queue<K>) {
        let (sender, queue) = unbounded();
        (Self(sender), queue)
    }

    fn wake(&self, keys: Vec<ObjectKey>) {
        for key in keys {
            let _ = self.0.unbounded_send(key.to_ref()); // no receiver: the controllers have stopped
        }
    }

    fn wake_all(&self, objects: &Objects<K>)
    where
        K: Clone,
    {
        let all = objects.store().state();
        self.wake(all.iter().map(|object| ObjectKey::of(&**object)).collect());
    }

    fn wake_itself(&self, change: &Change<K>) {
        if let Some(object) = &change.after {
            self.wake(vec![ObjectKey::of(&**object)]);
        }
    }
}

/// The queue of each kind.
pub(super) struct Queues {
    pub connection_types: Queue<ConnectionType>,
    pub connections: Queue<Connection>,
    pub exports: Queue<Export>,
    pub enrichments: Queue<Enrichment>,
    pub datasets: Queue<Dataset>,
}

/// The writing side of each kind's objects.
#[derive(Default)]
pub(super) struct Feeds {
    connection_types: Feed<ConnectionType>,
    connections: Feed<Connection>,
    exports: Feed<Export>,
    enrichments: Feed<Enrichment>,
    datasets: Feed<Dataset>,
    consent_records: Feed<ConsentRecord>,
    shared_connections: Feed<SharedConnection>,
    roles: Feed<Role>,
    role_bindings: Feed<RoleBinding>,
    cluster_role_bindings: Feed<ClusterRoleBinding>,
    secrets: Feed<SecretMeta>,
}

impl Feeds {
    /// The reading sides.
    pub fn stores(&self) -> (Stores, Objects<SecretMeta>) {
        let stores = Stores {
            connection_types: self.connection_types.objects(),
            connections: self.connections.objects(),
            exports: self.exports.objects(),
            enrichments: self.enrichments.objects(),
            datasets: self.datasets.objects(),
            consent_records: self.consent_records.objects(),
            shared_connections: self.shared_connections.objects(),
            roles: self.roles.objects(),
            role_bindings: self.role_bindings.objects(),
            cluster_role_bindings: self.cluster_role_bindings.objects(),
        };
        (stores, self.secrets.objects())
    }
}

/// The other ends of the queues.
#[derive(Clone)]
pub(super) struct Wakers {
    connection_types: Waker<ConnectionType>,
    connections: Waker<Connection>,
    exports: Waker<Export>,
    enrichments: Waker<Enrichment>,
    datasets: Waker<Dataset>,
}

impl Wakers {
    /// Wakes every object there is, as nobody woke them before this process led.
    pub fn wake_all(&self, stores: &Stores) {
        self.connection_types.wake_all(&stores.connection_types);
        self.connections.wake_all(&stores.connections);
        self.exports.wake_all(&stores.exports);
        self.enrichments.wake_all(&stores.enrichments);
        self.datasets.wake_all(&stores.datasets);
    }
}

fn queues() -> (Wakers, Queues) {
    let (connection_types, connection_types_queue) = Waker::new();
    let (connections, connections_queue) = Waker::new();
    let (exports, exports_queue) = Waker::new();
    let (enrichments, enrichments_queue) = Waker::new();
    let (datasets, datasets_queue) = Waker::new();
    let queues = Queues {
        connection_types: connection_types_queue,
        connections: connections_queue,
        exports: exports_queue,
        enrichments: enrichments_queue,
        datasets: datasets_queue,
    };
    (
        Wakers {
            connection_types,
            connections,
            exports,
            enrichments,
            datasets,
        },
        queues,
    )
}

/// Begins to follow every kind. Each follower runs as one task of `tasks`. Changes wake nobody until this process
/// leads: a standby would only gather names.
pub(super) fn start(
    tasks: &mut JoinSet<()>,
    client: &Client,
    follower: &Follower,
    feeds: Feeds,
    stores: &Stores,
) -> (Wakers, Queues) {
    let (wakers, queues) = queues();
    let woken = || (wakers.clone(), stores.clone());
    let mut follow_all = FollowAll {
        tasks,
        client,
        follower,
    };
    follow_all.begin(feeds.connection_types, on_type(woken()));
    follow_all.begin(feeds.connections, on_connection(woken()));
    follow_all.begin(feeds.exports, on_export(woken()));
    follow_all.begin(feeds.enrichments, on_enrichment(woken()));
    follow_all.begin(feeds.datasets, on_dataset(woken()));
    follow_all.begin(feeds.consent_records, on_consent_record(woken()));
    follow_all.begin(feeds.shared_connections, on_kept(woken()));
    follow_all.begin_named(feeds.roles, on_kept(woken()));
    follow_all.begin_named(
        feeds.role_bindings,
        on_role_binding(woken(), follower.events.clone()),
    );
    follow_all.begin_named(
        feeds.cluster_role_bindings,
        on_cluster_role_binding(woken(), follower.events.clone()),
    );
    let secrets = Api::<PartialObjectMeta<Secret>>::all(client.clone());
    tasks.spawn(follow_metadata(
        secrets,
        follower.metrics.clone(),
        feeds.secrets,
        once_leading(follower.leadership.clone(), on_secret(woken())),
    ));
    (wakers, queues)
}

struct FollowAll<'a> {
    tasks: &'a mut JoinSet<()>,
    client: &'a Client,
    follower: &'a Follower,
}

impl FollowAll<'_> {
    fn begin<K>(&mut self, feed: Feed<K>, told: impl FnMut(&Change<K>) + Send + 'static)
    where
        K: Resource<DynamicType = ()> + Refers + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        self.begin_wanted(feed, |_| true, told);
    }

    /// Keeps only those in memory that name something of ours: of Kubernetes' own kinds that are few.
    fn begin_named<K>(&mut self, feed: Feed<K>, told: impl FnMut(&Change<K>) + Send + 'static)
    where
        K: Resource<DynamicType = ()> + Refers + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        self.begin_wanted(feed, |object| !object.references().is_empty(), told);
    }

    fn begin_wanted<K>(
        &mut self,
        feed: Feed<K>,
        wanted: fn(&K) -> bool,
        told: impl FnMut(&Change<K>) + Send + 'static,
    ) where
        K: Resource<DynamicType = ()> + Refers + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let api = Api::all(self.client.clone());
        let told = once_leading(self.follower.leadership.clone(), told);
        self.tasks
            .spawn(follow(api, self.follower.clone(), feed, wanted, told));
    }
}

/// Passes changes on from when this process leads. What it missed by then is in the stores, and woken from there.
fn once_leading<K>(leadership: Leadership, mut told: impl FnMut(&Change<K>)) -> impl FnMut(&Change<K>) {
    move |change| {
        if leadership.has_begun() {
            told(change);
        }
    }
}

type Woken = (Wakers, Stores);

fn on_type((wakers, stores): Woken) -> impl FnMut(&Change<ConnectionType>) {
    move |change| {
        wakers.connection_types.wake_itself(change);
        wakers
            .connections
            .wake(connection::watch::woken_by_type(change, &stores.connections));
        wakers.exports.wake(export::watch::woken_by_type(
            change,
            &stores.connections,
            &stores.exports,
        ));
        wakers.enrichments.wake(enrichment::watch::woken_by_type(
            change,
            &stores.connections,
            &stores.enrichments,
        ));
    }
}

fn on_connection((wakers, stores): Woken) -> impl FnMut(&Change<Connection>) {
    move |change| {
        wakers.connections.wake_itself(change);
        wakers
            .connections
            .wake(connection::watch::woken_by_namesake(change, &stores.connections));
        wakers
            .connection_types
            .wake(connection_type::watch::woken_by_connection(change));
        wakers
            .exports
            .wake(export::watch::woken_by_connection(change, &stores.exports));
        wakers.enrichments.wake(enrichment::watch::woken_by_connection(
            change,
            &stores.enrichments,
        ));
    }
}

fn on_export((wakers, stores): Woken) -> impl FnMut(&Change<Export>) {
    move |change| {
        wakers.exports.wake_itself(change);
        on_user(&wakers, &stores, change);
    }
}

fn on_enrichment((wakers, stores): Woken) -> impl FnMut(&Change<Enrichment>) {
    move |change| {
        wakers.enrichments.wake_itself(change);
        on_user(&wakers, &stores, change);
    }
}

/// What exports and enrichments have in common: they use connections and datasets, and write to some.
fn on_user<K: Writes + Refers>(wakers: &Wakers, stores: &Stores, change: &Change<K>) {
    wakers.connections.wake(connection::watch::woken_by_user(change));
    wakers.datasets.wake(dataset::watch::woken_by_user(change));
    wakers
        .exports
        .wake(export::watch::woken_by_writer(change, &stores.exports));
    wakers
        .enrichments
        .wake(enrichment::watch::woken_by_writer(change, &stores.enrichments));
}

fn on_dataset((wakers, stores): Woken) -> impl FnMut(&Change<Dataset>) {
    move |change| {
        wakers.datasets.wake_itself(change);
        wakers
            .exports
            .wake(export::watch::woken_by_dataset(change, &stores.exports));
        wakers
            .enrichments
            .wake(enrichment::watch::woken_by_dataset(change, &stores.enrichments));
    }
}

fn on_consent_record((wakers, _): Woken) -> impl FnMut(&Change<ConsentRecord>) {
    move |change| {
        wakers
            .connections
            .wake(connection::watch::woken_by_record(change));
    }
}

/// What the operator keeps for a connection.
fn on_kept<K: Resource<DynamicType = ()> + Refers>((wakers, _): Woken) -> impl FnMut(&Change<K>) {
    move |change| wakers.connections.wake(connection::watch::woken_by_kept(change))
}

fn on_role_binding(woken: Woken, events: Events) -> impl FnMut(&Change<RoleBinding>) {
    move |change| {
        woken.0.connections.wake(connection::watch::woken_by_kept(change));
        on_contributors(&woken, &events, change);
    }
}

fn on_cluster_role_binding(woken: Woken, events: Events) -> impl FnMut(&Change<ClusterRoleBinding>) {
    move |change| on_contributors(&woken, &events, change)
}

/// Tells of the bindings that there were before this process led.
pub(super) fn tell_of_contributors(stores: &Stores, events: &Events) {
    tell_of_all(&stores.role_bindings, events);
    tell_of_all(&stores.cluster_role_bindings, events);
}

fn tell_of_all<B: Binding + Clone>(bindings: &Objects<B>, events: &Events) {
    for binding in bindings.store().state() {
        let change = Change {
            before: None,
            after: Some(Arc::clone(&binding)),
        };
        if let Some(notice) = connection::watch::told_of_contributors(&change) {
            events.tell(&*binding, notice);
        }
    }
}

fn on_contributors<B: Binding>((wakers, stores): &Woken, events: &Events, change: &Change<B>) {
    wakers.connections.wake(connection::watch::woken_by_contributors(
        change,
        &stores.connections,
    ));
    if let (Some(binding), Some(notice)) = (&change.after, connection::watch::told_of_contributors(change)) {
        events.tell(&**binding, notice);
    }
}

fn on_secret((wakers, stores): Woken) -> impl FnMut(&Change<SecretMeta>) {
    move |change| {
        wakers
            .connections
            .wake(connection::watch::woken_by_secret(change, &stores.connections));
        wakers
            .datasets
            .wake(dataset::watch::woken_by_secret(change, &stores.datasets));
    }
}
