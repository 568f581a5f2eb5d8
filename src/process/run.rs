//! From settings to running controllers, and to an orderly end.

use super::catalog;
use super::census::Census;
use super::health::{self, Ready};
use super::progress::keep_asking;
use super::queues::{Queues, Wakers};
use super::retention;
use super::run_tokens::ClusterRunTokens;
use super::settings::Settings;
use super::vaults::VaultNumbers;
use super::wiring::{self, Feeds};
use crate::cluster::events::Events;
use crate::cluster::follow::Follower;
use crate::cluster::lease::{Election, Lost};
use crate::cluster::policies::Policies;
use crate::cluster::secrets::{SecretMeta, SecretReader};
use crate::cluster::{Leadership, Objects};
use crate::connection_type::catalog::Selection;
use crate::metrics::Metrics;
use crate::reconcile::{Context, Failures, Links, Progress, Recorded, Stores, Written, controller};
use crate::vault::connect::Network;
use crate::vault::vaults::{Changed, Vaults};
use futures::FutureExt;
use futures::future::Shared;
use kube::Client;
use kube::runtime::reflector::store::WriterDropped;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Why the operator ended against its will.
#[derive(Debug, Error)]
pub enum RunError {
    /// Health and metrics can't be served.
    #[error("--listen {address} can't be listened on")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Part of the operator ended, which only a defect can bring about.
    #[error("a part of the operator ended unexpectedly")]
    Ended(#[source] Option<tokio::task::JoinError>),
    /// The same, seen while the objects were read.
    #[error("the objects can't be read")]
    Read(#[from] WriterDropped),
    /// Another replica leads.
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// A future that several tasks wait for.
type Stop = Shared<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>;

/// Pause before the catalog is tried again.
const CATALOG_RETRY: Duration = Duration::from_secs(5);

/// Runs until `stop` is done; visits that are under way are ended first. Every replica follows all objects; only the
/// leader acts.
///
/// # Errors
/// See [`RunError`].
pub async fn run(
    client: Client,
    settings: Settings,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) -> Result<(), RunError> {
    let network = Network::new(settings.vault_hosts.clone());
    run_on(client, settings, network, stop).await
}

/// The same, with vaults reached by this network. Settings have no such choice: whose names and authorities are trusted is
/// for nobody to decide but the system.
///
/// # Errors
/// See [`RunError`].
pub async fn run_on(
    client: Client,
    settings: Settings,
    network: Network,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) -> Result<(), RunError> {
    let stop: Stop = (Box::pin(stop) as Pin<Box<dyn Future<Output = ()> + Send + Sync>>).shared();
    let metrics = Metrics::default();
    let leadership = Leadership::default();
    let election = Election::new(&client, settings.candidacy(), leadership.clone(), metrics.clone());
    let client = leadership.guard(client); // from here on, whatever writes asks first
    let (events, publishing) = Events::new(client.clone(), metrics.clone(), settings.events_per_second);
    let ready = Ready::default();
    let listener = listener(&settings).await?;
    let listen = listener.local_addr().unwrap_or(settings.listen);

    let mut background = JoinSet::new();
    background.spawn(publishing);
    let namespaces = settings.namespaces();
    let feeds = Feeds::of(&namespaces);
    let (stores, secrets) = feeds.stores();
    let (links, changed) = links(&client, &settings, network);
    background.spawn(serve(listener, &metrics, (&stores, &links), &ready));
    let follower = Follower {
        client: client.clone(),
        metrics: metrics.clone(),
        events: events.clone(),
        leadership,
    };
    let (wakers, queues) = wiring::start(&mut background, &namespaces, &follower, feeds, (&stores, &links));
    background.spawn(wake_owners(changed, wakers.clone()));
    let begun = async {
        all_seen(&stores, &secrets).await?;
        ready.store(true, Ordering::Relaxed);
        tracing::info!(version = env!("CARGO_PKG_VERSION"), %listen, "ready");
        election.win().await;
        Ok(())
    };
    tokio::select! {
        () = stop.clone() => return Ok(()),
        ended = background.join_next() => return Err(RunError::Ended(ended.and_then(Result::err))),
        begun = begun => begun.map_err(RunError::Read)?,
    }
    let seen = (stores, secrets, links);
    let context = Arc::new(context(client, &settings, seen, events, metrics));
    govern(
        &context,
        &settings,
        (wakers, queues),
        &mut background,
        &stop,
        &election,
    )
    .await
}

/// The vaults that key vaults lead to, and who is to be told of them. Nothing is asked until somebody follows something,
/// which only the leader's visits do.
fn links(client: &Client, settings: &Settings, network: Network) -> (Links, Changed) {
    let run_tokens = Arc::new(ClusterRunTokens::new(client.clone()));
    let (vaults, changed) = Vaults::new(network, run_tokens, settings.vault_limits());
    (Links::new(vaults, settings.allowed_vaults()), changed)
}

/// An answer of a vault that people would see wakes those who follow it, like every other change.
async fn wake_owners(mut changed: Changed, wakers: Wakers) {
    loop {
        wakers.wake_owner(&changed.next().await);
    }
}

/// Acts as the leader: until the orderly end, after which the next one may begin, or until another leads.
async fn govern(
    context: &Arc<Context>,
    settings: &Settings,
    (wakers, queues): (Wakers, Queues),
    background: &mut JoinSet<()>,
    stop: &Stop,
    election: &Election,
) -> Result<(), RunError> {
    let governing = async {
        let (client, stores) = (&context.client, &context.stores);
        let selection = settings.catalog_selection();
        let applied = async { !settings.catalog || applied(client, stores, &selection).await };
        let (applied, ()) = tokio::join!(applied, context.policies.look_ahead());
        wakers.wake_all(stores);
        wiring::tell_of_contributors(stores, &context.events);
        let mut controllers = controllers(context, queues, settings.concurrency, stop);
        tracing::info!("governing");
        let late = async {
            if !applied {
                apply_catalog_later(client, stores, &selection).await;
            }
            std::future::pending::<()>().await;
        };
        let records = async {
            match settings.consent_retention_days {
                Some(days) => retention::keep(client, stores, days).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = all_ended(&mut controllers) => ended,
            () = late => Ok(()),
            () = records => Ok(()),
            () = context.policies.keep_looking() => Ok(()),
            () = keep_asking(context, &wakers) => Ok(()),
        }
    };
    tokio::select! {
        ended = governing => ended.map_err(|error| RunError::Ended(Some(error)))?,
        ended = background.join_next() => return Err(RunError::Ended(ended.and_then(Result::err))),
        lost = election.keep() => return Err(lost.into()),
    }
    election.give_up().await;
    Ok(())
}

async fn listener(settings: &Settings) -> Result<TcpListener, RunError> {
    let address = settings.listen;
    TcpListener::bind(address)
        .await
        .map_err(|source| RunError::Listen { address, source })
}

fn serve(
    listener: TcpListener,
    metrics: &Metrics,
    (stores, links): (&Stores, &Links),
    ready: &Ready,
) -> impl Future<Output = ()> + Send + 'static {
    let mut registry = metrics.registry();
    registry.register_collector(Box::new(Census(stores.clone())));
    registry.register_collector(Box::new(VaultNumbers(links.clone())));
    let serving = health::serve(listener, registry, Ready::clone(ready));
    async move {
        if let Err(error) = serving.await {
            tracing::error!(error = %error, "health and metrics can't be served any more");
        }
    }
}

/// Waits until every kind was read once: a decision from half a view would flap.
async fn all_seen(stores: &Stores, secrets: &Objects<SecretMeta>) -> Result<(), WriterDropped> {
    stores.connection_types.store().wait_until_ready().await?;
    stores.key_vaults.store().wait_until_ready().await?;
    stores.connections.store().wait_until_ready().await?;
    stores.exports.store().wait_until_ready().await?;
    stores.enrichments.store().wait_until_ready().await?;
    stores.datasets.store().wait_until_ready().await?;
    stores.consent_records.store().wait_until_ready().await?;
    stores.shared_connections.store().wait_until_ready().await?;
    stores.service_accounts.store().wait_until_ready().await?;
    stores.cron_jobs.store().wait_until_ready().await?;
    stores.jobs.store().wait_until_ready().await?;
    stores.pods.store().wait_until_ready().await?;
    stores.roles.store().wait_until_ready().await?;
    stores.role_bindings.store().wait_until_ready().await?;
    stores.cluster_role_bindings.store().wait_until_ready().await?;
    secrets.store().wait_until_ready().await
}

/// Tries once before the controllers begin, so that connections find their types; no controller waits for more.
async fn applied(client: &Client, stores: &Stores, selection: &Selection) -> bool {
    let applied = catalog::apply(client, &stores.connection_types, selection).await;
    if let Err(error) = &applied {
        let error = error as &dyn std::error::Error;
        tracing::warn!(error, retry_in = ?CATALOG_RETRY, "the catalog wasn't applied");
    }
    applied.is_ok()
}

async fn apply_catalog_later(client: &Client, stores: &Stores, selection: &Selection) {
    loop {
        tokio::time::sleep(CATALOG_RETRY).await;
        if applied(client, stores, selection).await {
            return;
        }
    }
}

fn context(
    client: Client,
    settings: &Settings,
    (stores, secrets, links): (Stores, Objects<SecretMeta>, Links),
    events: Events,
    metrics: Metrics,
) -> Context {
    Context {
        links,
        secrets: SecretReader::new(client.clone(), secrets),
        connectors: Arc::new(settings.connector_names()),
        connector: settings.connector(),
        pipelines: Arc::new(settings.pipeline_names()),
        stamped: settings.mutating_policies,
        policies: Policies::new(
            client.clone(),
            settings.mutating_policies,
            settings.policy_digests(),
        ),
        written: Written::default(),
        recorded: Recorded::default(),
        failures: Failures::default(),
        progress: Progress::default(),
        client,
        stores,
        events,
        metrics,
    }
}

fn controllers(context: &Arc<Context>, queues: Queues, concurrency: u16, stop: &Stop) -> JoinSet<()> {
    let stores = &context.stores;
    let mut tasks = JoinSet::new();
    let context = || Arc::clone(context);
    tasks.spawn(controller(
        stores.connection_types.clone(),
        queues.connection_types,
        context(),
        concurrency,
        stop.clone(),
    ));
    tasks.spawn(controller(
        stores.key_vaults.clone(),
        queues.key_vaults,
        context(),
        concurrency,
        stop.clone(),
    ));
    tasks.spawn(controller(
        stores.connections.clone(),
        queues.connections,
        context(),
        concurrency,
        stop.clone(),
    ));
    tasks.spawn(controller(
        stores.exports.clone(),
        queues.exports,
        context(),
        concurrency,
        stop.clone(),
    ));
    tasks.spawn(controller(
        stores.enrichments.clone(),
        queues.enrichments,
        context(),
        concurrency,
        stop.clone(),
    ));
    tasks.spawn(controller(
        stores.datasets.clone(),
        queues.datasets,
        context(),
        concurrency,
        stop.clone(),
    ));
    tasks.spawn(controller(
        stores.service_accounts.clone(),
        queues.run_accounts,
        context(),
        concurrency,
        stop.clone(),
    ));
    tasks
}

/// Waits for the orderly end of all controllers, or the unexpected one of any.
async fn all_ended(tasks: &mut JoinSet<()>) -> Result<(), tokio::task::JoinError> {
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    Ok(())
}
