//! What the operator keeps for shared connections, for the bare client to write it again.

use crate::Outcome;
use crate::bare::CONCURRENCY;
use connection_operator::api::SharedConnection;
use connection_operator::api::names::{FIELD_MANAGER, MANAGED_BY_LABEL, USE_ROLE_PREFIX};
use futures::{StreamExt, TryStreamExt, stream};
use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ListParams;
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;

const JSON: &str = "application/json";
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// The objects of each connection, in the order in which the operator writes them.
pub struct Kept(Vec<Vec<Whole>>);

/// An object as it is sent.
struct Whole {
    /// Of all of its kind and namespace.
    folder: String,
    name: String,
    body: Vec<u8>,
}

impl Kept {
    /// All that are there.
    pub async fn read(client: &Client) -> Outcome<Self> {
        let mut by_connection = BTreeMap::new();
        collect::<Role>(client, &mut by_connection).await?;
        collect::<RoleBinding>(client, &mut by_connection).await?;
        collect::<SharedConnection>(client, &mut by_connection).await?;
        Ok(Self(by_connection.into_values().collect()))
    }

    pub fn objects(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// Removes them.
    pub async fn remove(&self, client: &Client) -> Outcome<()> {
        self.send(client, |object| {
            let path = format!("{}/{}", object.folder, object.name);
            Ok(Request::delete(path).body(Vec::new())?)
        })
        .await
    }

    /// Writes them as the operator does: so many connections at the same time, the objects of each one after the other.
    pub async fn write(&self, client: &Client) -> Outcome<()> {
        self.send(client, |object| {
            let path = format!("{}?fieldManager={FIELD_MANAGER}", object.folder);
            let request = Request::post(path)
                .header(CONTENT_TYPE, JSON)
                .header(ACCEPT, METADATA_ONLY);
            Ok(request.body(object.body.clone())?)
        })
        .await
    }

    async fn send(
        &self,
        client: &Client,
        request: impl Fn(&Whole) -> Outcome<Request<Vec<u8>>> + Copy,
    ) -> Outcome<()> {
        stream::iter(&self.0)
            .map(|objects| async move {
                for object in objects {
                    client.request_text(request(object)?).await?;
                }
                Outcome::Ok(())
            })
            .buffer_unordered(CONCURRENCY)
            .try_for_each(|()| async { Ok(()) })
            .await
    }
}

async fn collect<K>(
    client: &Client,
    by_connection: &mut BTreeMap<(String, String), Vec<Whole>>,
) -> Outcome<()>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
{
    let (label, value) = MANAGED_BY_LABEL;
    let ours = ListParams::default().labels(&format!("{label}={value}"));
    for mut object in Api::<K>::all(client.clone()).list(&ours).await? {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        let meta = object.meta_mut();
        *meta = ObjectMeta {
            name: meta.name.take(),
            namespace: meta.namespace.take(),
            labels: meta.labels.take(),
            owner_references: meta.owner_references.take(),
            ..ObjectMeta::default()
        };
        let connection = name.strip_prefix(USE_ROLE_PREFIX).unwrap_or(&name).to_owned();
        let whole = Whole {
            folder: K::url_path(&(), Some(&namespace)),
            name,
            body: serde_json::to_vec(&object)?,
        };
        by_connection
            .entry((namespace, connection))
            .or_default()
            .push(whole);
    }
    Ok(())
}
