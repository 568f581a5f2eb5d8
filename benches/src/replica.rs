//! The operator's controllers inside this process, on an API server that takes everything: to know what the operator
//! would write, and to time a visit without any request.

use crate::Outcome;
use crate::world::World;
use connection_operator::api::{Connection, ConsentRecord, Dataset, Export};
use connection_operator::cluster::events::Events;
use connection_operator::cluster::objects::{Feed, Seen};
use connection_operator::cluster::policies::Policies;
use connection_operator::cluster::secrets::{SecretMeta, SecretReader};
use connection_operator::governance::vaults::address::Allowed;
use connection_operator::metrics::Metrics;
use connection_operator::reconcile::{
    Context, Failures, Governed, Links, Progress, Recorded, Stores, Written,
};
use connection_operator::vault::connect::Network;
use connection_operator::vault::reach::Reach;
use connection_operator::vault::run_tokens::NoRunAccounts;
use connection_operator::vault::vaults::{Limits, Vaults};
use http::request::Parts;
use http::{Method, Request, Response};
use k8s_openapi::api::core::v1::Secret;
use kube::client::Body;
use kube::core::object::HasStatus;
use kube::runtime::watcher::Event;
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tower::service_fn;

/// A patch as the operator sends it.
#[derive(Clone)]
pub struct Sent {
    pub path: String,
    pub operations: Vec<Value>,
}

/// What was written: patches, and decisions on record.
#[derive(Default)]
struct Writes {
    patches: Vec<Sent>,
    records: Vec<ConsentRecord>,
}

impl Writes {
    const fn is_empty(&self) -> bool {
        self.patches.is_empty() && self.records.is_empty()
    }
}

type Taken = Arc<Mutex<Writes>>;

pub struct Replica {
    context: Context,
    taken: Taken,
    feeds: Feeds,
}

struct Feeds {
    datasets: Feed<Dataset>,
    connections: Feed<Connection>,
    exports: Feed<Export>,
    records: Feed<ConsentRecord>,
}

/// Vaults that nobody asks.
fn unasked() -> Vaults {
    let network = Network::new(Reach::default());
    Vaults::new(network, Arc::new(NoRunAccounts), Limits::default()).0
}

impl Replica {
    /// Knows the world's types, Secrets and datasets, of which it has judged the latter.
    pub async fn of(world: &World) -> Outcome<Self> {
        let taken = Taken::default();
        let versions = world.secrets.iter().map(version).collect();
        let client = client(&taken, versions);
        let feeds = Feeds {
            datasets: Feed::default(),
            connections: Feed::default(),
            exports: Feed::default(),
            records: Feed::default(),
        };
        let secrets = fed(world.secrets.iter().map(metadata).collect::<Vec<SecretMeta>>());
        let metrics = Metrics::default();
        let (events, _) = Events::new(client.clone(), metrics.clone(), 1);
        let stores = Stores {
            connection_types: fed(vec![world.type_.clone()]).objects(),
            connections: feeds.connections.objects(),
            exports: feeds.exports.objects(),
            datasets: feeds.datasets.objects(),
            consent_records: feeds.records.objects(),
            ..Stores::default()
        };
        let context = Context {
            secrets: SecretReader::new(client.clone(), secrets.objects()),
            links: Links::new(unasked(), Allowed::default()),
            connectors: Arc::new(BTreeSet::from(["sftp".to_owned()])),
            connector: None,
            pipelines: Arc::default(),
            stamped: true,
            policies: Policies::new(client.clone(), true, std::collections::BTreeMap::new()),
            recorded: Recorded::default(),
            written: Written::default(),
            failures: Failures::default(),
            progress: Progress::default(),
            client,
            stores,
            events,
            metrics,
        };
        let mut replica = Self {
            context,
            taken,
            feeds,
        };
        for dataset in &world.datasets {
            let (settled, _) = replica.settled(dataset).await?;
            replica.feeds.datasets.apply(&Seen::Event(Event::Apply(settled)));
        }
        Ok(replica)
    }

    /// Brings objects to where the operator wants them, and gives the status patches that it sent for it.
    pub async fn settle(
        &mut self,
        connections: &[Connection],
        exports: &[Export],
    ) -> Outcome<[Vec<Sent>; 2]> {
        for object in exports {
            self.feeds
                .exports
                .apply(&Seen::Event(Event::Apply(object.clone())));
        }
        let mut sent = [Vec::new(), Vec::new()];
        for object in connections {
            let (settled, patch) = self.settled(object).await?;
            self.feeds.connections.apply(&Seen::Event(Event::Apply(settled)));
            sent[0].push(patch);
        }
        for object in exports {
            let (settled, patch) = self.settled(object).await?;
            self.feeds.exports.apply(&Seen::Event(Event::Apply(settled)));
            sent[1].push(patch);
        }
        Ok(sent)
    }

    async fn settled<K>(&mut self, object: &K) -> Outcome<(K, Sent)>
    where
        K: Governed + HasStatus,
        K::Status: DeserializeOwned,
    {
        let mut settled = object.clone();
        let mut status = None;
        Arc::new(object.clone()).reconcile(&self.context).await?;
        let written = self.take();
        for record in written.records {
            self.feeds.records.apply(&Seen::Event(Event::Apply(record)));
        }
        for patch in written.patches {
            let value = patch
                .operations
                .last()
                .map(|operation| operation["value"].clone());
            if patch.path.ends_with("/status") {
                *settled.status_mut() = Some(serde_json::from_value(value.unwrap_or_default())?);
                status = Some(patch);
            } else {
                settled.meta_mut().finalizers = Some(serde_json::from_value(value.unwrap_or_default())?);
            }
        }
        let name = object.name_any();
        let sent = status.ok_or_else(|| format!("the operator writes no status for {name}"))?;
        Arc::new(settled.clone()).reconcile(&self.context).await?;
        if self.take().is_empty() {
            Ok((settled, sent))
        } else {
            Err(format!("the operator writes twice for {name}").into())
        }
    }

    fn take(&self) -> Writes {
        std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The time of one visit, on average over so many: all that the operator does from the object's name to finding
    /// that nothing has to be written. Objects come in random order out of so many of each kind, connections and
    /// exports in turn.
    pub async fn visit(&self, visits: u32, among: usize) -> Outcome<Duration> {
        let connections = self.context.stores.connections.store().state();
        let exports = self.context.stores.exports.store().state();
        let mut random = fastrand::Rng::with_seed(1);
        let among = among.min(connections.len());
        let order: Vec<usize> = (0..visits).map(|_| random.usize(..among)).collect();
        let started = Instant::now();
        for chosen in order {
            Arc::clone(&connections[chosen]).reconcile(&self.context).await?;
            Arc::clone(&exports[chosen]).reconcile(&self.context).await?;
        }
        let each = started.elapsed() / (2 * visits);
        if self.take().is_empty() {
            Ok(each)
        } else {
            Err("a visit to a settled object wrote".into())
        }
    }
}

fn fed<K>(objects: Vec<K>) -> Feed<K>
where
    K: Resource<DynamicType = ()> + connection_operator::api::Refers + Clone + std::fmt::Debug + 'static,
{
    let mut feed = Feed::default();
    for object in objects {
        feed.apply(&Seen::Event(Event::Apply(object)));
    }
    feed
}

fn metadata(secret: &Secret) -> SecretMeta {
    SecretMeta {
        types: None,
        metadata: secret.metadata.clone(),
        ..SecretMeta::default()
    }
}

/// Where a Secret is read, and its version.
fn version(secret: &Secret) -> (String, String) {
    let path = Secret::url_path(&(), secret.namespace().as_deref());
    let version = secret.resource_version().unwrap_or_default();
    (format!("{path}/{}", secret.name_any()), version)
}

/// A client whose API server keeps for us what is written, and has every Secret and policy.
fn client(taken: &Taken, versions: HashMap<String, String>) -> Client {
    let (taken, versions) = (Arc::clone(taken), Arc::new(versions));
    let service = service_fn(move |request: Request<Body>| {
        let (taken, versions) = (Arc::clone(&taken), Arc::clone(&versions));
        async move {
            let (head, body) = request.into_parts();
            let path = head.uri.path();
            let answer = match head.method {
                Method::GET if path.starts_with(POLICIES) => policy(path),
                Method::GET => json!({
                    "metadata": {"resourceVersion": versions.get(path)}, "type": "Opaque",
                    "data": {"username": "YWNtZQ==", "password": "bm90LWEtcmVhbC1vbmU="},
                }),
                _ => take(&taken, &head, &body.collect_bytes().await?)?,
            };
            Outcome::Ok(Response::new(Body::from(answer.to_string().into_bytes())))
        }
    });
    Client::new(service, "default")
}

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/";

/// Any policy or binding, as the chart installs them: of whichever sort, with what is looked at.
fn policy(path: &str) -> Value {
    let name = path.rsplit('/').next().unwrap_or_default();
    json!({
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail", "validations": [{}], "mutations": [{}],
            "policyName": name, "validationActions": ["Deny"],
        },
    })
}

/// Keeps a write and answers it.
fn take(taken: &Taken, head: &Parts, body: &[u8]) -> Outcome<Value> {
    let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    if head.method == Method::POST {
        let mut record: ConsentRecord = serde_json::from_slice(body)?;
        // A record is made in the namespace that the address names.
        record.metadata.namespace = head.uri.path().rsplit('/').nth(1).map(str::to_owned);
        let answer = serde_json::to_value(&record)?;
        taken.records.push(record);
        return Ok(answer);
    }
    taken.patches.push(Sent {
        path: head.uri.path().to_owned(),
        operations: serde_json::from_slice(body)?,
    });
    Ok(json!({"metadata": {"resourceVersion": "1"}}))
}
