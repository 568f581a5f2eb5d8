//! What is done to one object: read, changed, made, deleted, waited for.

use super::{Cluster, ClusterError};
use crate::api::names::PLUGIN_FIELD_MANAGER;
use futures::{Stream, TryStreamExt};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::WatchStreamExt;
use kube::runtime::wait::await_condition;
use kube::runtime::watcher::watch_object;
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Debug;
use std::time::Duration;

/// How long an object that was deleted may take to go.
pub const GONE: Duration = Duration::from_secs(20);

/// A kind that lives in a namespace.
pub trait Kept:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + 'static
{
}
impl<K> Kept for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + 'static
{
}

/// How a wait ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Waited<K> {
    /// It is as it was to be; absent if it's gone.
    Come(Option<K>),
    /// It isn't, or can't be seen.
    NotYet,
}

impl<K> Waited<K> {
    /// What came, if it's there.
    pub fn object(self) -> Option<K> {
        match self {
            Self::Come(object) => object,
            Self::NotYet => None,
        }
    }
}

impl Cluster {
    /// One object of the namespace.
    ///
    /// # Errors
    /// What the API server says, or that it doesn't; so for all of them.
    pub async fn get<K: Kept>(&self, name: &str) -> Result<K, ClusterError> {
        self.answer(self.api::<K>().get(name)).await
    }

    /// Changes an object by a merge patch.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub async fn merge<K: Kept>(&self, name: &str, change: &Value) -> Result<K, ClusterError> {
        let manner = PatchParams {
            field_manager: Some(PLUGIN_FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        self.answer(self.api::<K>().patch(name, &manner, &Patch::Merge(change)))
            .await
    }

    /// Makes an object, or only tries whether it could be made.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub async fn create<K: Kept>(&self, object: &K, only_try: bool) -> Result<K, ClusterError> {
        let manner = PostParams {
            dry_run: only_try,
            field_manager: Some(PLUGIN_FIELD_MANAGER.to_owned()),
        };
        self.answer(self.api::<K>().create(&manner, object)).await
    }

    /// Deletes this very object: not one of the same name that was made since.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub async fn delete<K: Kept>(&self, object: &K) -> Result<(), ClusterError> {
        let meta = object.meta();
        let name = meta.name.clone().unwrap_or_default();
        self.delete_if::<K>(&name, meta.uid.clone(), None).await
    }

    /// Deletes the object of this name if it's the very one, and of that version, if one is told.
    ///
    /// # Errors
    /// See [`Self::get`]; a conflict, if it's another one.
    pub async fn delete_if<K: Kept>(
        &self,
        name: &str,
        uid: Option<String>,
        version: Option<String>,
    ) -> Result<(), ClusterError> {
        let manner = DeleteParams {
            preconditions: Some(Preconditions {
                uid,
                resource_version: version,
            }),
            ..DeleteParams::default()
        };
        let deleted = self.answer(self.api::<K>().delete(name, &manner)).await;
        match deleted {
            Err(error) if error.is_not_found() => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Waits until an object is as described, or time is up.
    pub async fn until<K: Kept>(
        &self,
        name: &str,
        patience: Duration,
        holds: impl Fn(Option<&K>) -> bool + Send,
    ) -> Waited<K> {
        let waiting = await_condition(self.api::<K>(), name, holds);
        match tokio::time::timeout(patience, waiting).await {
            Ok(Ok(object)) => Waited::Come(object),
            Ok(Err(_)) | Err(_) => Waited::NotYet,
        }
    }

    /// An object once it is as described, or as it is when time is up; nothing if it's gone, or can't be seen.
    pub async fn settled<K: Kept>(
        &self,
        name: &str,
        patience: Duration,
        holds: impl Fn(Option<&K>) -> bool + Send,
    ) -> Option<K> {
        match self.until(name, patience, holds).await.object() {
            Some(object) => Some(object),
            None => self.get(name).await.ok(),
        }
    }

    /// An object as it changes; nothing once it's gone. A watch that breaks is told, and begun anew after a pause.
    pub fn follow<K: Kept>(&self, name: &str) -> impl Stream<Item = Result<Option<K>, ClusterError>> + Send {
        watch_object(self.api::<K>(), name)
            .default_backoff()
            .map_err(ClusterError::of_watch)
    }

    /// Waits until this very object is gone. False if something still holds it once time is up.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub async fn goes<K: Kept>(
        &self,
        object: (&str, &str),
        patience: Duration,
    ) -> Result<bool, ClusterError> {
        let (name, uid) = object;
        let other = |now: Option<&K>| now.is_none_or(|now| now.meta().uid.as_deref() != Some(uid));
        if matches!(self.until::<K>(name, patience, other).await, Waited::Come(_)) {
            return Ok(true);
        }
        // Who may not watch may look.
        match self.get::<K>(name).await {
            Ok(now) => Ok(other(Some(&now))),
            Err(error) if error.is_not_found() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whom the cluster takes the user for.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub async fn whoami(&self) -> Result<String, ClusterError> {
        let reviews: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let (manner, asked) = (PostParams::default(), SelfSubjectReview::default());
        let review = self.answer(reviews.create(&manner, &asked)).await?;
        let user = review.status.and_then(|status| status.user_info);
        user.and_then(|user| user.username).ok_or(ClusterError::Strange {
            cause: "it doesn't say who you are".to_owned(),
        })
    }
}
