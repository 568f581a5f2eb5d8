//! `Enrichment`: what goes out over one connection and comes back richer.

use super::connection::{DISPLAY_NAME_MAX, Parameters, parameters_schema};
use super::export::{COLUMNS_MAX, ExportStatus, Schedule, WHERE_MAX};
use super::reference::{ColumnName, ConnectionRef, DatasetRef, ObjectName, Reference, Refers};
use kube::{CustomResource, KubeSchema, ResourceExt};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Input, mapping and output over one connection.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "connections.dev",
    version = "v1alpha1",
    kind = "Enrichment",
    namespaced,
    shortname = "enr",
    category = "connections-dev",
    status = "ExportStatus",
    derive = "PartialEq",
    selectable = ".spec.connectionRef.name",
    doc = "What goes out over one connection and comes back richer, into a dataset of its own.",
    printcolumn(
        name = "Display Name",
        type_ = "string",
        json_path = ".spec.displayName",
        description = "What people call it"
    ),
    printcolumn(
        name = "Connection",
        type_ = "string",
        json_path = ".status.connection",
        description = "The connection that it uses"
    ),
    printcolumn(
        name = "Type",
        type_ = "string",
        json_path = ".status.type",
        description = "The connection's type"
    ),
    printcolumn(
        name = "State",
        type_ = "string",
        json_path = ".status.state",
        description = "Active or Inactive"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        description = "Why"
    ),
    printcolumn(
        name = "Last Run",
        type_ = "string",
        json_path = ".status.lastRun.outcome",
        description = "How the newest run ended"
    ),
    printcolumn(
        name = "Next Run",
        type_ = "string",
        json_path = ".status.nextRunAt",
        description = "When it runs next"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since it was created"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.input.dataset != self.output.dataset")
    .message("an enrichment never changes its input: name another dataset in spec.output.dataset"))]
pub struct EnrichmentSpec {
    /// What people call it.
    #[schemars(length(min = 1, max = DISPLAY_NAME_MAX), regex(pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"))]
    pub display_name: String,
    /// The connection to use. Without one the enrichment is deactivated: it keeps its configuration and its last
    /// good output, and does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_ref: Option<ConnectionRef>,
    /// What is enriched. It is never changed.
    pub input: EnrichmentInput,
    /// Where the results go: a dataset of role Output that nothing else writes.
    pub output: DatasetRef,
    /// What the connection's type lets each enrichment choose, as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "parameters_schema")]
    #[x_kube(validation = Rule::new("self.all(name, name.size() <= 63 && name.matches('^[a-z][a-zA-Z0-9]*$'))").message("a name here is in camel case, letters and digits, at most 63 of them"))]
    pub parameters: Parameters,
    /// When it runs. Without one it runs on request only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Whether it rests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

/// What is enriched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct EnrichmentInput {
    /// The Dataset to read.
    pub dataset: ObjectName,
    /// Which rows to enrich, as an SQL condition over the columns; all if absent.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = WHERE_MAX))]
    pub where_: Option<String>,
    /// Which column the service gets for each of its fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = COLUMNS_MAX))]
    #[x_kube(validation = Rule::new("self.all(name, name.size() <= 128)").message("a name here has at most 128 characters"))]
    pub mapping: BTreeMap<String, ColumnName>,
}

impl Enrichment {
    /// What its runs run as, while there may be any.
    fn run_account(&self, namespace: String) -> Option<Reference> {
        let needed = self.status.as_ref().is_some_and(ExportStatus::needs_run_account);
        needed.then_some(Reference::RunAccount(namespace))
    }
}

impl Refers for Enrichment {
    fn references(&self) -> Vec<Reference> {
        let namespace = self.namespace().unwrap_or_default();
        [&self.spec.input.dataset, &self.spec.output.dataset]
            .into_iter()
            .map(|dataset| Reference::Dataset(namespace.clone(), dataset.0.clone()))
            .chain(
                self.spec
                    .connection_ref
                    .iter()
                    .map(|connection| Reference::Connection(namespace.clone(), connection.name.0.clone())),
            )
            .chain(self.run_account(namespace.clone()))
            .collect()
    }
}
