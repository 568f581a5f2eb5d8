//! What runs ask of the stores, and the writes to what they are made of.

use super::Context;
use crate::api::connection_type::UsedFor;
use crate::api::names::RUN_REQUESTED_ANNOTATION;
use crate::api::{Export, Reference};
use crate::cluster::ObjectKey;
use crate::cluster::writes::{self, WriteError};
use crate::governance::runs::steps::RunStep;
use crate::governance::runs::{RunsFacts, names, results};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};
use serde::Serialize;
use std::sync::Arc;

impl Context {
    /// What is known of the runs of an export.
    #[must_use]
    pub fn runs_of<'a>(&'a self, export: &'a Export) -> RunsFacts<'a> {
        let (namespace, name) = (export.namespace().unwrap_or_default(), export.name_any());
        let kind = UsedFor::Export.to_string();
        let stores = &self.stores;
        let own = Reference::Run(namespace.clone(), kind.clone(), name.clone());
        let pods = stores.pods.referring(&own).into_iter();
        let pods: Vec<Arc<Pod>> = pods
            .filter_map(|key| stores.pods.get(&key.namespace, &key.name))
            .collect();
        let jobs = stores.jobs.referring(&own).into_iter();
        let jobs = jobs.filter_map(|key| stores.jobs.get(&key.namespace, &key.name));
        // What is left of one of the same name that was there before is none of its.
        let begun = export.creation_timestamp();
        let jobs = jobs.filter(|job| job.creation_timestamp() >= begun);
        let request = export
            .status
            .as_ref()
            .and_then(|status| status.last_request.as_ref());
        let starting = request.is_some_and(|request| {
            let job = names::requested_job(&kind, &name, &request.value);
            self.kept(&stores.jobs, &ObjectKey::new(&namespace, &job))
                .is_pending()
        });
        RunsFacts {
            uid: export.uid().unwrap_or_default(),
            payload: &export.spec.payload,
            mode: export.spec.mode,
            requested: export
                .annotations()
                .get(RUN_REQUESTED_ANNOTATION)
                .map(String::as_str),
            cron_job: self.kept(
                &stores.cron_jobs,
                &ObjectKey::new(&namespace, &names::cron_job(&kind, &name)),
            ),
            jobs: jobs
                .map(|job| results::seen(&job, pods.iter().map(|pod| &**pod)))
                .collect(),
            last_words: results::last_words(pods.iter().map(|pod| &**pod)),
            starting,
            account: self.run_account_of(&namespace),
            connector: self.connector.as_ref(),
            namespace,
            name,
        }
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
                writes::delete_with_pods(&self.client, &**cron_job).await?;
                self.written.note_removed::<CronJob>(cron_job);
                self.remove_plans(namespace, plans).await?;
            }
            RunStep::End { job, uid, plan, .. } => {
                let job = Job {
                    metadata: named(namespace, job, Some(uid)),
                    ..Job::default()
                };
                writes::delete_with_pods(&self.client, &job).await?;
                self.remove_plans(namespace, plan).await?;
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

fn named(namespace: &str, name: &str, uid: Option<&str>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        uid: uid.map(str::to_owned),
        ..ObjectMeta::default()
    }
}
