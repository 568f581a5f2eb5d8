//! What runs ask of the stores, and the writes to what they are made of.

use super::Context;
use crate::api::Reference;
use crate::api::connection_type::UsedFor;
use crate::api::export::{ExportStatus, RunRequest};
use crate::api::names::{DRY_RUN_REQUESTED_ANNOTATION, RUN_OF_UID_ANNOTATION, RUN_REQUESTED_ANNOTATION};
use crate::cluster::ObjectKey;
use crate::cluster::writes::{self, WriteError};
use crate::governance::attachment::ConnectionSeen;
use crate::governance::runs::results::JobSeen;
use crate::governance::runs::steps::RunStep;
use crate::governance::runs::{RunsFacts, Work, names, request, results};
use crate::governance::vaults::KeyVaults;
use crate::governance::vaults::address::Link;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Context {
    /// What is known of the runs of an export or enrichment on this connection; `before` is its status.
    #[must_use]
    pub fn runs_of<'a, K>(
        &'a self,
        user: &'a K,
        before: Option<&ExportStatus>,
        connection: &ConnectionSeen,
    ) -> RunsFacts<'a>
    where
        K: ResourceExt,
        Work<'a>: From<&'a K>,
    {
        let work = Work::from(user);
        let (namespace, name) = (user.namespace().unwrap_or_default(), user.name_any());
        let (kind, uid) = (work.used_for().to_string(), user.uid().unwrap_or_default());
        let stores = &self.stores;
        let own = Reference::Run(namespace.clone(), kind.clone(), name.clone());
        let (jobs, pods) = self.jobs_of(&own, &uid);
        let undoing = results::undoing(pods.iter().map(|pod| &**pod), &jobs, self.now());
        let (dry_run_jobs, jobs) = jobs.into_iter().partition(|job| job.dry_run);
        let asked = |annotation: &str| user.annotations().get(annotation).map(String::as_str);
        // Only what sends has something to count before it does.
        let dry_run_requested =
            asked(DRY_RUN_REQUESTED_ANNOTATION).filter(|_| work.used_for() == UsedFor::Export);
        RunsFacts {
            starting: self.starting(
                &namespace,
                before.and_then(|status| status.last_request.as_ref()),
                asked(RUN_REQUESTED_ANNOTATION),
                |request| names::requested_job(&kind, (&name, &uid), request),
            ),
            dry_runs_starting: self.starting(
                &namespace,
                before.and_then(|status| Some(&status.last_dry_run.as_ref()?.request)),
                dry_run_requested,
                |request| names::dry_run_job(&kind, (&name, &uid), request),
            ),
            undoing,
            uid,
            work,
            requested: asked(RUN_REQUESTED_ANNOTATION),
            dry_run_requested,
            cron_job: self.kept(
                &stores.cron_jobs,
                &ObjectKey::new(&namespace, &names::cron_job(&kind, &name)),
            ),
            jobs,
            dry_run_jobs,
            last_words: results::last_words(pods.iter().map(|pod| &**pod)),
            vaults: self.allowed_vaults_of(&namespace, connection),
            account: self.run_account_of(&namespace),
            connector: self.connector.as_ref(),
            namespace,
            name,
        }
    }

    /// The Jobs of one export or enrichment, and the pods of it and of what had its name before.
    fn jobs_of(&self, own: &Reference, uid: &str) -> (Vec<JobSeen>, Vec<Arc<Pod>>) {
        let stores = &self.stores;
        let pods = stores.pods.referring(own).into_iter();
        let pods: Vec<Arc<Pod>> = pods
            .filter_map(|key| stores.pods.get(&key.namespace, &key.name))
            .collect();
        let jobs = stores.jobs.referring(own).into_iter();
        let jobs = jobs.filter_map(|key| stores.jobs.get(&key.namespace, &key.name));
        // What is left of one of the same name that was there before is none of its.
        let jobs = jobs.filter(|job| {
            let of = job.annotations().get(RUN_OF_UID_ANNOTATION);
            of.is_some_and(|of| of == uid)
        });
        let by_job = by_job(&pods);
        let jobs = jobs.map(|job| {
            let own = job.metadata.uid.as_deref().and_then(|uid| by_job.get(uid));
            results::seen(&job, own.into_iter().flatten().copied(), |pod| {
                self.progress.of(pod)
            })
        });
        (jobs.collect(), pods)
    }

    /// The key vaults that a connection names, but those that the installation doesn't allow as they are linked.
    fn allowed_vaults_of(&self, namespace: &str, connection: &ConnectionSeen) -> KeyVaults {
        let ConnectionSeen::Present { connection, .. } = connection else {
            return KeyVaults::new();
        };
        let allowed = self.links.allowed();
        let vaults = self.vaults_of(&**connection).into_iter();
        vaults
            .filter(|(_, vault)| Link::read(&vault.spec, namespace, &allowed).is_ok())
            .collect()
    }

    /// The Jobs of the newest request, answered or not, that were made and not seen yet.
    fn starting(
        &self,
        namespace: &str,
        answered: Option<&RunRequest>,
        asked: Option<&str>,
        job: impl Fn(&str) -> String,
    ) -> BTreeSet<String> {
        let answered = answered.map(|answered| answered.value.clone());
        let requests = answered.into_iter().chain(asked.map(request::value));
        requests
            .map(|request| job(&request))
            .filter(|job| {
                self.kept(&self.stores.jobs, &ObjectKey::new(namespace, job))
                    .is_pending()
            })
            .collect()
    }

    pub(super) async fn take_step(&self, namespace: &str, step: &RunStep) -> Result<(), WriteError> {
        match step {
            RunStep::Schedule {
                plan,
                cron_job,
                outlived,
            } => {
                if let Some(plan) = plan {
                    self.make_once(plan).await?;
                }
                let version = writes::apply(&self.client, &**cron_job).await?;
                self.written.note(&**cron_job, &version);
                self.remove_plans(namespace, outlived).await?;
            }
            RunStep::Start { plan, job } => {
                self.make_once(plan).await?;
                if let Some(version) = self.make_once(&**job).await? {
                    self.written.note(&**job, &version);
                }
            }
            RunStep::Suspend(seen) => {
                let mut wanted = (**seen).clone();
                wanted.spec.get_or_insert_default().suspend = Some(true);
                let version = writes::change(&self.client, &**seen, &wanted).await?;
                self.written.note(&**seen, &version);
            }
            RunStep::Retire { cron_job, plans } => {
                // Plans first: once it is gone nothing names them any more, should this end half-way.
                self.remove_plans(namespace, plans).await?;
                writes::delete_with_pods(&self.client, &**cron_job).await?;
                self.written.note_removed::<CronJob>(cron_job);
            }
            RunStep::End {
                job,
                uid,
                plan,
                running,
            } => {
                let (first, last) = if *running { (&None, plan) } else { (plan, &None) };
                self.remove_plans(namespace, first).await?;
                let job = Job {
                    metadata: named(namespace, job, Some(uid)),
                    ..Job::default()
                };
                writes::delete_with_pods(&self.client, &job).await?;
                self.remove_plans(namespace, last).await?;
            }
        }
        Ok(())
    }

    async fn remove_plans(
        &self,
        namespace: &str,
        plans: impl IntoIterator<Item = &String>,
    ) -> Result<(), WriteError> {
        for plan in plans {
            let plan = ConfigMap {
                metadata: named(namespace, plan, None),
                ..ConfigMap::default()
            };
            writes::delete(&self.client, &plan).await?;
        }
        Ok(())
    }

    /// Makes an object whose name says all that is in it: that it is there already is as good.
    async fn make_once<K>(&self, object: &K) -> Result<Option<String>, WriteError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize,
    {
        match writes::make(&self.client, object).await {
            Ok(version) => Ok(Some(version)),
            Err(WriteError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Pods by the uid of the Job that made them.
fn by_job(pods: &[Arc<Pod>]) -> BTreeMap<&str, Vec<&Pod>> {
    let mut by_job: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for pod in pods {
        for owner in pod.owner_references() {
            by_job.entry(&owner.uid).or_default().push(pod);
        }
    }
    by_job
}

fn named(namespace: &str, name: &str, uid: Option<&str>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        uid: uid.map(str::to_owned),
        ..ObjectMeta::default()
    }
}
