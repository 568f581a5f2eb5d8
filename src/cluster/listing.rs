//! Reads all objects of a kind once, page by page, for commands that look and go.

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::ListParams;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// Objects of one answer.
const PAGE: u32 = 500;

/// All objects of a kind that isn't in namespaces.
///
/// # Errors
/// What the API server answers.
pub async fn everywhere<K>(client: &Client) -> Result<Vec<K>, kube::Error>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    all(&Api::all(client.clone())).await
}

/// All objects of a namespace, or of all of them.
///
/// # Errors
/// What the API server answers.
pub async fn within<K>(client: &Client, namespace: Option<&str>) -> Result<Vec<K>, kube::Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let api = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    all(&api).await
}

/// Whether there is no such namespace, as far as whoever asks may know.
///
/// # Errors
/// What the API server answers.
pub async fn is_absent(client: &Client, namespace: &str) -> Result<bool, kube::Error> {
    match Api::<Namespace>::all(client.clone())
        .get_metadata_opt(namespace)
        .await
    {
        Ok(found) => Ok(found.is_none()),
        Err(kube::Error::Api(answer)) if answer.code == 403 => Ok(false),
        Err(error) => Err(error),
    }
}

async fn all<K: Clone + Debug + DeserializeOwned>(api: &Api<K>) -> Result<Vec<K>, kube::Error> {
    let mut found = Vec::new();
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let mut list = api.list(&page).await?;
        found.append(&mut list.items);
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(found),
        }
    }
}
