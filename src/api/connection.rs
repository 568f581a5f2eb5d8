//! `Connection`: where data may go.

use super::condition::{CONDITIONS_MAX, Condition};
use super::connection_type::{PARAMETER_VALUE_MAX, PARAMETERS_MAX, SECRETS_MAX, UsedFor};
use super::consent_record::USER_MAX;
use super::reference::{ObjectName, Reference, Refers, SecretSource};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest display name of any kind, in characters.
pub const DISPLAY_NAME_MAX: u32 = 100;

/// Values of parameters by name, always text.
pub type Parameters = BTreeMap<String, String>;

/// Where data may go: the type, its parameters, references to secrets, and who may use it.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "connections.dev",
    version = "v1alpha1",
    kind = "Connection",
    namespaced,
    shortname = "conn",
    category = "connections-dev",
    status = "ConnectionStatus",
    derive = "PartialEq",
    selectable = ".spec.type",
    selectable = ".status.usedFor",
    doc = "Where data may go: type, parameters, secret references, consent and sharing.",
    printcolumn(
        name = "Display Name",
        type_ = "string",
        json_path = ".spec.displayName",
        description = "What people call it"
    ),
    printcolumn(
        name = "Type",
        type_ = "string",
        json_path = ".spec.type",
        description = "Its connection type"
    ),
    printcolumn(
        name = "Used For",
        type_ = "string",
        json_path = ".status.usedFor",
        description = "Export or Enrichment"
    ),
    printcolumn(
        name = "Access",
        type_ = "string",
        json_path = ".status.access",
        description = "Who may use it"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#,
        description = "Whether it can be used now"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        description = "Why"
    ),
    printcolumn(
        name = "In Use",
        type_ = "integer",
        json_path = ".status.dependents.total",
        description = "How many exports and enrichments name it"
    ),
    printcolumn(
        name = "Consented By",
        type_ = "string",
        json_path = ".status.consent.by",
        priority = 1,
        description = "Who consented"
    ),
    printcolumn(
        name = "Deleting",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Deleting")].status"#,
        priority = 1,
        description = "Whether it is being removed and waits for its users"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since it was created"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionSpec {
    /// What people call it: tell purpose and target.
    #[schemars(length(min = 1, max = DISPLAY_NAME_MAX), regex(pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"))]
    pub display_name: String,
    /// Its ConnectionType. It can't change.
    #[serde(rename = "type")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("a connection's type can't change: make another connection and move its exports or enrichments to it"))]
    pub type_: ObjectName,
    /// What the type declares as parameters, as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = PARAMETERS_MAX), schema_with = "parameters_schema")]
    #[x_kube(validation = Rule::new("self.all(name, name.size() <= 63 && name.matches('^[a-z][a-zA-Z0-9]*$'))").message("a name here is in camel case, letters and digits, at most 63 of them"))]
    pub parameters: Parameters,
    /// Where the secrets that the type declares come from, by their names: references, never values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = SECRETS_MAX))]
    #[x_kube(validation = Rule::new("self.all(name, name.size() <= 63 && name.matches('^[a-z][a-zA-Z0-9]*$'))").message("a name here is in camel case, letters and digits, at most 63 of them"))]
    pub secrets: BTreeMap<String, SecretSource>,
    /// Who may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// What exports on it can't choose for themselves.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = PARAMETERS_MAX), schema_with = "parameters_schema")]
    #[x_kube(validation = Rule::new("self.all(name, name.size() <= 63 && name.matches('^[a-z][a-zA-Z0-9]*$'))").message("a name here is in camel case, letters and digits, at most 63 of them"))]
    pub fixed_export_parameters: Parameters,
    /// The kill switch: everything that uses it goes inactive at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

/// The schema of [`Parameters`]: bounded texts by bounded names.
pub(super) fn parameters_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": PARAMETERS_MAX,
        "additionalProperties": {"type": "string", "maxLength": PARAMETER_VALUE_MAX},
    })
}

/// Who may use a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// Who may make exports on it; administrators if absent. Enrichment connections are open to all contributors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Audience")]
    pub exports: Option<Audience>,
}

/// A circle of users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Audience {
    /// Administrators of the namespace only.
    #[default]
    Administrators,
    /// Administrators and contributors of the namespace.
    Contributors,
}

/// What the operator has found out about a connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = { "observedGeneration": -1 }))]
pub struct ConnectionStatus {
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is judged.
    #[serde(default)]
    #[schemars(length(max = CONDITIONS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// Whether somebody agreed to this destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentStatus>,
    /// What each secret reference leads to. Never a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = SECRETS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub secrets: Vec<SecretStatus>,
    /// Who uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependents: Option<DependentsStatus>,
    /// Export or Enrichment, from its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "UsedFor")]
    pub used_for: Option<UsedFor>,
    /// Who may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Audience")]
    pub access: Option<Audience>,
}

/// Longest stamp that a status keeps, in characters.
pub const STAMP_MAX: u32 = 2048;

/// Whether somebody agreed to this destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentStatus {
    /// The digest to agree to: one notice for one destination. Absent while the type is, and, unless consent stands, while
    /// what the connection says doesn't fit its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub required: Option<String>,
    /// Whether consent stands.
    #[serde(default)]
    pub given: bool,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = USER_MAX))]
    pub by: Option<String>,
    /// The pipeline that gave it in their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = USER_MAX))]
    pub via: Option<String>,
    /// A stamp that doesn't count, as nothing vouched for it when it was first seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = STAMP_MAX))]
    pub unproven: Option<String>,
    /// Since when this stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// What one secret reference leads to. Never a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretStatus {
    /// The name of the reference.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Where it comes from, such as `Secret partner, key password`.
    #[schemars(length(max = 1024))]
    pub source: String,
    /// The version in use: a Secret's resource version, a vault's version. Absent where a vault keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,
    /// Since when this version. Absent while there is nothing to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Since when the vault hasn't confirmed it, as it doesn't answer. Absent while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed_since: Option<Time>,
}

/// Who uses an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DependentsStatus {
    /// How many exports name it.
    pub exports: i64,
    /// How many enrichments name it.
    pub enrichments: i64,
    /// How many in all.
    pub total: i64,
    /// Their names, at most five.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 2048))]
    pub summary: String,
    /// How to let the first of them go.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 2048))]
    pub next_step: String,
}

impl Refers for Connection {
    fn references(&self) -> Vec<Reference> {
        let namespace = self.namespace().unwrap_or_default();
        let secrets = self.spec.secrets.values();
        secrets
            .filter_map(|source| source.target(&namespace))
            .chain([
                Reference::ConnectionType(self.spec.type_.0.clone()),
                Reference::Namespace(namespace.clone()),
                Reference::DisplayName(namespace.clone(), self.spec.display_name.clone()),
            ])
            .collect()
    }
}
