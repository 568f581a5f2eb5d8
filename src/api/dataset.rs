//! `Dataset`: a named table that stays where it is.

use super::condition::{CONDITIONS_MAX, Condition};
use super::connection::{DependentsStatus, SecretStatus};
use super::connection_type::SECRETS_MAX;
use super::reference::{ColumnName, FieldName, ObjectName, Reference, Refers, SecretSource};
use kube::{CustomResource, KubeSchema, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A named table that exports read, and that enrichments read and write.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "connections.dev",
    version = "v1alpha1",
    kind = "Dataset",
    namespaced,
    shortname = "dset",
    category = "connections-dev",
    status = "DatasetStatus",
    derive = "PartialEq",
    doc = "A named table that exports read, and that enrichments read and write. It stays where it is.",
    printcolumn(
        name = "Role",
        type_ = "string",
        json_path = ".status.role",
        description = "What it is for"
    ),
    printcolumn(
        name = "Format",
        type_ = "string",
        json_path = ".spec.format.type",
        description = "How its files are written"
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
#[x_kube(validation = Rule::new("has(self.location.table) != has(self.format)")
    .message("files have a format, database tables have none: set spec.format exactly if spec.location is a url or a volume"))]
pub struct DatasetSpec {
    /// Where the table is.
    pub location: Location,
    /// How its files are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Where the credentials to its location come from: references, never values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = SECRETS_MAX))]
    #[x_kube(validation = Rule::new("self.all(name, name.size() <= 63 && name.matches('^[a-z][a-zA-Z0-9]*$'))").message("a name here is in camel case, letters and digits, at most 63 of them"))]
    pub credentials: BTreeMap<String, SecretSource>,
    /// Which columns identify a person or a company.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["column".into()]))]
    pub identity: Vec<IdentityColumn>,
    /// How many people or companies it holds, as far as somebody knows. Compared with what services take; not if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub members: Option<i64>,
    /// What it is for; Source if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Role")]
    pub role: Option<Role>,
}

/// Where a table is: exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("(has(self.url) ? 1 : 0) + (has(self.volume) ? 1 : 0) + (has(self.table) ? 1 : 0) == 1")
    .message("name exactly one location: url, volume or table"))]
pub struct Location {
    /// Files behind a URL: `s3://`, `az://` or `https://`, without user name or password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 1024),
        regex(pattern = r"^(s3|az|https)://[^/@?#\\\s]+(/[^@?#\\\s]*)?$")
    )]
    #[x_kube(validation = Rule::new("!self.split('/').exists(part, part.lowerAscii().replace('%2e', '.') == '..')").message("a url must not step up by '..'"))]
    pub url: Option<String>,
    /// Files on a PersistentVolumeClaim of the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Volume>,
    /// A table of a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
}

/// Files on a PersistentVolumeClaim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// The PersistentVolumeClaim's name.
    pub claim_name: ObjectName,
    /// The path in it, relative to its root.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[^/\x00-\x1f][^\x00-\x1f]*$"))]
    #[x_kube(validation = Rule::new("!self.split('/').exists(part, part == '..')").message("a path must not step up by '..'"))]
    pub path: String,
}

/// A table of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// What speaks to it.
    pub engine: Engine,
    /// The database's host.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?$")
    )]
    pub host: String,
    /// Its port; the engine's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// The database.
    #[schemars(length(min = 1, max = 63))]
    pub database: String,
    /// The schema; the database's own default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub schema: Option<String>,
    /// The table.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
}

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Engine {
    /// PostgreSQL.
    PostgreSQL,
}

/// How files are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.csv) || self.type == 'CSV'").message("csv options belong to the format CSV"))]
pub struct Format {
    /// The format.
    #[serde(rename = "type")]
    pub type_: FormatType,
    /// How CSV files are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv: Option<CsvOptions>,
    /// How files are compressed; not at all if absent. Parquet compresses by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Compression")]
    pub compression: Option<Compression>,
}

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FormatType {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values (RFC 4180).
    #[serde(rename = "CSV")]
    Csv,
    /// One JSON object a line.
    #[serde(rename = "NDJSON")]
    NdJson,
}

/// How CSV files are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CsvOptions {
    /// What separates fields; a comma if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1))]
    pub delimiter: Option<String>,
    /// Whether the first line names the columns; Present if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Header")]
    pub header: Option<Header>,
}

/// Whether the first line of a CSV file names the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Header {
    /// It does.
    Present,
    /// It doesn't.
    Absent,
}

/// How files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// A column that identifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityColumn {
    /// The column.
    pub column: ColumnName,
    /// What it holds, such as `email` or `phone`.
    pub holds: FieldName,
}

/// What a dataset is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Role {
    /// It is read.
    #[default]
    Source,
    /// One enrichment writes it.
    Output,
    /// One export writes refused rows to it.
    Rejects,
    /// One incremental export keeps in it what it has sent.
    State,
}

/// What the operator has found out about a dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = { "observedGeneration": -1 }))]
pub struct DatasetStatus {
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is judged.
    #[serde(default)]
    #[schemars(length(max = CONDITIONS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// What each credential leads to. Never a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = SECRETS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub secrets: Vec<SecretStatus>,
    /// Who uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependents: Option<DependentsStatus>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Role")]
    pub role: Option<Role>,
}

impl Refers for Dataset {
    fn references(&self) -> Vec<Reference> {
        let namespace = self.namespace().unwrap_or_default();
        let secrets = self.spec.credentials.values();
        let secrets = secrets.filter_map(|source| source.target(&namespace));
        secrets.chain(self.claim()).collect()
    }
}

impl Dataset {
    /// The claim that it lies on, if it lies on one.
    #[must_use]
    pub fn claim(&self) -> Option<Reference> {
        let volume = self.spec.location.volume.as_ref()?;
        Some(Reference::Claim(
            self.namespace().unwrap_or_default(),
            volume.claim_name.to_string(),
        ))
    }
}
