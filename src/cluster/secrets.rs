//! What can be known of Secrets without their values: by a metadata watch, and one read per version where key names
//! are needed. Values pass through the connection's buffer and are dropped while they're read.

use super::objects::{ObjectKey, Objects};
use crate::api::reference::{Reference, Refers};
use crate::api::secret::SecretKeys;
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::core::request::Request;
use kube::{Client, Resource, ResourceExt};
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::OnceCell;

/// The metadata of a Secret.
pub type SecretMeta = PartialObjectMeta<Secret>;

impl Refers for SecretMeta {
    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }
}

/// A Secret's keys could not be read.
#[derive(Debug, Error)]
#[error("the keys of Secret {name} in namespace {namespace} can't be read")]
pub struct SecretError {
    namespace: String,
    name: String,
    #[source]
    source: Box<kube::Error>,
}

impl SecretError {
    /// Whether the API server forbids it.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(&*self.source, kube::Error::Api(answer) if answer.code == 403)
    }
}

type Entry = Arc<OnceCell<Option<Arc<SecretKeys>>>>;

/// Reads key names, each version of a Secret once.
pub struct SecretReader {
    client: Client,
    seen: Objects<SecretMeta>,
    read: Mutex<HashMap<ObjectKey, (String, Entry)>>,
}

impl SecretReader {
    /// Reads with this client what that watch has seen.
    #[must_use]
    pub fn new(client: Client, seen: Objects<SecretMeta>) -> Self {
        Self {
            client,
            seen,
            read: Mutex::default(),
        }
    }

    /// The keys of a Secret, or nothing if there is none.
    ///
    /// # Errors
    /// When the API server doesn't answer.
    pub async fn keys(&self, namespace: &str, name: &str) -> Result<Option<Arc<SecretKeys>>, SecretError> {
        let key = ObjectKey::new(namespace, name);
        let Some(meta) = self.seen.get(namespace, name) else {
            self.read
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&key);
            return Ok(None);
        };
        let entry = self.entry(key, &meta.resource_version().unwrap_or_default());
        let keys = entry.get_or_try_init(|| self.fetch(namespace, name)).await?;
        Ok(keys.clone())
    }

    /// One entry per version, shared by all who ask for it at the same time.
    fn entry(&self, key: ObjectKey, version: &str) -> Entry {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, entry) = read.entry(key).or_default();
        if seen != version {
            version.clone_into(seen);
            *entry = Entry::default();
        }
        Arc::clone(entry)
    }

    async fn fetch(&self, namespace: &str, name: &str) -> Result<Option<Arc<SecretKeys>>, SecretError> {
        let failed = |source| SecretError {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            source: Box::new(source),
        };
        let request = Request::new(Secret::url_path(&(), Some(namespace)))
            .get(name, &kube::api::GetParams::default())
            .map_err(|error| failed(kube::Error::BuildRequest(error)))?;
        match self.client.request::<SecretShape>(request).await {
            Ok(shape) => Ok(Some(Arc::new(shape.into()))),
            Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}

/// A Secret, read so that no value is kept.
#[derive(Deserialize)]
struct SecretShape {
    metadata: VersionOnly,
    #[serde(rename = "type", default)]
    type_: String,
    #[serde(default)]
    data: BTreeMap<String, Filled>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionOnly {
    resource_version: String,
}

/// Whether a text holds anything; the text itself is let go at once.
struct Filled(bool);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Length;
        impl Visitor<'_> for Length {
            type Value = Filled;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Filled, E> {
                Ok(Filled(!text.is_empty()))
            }
            fn visit_unit<E>(self) -> Result<Filled, E> {
                Ok(Filled(false))
            }
        }
        deserializer.deserialize_any(Length)
    }
}

impl From<SecretShape> for SecretKeys {
    fn from(shape: SecretShape) -> Self {
        Self {
            version: shape.metadata.resource_version,
            type_: shape.type_,
            keys: shape
                .data
                .into_iter()
                .map(|(key, Filled(filled))| (key, filled))
                .collect(),
        }
    }
}
