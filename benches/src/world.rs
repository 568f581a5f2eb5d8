//! The world that everything is measured in: consented connections, each with one export.

use crate::Outcome;
use connection_operator::api::names::{CONSENT_ANNOTATION, CONTRIBUTOR_ROLE};
use connection_operator::api::{Connection, ConnectionType, Dataset, Export, custom_resource_definitions};
use connection_operator::connection_type::catalog;
use connection_operator::governance::consent::{self, Subject};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::rbac::v1::RoleBinding;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::PostParams;
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::time::Duration;

/// Requests at the same time while the world is made; nothing is measured then.
const MAKING: usize = 32;
/// Who may make exports on shared connections, in every namespace.
pub const CONTRIBUTOR: &str = "carol";
/// The type of all connections.
pub const TYPE: &str = "sftp-export";

/// How large the world is, and how patient the measuring.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Scale {
    pub name: &'static str,
    pub namespaces: usize,
    /// Connections of a namespace, and exports.
    pub each: usize,
    pub secrets_each: usize,
    /// How long nothing may happen, in seconds.
    pub settled_seconds: u64,
    /// Changes whose way to the export, or to an answer, is timed.
    pub tries: usize,
    /// Connections that are shared.
    pub shared: usize,
    /// Connections, then exports, that are made after everything has settled.
    pub later: usize,
}

impl Scale {
    pub const FULL: Self = Self {
        name: "full",
        namespaces: 100,
        each: 100,
        secrets_each: 2,
        settled_seconds: 60,
        tries: 100,
        shared: 1000,
        later: 100,
    };
    pub const SMALL: Self = Self {
        name: "small",
        namespaces: 20,
        each: 50,
        secrets_each: 2,
        settled_seconds: 10,
        tries: 100,
        shared: 1000,
        later: 20,
    };

    /// Connections in all, and exports.
    pub const fn connections(&self) -> usize {
        self.namespaces * self.each
    }

    pub const fn settled(&self) -> Duration {
        Duration::from_secs(self.settled_seconds)
    }
}

/// Everything in it, as the API server answered.
pub struct World {
    pub type_: ConnectionType,
    pub secrets: Vec<Secret>,
    pub datasets: Vec<Dataset>,
    pub connections: Vec<Connection>,
    pub exports: Vec<Export>,
}

impl World {
    /// Makes it where nothing but the chart is installed. The client's user consents to every connection.
    pub async fn make(client: &Client, scale: &Scale) -> Outcome<Self> {
        let type_ = Api::all(client.clone())
            .create(&PostParams::default(), &sftp_export()?)
            .await?;
        let namespaces: Vec<String> = (0..scale.namespaces).map(namespace).collect();
        let made = namespaces.iter().map(|name| make_namespace(client, name));
        stream::iter(made)
            .buffer_unordered(MAKING)
            .try_collect::<Vec<()>>()
            .await?;
        let in_each = |count: usize| {
            (0..scale.namespaces).flat_map(move |team| (0..count).map(move |i| (namespace(team), i)))
        };
        Ok(Self {
            secrets: make_all(client, in_each(scale.secrets_each).map(|(ns, i)| secret(&ns, i))).await?,
            datasets: make_all(client, in_each(1).map(|(ns, _)| dataset(&ns))).await?,
            connections: make_all(
                client,
                in_each(scale.each).map(|(ns, i)| connection(&ns, i, scale.secrets_each, &type_)),
            )
            .await?,
            exports: make_all(client, in_each(scale.each).map(|(ns, i)| export(&ns, i))).await?,
            type_,
        })
    }

    /// Connections beside those that are there, in the first namespace.
    pub fn later_connections(&self, scale: &Scale) -> impl Iterator<Item = Outcome<Connection>> {
        let numbers = scale.each..scale.each + scale.later;
        numbers.map(|i| connection(&namespace(0), i, scale.secrets_each, &self.type_))
    }

    /// Exports on those.
    pub fn later_exports(scale: &Scale) -> impl Iterator<Item = Outcome<Export>> {
        (scale.each..scale.each + scale.later).map(|i| export(&namespace(0), i))
    }
}

/// A namespace with so many connections and nothing on them.
pub async fn connections(
    client: &Client,
    namespace: &str,
    count: usize,
    type_: &ConnectionType,
) -> Outcome<()> {
    make_namespace(client, namespace).await?;
    make_all(client, std::iter::once(secret(namespace, 0))).await?;
    make_all(client, (0..count).map(|i| connection(namespace, i, 1, type_))).await?;
    Ok(())
}

/// Makes objects side by side, and gives them in order as the API server answered.
pub async fn make_all<K>(client: &Client, objects: impl Iterator<Item = Outcome<K>>) -> Outcome<Vec<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize,
{
    let made = objects.map(|object| async move {
        let object = object?;
        let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
        Ok(api.create(&PostParams::default(), &object).await?)
    });
    stream::iter(made).buffered(MAKING).try_collect().await
}

/// The definitions of our kinds, and nothing else of the chart.
pub async fn install_definitions(client: &Client) -> Outcome<()> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in custom_resource_definitions() {
        api.create(&PostParams::default(), &definition).await?;
        await_condition(api.clone(), &definition.name_any(), is_crd_established()).await?;
    }
    Ok(())
}

/// The type of all connections, as the catalog has it.
pub fn sftp_export() -> Outcome<ConnectionType> {
    let types = catalog::connection_types()?;
    let found = types.into_iter().find(|type_| type_.name_any() == TYPE);
    found.ok_or_else(|| format!("the catalog has no type {TYPE}").into())
}

async fn make_namespace(client: &Client, name: &str) -> Outcome<()> {
    let wanted: Namespace = object(json!({"metadata": {"name": name}}))?;
    Api::all(client.clone())
        .create(&PostParams::default(), &wanted)
        .await?;
    let contributors: RoleBinding = object(json!({
        "metadata": {"name": "contributors"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": CONTRIBUTOR_ROLE},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": CONTRIBUTOR}],
    }))?;
    Api::namespaced(client.clone(), name)
        .create(&PostParams::default(), &contributors)
        .await?;
    Ok(())
}

fn namespace(team: usize) -> String {
    format!("team-{team:03}")
}

fn secret(namespace: &str, i: usize) -> Outcome<Secret> {
    object(json!({
        "metadata": {"namespace": namespace, "name": format!("partner-{i}")},
        "stringData": {"username": "acme", "password": "not-a-real-one"},
    }))
}

fn dataset(namespace: &str) -> Outcome<Dataset> {
    object(json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Dataset",
        "metadata": {"namespace": namespace, "name": "customers"},
        "spec": {
            "location": {"url": "s3://warehouse/customers"}, "format": {"type": "Parquet"},
            "identity": [{"column": "email", "holds": "email"}],
        },
    }))
}

/// A connection to which its administrator agrees as it is made.
fn connection(namespace: &str, i: usize, secrets_each: usize, type_: &ConnectionType) -> Outcome<Connection> {
    let secret = format!("partner-{}", i % secrets_each);
    let mut connection: Connection = object(json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Connection",
        "metadata": {"namespace": namespace, "name": connection_name(i)},
        "spec": {
            "displayName": format!("Partner {i}, weekly drop"), "type": TYPE,
            "parameters": {"hostname": format!("sftp-{i}.{namespace}.example"), "folder": "/in"},
            "secrets": {
                "username": {"secretKeyRef": {"name": secret, "key": "username"}},
                "password": {"secretKeyRef": {"name": secret, "key": "password"}},
            },
        },
    }))?;
    let name = connection.name_any();
    let subject = Subject {
        kind: "Connection",
        namespace,
        name: &name,
    };
    let digest = consent::required(subject, &connection.spec, &type_.spec).current;
    connection
        .annotations_mut()
        .insert(CONSENT_ANNOTATION.to_owned(), digest);
    Ok(connection)
}

fn connection_name(i: usize) -> String {
    format!("partner-{i:04}")
}

fn export(namespace: &str, i: usize) -> Outcome<Export> {
    export_on(namespace, &format!("weekly-{i:04}"), &connection_name(i))
}

/// An export that sends customers to a connection.
pub fn export_on(namespace: &str, name: &str, connection: &str) -> Outcome<Export> {
    object(json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Export",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "displayName": format!("Customers to {connection}"), "connectionRef": {"name": connection},
            "payload": [{"dataset": "customers", "columns": ["email", "country"], "where": "country = 'FR'"}],
            "parameters": {"subfolder": "customers/weekly"},
            "schedule": {"cron": "0 6 * * 1", "timeZone": "Europe/Paris"},
        },
    }))
}

fn object<K: DeserializeOwned>(value: Value) -> Outcome<K> {
    Ok(serde_json::from_value(value)?)
}
