//! Which change wakes which controller: one follower a kind.

use super::queues::{Queues, Wakers, queues};
use crate::api::grants::Binding;
use crate::api::{
    Connection, ConnectionType, ConsentRecord, Dataset, Enrichment, Export, KeyVault, Reference, Refers,
    SharedConnection,
};
use crate::cluster::events::Events;
use crate::cluster::follow::{Follower, Unread, follow, follow_metadata};
use crate::cluster::guard::Guarded;
use crate::cluster::secrets::SecretMeta;
use crate::cluster::{Change, Feed, Leadership, Objects, Places};
use crate::governance::connection_types::CompiledTypes;
use crate::reconcile::{Stores, Writes};
use crate::{connection, connection_type, dataset, enrichment, export, key_vault};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, Role, RoleBinding};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use tokio::task::JoinSet;

/// The writing side of each kind's objects.
pub(super) struct Feeds {
    connection_types: Feed<ConnectionType>,
    key_vaults: Feed<KeyVault>,
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
    /// Of these namespaces, or of all if there are none.
    pub fn of(namespaces: &BTreeSet<String>) -> Self {
        Self {
            connection_types: Feed::default(),
            key_vaults: Feed::of(namespaces),
            connections: Feed::of(namespaces),
            exports: Feed::of(namespaces),
            enrichments: Feed::of(namespaces),
            datasets: Feed::of(namespaces),
            consent_records: Feed::of(namespaces),
            shared_connections: Feed::of(namespaces),
            roles: Feed::of(namespaces),
            role_bindings: Feed::of(namespaces),
            cluster_role_bindings: Feed::default(),
            secrets: Feed::of(namespaces),
        }
    }

    /// The reading sides.
    pub fn stores(&self) -> (Stores, Objects<SecretMeta>) {
        let stores = Stores {
            connection_types: self.connection_types.objects(),
            key_vaults: self.key_vaults.objects(),
            connections: self.connections.objects(),
            exports: self.exports.objects(),
            enrichments: self.enrichments.objects(),
            datasets: self.datasets.objects(),
            consent_records: self.consent_records.objects(),
            shared_connections: self.shared_connections.objects(),
            roles: self.roles.objects(),
            role_bindings: self.role_bindings.objects(),
            cluster_role_bindings: self.cluster_role_bindings.objects(),
            types: Arc::default(),
        };
        (stores, self.secrets.objects())
    }
}

/// Begins to follow every kind in these namespaces, or in all. Each follower runs as one task of `tasks`. Changes wake
/// nobody until this process leads: a standby would only gather names.
pub(super) fn start(
    tasks: &mut JoinSet<()>,
    namespaces: &BTreeSet<String>,
    follower: &Follower,
    feeds: Feeds,
    stores: &Stores,
) -> (Wakers, Queues) {
    let (wakers, queues) = queues();
    let woken = || (wakers.clone(), stores.clone());
    let mut follow_all = FollowAll {
        tasks,
        namespaces,
        follower,
    };
    follow_all.begin_told(
        Places::everywhere(&follower.client),
        feeds.connection_types,
        |_| true,
        knowing(
            Arc::clone(&stores.types),
            once_leading(follower.leadership.clone(), on_type(woken())),
        ),
        on_unreadable_type(follower.leadership.clone(), woken()),
    );
    follow_all.begin(feeds.key_vaults, on_key_vault(woken()));
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
    follow_all.begin_in(
        Places::everywhere(&follower.client),
        feeds.cluster_role_bindings,
        names_ours,
        on_cluster_role_binding(woken(), follower.events.clone()),
    );
    tasks.spawn(follow_metadata(
        Places::of(&follower.client, namespaces),
        follower.metrics.clone(),
        feeds.secrets,
        once_leading(follower.leadership.clone(), on_secret(woken())),
    ));
    (wakers, queues)
}

/// What can be followed.
trait Followed:
    Resource<DynamicType = ()> + Refers + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
}

impl<K> Followed for K where
    K: Resource<DynamicType = ()> + Refers + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
}

struct FollowAll<'a> {
    tasks: &'a mut JoinSet<()>,
    namespaces: &'a BTreeSet<String>,
    follower: &'a Follower,
}

impl FollowAll<'_> {
    fn begin<K>(&mut self, feed: Feed<K>, told: impl FnMut(&Change<K>) + Send + 'static)
    where
        K: Followed + Resource<Scope = NamespaceResourceScope>,
    {
        let places = Places::of(&self.follower.client, self.namespaces);
        self.begin_in(places, feed, |_| true, told);
    }

    /// Keeps only those in memory that name something of ours: of Kubernetes' own kinds that are few.
    fn begin_named<K>(&mut self, feed: Feed<K>, told: impl FnMut(&Change<K>) + Send + 'static)
    where
        K: Followed + Resource<Scope = NamespaceResourceScope>,
    {
        let places = Places::of(&self.follower.client, self.namespaces);
        self.begin_in(places, feed, names_ours, told);
    }

    fn begin_in<K>(
        &mut self,
        places: Places<Guarded<K>>,
        feed: Feed<K>,
        wanted: fn(&K) -> bool,
        told: impl FnMut(&Change<K>) + Send + 'static,
    ) where
        K: Followed,
    {
        let told = once_leading(self.follower.leadership.clone(), told);
        self.begin_told(places, feed, wanted, told, Arc::new(|_, _| {}));
    }

    fn begin_told<K: Followed>(
        &mut self,
        places: Places<Guarded<K>>,
        feed: Feed<K>,
        wanted: fn(&K) -> bool,
        told: impl FnMut(&Change<K>) + Send + 'static,
        unread: Unread,
    ) {
        self.tasks
            .spawn(follow(places, self.follower.clone(), feed, wanted, told, unread));
    }
}

fn names_ours<K: Refers>(object: &K) -> bool {
    !object.references().is_empty()
}

/// Passes changes on from when this process leads. What it missed by then is in the stores, and woken from there.
fn once_leading<K>(leadership: Leadership, mut told: impl FnMut(&Change<K>)) -> impl FnMut(&Change<K>) {
    move |change| {
        if leadership.has_begun() {
            told(change);
        }
    }
}

/// Makes each type ready as it comes, also in a replica that doesn't lead yet: so it knows what the type said before,
/// should an edit make it contradict itself. Of one that goes, nothing stays.
fn knowing(
    types: Arc<CompiledTypes>,
    mut told: impl FnMut(&Change<ConnectionType>),
) -> impl FnMut(&Change<ConnectionType>) {
    move |change| {
        match (&change.after, &change.before) {
            (Some(here), _) => types.arrived(here),
            (None, Some(gone)) => types.forget(&gone.name_any()),
            (None, None) => {}
        }
        told(change);
    }
}

/// What is of a type that can't be read goes on by what that said before, if anybody knows, and is told why.
fn on_unreadable_type(leadership: Leadership, (wakers, stores): Woken) -> Unread {
    Arc::new(move |key, misfit| {
        match misfit {
            Some(misfit) => {
                stores
                    .types
                    .cannot_read(&key.name, misfit.metadata.uid.as_deref(), &misfit.place);
            }
            None => stores.types.gone(&key.name),
        }
        if leadership.has_begun() {
            let connections = stores
                .connections
                .referring(&Reference::ConnectionType(key.name.clone()));
            for connection in &connections {
                let users = Reference::Connection(connection.namespace.clone(), connection.name.clone());
                wakers.exports.wake(stores.exports.referring(&users));
                wakers.enrichments.wake(stores.enrichments.referring(&users));
            }
            wakers.connections.wake(connections);
        }
    })
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

fn on_key_vault((wakers, stores): Woken) -> impl FnMut(&Change<KeyVault>) {
    move |change| {
        wakers.key_vaults.wake_itself(change);
        wakers
            .connections
            .wake(connection::watch::woken_by_vault(change, &stores.connections));
        wakers
            .datasets
            .wake(dataset::watch::woken_by_vault(change, &stores.datasets));
    }
}

fn on_connection((wakers, stores): Woken) -> impl FnMut(&Change<Connection>) {
    move |change| {
        wakers.connections.wake_itself(change);
        wakers.key_vaults.wake(key_vault::watch::woken_by_user(change));
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
        wakers
            .exports
            .wake(export::watch::woken_by_export(change, &stores));
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
        wakers.key_vaults.wake(key_vault::watch::woken_by_user(change));
        wakers
            .exports
            .wake(export::watch::woken_by_dataset(change, &stores));
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
        wakers.key_vaults.wake(key_vault::watch::woken_by_record(change));
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
            after: Some(binding),
        };
        tell_of(&change, events);
    }
}

fn tell_of<B: Binding>(change: &Change<B>, events: &Events) {
    if let (Some(binding), Some(notice)) = (&change.after, connection::watch::told_of_contributors(change)) {
        events.tell(&**binding, notice);
    }
}

fn on_contributors<B: Binding>((wakers, stores): &Woken, events: &Events, change: &Change<B>) {
    wakers.connections.wake(connection::watch::woken_by_contributors(
        change,
        &stores.connections,
    ));
    tell_of(change, events);
}

fn on_secret((wakers, stores): Woken) -> impl FnMut(&Change<SecretMeta>) {
    move |change| {
        wakers
            .connections
            .wake(connection::watch::woken_by_secret(change, &stores.connections));
        wakers
            .datasets
            .wake(dataset::watch::woken_by_secret(change, &stores.datasets));
        wakers
            .key_vaults
            .wake(key_vault::watch::woken_by_secret(change, &stores.key_vaults));
    }
}
