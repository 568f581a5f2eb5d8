//! Status and finalizers: written by JSON patch, and only if the object is still the one that was judged.

use crate::api::names::{FIELD_MANAGER, IN_USE_FINALIZER};
use http::HeaderValue;
use http::header::ACCEPT;
use k8s_openapi::NamespaceResourceScope;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::Status;
use kube::core::request::Request;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Debug;
use thiserror::Error;

/// Why a write didn't happen.
#[derive(Debug, Error)]
pub enum WriteError {
    /// Somebody was faster; the watch will bring the newer object.
    #[error("the object has changed since it was read")]
    Conflict,
    /// It's gone.
    #[error("the object is gone")]
    Gone,
    /// The API server names a user of what is to be let go that hasn't come by the watch.
    #[error(
        "somebody uses what is being removed, and isn't known here: what comes in a moment, or an object that can't be read, which \
         the log and the metrics of watches name. It's looked at again"
    )]
    StillUsed,
    /// The API server refused, or couldn't be reached.
    #[error("the API server didn't take {what}")]
    Refused {
        /// What was written.
        what: &'static str,
        /// Its answer.
        #[source]
        source: Box<kube::Error>,
    },
}

impl WriteError {
    /// Whether the API server forbids it, by rights or by a policy.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        let Self::Refused { source, .. } = self else {
            return false;
        };
        matches!(&**source, kube::Error::Api(answer) if answer.code == 403)
    }
}

/// An object that is written to, as it was judged.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its namespace, or nothing.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The resource version that was judged.
    pub version: String,
}

impl Target {
    /// The object as it was read.
    pub fn of<K: Resource>(object: &K) -> Self {
        Self {
            namespace: object.namespace(),
            name: object.name_any(),
            version: object.resource_version().unwrap_or_default(),
        }
    }
}

/// Writes a whole status and gives the new resource version.
///
/// # Errors
/// See [`WriteError`].
pub async fn status<K>(
    client: &Client,
    target: &Target,
    status: &impl Serialize,
) -> Result<String, WriteError>
where
    K: Resource<DynamicType = ()>,
{
    let refused = |source| refusal("the status", source);
    let status = serde_json::to_value(status).map_err(|error| refused(kube::Error::SerdeError(error)))?;
    let patch = patch(
        target,
        &[json!({"op": "add", "path": "/status", "value": status})],
    )
    .map_err(refused)?;
    let request = requests::<K>(target).patch_subresource("status", &target.name, &params(), &patch);
    send(client, request).await.map_err(refused)
}

/// Changes an object of ours from what was seen to what is wanted, and gives the new resource version. What isn't wanted
/// goes, other people's labels and annotations aside.
///
/// Not by server-side apply: it takes away only what it has brought itself, and [`make`] is cheaper for the API server.
///
/// # Errors
/// See [`WriteError`].
pub async fn change<K>(client: &Client, seen: &K, wanted: &K) -> Result<String, WriteError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Serialize,
{
    let refused = |source| refusal("an object that it keeps", source);
    let target = Target::of(seen);
    let patch = difference(seen, &in_place_of(seen, wanted))
        .and_then(|operations| patch(&target, &operations))
        .map_err(refused)?;
    let request = requests::<K>(&target).patch(&target.name, &params(), &patch);
    send(client, request).await.map_err(refused)
}

/// What is wanted, with what others may have put beside it.
fn in_place_of<K: Resource + Clone>(seen: &K, wanted: &K) -> K {
    let mut whole = wanted.clone();
    let mut meta = seen.meta().clone();
    meta.labels
        .get_or_insert_default()
        .extend(wanted.labels().clone());
    let owners = meta.owner_references.get_or_insert_default();
    for owner in wanted.owner_references() {
        if !owners.contains(owner) {
            owners.push(owner.clone());
        }
    }
    *whole.meta_mut() = meta;
    whole
}

fn difference<K: Serialize>(seen: &K, wanted: &K) -> Result<Vec<Value>, kube::Error> {
    let [seen, wanted] = [seen, wanted].map(serde_json::to_value);
    let operations = json_patch::diff(
        &seen.map_err(kube::Error::SerdeError)?,
        &wanted.map_err(kube::Error::SerdeError)?,
    );
    let operations = operations.iter().map(serde_json::to_value);
    operations
        .collect::<Result<_, _>>()
        .map_err(kube::Error::SerdeError)
}

/// Makes an object of ours and gives its resource version. That it's there already is a conflict.
///
/// # Errors
/// See [`WriteError`].
pub async fn make<K>(client: &Client, object: &K) -> Result<String, WriteError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize,
{
    let refused = |source| refusal("an object that it keeps", source);
    let body = serde_json::to_vec(object).map_err(|error| refused(kube::Error::SerdeError(error)))?;
    let params = PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    let request = requests::<K>(&Target::of(object)).create(&params, body);
    send(client, request).await.map_err(refused)
}

/// Applies an object of ours by server-side apply, so that what Kubernetes fills in stays, and gives its resource
/// version. For kinds whose fields Kubernetes fills in, a difference would never be empty.
///
/// # Errors
/// See [`WriteError`].
pub async fn apply<K>(client: &Client, object: &K) -> Result<String, WriteError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize,
{
    let refused = |source| refusal("an object that it keeps", source);
    let target = Target::of(object);
    let mut text = serde_json::to_value(object).map_err(|error| refused(kube::Error::SerdeError(error)))?;
    text["apiVersion"] = json!(K::api_version(&()));
    text["kind"] = json!(K::kind(&()));
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let request = requests::<K>(&target).patch(&target.name, &params, &Patch::Apply(text));
    send(client, request).await.map_err(refused)
}

/// Removes an object of ours, if it's the one of this uid, and lets what it has made go after it: Kubernetes' own
/// default for Jobs would leave their pods running.
///
/// # Errors
/// See [`WriteError`].
pub async fn delete_with_pods<K>(client: &Client, object: &K) -> Result<(), WriteError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    let params = DeleteParams {
        preconditions: Some(Preconditions {
            uid: object.meta().uid.clone(),
            resource_version: None,
        }),
        ..DeleteParams::background()
    };
    delete_as(client, object, &params).await
}

/// Removes an object of ours. That it's gone already is as good.
///
/// # Errors
/// See [`WriteError`].
pub async fn delete<K>(client: &Client, object: &K) -> Result<(), WriteError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    delete_as(client, object, &DeleteParams::default()).await
}

async fn delete_as<K>(client: &Client, object: &K, params: &DeleteParams) -> Result<(), WriteError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    let target = Target::of(object);
    let request = requests::<K>(&target).delete(&target.name, params);
    let request = request.map_err(kube::Error::BuildRequest);
    let deleted = match request {
        Ok(request) => client.request_text(request).await.map(drop),
        Err(error) => Err(error),
    };
    match deleted.map_err(|source| refusal("the removal of an object that it keeps", source)) {
        Err(WriteError::Gone) => Ok(()),
        deleted => deleted,
    }
}

/// Sets our finalizer after those that are there and gives the new resource version.
///
/// # Errors
/// See [`WriteError`].
pub async fn hold<K>(client: &Client, target: &Target, present: &[String]) -> Result<String, WriteError>
where
    K: Resource<DynamicType = ()>,
{
    let operation = if present.is_empty() {
        json!({"op": "add", "path": "/metadata/finalizers", "value": [IN_USE_FINALIZER]})
    } else {
        json!({"op": "add", "path": "/metadata/finalizers/-", "value": IN_USE_FINALIZER})
    };
    patch_metadata::<K>(client, target, operation).await
}

/// Whether there is any object of a kind with these fields, as the API server has it now.
///
/// # Errors
/// When it doesn't tell.
pub async fn is_any<K>(client: &Client, namespace: &str, fields: &str) -> Result<bool, WriteError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let params = ListParams::default().fields(fields).limit(1);
    let found = Api::<K>::namespaced(client.clone(), namespace)
        .list_metadata(&params)
        .await;
    match found.map_err(|source| refusal("the question who uses an object", source)) {
        Ok(found) => Ok(!found.items.is_empty() || found.metadata.continue_.is_some()),
        Err(WriteError::Gone) => Ok(false), // the kind itself
        Err(error) => Err(error),
    }
}

/// Takes our finalizer off.
///
/// # Errors
/// See [`WriteError`].
pub async fn release<K>(client: &Client, target: &Target, present: &[String]) -> Result<String, WriteError>
where
    K: Resource<DynamicType = ()>,
{
    let Some(position) = present.iter().position(|finalizer| finalizer == IN_USE_FINALIZER) else {
        return Ok(target.version.clone());
    };
    let operation = json!({"op": "remove", "path": format!("/metadata/finalizers/{position}")});
    patch_metadata::<K>(client, target, operation).await
}

async fn patch_metadata<K>(client: &Client, target: &Target, operation: Value) -> Result<String, WriteError>
where
    K: Resource<DynamicType = ()>,
{
    let refused = |source| refusal("the finalizer", source);
    let patch = patch(target, &[operation]).map_err(refused)?;
    let request = requests::<K>(target).patch(&target.name, &params(), &patch);
    send(client, request).await.map_err(refused)
}

/// The operations, on condition that the object is still the one that was read.
fn patch(target: &Target, operations: &[Value]) -> Result<Patch<()>, kube::Error> {
    let condition = json!({"op": "test", "path": "/metadata/resourceVersion", "value": target.version});
    let all: Vec<Value> = [condition]
        .into_iter()
        .chain(operations.iter().cloned())
        .collect();
    Ok(Patch::Json(
        serde_json::from_value(Value::Array(all)).map_err(kube::Error::SerdeError)?,
    ))
}

fn params() -> PatchParams {
    PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    }
}

fn requests<K: Resource<DynamicType = ()>>(target: &Target) -> Request {
    Request::new(K::url_path(&(), target.namespace.as_deref()))
}

/// Asks for an answer without spec and status.
const METADATA_ONLY: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");

/// Sends a patch and reads of the answer only the new resource version.
async fn send(
    client: &Client,
    request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
) -> Result<String, kube::Error> {
    let mut request = request.map_err(kube::Error::BuildRequest)?;
    request.headers_mut().insert(ACCEPT, METADATA_ONLY);
    let written: Written = client.request(request).await?;
    Ok(written.metadata.resource_version)
}

#[derive(Deserialize)]
struct Written {
    metadata: Version,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Version {
    resource_version: String,
}

fn refusal(what: &'static str, source: kube::Error) -> WriteError {
    match &source {
        kube::Error::Api(answer) if answer.code == 404 || going(answer) => WriteError::Gone,
        kube::Error::Api(answer) if answer.code == 409 || failed_test(answer) => WriteError::Conflict,
        _ => WriteError::Refused {
            what,
            source: Box::new(source),
        },
    }
}

/// Whether nothing can be made for want of the namespace: it is gone, or on its way.
pub(super) fn lacks_namespace(error: &kube::Error) -> bool {
    let kube::Error::Api(answer) = error else {
        return false;
    };
    let about = answer.details.as_ref().map(|details| details.kind.as_str());
    going(answer) || (answer.code == 404 && about == Some("namespaces"))
}

/// In a namespace on its way nothing new is made.
fn going(answer: &Status) -> bool {
    let causes = answer.details.iter().flat_map(|details| &details.causes);
    answer.code == 403
        && causes
            .into_iter()
            .any(|cause| cause.reason == "NamespaceTerminating")
}

/// A JSON patch whose `test` fails is answered with 422, as is an object that the schema refuses; only the latter
/// comes with causes (seen on Kubernetes 1.37).
fn failed_test(answer: &Status) -> bool {
    let causes = answer.details.as_ref().map_or(0, |details| details.causes.len());
    answer.code == 422 && causes == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::rbac::v1::RoleBinding;

    fn binding(metadata: &Value, subjects: &Value) -> RoleBinding {
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"});
        let binding = json!({"metadata": metadata, "roleRef": role, "subjects": subjects});
        serde_json::from_value(binding).expect("a binding")
    }

    #[test]
    fn what_is_not_wanted_goes_and_what_others_put_beside_it_stays() {
        let owner = |uid| json!({"apiVersion": "v1", "kind": "K", "name": uid, "uid": uid});
        let seen = json!({"name": "b", "resourceVersion": "7", "uid": "u", "labels": {"theirs": "1"},
            "annotations": {"theirs": "1"}, "ownerReferences": [owner("theirs")]});
        let wanted = json!({"name": "b", "labels": {"ours": "1"}, "ownerReferences": [owner("ours")]});
        let carol = json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "carol"}]);
        let (seen, wanted) = (binding(&seen, &carol), binding(&wanted, &Value::Null));
        let operations = difference(&seen, &in_place_of(&seen, &wanted)).expect("operations");
        let expected = [
            json!({"op": "add", "path": "/metadata/labels/ours", "value": "1"}),
            json!({"op": "add", "path": "/metadata/ownerReferences/1", "value": owner("ours")}),
            json!({"op": "remove", "path": "/subjects"}),
        ];
        assert_eq!(operations, expected);
    }
}
