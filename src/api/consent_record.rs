//! `ConsentRecord`: one decision on consent, on record.

use super::reference::{ObjectName, Reference, Refers};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name of a user, in characters.
pub const USER_MAX: u32 = 1024;

/// One decision on consent: given, withdrawn or gone stale. It is never changed, and outlives what it's about.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "connections.dev",
    version = "v1alpha1",
    kind = "ConsentRecord",
    namespaced,
    shortname = "consent",
    category = "connections-dev",
    derive = "PartialEq",
    selectable = ".spec.subject.name",
    selectable = ".spec.subject.kind",
    selectable = ".spec.decision",
    doc = "One decision on consent: given, withdrawn or gone stale; by whom, and for which destination and notice. The operator writes it once; it is never changed, and outlives its connection.",
    printcolumn(
        name = "Kind",
        type_ = "string",
        json_path = ".spec.subject.kind",
        description = "The kind that was decided about"
    ),
    printcolumn(
        name = "Subject",
        type_ = "string",
        json_path = ".spec.subject.name",
        description = "Its name"
    ),
    printcolumn(
        name = "Decision",
        type_ = "string",
        json_path = ".spec.decision",
        description = "Given, Withdrawn or Stale"
    ),
    printcolumn(
        name = "By",
        type_ = "string",
        json_path = ".spec.by",
        description = "Who decided"
    ),
    printcolumn(
        name = "Via",
        type_ = "string",
        json_path = ".spec.via",
        description = "The pipeline that named them"
    ),
    printcolumn(name = "At", type_ = "date", json_path = ".spec.at", description = "When"),
    printcolumn(
        name = "Destination",
        type_ = "string",
        json_path = ".spec.destination",
        priority = 1,
        description = "Where data may go"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self == oldSelf").message("a decision on record is never changed"))]
pub struct ConsentRecordSpec {
    /// What was decided about.
    pub subject: ConsentSubject,
    /// What was decided.
    pub decision: ConsentDecision,
    /// The digest that was agreed to, or no longer is.
    #[schemars(length(max = 64))]
    pub digest: String,
    /// Who decided; empty if nobody did, as when it went stale.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = USER_MAX))]
    pub by: String,
    /// The pipeline that named them; empty if they decided themselves.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = USER_MAX))]
    pub via: String,
    /// Where data may go, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 4096))]
    pub destination: String,
    /// The version of the notice.
    #[schemars(length(max = 63))]
    pub notice_version: String,
    /// When the operator saw it.
    pub at: Time,
}

/// What was decided about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentSubject {
    /// Its kind.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Its name.
    pub name: ObjectName,
    /// Which one of that name: one made anew has another.
    #[schemars(length(max = 64))]
    pub uid: String,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConsentDecision {
    /// Somebody agreed.
    Given,
    /// Somebody took it back.
    Withdrawn,
    /// The destination or the notice is another than what was agreed to.
    Stale,
}

impl Refers for ConsentRecord {
    fn references(&self) -> Vec<Reference> {
        let ConsentSubject { kind, name, .. } = &self.spec.subject;
        vec![Reference::Subject(
            self.namespace().unwrap_or_default(),
            kind.clone(),
            name.to_string(),
        )]
    }
}
