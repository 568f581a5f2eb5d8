//! Which change wakes which controller: one follower a kind.

use super::queues::{Queues, Wakers, queues};
use crate::api::names::{RUN_ACCOUNT, RUN_LABEL};
use crate::api::{
    Connection, ConnectionType, ConsentRecord, Dataset, Enrichment, Export, KeyVault, Refers,
    SharedConnection,
};
use crate::cluster::follow::{Follower, Unread, follow, follow_metadata};
use crate::cluster::guard::Guarded;
use crate::cluster::secrets::SecretMeta;
use crate::cluster::{Change, Feed, Leadership, Objects, Places};
use crate::reconcile::{Links, Stores};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Pod, PodStatus, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, Role, RoleBinding};
use kube::Resource;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use tokio::task::JoinSet;

mod told;

pub(super) use told::tell_of_contributors;
use told::{
    knowing, on_cluster_role_binding, on_connection, on_consent_record, on_dataset, on_enrichment, on_export,
    on_kept, on_key_vault, on_role, on_role_binding, on_run, on_secret, on_service_account, on_type,
    on_unreadable_type,
};

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
    service_accounts: Feed<ServiceAccount>,
    cron_jobs: Feed<CronJob>,
    jobs: Feed<Job>,
    pods: Feed<Pod>,
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
            service_accounts: Feed::of(namespaces),
            cron_jobs: Feed::of(namespaces),
            jobs: Feed::of(namespaces),
            pods: Feed::of(namespaces),
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
            service_accounts: self.service_accounts.objects(),
            cron_jobs: self.cron_jobs.objects(),
            jobs: self.jobs.objects(),
            pods: self.pods.objects(),
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
    (stores, links): (&Stores, &Links),
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
        Some,
        knowing(
            Arc::clone(&stores.types),
            once_leading(follower.leadership.clone(), on_type(woken())),
        ),
        on_unreadable_type(follower.leadership.clone(), woken()),
    );
    follow_all.begin(feeds.key_vaults, on_key_vault(woken(), links.clone()));
    follow_all.begin(feeds.connections, on_connection(woken(), links.clone()));
    follow_all.begin(feeds.exports, on_export(woken(), follower.metrics.clone()));
    follow_all.begin(
        feeds.enrichments,
        on_enrichment(woken(), follower.metrics.clone()),
    );
    follow_all.begin(feeds.datasets, on_dataset(woken(), links.clone()));
    follow_all.begin(feeds.consent_records, on_consent_record(woken()));
    follow_all.begin(feeds.shared_connections, on_kept(woken()));
    follow_all.begin_in(
        Places::of(&follower.client, namespaces).named(RUN_ACCOUNT),
        feeds.service_accounts,
        Some,
        on_service_account(woken()),
    );
    follow_all.begin_runs((feeds.cron_jobs, feeds.jobs, feeds.pods), &wakers);
    follow_all.begin_named(feeds.roles, on_role(woken()));
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
        self.begin_in(places, feed, Some, told);
    }

    /// Keeps only those in memory that name something of ours: of Kubernetes' own kinds that are few.
    fn begin_named<K>(&mut self, feed: Feed<K>, told: impl FnMut(&Change<K>) + Send + 'static)
    where
        K: Followed + Resource<Scope = NamespaceResourceScope>,
    {
        let places = Places::of(&self.follower.client, self.namespaces);
        self.begin_in(places, feed, names_ours, told);
    }

    /// What runs are made of, by its label alone.
    fn begin_runs(&mut self, runs: (Feed<CronJob>, Feed<Job>, Feed<Pod>), wakers: &Wakers) {
        let (cron_jobs, jobs, pods) = runs;
        self.begin_labelled(cron_jobs, names_ours, on_run(wakers.clone()));
        self.begin_labelled(jobs, thin_job, on_run(wakers.clone()));
        self.begin_labelled(pods, thin_pod, on_run(wakers.clone()));
    }

    fn begin_labelled<K>(
        &mut self,
        feed: Feed<K>,
        wanted: fn(K) -> Option<K>,
        told: impl FnMut(&Change<K>) + Send + 'static,
    ) where
        K: Followed + Resource<Scope = NamespaceResourceScope>,
    {
        let places = Places::of(&self.follower.client, self.namespaces).labelled(RUN_LABEL);
        self.begin_in(places, feed, wanted, told);
    }

    fn begin_in<K>(
        &mut self,
        places: Places<Guarded<K>>,
        feed: Feed<K>,
        wanted: fn(K) -> Option<K>,
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
        wanted: fn(K) -> Option<K>,
        told: impl FnMut(&Change<K>) + Send + 'static,
        unread: Unread,
    ) {
        self.tasks
            .spawn(follow(places, self.follower.clone(), feed, wanted, told, unread));
    }
}

fn names_ours<K: Refers>(object: K) -> Option<K> {
    (!object.references().is_empty()).then_some(object)
}

/// Of a Job, only what tells of a run.
fn thin_job(mut job: Job) -> Option<Job> {
    job.spec = None;
    names_ours(job)
}

/// Of a run's pod, only how it and its container ended.
fn thin_pod(mut pod: Pod) -> Option<Pod> {
    pod.spec = None;
    pod.status = pod.status.map(|status| PodStatus {
        container_statuses: status.container_statuses,
        phase: status.phase,
        pod_ip: status.pod_ip,
        ..PodStatus::default()
    });
    names_ours(pod)
}

/// Passes changes on from when this process leads. What it missed by then is in the stores, and woken from there.
fn once_leading<K>(leadership: Leadership, mut told: impl FnMut(&Change<K>)) -> impl FnMut(&Change<K>) {
    move |change| {
        if leadership.has_begun() {
            told(change);
        }
    }
}
