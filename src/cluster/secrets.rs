//! What can be known of Secrets without their values: by a metadata watch, and one read per version where key names
//! are needed. Values are wiped from memory after that, but those that the operator itself signs in to a vault with.
//! What can't be wiped: TLS and HTTP read into buffers of their own, which are freed but not overwritten.

use super::objects::{ObjectKey, Objects};
use crate::api::reference::{Reference, Refers};
use crate::api::secret::SecretKeys;
use futures::{AsyncBufRead, AsyncBufReadExt};
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::core::request::Request;
use kube::{Client, Resource, ResourceExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

mod shape;

pub use shape::Held;

/// The metadata of a Secret.
pub type SecretMeta = PartialObjectMeta<Secret>;

impl Refers for SecretMeta {
    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }
}

/// A Secret could not be read.
#[derive(Debug, Error)]
#[error("Secret {name} in namespace {namespace} can't be read")]
pub struct SecretError {
    namespace: String,
    name: String,
    #[source]
    source: Cause,
}

/// Why not. Nothing of what was read stands in it.
#[derive(Debug, Error)]
enum Cause {
    /// The API server doesn't give it.
    #[error(transparent)]
    Asked(Box<kube::Error>),
    /// The answer breaks off.
    #[error("the API server's answer breaks off")]
    Broken(#[source] std::io::Error),
    /// The answer is something else.
    #[error("the API server's answer isn't a Secret")]
    Unreadable,
}

impl SecretError {
    /// Whether the API server forbids it.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(&self.source, Cause::Asked(error) if matches!(&**error, kube::Error::Api(answer) if answer.code == 403))
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

    /// The version of a Secret that was last seen, if there is one.
    #[must_use]
    pub fn version(&self, namespace: &str, name: &str) -> Option<String> {
        self.seen.get(namespace, name)?.resource_version()
    }

    /// What a key of a Secret holds, read now. Nothing of it is kept here.
    ///
    /// # Errors
    /// When the API server doesn't answer.
    pub async fn value(&self, namespace: &str, name: &str, key: &str) -> Result<Held, SecretError> {
        let body = self.body(namespace, name).await?;
        let body = body.as_ref().map(|body| shape::value(body, key));
        let held = body.unwrap_or(Some(Held::Nothing));
        held.ok_or_else(|| failed(namespace, name, Cause::Unreadable))
    }

    async fn fetch(&self, namespace: &str, name: &str) -> Result<Option<Arc<SecretKeys>>, SecretError> {
        let Some(body) = self.body(namespace, name).await? else {
            return Ok(None);
        };
        let keys = shape::keys(&body).ok_or_else(|| failed(namespace, name, Cause::Unreadable))?;
        Ok(Some(Arc::new(keys)))
    }

    /// The whole answer, wiped from memory when it's let go. kube's own reading would copy it, and log what it can't read.
    async fn body(&self, namespace: &str, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
        let failed = |cause| failed(namespace, name, cause);
        let asked = |error| failed(Cause::Asked(Box::new(error)));
        let request = Request::new(Secret::url_path(&(), Some(namespace)))
            .get(name, &kube::api::GetParams::default())
            .map_err(|error| asked(kube::Error::BuildRequest(error)))?;
        let stream = match self.client.request_stream(request).await {
            Ok(stream) => stream,
            Err(kube::Error::Api(answer)) if answer.code == 404 => return Ok(None),
            Err(error) => return Err(asked(error)),
        };
        let whole = whole(stream).await;
        whole.map(Some).map_err(|error| failed(Cause::Broken(error)))
    }
}

fn failed(namespace: &str, name: &str, source: Cause) -> SecretError {
    SecretError {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        source,
    }
}

/// Everything that a stream gives. What becomes too small for it is wiped, like the whole.
async fn whole(stream: impl AsyncBufRead) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut stream = std::pin::pin!(stream);
    let mut whole = Zeroizing::new(Vec::with_capacity(16 * 1024));
    loop {
        let piece = stream.fill_buf().await?;
        if piece.is_empty() {
            return Ok(whole);
        }
        let length = piece.len();
        if whole.len() + length > whole.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * (whole.len() + length)));
            larger.extend_from_slice(&whole);
            whole = larger;
        }
        whole.extend_from_slice(piece);
        stream.consume_unpin(length);
    }
}
