//! The objects of the small world: made as people write them, each kept once, and told apart by numbers.

use super::invariants::{ConnectionNow, KeptNow, Purpose, UserNow};
use super::places::{
    BINDINGS, COMPANIES, CONNECTIONS, CRON_JOB, FIRST, Id, MANUAL, NAMES, NIGHTLY, Place, RECORDS, REQUESTED,
    ROLES, SCHEDULED, SECOND, SECRET, SHARED,
};
use connection_operator::api::connection_type::UsedFor;
use connection_operator::api::names::{
    CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION, RUN_PLAN_ANNOTATION, RUN_REQUESTED_ANNOTATION,
};
use connection_operator::api::{
    Connection, ConnectionType, ConsentRecord, Dataset, Enrichment, Export, SharedConnection,
};
use connection_operator::governance::consent::{Subject, required};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub const NAMESPACE: &str = "marketing";
/// Whoever consents, and whoever takes consent back.
pub const ADA: &str = "ada";
const BOB: &str = "bob";

/// The time, which stands still: what time alone brings about is tested where it is decided.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).expect("in range")
}

/// An object of the small world.
#[derive(Clone, Debug)]
pub enum Object {
    Connection(Arc<Connection>, Arc<ConnectionNow>),
    Export(Arc<Export>, Arc<UserNow>),
    Enrichment(Arc<Enrichment>, Arc<UserNow>),
    /// The resource version of a Secret.
    Secret(String),
    Records(Arc<Vec<Arc<ConsentRecord>>>),
    Role(Arc<Role>, Arc<KeptNow>),
    Binding(Arc<RoleBinding>, Arc<KeptNow>),
    Shared(Arc<SharedConnection>, Arc<KeptNow>),
    CronJob(Arc<CronJob>, Arc<KeptNow>),
    Job(Arc<Job>, Arc<KeptNow>),
}

/// All objects that there ever were.
pub struct Objects {
    all: Vec<Option<Object>>,
    known: HashMap<(Place, String), Id>,
    pub types: [ConnectionType; 2],
    pub datasets: Vec<Dataset>,
    /// The digests that somebody agreed to: by whom, and for which host.
    pub agreements: Arc<BTreeMap<String, (String, String)>>,
    digests: HashMap<(Place, String), String>,
}

impl Objects {
    pub fn new() -> Self {
        let types = [type_("lists", "Export"), type_("lookups", "Enrichment")];
        let mut objects = Self {
            all: vec![None],
            known: HashMap::new(),
            types,
            datasets: Vec::new(),
            agreements: Arc::default(),
            digests: HashMap::new(),
        };
        objects.datasets = [
            ("customers", "Source"),
            ("orders", "Source"),
            ("results", "Output"),
        ]
        .map(|(name, role)| dataset(name, role))
        .into();
        let mut agreements = BTreeMap::new();
        for place in CONNECTIONS {
            for host in HOSTS {
                let connection: Connection = read(connection(place, 1, host));
                let subject = Subject {
                    kind: "Connection",
                    namespace: NAMESPACE,
                    name: NAMES[place],
                };
                let digest = required(subject, &connection.spec, &objects.types[place].spec).current;
                agreements.insert(digest.clone(), (ADA.to_owned(), host.to_owned()));
                objects.digests.insert((place, host.to_owned()), digest);
            }
        }
        objects.agreements = Arc::new(agreements);
        objects
    }

    pub fn get(&self, id: Id) -> Option<&Object> {
        self.all[usize::from(id)].as_ref()
    }

    pub fn connection(&self, id: Id) -> Option<&Arc<Connection>> {
        match self.get(id)? {
            Object::Connection(connection, _) => Some(connection),
            _ => None,
        }
    }

    pub fn export(&self, id: Id) -> Option<&Arc<Export>> {
        match self.get(id)? {
            Object::Export(export, _) => Some(export),
            _ => None,
        }
    }

    pub fn enrichment(&self, id: Id) -> Option<&Arc<Enrichment>> {
        match self.get(id)? {
            Object::Enrichment(enrichment, _) => Some(enrichment),
            _ => None,
        }
    }

    pub fn records(&self, id: Id) -> Arc<Vec<Arc<ConsentRecord>>> {
        match self.get(id) {
            Some(Object::Records(records)) => Arc::clone(records),
            _ => Arc::default(),
        }
    }

    pub fn cron_job(&self, id: Id) -> Option<&Arc<CronJob>> {
        match self.get(id)? {
            Object::CronJob(cron_job, _) => Some(cron_job),
            _ => None,
        }
    }

    pub fn job(&self, id: Id) -> Option<&Arc<Job>> {
        match self.get(id)? {
            Object::Job(job, _) => Some(job),
            _ => None,
        }
    }

    /// The export or enrichment at that place, as the promises see it.
    pub fn user(&self, id: Id) -> Option<&Arc<UserNow>> {
        match self.get(id)? {
            Object::Export(_, user) | Object::Enrichment(_, user) => Some(user),
            _ => None,
        }
    }

    pub fn kept(&self, id: Id) -> Option<&Arc<KeptNow>> {
        match self.get(id)? {
            Object::Role(_, kept)
            | Object::Binding(_, kept)
            | Object::Shared(_, kept)
            | Object::CronJob(_, kept)
            | Object::Job(_, kept) => Some(kept),
            _ => None,
        }
    }

    /// The number of an object at a place; the same for the same.
    pub fn number(&mut self, place: Place, text: &Value) -> Id {
        let key = (place, text.to_string());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let object = self.object(place, text);
        // What was written in other words may be the same.
        let whole = (place, self::text(&object).to_string());
        let known = self.known.get(&whole).copied();
        let id = known.unwrap_or_else(|| {
            self.all.push(Some(object));
            Id::try_from(self.all.len() - 1).expect("fewer objects than numbers")
        });
        self.known.insert(whole, id);
        self.known.insert(key, id);
        id
    }

    /// The number of an object that the product made.
    pub fn number_of(&mut self, place: Place, object: &impl Serialize) -> Id {
        self.number(place, &json(object))
    }

    fn object(&self, place: Place, text: &Value) -> Object {
        match place {
            FIRST | SECOND => {
                let connection: Connection = read(text.clone());
                let now = ConnectionNow::of(&connection, &self.types[place].spec, now());
                Object::Connection(Arc::new(connection), Arc::new(now))
            }
            NIGHTLY | MANUAL => {
                let export: Export = read(text.clone());
                let said = (export.spec.connection_ref.as_ref(), export.spec.suspend);
                let user = UserNow::of(&export, UsedFor::Export, said, export.status.as_ref());
                Object::Export(Arc::new(export), Arc::new(user))
            }
            COMPANIES => {
                let enrichment: Enrichment = read(text.clone());
                let said = (enrichment.spec.connection_ref.as_ref(), enrichment.spec.suspend);
                let user = UserNow::of(&enrichment, UsedFor::Enrichment, said, enrichment.status.as_ref());
                Object::Enrichment(Arc::new(enrichment), Arc::new(user))
            }
            SECRET => Object::Secret(text.as_str().expect("a version").to_owned()),
            _ if RECORDS.contains(&place) => {
                let records: Vec<ConsentRecord> = read(text.clone());
                Object::Records(Arc::new(records.into_iter().map(Arc::new).collect()))
            }
            _ if ROLES.contains(&place) => {
                let role: Role = read(text.clone());
                let kept = kept(&role, Purpose::Sharing);
                Object::Role(Arc::new(role), kept)
            }
            _ if BINDINGS.contains(&place) => {
                let binding: RoleBinding = read(text.clone());
                let kept = kept(&binding, Purpose::Sharing);
                Object::Binding(Arc::new(binding), kept)
            }
            _ if SHARED.contains(&place) => {
                let shared: SharedConnection = read(text.clone());
                let kept = kept(&shared, Purpose::Sharing);
                Object::Shared(Arc::new(shared), kept)
            }
            CRON_JOB => {
                let cron_job: CronJob = read(text.clone());
                let rests = cron_job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true);
                let kept = kept(&cron_job, if rests { Purpose::Run } else { Purpose::Schedule });
                Object::CronJob(Arc::new(cron_job), kept)
            }
            SCHEDULED | REQUESTED => {
                let job: Job = read(text.clone());
                let kept = kept(&job, Purpose::Run);
                Object::Job(Arc::new(job), kept)
            }
            _ => unreachable!("no such place"),
        }
    }

    /// What people write at a place, made for that time.
    pub fn made(&mut self, place: Place, time: u8) -> Id {
        let mut text = match place {
            FIRST | SECOND => connection(place, time, HOSTS[0]),
            NIGHTLY => export("nightly", "customers", time),
            MANUAL => export("manual", "orders", time),
            COMPANIES => enrichment(time),
            SECRET => json!(time.to_string()),
            _ => unreachable!("nobody makes that"),
        };
        if place == NIGHTLY {
            text["spec"]["schedule"] = json!({"cron": "0 6 * * *"});
        }
        self.number(place, &text)
    }

    /// Consent to what the connection says now, given by Ada, as the API server stamps it.
    pub fn agreed(&mut self, place: Place, id: Id) -> Id {
        let host = self
            .connection(id)
            .and_then(|connection| connection.spec.parameters.get("host").cloned());
        let digest = self.digests[&(place, host.expect("a host"))].clone();
        self.edited(place, id, |text| {
            text["metadata"]["annotations"][CONSENTED_BY_ANNOTATION] = json!(format!("given {digest} {ADA}"));
            text["metadata"]["annotations"][CONSENT_ANNOTATION] = json!(digest);
        })
    }

    /// Consent taken back by Bob; nothing if there is none.
    pub fn taken_back(&mut self, place: Place, id: Id) -> Option<Id> {
        let annotations = self.connection(id)?.annotations();
        let digest = annotations.get(CONSENT_ANNOTATION)?.clone();
        Some(self.edited(place, id, |text| {
            text["metadata"]["annotations"] =
                json!({CONSENTED_BY_ANNOTATION: format!("withdrawn {digest} {BOB}")});
        }))
    }

    /// An object with other words, and the next generation if they are in its spec, or ask for its removal.
    pub fn edited(&mut self, place: Place, id: Id, edit: impl FnOnce(&mut Value)) -> Id {
        let before = self.text(id);
        let mut after = before.clone();
        edit(&mut after);
        let going = |text: &Value| text["metadata"].get("deletionTimestamp").is_some();
        if before["spec"] != after["spec"] || going(&before) != going(&after) {
            let generation = before["metadata"]["generation"].as_i64().expect("a generation");
            after["metadata"]["generation"] = json!(generation + 1);
        }
        self.number(place, &after)
    }

    /// An object as JSON.
    pub fn text(&self, id: Id) -> Value {
        text(self.get(id).expect("it is there"))
    }
}

fn text(object: &Object) -> Value {
    match object {
        Object::Connection(object, _) => json(&**object),
        Object::Export(object, _) => json(&**object),
        Object::Enrichment(object, _) => json(&**object),
        Object::Secret(version) => json!(version),
        Object::Records(records) => json(&each(records)),
        Object::Role(object, _) => json(&**object),
        Object::Binding(object, _) => json(&**object),
        Object::Shared(object, _) => json(&**object),
        Object::CronJob(object, _) => json(&**object),
        Object::Job(object, _) => json(&**object),
    }
}

/// Records as they are written.
pub fn each(records: &[Arc<ConsentRecord>]) -> Vec<&ConsentRecord> {
    records.iter().map(|record| &**record).collect()
}

/// The hosts that a connection may lead to.
pub const HOSTS: [&str; 2] = ["a.example", "b.example"];

pub fn json(object: &impl Serialize) -> Value {
    serde_json::to_value(object).expect("it can be written")
}

pub fn read<T: DeserializeOwned>(text: Value) -> T {
    serde_json::from_value(text).expect("it can be read")
}

fn kept<K: Resource<DynamicType = ()>>(object: &K, purpose: Purpose) -> Arc<KeptNow> {
    let owners = object.owner_references().iter().map(|owner| owner.uid.clone());
    Arc::new(KeptNow {
        what: format!("{} {}", K::kind(&()), object.name_any()),
        uid: object.uid().unwrap_or_default(),
        owners: owners.collect(),
        purpose,
    })
}

fn meta(name: &str, time: u8) -> Value {
    json!({
        "name": name, "namespace": NAMESPACE, "uid": format!("{name}-{time}"), "generation": 1,
        "creationTimestamp": "2023-11-14T00:00:00Z",
    })
}

/// A connection, shared, without consent.
fn connection(place: Place, time: u8, host: &str) -> Value {
    let type_ = ["lists", "lookups"][place];
    json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Connection", "metadata": meta(NAMES[place], time),
        "spec": {
            "displayName": NAMES[place], "type": type_, "parameters": {"host": host},
            "secrets": {"token": {"secretKeyRef": {"name": NAMES[SECRET], "key": "token"}}},
            "access": {"exports": "Contributors"},
        },
    })
}

fn export(name: &str, dataset: &str, time: u8) -> Value {
    json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Export", "metadata": meta(name, time),
        "spec": {"displayName": name, "connectionRef": {"name": "first"}, "payload": [{"dataset": dataset}]},
    })
}

fn enrichment(time: u8) -> Value {
    json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Enrichment", "metadata": meta("companies", time),
        "spec": {
            "displayName": "companies", "connectionRef": {"name": "second"},
            "input": {"dataset": "customers", "mapping": {"id": "id"}}, "output": {"dataset": "results"},
        },
    })
}

fn type_(name: &str, used_for: &str) -> ConnectionType {
    read(json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "ConnectionType",
        "metadata": {"name": name, "uid": name, "generation": 1},
        "spec": {
            "usedFor": used_for, "connector": "sftp", "keyVault": "Unsupported", "description": "Made for a model.",
            "service": {"vendor": "Example", "category": "Testing", "homepage": "https://service.example"},
            "parameters": [
                {"name": "host", "type": "String", "description": "A host.", "required": true, "destination": true},
            ],
            "secrets": [{"name": "token", "kind": "Token", "description": "A token."}],
            "notice": {
                "version": "1", "recipient": "Received by the example.", "data": "Data leaves.",
                "responsibility": "You answer for it.", "howToStop": "Suspend it.",
                "privacyStatement": "https://service.example/privacy",
            },
        },
    }))
}

/// A dataset that was judged and is in order.
fn dataset(name: &str, role: &str) -> Dataset {
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "Ready", "message": "It can be used.", "observedGeneration": 1,
        "lastTransitionTime": "2023-11-14T00:00:00Z",
    });
    read(json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Dataset", "metadata": meta(name, 1),
        "spec": {"location": {"volume": {"claimName": "data", "path": name}}, "format": {"type": "CSV"}, "role": role},
        "status": {"observedGeneration": 1, "conditions": [ready]},
    }))
}

/// The hash of a Job's plan.
pub fn plan_of(job: &Job) -> &str {
    job.annotations()
        .get(RUN_PLAN_ANNOTATION)
        .map_or("", String::as_str)
}

/// Asks for a run of an export now.
pub fn request(text: &mut Value) {
    text["metadata"]["annotations"][RUN_REQUESTED_ANNOTATION] = json!(now().to_string());
}
