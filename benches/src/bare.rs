//! The bare client that the operator is measured against: it knows what to write and does nothing but write it, or
//! reads everything and doesn't look at it.

use crate::Outcome;
use crate::replica::Sent;
use connection_operator::api::{
    Connection, ConnectionType, ConsentRecord, Dataset, Enrichment, Export, SharedConnection,
};
use futures::{StreamExt, TryStreamExt, stream};
use http::Request;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, Role, RoleBinding};
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Debug;
use std::time::{Duration, Instant};

/// What the operator's `--concurrency` is by default: so many visits to objects of each kind at the same time.
pub const CONCURRENCY: usize = 16;
const JSON_PATCH: &str = "application/json-patch+json";
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

/// Sends the status patches of both kinds at once, each kind at the operator's concurrency.
pub async fn write(client: &Client, [connections, exports]: &[Vec<Sent>; 2]) -> Outcome<()> {
    let versions = versions(client).await?;
    futures::try_join!(
        send(client, connections, &versions),
        send(client, exports, &versions)
    )?;
    Ok(())
}

/// Takes away every status, so that what comes next begins as if nobody had written.
pub async fn unwrite(client: &Client, sent: &[Vec<Sent>; 2]) -> Outcome<()> {
    let removing = sent.each_ref().map(|patches| {
        patches.iter().map(|patch| Sent {
            path: patch.path.clone(),
            operations: vec![
                patch.operations[0].clone(),
                json!({"op": "remove", "path": "/status"}),
            ],
        })
    });
    write(client, &removing.map(Iterator::collect)).await
}

async fn send(client: &Client, patches: &[Sent], versions: &HashMap<String, String>) -> Outcome<()> {
    let requests = patches
        .iter()
        .map(|patch| request(patch, versions))
        .collect::<Outcome<Vec<_>>>()?;
    stream::iter(requests)
        .map(|request| client.request_text(request))
        .buffer_unordered(CONCURRENCY)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    Ok(())
}

/// The time, try by try, of the writes that bring a change of a connection to its export, one after the other: the
/// connection's spec, which an administrator writes, its status, the export's status.
pub async fn relay(
    admin: &Client,
    client: &Client,
    [connections, exports]: &[Vec<Sent>; 2],
    tries: usize,
) -> Outcome<Vec<Duration>> {
    let mut took = Vec::new();
    for (number, (connection, export)) in connections.iter().zip(exports).cycle().take(tries).enumerate() {
        let object = connection.path.trim_end_matches("/status");
        let suspended = json!([{"op": "add", "path": "/spec/suspend", "value": number % 2 == 0}]);
        let change = patch(object, &suspended)?;
        let statuses = [
            patch(&connection.path, &renumbered(connection, number))?,
            patch(&export.path, &renumbered(export, number))?,
        ];
        let started = Instant::now();
        admin.request_text(change).await?;
        for status in statuses {
            client.request_text(status).await?;
        }
        took.push(started.elapsed());
    }
    Ok(took)
}

/// The status that the operator sends, with a number in it that makes it another one.
fn renumbered(sent: &Sent, number: usize) -> Value {
    let mut status = sent.operations[1].clone();
    status["value"]["observedGeneration"] = json!(1000 + number);
    json!([status])
}

/// The operator's own patch, on condition that the object is as it is now.
fn request(sent: &Sent, versions: &HashMap<String, String>) -> Outcome<Request<Vec<u8>>> {
    let object = sent.path.trim_end_matches("/status");
    let version = versions
        .get(object)
        .ok_or_else(|| format!("{object} isn't there"))?;
    let mut operations = sent.operations.clone();
    operations[0]["value"] = Value::from(version.as_str());
    patch(&sent.path, &Value::Array(operations))
}

fn patch(path: &str, operations: &Value) -> Outcome<Request<Vec<u8>>> {
    Ok(Request::patch(format!("{path}?fieldManager=bench"))
        .header(http::header::CONTENT_TYPE, JSON_PATCH)
        .body(serde_json::to_vec(operations)?)?)
}

/// The resource version of every connection and export, by path.
async fn versions(client: &Client) -> Outcome<HashMap<String, String>> {
    let mut versions = HashMap::new();
    collect_versions::<Connection>(client, &mut versions).await?;
    collect_versions::<Export>(client, &mut versions).await?;
    Ok(versions)
}

async fn collect_versions<K>(client: &Client, versions: &mut HashMap<String, String>) -> Outcome<()>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::all(client.clone());
    for PartialObjectMeta { metadata, .. } in api.list_metadata(&ListParams::default()).await? {
        let (name, version) = (metadata.name.unwrap_or_default(), metadata.resource_version);
        let path = format!("{}/{name}", K::url_path(&(), metadata.namespace.as_deref()));
        versions.insert(path, version.unwrap_or_default());
    }
    Ok(())
}

/// The time to read to the last byte what the operator reads when it starts: every kind whole, of Secrets the
/// metadata, all at once and each in one answer, consistent, nothing parsed.
pub async fn list(client: &Client) -> Outcome<Duration> {
    let request = |path: String, accept: &str| {
        Request::get(path)
            .header(http::header::ACCEPT, accept)
            .body(Vec::new())
    };
    let requests = [
        request(ConnectionType::url_path(&(), None), "application/json")?,
        request(Connection::url_path(&(), None), "application/json")?,
        request(Export::url_path(&(), None), "application/json")?,
        request(Enrichment::url_path(&(), None), "application/json")?,
        request(Dataset::url_path(&(), None), "application/json")?,
        request(ConsentRecord::url_path(&(), None), "application/json")?,
        request(SharedConnection::url_path(&(), None), "application/json")?,
        request(Role::url_path(&(), None), "application/json")?,
        request(RoleBinding::url_path(&(), None), "application/json")?,
        request(ClusterRoleBinding::url_path(&(), None), "application/json")?,
        request(Secret::url_path(&(), None), METADATA_ONLY)?,
    ];
    let started = Instant::now();
    let read = requests.into_iter().map(|request| async {
        let answer = client.send(request.map(kube::client::Body::from)).await?;
        answer.into_body().collect_bytes().await
    });
    futures::future::try_join_all(read).await?;
    Ok(started.elapsed())
}
