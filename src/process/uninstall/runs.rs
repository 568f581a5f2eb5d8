//! Takes away what runs are made of: without the operator what has a schedule would go on making Jobs, and nobody would tell how
//! they end.

use super::{CONCURRENCY, LOOK_AGAIN, UninstallError};
use crate::api::names::{
    MANAGED_BY_LABEL, RUN_LABEL, RUN_NAME_PREFIX, RUN_PLAN_ANNOTATION, RUN_PLAN_BEFORE_ANNOTATION, RUN_POLICY,
};
use crate::cluster::writes::{self, WriteError};
use crate::governance::runs::names;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fmt::Debug;

/// Removes schedules, runs with their pods, and plans, in all namespaces. A Job that Kubernetes makes meanwhile is found by
/// looking again. What is on its way out already isn't waited for: it may be on a node that is lost.
///
/// # Errors
/// See [`UninstallError`].
pub(super) async fn remove_all(client: &Client) -> Result<(), UninstallError> {
    loop {
        let cron_jobs = listed::<CronJob>(client).await?;
        let jobs = listed::<Job>(client).await?;
        if cron_jobs.is_empty() && jobs.is_empty() {
            return Ok(());
        }
        tracing::info!(cron_jobs = cron_jobs.len(), jobs = jobs.len(), "taking runs away");
        let plans = cron_jobs.iter().flat_map(plans);
        let plans: BTreeSet<Plan> = plans.chain(jobs.iter().flat_map(self::plans)).collect();
        each(cron_jobs, |cron_job| remove(client, cron_job)).await?;
        each(jobs, |job| remove(client, job)).await?;
        each(plans, |plan| remove_plan(client, plan)).await?;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Does it to all of them, many at the same time.
async fn each<T, F>(all: impl IntoIterator<Item = T>, act: impl FnMut(T) -> F) -> Result<(), UninstallError>
where
    F: Future<Output = Result<(), UninstallError>>,
{
    let all = stream::iter(all).map(Ok);
    all.try_for_each_concurrent(CONCURRENCY, act).await
}

async fn remove_plan(client: &Client, (namespace, name): Plan) -> Result<(), UninstallError> {
    let plan = ConfigMap {
        metadata: ObjectMeta {
            namespace: Some(namespace),
            name: Some(name),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    };
    let removed = writes::delete(client, &plan).await;
    removed.map_err(|source| UninstallError::not_deleted(&plan, RUN_POLICY, source))
}

/// Those that aren't being removed yet. Policies keep their names from everybody else, and let us remove no others.
async fn listed<K>(client: &Client) -> Result<Vec<PartialObjectMeta<K>>, UninstallError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let (label, value) = MANAGED_BY_LABEL;
    let ours = ListParams::default().labels(&format!("{RUN_LABEL},{label}={value}"));
    let api: Api<K> = Api::all(client.clone());
    let found = api.list_metadata(&ours).await;
    let found = found.map_err(|source| UninstallError::Request {
        what: "listing runs",
        source: Box::new(source),
    })?;
    let named = |object: &PartialObjectMeta<K>| object.name_any().starts_with(RUN_NAME_PREFIX);
    let stays = |object: &PartialObjectMeta<K>| object.metadata.deletion_timestamp.is_none();
    let found = found.items.into_iter();
    Ok(found.filter(|object| named(object) && stays(object)).collect())
}

/// The namespace and name of a plan's ConfigMap.
type Plan = (String, String);

/// The plans that an object runs by, or did before.
fn plans<K: Resource>(object: &K) -> Vec<Plan> {
    let namespace = object.namespace().unwrap_or_default();
    let annotation = |name: &str| object.annotations().get(name).map_or("", String::as_str);
    let before = annotation(RUN_PLAN_BEFORE_ANNOTATION).split(',');
    let before = before.map(|entry| entry.split_once('@').map_or(entry, |(hash, _)| hash));
    let all = before.chain([annotation(RUN_PLAN_ANNOTATION)]);
    all.filter(|hash| !hash.is_empty())
        .map(|hash| (namespace.clone(), names::plan(hash)))
        .collect()
}

async fn remove<K>(client: &Client, object: PartialObjectMeta<K>) -> Result<(), UninstallError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match writes::delete_with_pods(client, &object).await {
        Ok(()) | Err(WriteError::Gone | WriteError::Conflict) => Ok(()), // another of its name is found by looking again
        Err(source) => Err(UninstallError::not_deleted(&object, RUN_POLICY, source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn plans_are_known_by_what_runs_by_them() {
        let of = |annotations: &[(&str, &str)]| {
            let annotations: BTreeMap<String, String> = annotations
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let job = Job {
                metadata: ObjectMeta {
                    namespace: Some("marketing".to_owned()),
                    annotations: Some(annotations),
                    ..ObjectMeta::default()
                },
                ..Job::default()
            };
            plans(&job).into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(of(&[]), [""; 0]);
        assert_eq!(of(&[(RUN_PLAN_ANNOTATION, "a")]), ["connections-run-plan-a"]);
        let both = [
            (RUN_PLAN_ANNOTATION, "a"),
            (
                RUN_PLAN_BEFORE_ANNOTATION,
                "b@2026-11-29T06:00:00Z,c@2026-11-29T05:00:00Z",
            ),
        ];
        let all = ["b", "c", "a"].map(|hash| format!("connections-run-plan-{hash}"));
        assert_eq!(of(&both), all);
    }
}
