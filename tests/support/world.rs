//! One test's own namespace, and what a person would do in it.

use super::{client, manifests, shared, unrefused};
use connection_operator::api::connection::DependentsStatus;
use connection_operator::api::export::{ExportStatus, State};
use connection_operator::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use connection_operator::api::{
    Condition, ConditionType, Connection, ConnectionType, Dataset, Enrichment, Export, KeyVault,
};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::core::DynamicObject;
use kube::discovery::ApiResource;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::time::Duration;

/// How long anything may take before a test fails. Nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A namespace of its own on the shared cluster.
pub struct World {
    pub client: Client,
    pub namespace: String,
}

/// Kinds that live in a namespace.
pub trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + 'static
{
}
impl<K> Kind for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + 'static
{
}

impl World {
    /// A new namespace on the cluster that all tests share, once its operator has brought the catalog.
    pub async fn new() -> Self {
        let kubeconfig = tokio::task::spawn_blocking(|| shared().kubeconfig().to_owned())
            .await
            .expect("started");
        let world = Self::on(client(&kubeconfig).await).await;
        let there = |type_: Option<&ConnectionType>| type_.is_some();
        let brought = await_condition(world.types(), "sftp-export", there);
        let brought = tokio::time::timeout(PATIENCE, brought).await;
        brought.expect("in time").expect("the watch works");
        world
    }

    /// A new namespace on the cluster where no deletion is refused.
    pub async fn unrefused() -> Self {
        let kubeconfig = tokio::task::spawn_blocking(|| unrefused().kubeconfig().to_owned())
            .await
            .expect("started");
        Self::on(client(&kubeconfig).await).await
    }

    /// A new namespace on this cluster.
    pub async fn on(client: Client) -> Self {
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let wanted =
            serde_json::from_value(json!({"metadata": {"generateName": "test-"}})).expect("a namespace");
        let namespace = namespaces
            .create(&PostParams::default(), &wanted)
            .await
            .expect("a namespace")
            .name_any();
        Self { client, namespace }
    }

    /// A new namespace with the partner's Secret and the dataset `customers`.
    pub async fn furnished() -> Self {
        Self::new().await.furnish().await
    }

    /// Applies the partner's Secret and the dataset `customers`.
    pub async fn furnish(self) -> Self {
        self.apply(manifests::partner_secret()).await;
        self.apply(manifests::dataset("customers", "Source")).await;
        self
    }

    /// Deletes the namespace and waits until it's gone.
    pub async fn end(&self) {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let deletion = namespaces.delete(&self.namespace, &DeleteParams::default()).await;
        deletion.expect("the deletion is accepted");
        let gone = await_condition(namespaces, &self.namespace, |namespace: Option<&Namespace>| {
            namespace.is_none()
        });
        let gone = tokio::time::timeout(PATIENCE, gone).await;
        gone.expect("in time").expect("the watch works");
    }

    pub fn types(&self) -> Api<ConnectionType> {
        Api::all(self.client.clone())
    }

    /// The name of a connection type that belongs to this test alone: types are cluster-wide.
    pub fn type_name(&self, name: &str) -> String {
        format!("{}-{name}", self.namespace)
    }

    pub fn api<K: Kind>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Applies a manifest as `kubectl apply --server-side` would.
    pub async fn try_apply(&self, manifest: &Value) -> Result<DynamicObject, kube::Error> {
        self.try_apply_with(manifest, &PatchParams::apply("person").force())
            .await
    }

    pub async fn try_apply_with(
        &self,
        manifest: &Value,
        params: &PatchParams,
    ) -> Result<DynamicObject, kube::Error> {
        let object: DynamicObject = serde_json::from_value(manifest.clone()).expect("a manifest");
        let kind = object.types.clone().expect("a kind");
        let gvk = kube::core::GroupVersionKind::try_from(&kind).expect("a kind");
        let resource = ApiResource::from_gvk(&gvk);
        let api: Api<DynamicObject> = match kind.kind.as_str() {
            "ConnectionType" | "MutatingAdmissionPolicy" | "MutatingAdmissionPolicyBinding" | "Namespace" => {
                Api::all_with(self.client.clone(), &resource)
            }
            _ => Api::namespaced_with(self.client.clone(), &self.namespace, &resource),
        };
        api.patch(&object.name_any(), params, &Patch::Apply(&object))
            .await
    }

    pub async fn apply(&self, manifest: Value) {
        self.try_apply(&manifest)
            .await
            .unwrap_or_else(|error| panic!("{manifest} is accepted: {error}"));
    }

    pub async fn merge<K: Kind>(&self, name: &str, change: Value) {
        let patched = self
            .api::<K>()
            .patch(name, &PatchParams::default(), &Patch::Merge(change))
            .await;
        patched.expect("the change is accepted");
    }

    pub async fn delete<K: Kind>(&self, name: &str) {
        self.api::<K>()
            .delete(name, &DeleteParams::default())
            .await
            .expect("the deletion is accepted");
    }

    /// Waits until an object is as described.
    pub async fn until<K: Kind>(&self, name: &str, what: &str, holds: impl Fn(&K) -> bool + Send) -> K {
        let condition = |object: Option<&K>| object.is_some_and(&holds);
        let waiting = await_condition(self.api::<K>(), name, condition);
        let found = tokio::time::timeout(PATIENCE, waiting).await.ok();
        let Some(found) = found else {
            let now = self
                .api::<K>()
                .get(name)
                .await
                .map(|object| serde_json::to_value(&object));
            panic!("{name} never came to be: {what}; it is {now:#?}");
        };
        found.expect("the watch works").expect("the object is there")
    }

    /// Waits until an export or enrichment runs when its time comes.
    pub async fn until_active<K: Kind + Active>(&self, name: &str) -> K {
        self.until::<K>(name, "Active", Active::is_active).await
    }

    /// Waits until an export or enrichment rests for this reason.
    pub async fn until_inactive<K: Kind + Active + Conditioned>(
        &self,
        name: &str,
        reason: &str,
    ) -> Condition {
        let said = self.until_ready_says::<K>(name, reason).await;
        self.until::<K>(name, "Inactive", |user| !user.is_active()).await;
        said
    }

    /// Waits until the operator counts so many users.
    pub async fn until_used_by<K: Kind + Used>(&self, name: &str, users: i64) {
        let counted = |object: &K| {
            object
                .dependents()
                .is_some_and(|dependents| dependents.total == users)
        };
        self.until::<K>(name, &format!("it's used by {users}"), counted)
            .await;
    }

    /// Waits until the operator counts no users.
    pub async fn until_unused<K: Kind + Used>(&self, name: &str) {
        self.until_used_by::<K>(name, 0).await;
    }

    /// Waits until an object is gone.
    pub async fn until_gone<K: Kind>(&self, name: &str) {
        let waiting = await_condition(self.api::<K>(), name, |object: Option<&K>| object.is_none());
        let gone = tokio::time::timeout(PATIENCE, waiting).await;
        gone.unwrap_or_else(|_| panic!("{name} was never gone"))
            .expect("the watch works");
    }

    /// Waits until Ready gives this reason.
    pub async fn until_ready_says<K: Kind + Conditioned>(&self, name: &str, reason: &str) -> Condition {
        self.until_says::<K>(name, ConditionType::Ready, reason).await
    }

    /// Waits until that condition gives this reason.
    pub async fn until_says<K: Kind + Conditioned>(
        &self,
        name: &str,
        type_: ConditionType,
        reason: &str,
    ) -> Condition {
        let says = |object: &K| object.condition(type_).is_some_and(|told| told.reason == reason);
        let object = self.until::<K>(name, reason, says).await;
        object.condition(type_).expect("just seen").clone()
    }

    /// Applies a connection, agrees to what it asks for, and waits until it can be used.
    pub async fn connect(&self, connection: Value) {
        let name = connection["metadata"]["name"]
            .as_str()
            .expect("a name")
            .to_owned();
        self.apply(connection).await;
        self.consent(&name).await;
        self.until_ready_says::<Connection>(&name, "Ready").await;
    }

    /// Agrees to what the connection asks for, as its message says.
    pub async fn consent(&self, name: &str) {
        let connection = self
            .until::<Connection>(name, "it asks for consent", |connection| {
                required(connection).is_some()
            })
            .await;
        let digest = required(&connection).expect("just seen");
        self.merge::<Connection>(name, given(&digest)).await;
    }

    /// Agrees to the link to a vault, as its message says, and tells the digest.
    pub async fn consent_to_vault(&self, name: &str) -> String {
        let vault = self
            .until::<KeyVault>(name, "it asks for consent", |vault| {
                required_of_vault(vault).is_some()
            })
            .await;
        let digest = required_of_vault(&vault).expect("just seen");
        self.merge::<KeyVault>(name, given(&digest)).await;
        digest
    }
}

/// The digest that a key vault asks to agree to.
fn required_of_vault(vault: &KeyVault) -> Option<String> {
    vault.status.as_ref()?.consent.as_ref()?.required.clone()
}

/// The change by which the tests' administrator consents. Before Kubernetes 1.36 she states her name herself.
pub fn given(digest: &str) -> Value {
    let stamp = match digest {
        "" => Value::Null, // as if there were none
        digest => json!(format!("given {digest} {ADMINISTRATOR}")),
    };
    json!({"metadata": {"annotations": {CONSENT_ANNOTATION: digest, CONSENTED_BY_ANNOTATION: stamp}}})
}

/// The change by which she takes it back.
pub fn withdrawn(digest: &str) -> Value {
    let stamp = format!("withdrawn {digest} {ADMINISTRATOR}");
    json!({"metadata": {"annotations": {CONSENT_ANNOTATION: null, CONSENTED_BY_ANNOTATION: stamp}}})
}

/// Whom the API server takes the tests for.
const ADMINISTRATOR: &str = "admin";

/// The digest that a connection asks to agree to.
fn required(connection: &Connection) -> Option<String> {
    connection.status.as_ref()?.consent.as_ref()?.required.clone()
}

/// Kinds that run, or don't.
pub trait Active {
    fn activity(&self) -> Option<&ExportStatus>;

    fn is_active(&self) -> bool {
        self.activity().and_then(|status| status.state) == Some(State::Active)
    }
}

impl Active for Export {
    fn activity(&self) -> Option<&ExportStatus> {
        self.status.as_ref()
    }
}

impl Active for Enrichment {
    fn activity(&self) -> Option<&ExportStatus> {
        self.status.as_ref()
    }
}

/// Kinds that are held while something uses them.
pub trait Used {
    fn dependents(&self) -> Option<&DependentsStatus>;
}

impl Used for Connection {
    fn dependents(&self) -> Option<&DependentsStatus> {
        self.status.as_ref()?.dependents.as_ref()
    }
}

impl Used for Dataset {
    fn dependents(&self) -> Option<&DependentsStatus> {
        self.status.as_ref()?.dependents.as_ref()
    }
}

/// Kinds whose status has conditions.
pub trait Conditioned {
    fn conditions(&self) -> &[Condition];

    fn condition(&self, type_: ConditionType) -> Option<&Condition> {
        self.conditions()
            .iter()
            .find(|condition| condition.type_ == type_.as_str())
    }
}

macro_rules! conditioned {
    ($($kind:ty),+) => {$(
        impl Conditioned for $kind {
            fn conditions(&self) -> &[Condition] {
                self.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default()
            }
        }
    )+};
}
conditioned!(
    connection_operator::api::Connection,
    connection_operator::api::ConnectionType,
    connection_operator::api::Dataset,
    connection_operator::api::Enrichment,
    connection_operator::api::Export,
    connection_operator::api::KeyVault
);
