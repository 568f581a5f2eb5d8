//! What operator and connector tell each other about a run: the plan that goes in, the result that comes out, and where
//! both stand in the run's pod.
//!
//! The plan never holds a parameter, account or reference of the connection: ConfigMaps are read by more people than
//! connections. The connector reads the connection itself, and takes the destination from there.

use super::connection::Parameters;
use super::connection_type::{ConnectionTypeSpec, UsedFor};
use super::dataset::{Format, Location};
use super::dry_run::DatasetEstimate;
use super::reference::{ColumnName, ObjectName};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form of plan that this version writes and reads.
pub const PLAN_VERSION: u32 = 1;
/// The key of the ConfigMap under which the plan stands, and so the file's name.
pub const PLAN_KEY: &str = "plan.json";
/// Where the plan's ConfigMap is mounted.
pub const PLAN_DIRECTORY: &str = "/run/connections/plan";
/// Where the credentials of the connection are mounted: a file for each secret, called as the type calls it.
pub const SECRETS_DIRECTORY: &str = "/run/connections/secrets";
/// Where what signs in to the connection's key vaults is mounted: a folder for each, with a file for each credential, called
/// by its number.
pub const VAULTS_DIRECTORY: &str = "/run/connections/vaults";
/// The file in a key vault's folder that holds the run account's token for it, where it is asked as that account.
pub const VAULT_TOKEN_FILE: &str = "token";
/// Where the volumes of datasets are mounted: a folder for each claim, called as the claim.
pub const VOLUMES_DIRECTORY: &str = "/run/connections/volumes";
/// Where the volume is mounted, writable, that an enrichment's output is on. What is read is mounted read-only beside it, of one
/// claim too.
pub const OUTPUT_DIRECTORY: &str = "/run/connections/output";
/// Where the connector writes its result, as JSON.
pub const RESULT_FILE: &str = "/dev/termination-log";
/// The largest result, in bytes: Kubernetes keeps no more.
pub const RESULT_MAX: usize = 4096;

/// The port of a run's pod on which it tells how far it is.
pub const PROGRESS_PORT: u16 = 8080;
/// What is asked for there.
pub const PROGRESS_PATH: &str = "/progress";

/// The exit code of a run that ended well.
pub const EXIT_SUCCEEDED: u8 = 0;
/// The exit code of a failure that may pass by itself: Kubernetes tries again.
pub const EXIT_TRANSIENT: u8 = 10;
/// The exit code of a failure that stays until somebody acts: Kubernetes doesn't try again.
pub const EXIT_PERMANENT: u8 = 11;
/// The exit code of a run that may not go on: consent, suspension, removal, or being told to stop.
pub const EXIT_STOPPED: u8 = 12;

/// What one run does. It is stored in an immutable ConfigMap that is called by its hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The form of this plan.
    pub version: u32,
    /// Whether it is an export's or an enrichment's.
    pub used_for: UsedFor,
    /// The namespace of all that it names.
    pub namespace: ObjectName,
    /// The export or enrichment.
    pub name: ObjectName,
    /// Its uid: what is made again under its name has plans of its own, as those from before go with what they belonged to.
    pub uid: String,
    /// The connection, which the connector reads.
    pub connection: ObjectName,
    /// The consent that must stand on the connection: the digest of its type's part here and of what the connection says.
    pub consent: String,
    /// The name of its type.
    #[serde(rename = "type")]
    pub type_: ObjectName,
    /// What the type declares: endpoints, what decides the destination, notice, limits, and the connector's name.
    pub type_spec: ConnectionTypeSpec,
    /// What goes out, in order; nothing of an enrichment.
    pub payload: Vec<PlannedDataset>,
    /// What an enrichment reads and writes; an export has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrichment: Option<PlannedEnrichment>,
    /// What the export or enrichment chose for itself, as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: Parameters,
}

/// One dataset of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedDataset {
    /// The Dataset's name, after which its files are called at the destination.
    pub dataset: ObjectName,
    /// Where it is.
    pub location: Location,
    /// How its files are written; none for a table of a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// The columns to send; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnName>,
    /// Which rows to send, as an SQL condition over the columns; all if absent.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub where_: Option<String>,
    /// What columns are called at the destination, by their name here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rename: BTreeMap<String, ColumnName>,
}

/// What an enrichment reads and writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedEnrichment {
    /// What is enriched. It is never changed.
    pub input: PlannedDataset,
    /// The input's column for each of the service's fields that it must equal, or that the service gets.
    pub mapping: BTreeMap<String, ColumnName>,
    /// Where the results go.
    pub output: PlannedOutput,
}

/// The dataset that an enrichment writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedOutput {
    /// The Dataset's name.
    pub dataset: ObjectName,
    /// Where it is.
    pub location: Location,
    /// How its file is written; none for a table of a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
}

/// How a run ended, as its connector tells it. Whoever reads exports reads it too: no text in it holds a host, folder,
/// account or row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// How it ended.
    pub outcome: RunOutcome,
    /// When the connector began.
    pub started_at: Time,
    /// When it ended.
    pub ended_at: Time,
    /// What was done.
    #[serde(default)]
    pub counts: RunCounts,
    /// Of a dry run, what a run would have sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub estimate: Vec<DatasetEstimate>,
    /// Why it didn't end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<RunFailure>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RunOutcome {
    /// All was sent, and stands at the destination.
    Succeeded,
    /// It could not; what it had begun is undone, as far as the destination can.
    Failed,
    /// It was not allowed to go on: consent, suspension or removal.
    Stopped,
}

impl RunOutcome {
    /// The word as it stands in YAML.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunCounts {
    /// Rows read from the datasets.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub rows_read: i64,
    /// Rows that stand at the destination.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub rows_sent: i64,
    /// Rows that the destination refused.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub rows_rejected: i64,
    /// Bytes sent, as they left; of an enrichment, bytes fetched, as they came.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub bytes: i64,
    /// Rows of the input that the provider's file has a line for, and that so stand in the output. Of enrichments alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub rows_enriched: Option<i64>,
    /// Rows of the input that it has none for. Of enrichments alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub rows_not_matched: Option<i64>,
}

/// How far a run is, as its pod tells the operator: two numbers and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunProgress {
    /// Rows read from the datasets.
    #[schemars(range(min = 0))]
    pub rows_read: i64,
    /// Rows handed to the destination, or written to the output, where they don't count before all is there.
    #[schemars(range(min = 0))]
    pub rows_written: i64,
}

/// Why a run didn't end well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunFailure {
    /// Who can do something about it.
    pub class: FailureClass,
    /// Whether it may pass by itself.
    pub persistence: Persistence,
    /// What was wrong, where, and the next step, in whole sentences.
    #[schemars(length(min = 1, max = 1024))]
    pub message: String,
}

/// Who can do something about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FailureClass {
    /// Whoever wrote the export, enrichment or dataset.
    User,
    /// Whoever answers for the connection or the service behind it.
    Destination,
    /// Whoever runs the cluster.
    System,
}

/// Whether a failure may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Persistence {
    /// It may: it's tried again.
    Transient,
    /// It stays until somebody acts.
    Permanent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_policies_name_the_port_on_which_runs_tell_how_far_they_are() {
        let chart = include_str!("../../charts/connection-operator/templates/networkpolicy.yaml");
        let page = include_str!("../../docs/runs.md");
        let port = format!("- {{port: {PROGRESS_PORT}, protocol: TCP}}");
        for (place, text) in [("the chart", chart), ("docs/runs.md", page)] {
            assert!(text.contains(&port), "{place} says {port}");
        }
    }
}
