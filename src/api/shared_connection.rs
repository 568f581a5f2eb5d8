//! `SharedConnection`: what a contributor may see of a connection that they can use.

use super::condition::{CONDITIONS_MAX, Condition};
use super::connection::DISPLAY_NAME_MAX;
use super::connection_type::UsedFor;
use super::reference::{ObjectName, Reference, Refers};
use kube::{CustomResource, KubeSchema, ResourceExt};
use serde::{Deserialize, Serialize};

/// What a contributor may see of a connection that they can use: what it's called, its type, and whether it's ready.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "connections.dev",
    version = "v1alpha1",
    kind = "SharedConnection",
    namespaced,
    shortname = "sconn",
    category = "connections-dev",
    status = "SharedConnectionStatus",
    derive = "PartialEq",
    selectable = ".spec.usedFor",
    selectable = ".spec.type",
    doc = "What a contributor may see of a connection of the same name that they can use. The operator keeps it.",
    printcolumn(
        name = "Display Name",
        type_ = "string",
        json_path = ".spec.displayName",
        description = "What people call the connection"
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
        json_path = ".spec.usedFor",
        description = "Export or Enrichment"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#,
        description = "Whether what is on it can run now"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        description = "Why"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Since when it's shared"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct SharedConnectionSpec {
    /// What people call the connection.
    #[schemars(length(min = 1, max = DISPLAY_NAME_MAX))]
    pub display_name: String,
    /// Its ConnectionType.
    #[serde(rename = "type")]
    pub type_: ObjectName,
    /// Whether exports or enrichments may be on it.
    pub used_for: UsedFor,
}

/// Whether the connection is ready.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
pub struct SharedConnectionStatus {
    /// `Ready`: whether an attached, valid export or enrichment would be Active now.
    #[serde(default)]
    #[schemars(length(max = CONDITIONS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

impl Refers for SharedConnection {
    fn references(&self) -> Vec<Reference> {
        vec![Reference::Connection(
            self.namespace().unwrap_or_default(),
            self.name_any(),
        )]
    }
}
