//! What is to be visited: one queue a kind.

use crate::api::{Connection, ConnectionType, Dataset, Enrichment, Export, KeyVault, Reference};
use crate::cluster::{Change, ObjectKey, Objects};
use crate::reconcile::Stores;
use crate::vault::vaults::Owner;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Resource;
use kube::runtime::reflector::ObjectRef;

/// The names of objects to visit.
pub(super) type Queue<K> = UnboundedReceiver<ObjectRef<K>>;

/// Puts names into one kind's queue. A queue holds each name once, so that a storm is visited once.
pub(super) struct Waker<K: Resource>(UnboundedSender<ObjectRef<K>>);

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

    pub fn wake(&self, keys: Vec<ObjectKey>) {
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

    pub fn wake_itself(&self, change: &Change<K>) {
        if let Some(object) = &change.after {
            self.wake(vec![ObjectKey::of(&**object)]);
        }
    }
}

/// The queue of each kind.
pub(super) struct Queues {
    pub connection_types: Queue<ConnectionType>,
    pub key_vaults: Queue<KeyVault>,
    pub connections: Queue<Connection>,
    pub exports: Queue<Export>,
    pub enrichments: Queue<Enrichment>,
    pub datasets: Queue<Dataset>,
    pub run_accounts: Queue<ServiceAccount>,
}

/// The other ends of the queues.
#[derive(Clone)]
pub(super) struct Wakers {
    pub connection_types: Waker<ConnectionType>,
    pub key_vaults: Waker<KeyVault>,
    pub connections: Waker<Connection>,
    pub exports: Waker<Export>,
    pub enrichments: Waker<Enrichment>,
    pub datasets: Waker<Dataset>,
    pub run_accounts: Waker<ServiceAccount>,
}

impl Wakers {
    /// Wakes the one whose secrets in a vault have changed.
    pub fn wake_owner(&self, owner: &Owner) {
        let keys = vec![ObjectKey::new(&owner.namespace, &owner.name)];
        let is = |kind: std::borrow::Cow<'static, str>| kind == owner.kind;
        if is(KeyVault::kind(&())) {
            self.key_vaults.wake(keys);
        } else if is(Connection::kind(&())) {
            self.connections.wake(keys);
        } else if is(Dataset::kind(&())) {
            self.datasets.wake(keys);
        }
    }

    /// Wakes what a run belongs to.
    pub fn wake_run(&self, run: &Reference) {
        let Reference::Run(namespace, kind, name) = run else {
            return;
        };
        let keys = vec![ObjectKey::new(namespace, name)];
        if *kind == Export::kind(&()) {
            self.exports.wake(keys);
        } else if *kind == Enrichment::kind(&()) {
            self.enrichments.wake(keys);
        }
    }

    /// Wakes every object there is, as nobody woke them before this process led.
    pub fn wake_all(&self, stores: &Stores) {
        self.connection_types.wake_all(&stores.connection_types);
        self.key_vaults.wake_all(&stores.key_vaults);
        self.connections.wake_all(&stores.connections);
        self.exports.wake_all(&stores.exports);
        self.enrichments.wake_all(&stores.enrichments);
        self.datasets.wake_all(&stores.datasets);
        self.run_accounts.wake_all(&stores.service_accounts);
    }
}

/// One queue a kind, both ends.
pub(super) fn queues() -> (Wakers, Queues) {
    let (connection_types, connection_types_queue) = Waker::new();
    let (key_vaults, key_vaults_queue) = Waker::new();
    let (connections, connections_queue) = Waker::new();
    let (exports, exports_queue) = Waker::new();
    let (enrichments, enrichments_queue) = Waker::new();
    let (datasets, datasets_queue) = Waker::new();
    let (run_accounts, run_accounts_queue) = Waker::new();
    let queues = Queues {
        connection_types: connection_types_queue,
        key_vaults: key_vaults_queue,
        connections: connections_queue,
        exports: exports_queue,
        enrichments: enrichments_queue,
        datasets: datasets_queue,
        run_accounts: run_accounts_queue,
    };
    (
        Wakers {
            connection_types,
            key_vaults,
            connections,
            exports,
            enrichments,
            datasets,
            run_accounts,
        },
        queues,
    )
}
