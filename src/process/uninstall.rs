//! Leaves nothing stuck, and no account without its guard: stops whatever sets our finalizer, the API server and the
//! operator, then takes runs away, the finalizer off everything, and run accounts away. Where another release has taken the policies over, its operator goes on, and only ours is stopped.

use crate::api::names::{FINALIZER_POLICY, HELM_NAMESPACE_ANNOTATION, IN_USE_FINALIZER, RELEASE_LABEL};
use crate::api::{Connection, Dataset, KeyVault};
use crate::cluster::writes::{self, Target, WriteError};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::core::{DynamicObject, GroupVersionKind, PartialObjectMeta};
use kube::discovery::ApiResource;
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use std::fmt::Debug;
use std::time::Duration;
use thiserror::Error;

mod accounts;
mod runs;

/// How often the pods are looked for while they end.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long the pods may take to end.
const PODS_END_WITHIN: Duration = Duration::from_mins(2);
/// Releases at the same time.
const CONCURRENCY: usize = 16;

/// Why uninstalling stopped half-way; it can be repeated.
#[derive(Debug, Error)]
pub enum UninstallError {
    /// The API server refused, or couldn't be reached.
    #[error("{what} failed")]
    Request {
        /// What was tried.
        what: &'static str,
        /// The API server's answer.
        #[source]
        source: Box<kube::Error>,
    },
    /// The name may be another's, whose operator would put back what is taken off here.
    #[error(
        "namespace {namespace} has no Deployment {deployment}, so nothing was changed: name the operator's (kubectl get \
         deployments -n {namespace}), or add --missing-ok if it is gone already"
    )]
    NoDeployment {
        /// What was named.
        deployment: String,
        /// Its namespace.
        namespace: String,
    },
    /// The operator's pods didn't end.
    #[error(
        "the pods of Deployment {deployment} in namespace {namespace} did not end within {PODS_END_WITHIN:?}: look at them, then uninstall again"
    )]
    PodsRemain {
        /// The operator's Deployment.
        deployment: String,
        /// Its namespace.
        namespace: String,
    },
    /// A finalizer stayed.
    #[error("the finalizer of {kind} {name} in namespace {namespace} can't be taken off")]
    Release {
        /// The kind.
        kind: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Why not.
        #[source]
        source: WriteError,
    },
    /// A policy keeps the finalizer of what is being deleted from anybody but the operator and the chart's own job.
    #[error(
        "{kind} {name} in namespace {namespace} keeps its finalizer, as it is being deleted and you may not take it off: \
         uninstall by helm, or run `kubectl delete validatingadmissionpolicybinding {FINALIZER_POLICY}` and this again"
    )]
    Kept {
        /// The kind.
        kind: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A policy keeps what the operator made from anybody but the operator and the chart's own job.
    #[error(
        "{kind} {name} in namespace {namespace} stays, as you may not delete it: uninstall by helm, or run `kubectl delete \
         validatingadmissionpolicybinding {policy}` and this again"
    )]
    Stays {
        /// The kind.
        kind: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The policy.
        policy: &'static str,
    },
    /// Something that the operator made can't be deleted.
    #[error("{kind} {name} in namespace {namespace} can't be deleted")]
    Deletion {
        /// The kind.
        kind: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Why not.
        #[source]
        source: WriteError,
    },
}

impl UninstallError {
    /// Why an object stays that the operator made, and that this policy keeps from others.
    fn not_deleted<K: Resource<DynamicType = ()>>(
        object: &K,
        policy: &'static str,
        source: WriteError,
    ) -> Self {
        let kind = K::kind(&()).into_owned();
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        if source.is_forbidden() {
            Self::Stays {
                kind,
                namespace,
                name,
                policy,
            }
        } else {
            Self::Deletion {
                kind,
                namespace,
                name,
                source,
            }
        }
    }
}

/// What is uninstalled.
#[derive(Clone, Copy, Debug)]
pub struct Installation<'a> {
    /// The release; its namespace is the operator's.
    pub release: Option<&'a str>,
    /// The namespace of the operator's Deployment.
    pub namespace: &'a str,
    /// The operator's Deployment.
    pub deployment: &'a str,
    /// Whether that may be gone already.
    pub missing_ok: bool,
}

/// Ends the policy that sets the finalizer, scales the operator to 0, waits until its pods are gone, takes away what runs, and
/// releases every object that it holds. Run accounts go last. If another release has taken the policies over, that one holds the objects now, so the operator
/// is scaled to 0 and nothing else is touched.
///
/// # Errors
/// See [`UninstallError`].
pub async fn uninstall(client: &Client, ours: Installation<'_>) -> Result<(), UninstallError> {
    if let Some(release) = ours.release
        && let Some(other) = successor(client, release, ours.namespace).await?
    {
        tracing::warn!(release = %other, "another release has taken over: finalizers and policies are left to it");
        return stop(client, ours.namespace, ours.deployment).await;
    }
    if !ours.missing_ok {
        look_for(client, ours).await?;
    }
    unbind(client).await?;
    stop(client, ours.namespace, ours.deployment).await?;
    runs::remove_all(client).await?;
    release_all::<KeyVault>(client).await?;
    release_all::<Connection>(client).await?;
    release_all::<Dataset>(client).await?;
    accounts::remove_all(client).await
}

fn bindings(client: &Client, kind: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
    Api::all_with(client.clone(), &ApiResource::from_gvk(&kind))
}

/// The release that the policies belong to, if it's another: by the chart's label, and by Helm's own annotation where
/// two releases are called the same.
async fn successor(
    client: &Client,
    release: &str,
    namespace: &str,
) -> Result<Option<String>, UninstallError> {
    let bindings = bindings(client, "ValidatingAdmissionPolicyBinding");
    let binding = bindings.get_opt(FINALIZER_POLICY).await;
    let binding = binding.map_err(|source| UninstallError::Request {
        what: "looking whose the policies are",
        source: Box::new(source),
    })?;
    let Some(binding) = binding else {
        return Ok(None);
    };
    let named = binding
        .labels()
        .get(RELEASE_LABEL)
        .map_or(release, String::as_str);
    let home = binding.annotations().get(HELM_NAMESPACE_ANNOTATION);
    let home = home.map_or(namespace, String::as_str);
    Ok(((named, home) != (release, namespace)).then(|| format!("{home}/{named}")))
}

/// Makes sure that the operator is where it's said to be, before anything is changed.
async fn look_for(client: &Client, ours: Installation<'_>) -> Result<(), UninstallError> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), ours.namespace);
    let there = deployments.get_metadata_opt(ours.deployment).await;
    let there = there.map_err(|source| UninstallError::Request {
        what: "looking for the operator's Deployment",
        source: Box::new(source),
    })?;
    there.map(|_| ()).ok_or_else(|| UninstallError::NoDeployment {
        deployment: ours.deployment.to_owned(),
        namespace: ours.namespace.to_owned(),
    })
}

/// Before Kubernetes 1.36 there is no such policy.
async fn unbind(client: &Client) -> Result<(), UninstallError> {
    let bindings = bindings(client, "MutatingAdmissionPolicyBinding");
    match bindings.delete(FINALIZER_POLICY, &DeleteParams::default()).await {
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
        Err(source) => Err(UninstallError::Request {
            what: "ending the policy that sets finalizers",
            source: Box::new(source),
        }),
        Ok(_) => Ok(()),
    }
}

async fn stop(client: &Client, namespace: &str, deployment: &str) -> Result<(), UninstallError> {
    let request = |what| {
        move |source| UninstallError::Request {
            what,
            source: Box::new(source),
        }
    };
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let to_zero = Patch::Merge(json!({"spec": {"replicas": 0}}));
    let scale = match deployments
        .patch_scale(deployment, &PatchParams::default(), &to_zero)
        .await
    {
        Err(kube::Error::Api(answer)) if answer.code == 404 => {
            tracing::warn!(
                namespace,
                deployment,
                "there is no such Deployment: the operator is taken as stopped"
            );
            return Ok(());
        }
        answer => answer.map_err(request("scaling the operator to 0"))?,
    };
    tracing::info!(namespace, deployment, "scaled to 0");
    let selector = scale
        .status
        .and_then(|status| status.selector)
        .unwrap_or_default();
    let pods: Api<PartialObjectMeta<Pod>> = Api::namespaced(client.clone(), namespace);
    let gone = async {
        while !pods
            .list(&ListParams::default().labels(&selector))
            .await
            .map_err(request("listing the operator's pods"))?
            .items
            .is_empty()
        {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    };
    tokio::time::timeout(PODS_END_WITHIN, gone)
        .await
        .unwrap_or_else(|_| {
            Err(UninstallError::PodsRemain {
                deployment: deployment.to_owned(),
                namespace: namespace.to_owned(),
            })
        })
}

async fn release_all<K>(client: &Client) -> Result<(), UninstallError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + Send + Sync + 'static,
{
    let kind = K::kind(&());
    let api: Api<PartialObjectMeta<K>> = Api::all(client.clone());
    loop {
        let listed = api.list(&ListParams::default()).await;
        let listed = listed.map_err(|source| UninstallError::Request {
            what: "listing what is held",
            source: Box::new(source),
        })?;
        let held: Vec<_> = listed
            .items
            .into_iter()
            .filter(|object| object.finalizers().iter().any(|name| name == IN_USE_FINALIZER))
            .collect();
        if held.is_empty() {
            return Ok(());
        }
        tracing::info!(kind = %kind, count = held.len(), "taking finalizers off");
        stream::iter(held)
            .map(Ok)
            .try_for_each_concurrent(CONCURRENCY, |object| release::<K>(client, object))
            .await?;
    }
}

async fn release<K>(client: &Client, object: PartialObjectMeta<K>) -> Result<(), UninstallError>
where
    K: Resource<DynamicType = ()>,
{
    match writes::release::<K>(client, &Target::of(&object), object.finalizers()).await {
        Ok(_) | Err(WriteError::Gone | WriteError::Conflict) => Ok(()), // what changed meanwhile is listed again
        Err(source) => {
            let kind = K::kind(&()).into_owned();
            let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
            let deleting = object.meta().deletion_timestamp.is_some();
            Err(if deleting && source.is_forbidden() {
                UninstallError::Kept {
                    kind,
                    namespace,
                    name,
                }
            } else {
                UninstallError::Release {
                    kind,
                    namespace,
                    name,
                    source,
                }
            })
        }
    }
}
