//! The operator in the model: its stores, its visits, and whom a change wakes, by the product's own functions.
//!
//! Assumptions: what a visit knows is looked at in one moment. The product looks at one store after the other, but as each
//! kind's watch lags by itself, every mix of old and new that it can see is one that can be seen in one moment.

use super::objects::{NAMESPACE, Object, Objects, json, now};
use super::places::{
    BINDINGS, COMPANIES, CONNECTIONS, CRON_JOB, GOVERNED, Id, MANUAL, NAMES, NIGHTLY, Place, RECORDS,
    REQUESTED, ROLES, SCHEDULED, SECOND, SECRET, SHARED, State, USERS, bit,
};
use super::rules::Mutation;
use connection_operator::api::connection::ConnectionStatus;
use connection_operator::api::connection_type::UsedFor;
use connection_operator::api::export::ExportStatus;
use connection_operator::api::names::{RUN_OF_UID_ANNOTATION, RUN_REQUESTED_ANNOTATION};
use connection_operator::api::run::{RunCounts, RunOutcome, RunResult};
use connection_operator::api::secret::SecretKeys;
use connection_operator::api::{
    Connection, ConnectionType, ConsentRecord, Dataset, Enrichment, Export, Reference,
};
use connection_operator::cluster::objects::Seen as Brought;
use connection_operator::cluster::secrets::SecretMeta;
use connection_operator::cluster::{Change, Feed, ObjectKey};
use connection_operator::connection::{self, ConnectionFacts};
use connection_operator::governance::activity::{self, ActivityFacts};
use connection_operator::governance::consent::{ConsentFacts, Proof};
use connection_operator::governance::credentials::Secrets;
use connection_operator::governance::datasets::{Purpose, Use};
use connection_operator::governance::decision::{Decision, Effect};
use connection_operator::governance::kept::Seen;
use connection_operator::governance::removal::Hold;
use connection_operator::governance::run_account::{RunAccountFacts, account, meta};
use connection_operator::governance::runs::results::{self, JobSeen};
use connection_operator::governance::runs::steps::RunStep;
use connection_operator::governance::runs::{Connector, RunsFacts, Work, names};
use connection_operator::governance::sharing::SharingFacts;
use connection_operator::governance::vaults::{KeyVaults, VaultsSeen};
use connection_operator::reconcile::{Stores, Writes, load};
use connection_operator::{enrichment, export};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, ResourceRequirements};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding, RoleRef, Subject};
use kube::runtime::watcher::Event as Watched;
use kube::{Resource, ResourceExt};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// What was decided in a visit.
#[derive(Debug)]
pub struct Decided {
    pub what: What,
    /// Whether the status is another than before.
    pub news: bool,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are a thousand of them at most")]
pub enum What {
    Connection(Decision<ConnectionStatus>),
    User(Decision<ExportStatus>),
}

impl Decided {
    pub fn hold(&self) -> Hold {
        match &self.what {
            What::Connection(decision) => decision.hold,
            What::User(decision) => decision.hold,
        }
    }

    pub fn effects(&self) -> &[Effect] {
        match &self.what {
            What::Connection(decision) => &decision.effects,
            What::User(decision) => &decision.effects,
        }
    }

    /// Whether the visit writes nothing.
    pub fn is_settled(&self) -> bool {
        !self.news && self.effects().is_empty() && self.hold() == Hold::Keep
    }
}

/// All that a decision was made from, by numbers.
type Basis = [u16; 9];

/// Stands in for what is written and not brought back yet.
const PENDING: Id = Id::MAX;

pub struct Operator {
    pub mutation: Option<Mutation>,
    connections: Feed<Connection>,
    exports: Feed<Export>,
    enrichments: Feed<Enrichment>,
    stores: Stores,
    /// What the stores hold now.
    held: [Id; 5],
    decisions: Vec<Rc<Decided>>,
    known: HashMap<Basis, Option<u32>>,
    wakes: HashMap<[u16; 8], u8>,
    connectors: BTreeSet<String>,
    connector: Connector,
    account: RunAccountFacts,
}

impl Operator {
    pub fn new(objects: &Objects, mutation: Option<Mutation>) -> Self {
        let (connections, exports, enrichments) = (Feed::default(), Feed::default(), Feed::default());
        let mut types = Feed::<ConnectionType>::default();
        for type_ in &objects.types {
            types.apply(&Brought::Event(Watched::Apply(type_.clone())));
        }
        let mut datasets = Feed::<Dataset>::default();
        for dataset in &objects.datasets {
            datasets.apply(&Brought::Event(Watched::Apply(dataset.clone())));
        }
        let stores = Stores {
            connection_types: types.objects(),
            connections: connections.objects(),
            exports: exports.objects(),
            enrichments: enrichments.objects(),
            datasets: datasets.objects(),
            ..Stores::default()
        };
        Self {
            mutation,
            connections,
            exports,
            enrichments,
            stores,
            held: [0; 5],
            decisions: Vec::new(),
            known: HashMap::new(),
            wakes: HashMap::new(),
            connectors: BTreeSet::from(["sftp".to_owned()]),
            connector: Connector {
                image: "registry.example/connector:1".to_owned(),
                pull_policy: "IfNotPresent".to_owned(),
                resources: ResourceRequirements::default(),
                deadline_seconds: 3600,
                vault_ranges: String::new(),
            },
            account: RunAccountFacts {
                account: Seen::Present(Arc::new(account(NAMESPACE))),
                role: Seen::Present(Arc::new(Role {
                    metadata: meta(NAMESPACE),
                    rules: None,
                })),
                role_binding: Seen::Present(Arc::new(RoleBinding {
                    metadata: meta(NAMESPACE),
                    role_ref: RoleRef::default(),
                    subjects: None,
                })),
            },
        }
    }

    fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    pub fn decision(&self, number: u32) -> Rc<Decided> {
        Rc::clone(&self.decisions[number as usize])
    }

    /// How many decisions were made, each once for all states that are alike in what it is made from.
    pub fn decided(&self) -> usize {
        self.decisions.len()
    }

    /// Brings the stores to what was seen in a state.
    fn see(&mut self, objects: &Objects, seen: &[Id]) {
        for place in GOVERNED {
            let (old, new) = (self.held[place], seen[place]);
            if old == new {
                continue;
            }
            match place {
                COMPANIES => feed(
                    &mut self.enrichments,
                    objects.enrichment(old),
                    objects.enrichment(new),
                ),
                NIGHTLY | MANUAL => feed(&mut self.exports, objects.export(old), objects.export(new)),
                _ => feed(
                    &mut self.connections,
                    objects.connection(old),
                    objects.connection(new),
                ),
            }
            self.held[place] = new;
        }
    }

    /// What a visit to that place decides now; nothing if it's too early to judge.
    pub fn decide(&mut self, objects: &mut Objects, state: &State, place: Place) -> Option<u32> {
        let basis = basis(objects, state, place);
        if let Some(known) = self.known.get(&basis) {
            return *known;
        }
        self.see(objects, &state.seen);
        let id = state.seen[place];
        let what = if CONNECTIONS.contains(&place) {
            self.about_connection(objects, state, place).map(What::Connection)
        } else if place == COMPANIES {
            let enrichment = Arc::clone(objects.enrichment(id).expect("it is seen"));
            self.about_enrichment(&enrichment).map(What::User)
        } else {
            let export = Arc::clone(objects.export(id).expect("it is seen"));
            self.about_export(objects, state, place, &export).map(What::User)
        };
        let number = what.map(|what| {
            let news = match &what {
                What::Connection(decision) => {
                    objects.connection(id).and_then(|seen| seen.status.as_ref()) != Some(&decision.status)
                }
                What::User(decision) => {
                    let export = objects.export(id).and_then(|seen| seen.status.as_ref());
                    let enrichment = objects.enrichment(id).and_then(|seen| seen.status.as_ref());
                    export.or(enrichment) != Some(&decision.status)
                }
            };
            self.decisions.push(Rc::new(Decided { what, news }));
            u32::try_from(self.decisions.len() - 1).expect("fewer decisions than numbers")
        });
        self.known.insert(basis, number);
        number
    }

    fn about_connection(
        &self,
        objects: &Objects,
        state: &State,
        place: Place,
    ) -> Option<Decision<ConnectionStatus>> {
        let connection = Arc::clone(objects.connection(state.seen[place]).expect("it is seen"));
        let secret = match objects.get(state.seen[SECRET]) {
            Some(Object::Secret(version)) => Some(version.clone()),
            _ => self.has(Mutation::MissingSecretsCount).then(|| "1".to_owned()),
        };
        let secrets: Secrets = secret
            .map(|version| {
                let keys = SecretKeys {
                    version,
                    type_: "Opaque".to_owned(),
                    keys: BTreeMap::from([("token".to_owned(), true)]),
                };
                (NAMES[SECRET].to_owned(), Arc::new(keys))
            })
            .into_iter()
            .collect();
        let reference = Reference::Connection(NAMESPACE.to_owned(), NAMES[place].to_owned());
        let mut facts = ConnectionFacts {
            type_: self.stores.type_seen(connection.spec.type_.as_str()),
            secrets,
            vaults: VaultsSeen::default(),
            dependents: self.stores.dependents(&reference),
            consent: ConsentFacts {
                records: records(objects, state, place),
                pipelines: Arc::default(),
                stamped: true,
                proof: Proof::NotAsked,
            },
            sharing: SharingFacts {
                contributors: vec![carol()],
                role: seen(state, ROLES[place], |id| match objects.get(id) {
                    Some(Object::Role(role, _)) => Some(Arc::clone(role)),
                    _ => None,
                }),
                role_binding: seen(state, BINDINGS[place], |id| match objects.get(id) {
                    Some(Object::Binding(binding, _)) => Some(Arc::clone(binding)),
                    _ => None,
                }),
                shared: seen(state, SHARED[place], |id| match objects.get(id) {
                    Some(Object::Shared(shared, _)) => Some(Arc::clone(shared)),
                    _ => None,
                }),
                namesakes: Vec::new(),
                connected: true,
            },
            now: now(),
            connection,
        };
        if connection::decide::needs_proof(&facts) {
            facts.consent.proof = Proof::InPlace;
        }
        if connection::too_early(&facts).is_some() {
            return None;
        }
        let mut decision = connection::decide(&facts);
        let going = facts.connection.metadata.deletion_timestamp.is_some();
        match self.mutation {
            Some(Mutation::ReleasesWhatIsUsed) if going => decision.hold = Hold::Release,
            Some(Mutation::NeverReleases) if decision.hold == Hold::Release => decision.hold = Hold::Keep,
            Some(Mutation::NeverHolds) if decision.hold == Hold::Set => decision.hold = Hold::Keep,
            Some(Mutation::RecordsNothing) => decision.effects.retain(|effect| !is_record(effect)),
            Some(Mutation::DropsNothing) => {
                decision
                    .effects
                    .retain(|effect| !matches!(effect, Effect::Drop(_)));
            }
            Some(Mutation::OldGeneration) => {
                let generation = decision.status.observed_generation;
                decision.status.observed_generation = generation.map(|generation| generation - 1);
            }
            _ => {}
        }
        Some(decision)
    }

    fn about_export(
        &self,
        objects: &Objects,
        state: &State,
        place: Place,
        export: &Export,
    ) -> Option<Decision<ExportStatus>> {
        let spec = &export.spec;
        let payload = spec.payload.iter();
        let uses = payload.map(|item| {
            let name = item.dataset.as_str();
            self.stores
                .dataset_use(export, "spec.payload", name, Purpose::Read)
        });
        let uid = export.uid().unwrap_or_default();
        let facts = ActivityFacts {
            used_for: UsedFor::Export,
            generation: export.metadata.generation,
            before: export.status.clone().unwrap_or_default(),
            connection: self
                .stores
                .connection_seen(NAMESPACE, spec.connection_ref.as_ref()),
            uses: uses.collect::<Vec<Use>>(),
            load: load::of_export(export, &self.stores),
            parameters: &spec.parameters,
            schedule: spec.schedule.as_ref(),
            suspend: spec.suspend && !self.has(Mutation::IgnoresSuspension),
            deleting: export.metadata.deletion_timestamp.is_some(),
            connectors: &self.connectors,
            runs: RunsFacts {
                requested: export
                    .annotations()
                    .get(RUN_REQUESTED_ANNOTATION)
                    .map(String::as_str),
                cron_job: if place == NIGHTLY {
                    seen(state, CRON_JOB, |id| objects.cron_job(id).cloned())
                } else {
                    Seen::Absent
                },
                jobs: jobs(objects, state, place, &uid),
                starting: starting(objects, state, place, export, &uid),
                ..self.no_runs(export, Work::from(export))
            },
            now: now(),
        };
        self.about_user(&facts)
    }

    fn about_enrichment(&self, enrichment: &Enrichment) -> Option<Decision<ExportStatus>> {
        let spec = &enrichment.spec;
        let read = self.stores.dataset_use(
            enrichment,
            "spec.input",
            spec.input.dataset.as_str(),
            Purpose::Read,
        );
        let written = enrichment.written().into_iter().map(|(field, name, role)| {
            self.stores
                .dataset_use(enrichment, field, name, Purpose::Write(role))
        });
        let facts = ActivityFacts {
            used_for: UsedFor::Enrichment,
            generation: enrichment.metadata.generation,
            before: enrichment.status.clone().unwrap_or_default(),
            connection: self
                .stores
                .connection_seen(NAMESPACE, spec.connection_ref.as_ref()),
            uses: [read].into_iter().chain(written).collect(),
            load: load::of_enrichment(enrichment, &self.stores),
            parameters: &spec.parameters,
            schedule: spec.schedule.as_ref(),
            suspend: spec.suspend,
            deleting: enrichment.metadata.deletion_timestamp.is_some(),
            connectors: &self.connectors,
            runs: self.no_runs(enrichment, Work::from(enrichment)),
            now: now(),
        };
        self.about_user(&facts)
    }

    fn no_runs<'a>(&'a self, user: &impl ResourceExt, work: Work<'a>) -> RunsFacts<'a> {
        RunsFacts {
            namespace: NAMESPACE.to_owned(),
            name: user.name_any(),
            uid: user.uid().unwrap_or_default(),
            work,
            requested: None,
            dry_run_requested: None,
            cron_job: Seen::Absent,
            jobs: Vec::new(),
            dry_run_jobs: Vec::new(),
            last_words: BTreeMap::new(),
            starting: BTreeSet::new(),
            dry_runs_starting: BTreeSet::new(),
            undoing: None,
            vaults: KeyVaults::new(),
            account: self.account.clone(),
            connector: Some(&self.connector),
        }
    }

    fn about_user(&self, facts: &ActivityFacts<'_>) -> Option<Decision<ExportStatus>> {
        if activity::too_early(facts) {
            return None;
        }
        let mut decision = activity::decide(facts);
        if self.has(Mutation::SchedulesGoOn) {
            decision.effects.retain(
                |effect| !matches!(effect, Effect::Run(step) if matches!(**step, RunStep::Suspend(_))),
            );
        }
        Some(decision)
    }

    /// Whom a change wakes that a watch has brought: as the wiring of the process asks, kind by kind.
    pub fn woken(&mut self, objects: &Objects, seen: &[Id], place: Place, (before, after): (Id, Id)) -> u8 {
        let mut key = [0; 8];
        key[..5].copy_from_slice(&seen[..5]);
        key[5..].copy_from_slice(&[u16::try_from(place).expect("few places"), before, after]);
        if let Some(known) = self.wakes.get(&key) {
            return *known;
        }
        self.see(objects, seen);
        let keys = self.wakes_of(objects, place, (before, after));
        let woken = keys.into_iter().fold(0, |bits, key| bits | named(&key));
        self.wakes.insert(key, woken);
        woken
    }

    fn wakes_of(&self, objects: &Objects, place: Place, (before, after): (Id, Id)) -> Vec<ObjectKey> {
        let stores = &self.stores;
        match place {
            _ if CONNECTIONS.contains(&place) => {
                let change = change(objects.connection(before), objects.connection(after));
                let itself = itself(&change);
                let namesakes = connection::watch::woken_by_namesake(&change, &stores.connections);
                if self.has(Mutation::WakesNoUsers) {
                    return [itself, namesakes].concat();
                }
                let exports = export::watch::woken_by_connection(&change, &stores.exports);
                let enrichments = enrichment::watch::woken_by_connection(&change, &stores.enrichments);
                [itself, namesakes, exports, enrichments].concat()
            }
            NIGHTLY | MANUAL => {
                let change = change(objects.export(before), objects.export(after));
                let rivals = export::watch::woken_by_export(&change, stores);
                [itself(&change), rivals, self.wakes_of_user(&change)].concat()
            }
            COMPANIES => {
                let change = change(objects.enrichment(before), objects.enrichment(after));
                [itself(&change), self.wakes_of_user(&change)].concat()
            }
            SECRET if self.has(Mutation::WakesNobodyBySecrets) => Vec::new(),
            SECRET => {
                let meta = |id| match objects.get(id) {
                    Some(Object::Secret(version)) => Some(secret_meta(version)),
                    _ => None,
                };
                let change = change(meta(before).as_ref(), meta(after).as_ref());
                connection::watch::woken_by_secret(&change, &stores.connections)
            }
            _ if RECORDS.contains(&place) => {
                let (old, new) = (objects.records(before), objects.records(after));
                let records = new.iter().skip(old.len());
                let changes = records.map(|record| change(None, Some(record)));
                changes
                    .flat_map(|change| connection::watch::woken_by_record(&change))
                    .collect()
            }
            _ => self.wakes_of_kept(objects, place, (before, after)),
        }
    }

    fn wakes_of_user<K: Writes + connection_operator::api::Refers>(
        &self,
        change: &Change<K>,
    ) -> Vec<ObjectKey> {
        [
            connection::watch::woken_by_user(change),
            export::watch::woken_by_writer(change, &self.stores.exports),
            enrichment::watch::woken_by_writer(change, &self.stores.enrichments),
        ]
        .concat()
    }

    fn wakes_of_kept(&self, objects: &Objects, place: Place, (before, after): (Id, Id)) -> Vec<ObjectKey> {
        let connections = &self.stores.connections;
        let [before, after] = [before, after].map(|id| objects.get(id));
        match (before, after) {
            (Some(Object::Role(..)), _) | (_, Some(Object::Role(..))) => {
                let [before, after] = [before, after].map(|side| match side {
                    Some(Object::Role(role, _)) => Some(role),
                    _ => None,
                });
                connection::watch::woken_by_kept(&change(before, after))
            }
            (Some(Object::Binding(..)), _) | (_, Some(Object::Binding(..))) => {
                let [before, after] = [before, after].map(|side| match side {
                    Some(Object::Binding(binding, _)) => Some(binding),
                    _ => None,
                });
                let change = change(before, after);
                let contributors = connection::watch::woken_by_contributors(&change, connections);
                [connection::watch::woken_by_kept(&change), contributors].concat()
            }
            (Some(Object::Shared(..)), _) | (_, Some(Object::Shared(..))) => {
                let [before, after] = [before, after].map(|side| match side {
                    Some(Object::Shared(shared, _)) => Some(shared),
                    _ => None,
                });
                connection::watch::woken_by_kept(&change(before, after))
            }
            // What runs are made of wakes what it belongs to.
            _ => {
                let export = if place == REQUESTED { MANUAL } else { NIGHTLY };
                vec![ObjectKey::new(NAMESPACE, NAMES[export])]
            }
        }
    }
}

pub fn is_record(effect: &Effect) -> bool {
    matches!(effect, Effect::Record { .. })
}

fn feed<K>(feed: &mut Feed<K>, old: Option<&Arc<K>>, new: Option<&Arc<K>>)
where
    K: Resource<DynamicType = ()> + connection_operator::api::Refers + Clone + std::fmt::Debug + 'static,
{
    let event = match (old, new) {
        (_, Some(new)) => Watched::Apply(K::clone(new)),
        (Some(old), None) => Watched::Delete(K::clone(old)),
        (None, None) => return,
    };
    feed.apply(&Brought::Event(event));
}

fn change<K>(before: Option<&Arc<K>>, after: Option<&Arc<K>>) -> Change<K> {
    Change {
        before: before.cloned(),
        after: after.cloned(),
    }
}

fn itself<K: Resource>(change: &Change<K>) -> Vec<ObjectKey> {
    change
        .after
        .iter()
        .map(|object| ObjectKey::of(&**object))
        .collect()
}

/// The bit of what has this name; the names of all kinds differ.
fn named(key: &ObjectKey) -> u8 {
    let place = GOVERNED.into_iter().find(|place| NAMES[*place] == key.name);
    place.map_or(0, bit)
}

fn carol() -> Subject {
    Subject {
        api_group: Some("rbac.authorization.k8s.io".to_owned()),
        kind: "User".to_owned(),
        name: "carol".to_owned(),
        namespace: None,
    }
}

fn secret_meta(version: &str) -> Arc<SecretMeta> {
    let metadata = json!({"name": NAMES[SECRET], "namespace": NAMESPACE, "resourceVersion": version});
    let meta = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata});
    Arc::new(super::objects::read(meta))
}

fn seen<K>(state: &State, place: Place, object: impl FnOnce(Id) -> Option<Arc<K>>) -> Seen<K> {
    if state.is_pending(place) {
        return Seen::Pending;
    }
    object(state.seen[place]).map_or(Seen::Absent, Seen::Present)
}

/// The records that the watch has brought, and our own newest.
fn records(objects: &Objects, state: &State, place: Place) -> Vec<Arc<ConsentRecord>> {
    let mut records = objects.records(state.seen[RECORDS[place]]).to_vec();
    records.extend(newest(objects, state, place));
    records
}

fn newest(objects: &Objects, state: &State, place: Place) -> Option<Arc<ConsentRecord>> {
    let mut ours = state.coming.iter().rev();
    let ours = ours.find(|event| usize::from(event.place) == RECORDS[place] && event.ours)?;
    objects.records(ours.id).last().cloned()
}

/// The connection that an export or enrichment names.
fn connection_of(objects: &Objects, id: Id) -> Option<Place> {
    let name = objects.user(id)?.connection.as_ref()?;
    CONNECTIONS.into_iter().find(|place| NAMES[*place] == name)
}

/// Which objects, as they are seen, a decision depends on.
fn basis(objects: &Objects, state: &State, place: Place) -> Basis {
    let of = |place: Place| {
        if state.is_pending(place) {
            PENDING
        } else {
            state.seen[place]
        }
    };
    let own = state.seen[place];
    let at = u16::try_from(place).expect("few places");
    if CONNECTIONS.contains(&place) {
        let users = USERS.into_iter().filter(|user| {
            let id = state.seen[*user];
            connection_of(objects, id) == Some(place)
        });
        let users = users.fold(0, |bits, user| bits | u16::from(bit(user)));
        let ours = state.coming.iter().rev();
        let mut ours = ours.filter(|event| usize::from(event.place) == RECORDS[place] && event.ours);
        let newest = ours.next().map_or(0, |event| event.id);
        let records = state.seen[RECORDS[place]];
        let kept = [of(ROLES[place]), of(BINDINGS[place]), of(SHARED[place])];
        return [
            at,
            own,
            state.seen[SECRET],
            users,
            records,
            newest,
            kept[0],
            kept[1],
            kept[2],
        ];
    }
    let named = connection_of(objects, own);
    let connection = named.map_or(0, |place| state.seen[place]);
    let runs = match place {
        NIGHTLY => [of(CRON_JOB), state.seen[SCHEDULED], 0],
        MANUAL => [0, state.seen[REQUESTED], u16::from(state.is_pending(REQUESTED))],
        _ => [0, 0, 0],
    };
    let named = named.map_or(0, |place| 1 + u16::from(place == SECOND));
    [at, own, named, connection, runs[0], runs[1], runs[2], 0, 0]
}

/// The Jobs of an export that were seen, each with what its pod told.
fn jobs(objects: &Objects, state: &State, place: Place, uid: &str) -> Vec<JobSeen> {
    let slot = if place == NIGHTLY { SCHEDULED } else { REQUESTED };
    let seen = objects.job(state.seen[slot]).into_iter();
    let own =
        seen.filter(|job| job.annotations().get(RUN_OF_UID_ANNOTATION).map(String::as_str) == Some(uid));
    own.map(|job| results::seen(job, pod_of(job).iter(), |_| None))
        .collect()
}

/// How a run that was stopped told so. Pods are seen together with their Jobs here.
fn pod_of(job: &Job) -> Option<Pod> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let stopped = conditions.first()?.message.as_deref() == Some(STOPPED);
    stopped.then(|| {
        let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now());
        let result = RunResult {
            outcome: RunOutcome::Stopped,
            started_at: time.clone(),
            ended_at: time.clone(),
            counts: RunCounts::default(),
            estimate: Vec::new(),
            failure: None,
        };
        let terminated =
            json!({"exitCode": 12, "finishedAt": json(&time), "message": json(&result).to_string()});
        let owner =
            json!({"apiVersion": "batch/v1", "kind": "Job", "name": job.name_any(), "uid": job.uid()});
        super::objects::read(json!({
            "metadata": {"name": "pod", "namespace": NAMESPACE, "ownerReferences": [owner]},
            "status": {"containerStatuses": [{
                "name": "connector", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"terminated": terminated},
            }]},
        }))
    })
}

/// What a Job's condition says here if its run was stopped.
pub const STOPPED: &str = "stopped";

/// The Job of the request, if we made it a moment ago.
fn starting(objects: &Objects, state: &State, place: Place, export: &Export, uid: &str) -> BTreeSet<String> {
    let asked = export.annotations().get(RUN_REQUESTED_ANNOTATION);
    let job = asked.map(|asked| names::requested_job("Export", (&export.name_any(), uid), asked));
    let made = state.coming.iter().filter(|event| {
        let job_made = objects.job(event.id).map(|job| job.name_any());
        place == MANUAL && event.ours && usize::from(event.place) == REQUESTED && job_made == job
    });
    made.filter_map(|_| job.clone()).collect()
}
