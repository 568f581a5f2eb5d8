//! `Export`: what goes out over one connection, and when.

use super::condition::{CONDITIONS_MAX, Condition, ConditionType, Reason};
use super::connection::{DISPLAY_NAME_MAX, Parameters, parameters_schema};
use super::dry_run::DryRun;
use super::reference::{ColumnName, ConnectionRef, DatasetRef, ObjectName, Reference, Refers};
use super::run::{RunCounts, RunFailure, RunOutcome, RunProgress};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most datasets of one payload.
pub const PAYLOAD_MAX: u32 = 50;
/// Longest condition on rows, in characters.
pub const WHERE_MAX: u32 = 4096;
/// Most columns of one dataset.
pub const COLUMNS_MAX: u32 = 500;

/// Payload and schedule over one connection.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "connections.dev",
    version = "v1alpha1",
    kind = "Export",
    namespaced,
    shortname = "exp",
    category = "connections-dev",
    status = "ExportStatus",
    derive = "PartialEq",
    selectable = ".spec.connectionRef.name",
    doc = "What goes out over one connection, and when.",
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
#[x_kube(validation = Rule::new("!has(self.mode) || self.mode != 'Incremental' || has(self.state)")
    .message("an Incremental export keeps what it has sent: name a dataset of role State in spec.state.dataset"))]
pub struct ExportSpec {
    /// What people call it.
    #[schemars(length(min = 1, max = DISPLAY_NAME_MAX), regex(pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"))]
    pub display_name: String,
    /// The connection to use. Without one the export is detached: it keeps its configuration and does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_ref: Option<ConnectionRef>,
    /// What is sent.
    #[schemars(length(min = 1, max = PAYLOAD_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["dataset".into()]))]
    pub payload: Vec<PayloadItem>,
    /// What the connection's type lets each export choose, as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "parameters_schema")]
    #[x_kube(validation = Rule::new("self.all(name, name.size() <= 63 && name.matches('^[a-z][a-zA-Z0-9]*$'))").message("a name here is in camel case, letters and digits, at most 63 of them"))]
    pub parameters: Parameters,
    /// When it runs. Without one it runs on request only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How much of the payload each run sends; all of it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Mode")]
    pub mode: Option<Mode>,
    /// Where rows that the destination refused are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejects: Option<DatasetRef>,
    /// Where an Incremental export keeps what it has sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<DatasetRef>,
    /// Whether it rests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

/// One dataset of a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct PayloadItem {
    /// The Dataset to read.
    pub dataset: ObjectName,
    /// The columns to send; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = COLUMNS_MAX))]
    pub columns: Vec<ColumnName>,
    /// Which rows to send, as an SQL condition over the columns; all if absent.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = WHERE_MAX))]
    pub where_: Option<String>,
    /// What columns are called at the destination, by their name here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = COLUMNS_MAX))]
    #[x_kube(validation = Rule::new("self.all(name, name.size() <= 128)").message("a name here has at most 128 characters"))]
    pub rename: BTreeMap<String, ColumnName>,
}

/// When something runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Five fields of cron: minute, hour, day of month, month, day of week.
    #[schemars(length(min = 1, max = 256))]
    pub cron: String,
    /// The IANA time zone that the fields are in; Etc/UTC if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: Option<String>,
}

/// How much of the payload each run sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mode {
    /// All rows.
    #[default]
    Full,
    /// Rows that changed since the last good run.
    Incremental,
}

/// Whether it would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum State {
    /// It runs when its time comes or on request.
    Active,
    /// Nothing runs.
    Inactive,
}

/// What the operator has found out about an export or enrichment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = { "observedGeneration": -1 }))]
pub struct ExportStatus {
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is judged.
    #[serde(default)]
    #[schemars(length(max = CONDITIONS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// Active or Inactive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "State")]
    pub state: Option<State>,
    /// The connection that it uses, or None.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub connection: Option<String>,
    /// The connection's type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub type_: Option<String>,
    /// The newest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Run>,
    /// The newest ten runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub runs: Vec<Run>,
    /// When it runs next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run_at: Option<Time>,
    /// The newest request for a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RunRequest")]
    pub last_request: Option<RunRequest>,
    /// The newest dry run that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DryRun")]
    pub last_dry_run: Option<DryRun>,
}

impl ExportStatus {
    /// Whether it needs the account that runs have: it is Active, or only held after a failure, or waits for that account.
    #[must_use]
    pub fn needs_run_account(&self) -> bool {
        let waits = [Reason::RunFailed, Reason::RunAccountTaken].map(Reason::as_str);
        let waiting = |condition: &Condition| {
            condition.type_ == ConditionType::Ready.as_str() && waits.contains(&condition.reason.as_str())
        };
        self.state == Some(State::Active) || self.conditions.iter().any(waiting)
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The Job that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub job: Option<String>,
    /// What began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Trigger")]
    pub trigger: Option<Trigger>,
    /// When it started.
    pub started_at: Time,
    /// When it ended. Absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// How often it was begun, as a failure that may pass is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub attempt: Option<i32>,
    /// How far it is: a run is asked after 30 seconds, and every 30 seconds from then on. Absent once it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RunProgress")]
    pub progress: Option<RunProgress>,
    /// How it ended. Absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RunOutcome")]
    pub outcome: Option<RunOutcome>,
    /// What it did, as far as its connector told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RunCounts")]
    pub counts: Option<RunCounts>,
    /// Why it didn't end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RunFailure")]
    pub failure: Option<RunFailure>,
    /// A hash of what it began with: the versions of the spec, the connection and its secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub basis: Option<String>,
}

/// What began a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Trigger {
    /// Its time came.
    Schedule,
    /// Somebody asked for it.
    Request,
}

impl Trigger {
    /// The word as it stands in YAML.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "Schedule",
            Self::Request => "Request",
        }
    }
}

/// A request for a run, which is answered once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunRequest {
    /// What the annotation said.
    #[schemars(length(max = 64))]
    pub value: String,
    /// What became of it.
    pub answer: RequestAnswer,
}

/// What became of a request for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RequestAnswer {
    /// A run was begun.
    Begun,
    /// It was inactive, so nothing ran.
    Inactive,
    /// Another run was under way, so nothing more ran.
    UnderWay,
    /// It wasn't asked for within the last ten minutes, so nothing ran.
    NotNow,
    /// It is no time as in RFC 3339, so nothing ran.
    Unreadable,
}

impl Export {
    /// What it sends, and over which connection; nothing while it is detached.
    fn segments(&self) -> impl Iterator<Item = Reference> {
        let connection = self.spec.connection_ref.iter();
        connection.flat_map(|connection| {
            self.spec
                .payload
                .iter()
                .filter_map(|item| self.segment(connection, item))
        })
    }

    /// What its runs run as, while there may be any.
    fn run_account(&self, namespace: String) -> Option<Reference> {
        let needed = self.status.as_ref().is_some_and(ExportStatus::needs_run_account);
        needed.then_some(Reference::RunAccount(namespace))
    }

    /// One dataset of its payload, as it goes over a connection.
    #[must_use]
    pub fn segment(&self, connection: &ConnectionRef, item: &PayloadItem) -> Option<Reference> {
        Some(Reference::Segment(
            self.namespace()?,
            connection.name.0.clone(),
            item.dataset.0.clone(),
        ))
    }
}

impl Refers for Export {
    fn references(&self) -> Vec<Reference> {
        let namespace = self.namespace().unwrap_or_default();
        let payload = self.spec.payload.iter().map(|item| &item.dataset);
        let written = [&self.spec.rejects, &self.spec.state]
            .into_iter()
            .flatten()
            .map(|written| &written.dataset);
        payload
            .chain(written)
            .map(|dataset| Reference::Dataset(namespace.clone(), dataset.0.clone()))
            .chain(
                self.spec
                    .connection_ref
                    .iter()
                    .map(|connection| Reference::Connection(namespace.clone(), connection.name.0.clone())),
            )
            .chain(self.segments())
            .chain(self.run_account(namespace.clone()))
            .collect()
    }
}
