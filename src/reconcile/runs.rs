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
            starting,
            account: self.run_account_of(&namespace),
            connector: self.connector.as_ref(),
            namespace,
            name,
        }
    }

    pub(super) async fn take_step(&self, namespace: &str, step: &RunStep) -> Result<(), WriteError> {
        match step {
            RunStep::Schedule { plan, cron_job } => {
                if let Some(plan) = plan {
                    self.make_once(plan).await?;
                }
                let version = writes::apply(&self.client, cron_job).await?;
                self.written.note(cron_job, &version);
            }
            RunStep::Start { plan, job } => {
                self.make_once(plan).await?;
                if let Some(version) = self.make_once(job).await? {
                    self.written.note(job, &version);
                }
            }
            RunStep::Suspend(seen) => {
                let mut wanted = (**seen).clone();
                wanted.spec.get_or_insert_default().suspend = Some(true);
                let version = writes::change(&self.client, &**seen, &wanted).await?;
                self.written.note(&**seen, &version);
            }
            RunStep::Retire(seen) => {
                writes::delete_with_pods(&self.client, &**seen).await?;
                self.written.note_removed::<CronJob>(seen);
            }
            RunStep::End { job, uid, plan, .. } => self.end(namespace, (job, uid), plan.as_deref()).await?,
        }
        Ok(())
    }

    async fn end(
        &self,
        namespace: &str,
        (job, uid): (&str, &str),
        plan: Option<&str>,
    ) -> Result<(), WriteError> {
        let named = |name: &str, uid: Option<&str>| ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            uid: uid.map(str::to_owned),
            ..ObjectMeta::default()
        };
        let job = Job {
            metadata: named(job, Some(uid)),
            ..Job::default()
        };
        writes::delete_with_pods(&self.client, &job).await?;
        if let Some(plan) = plan {
            let plan = ConfigMap {
                metadata: named(plan, None),
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
