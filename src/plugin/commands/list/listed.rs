//! The fields that a list shows; of an answer nothing else is kept, which matters where there are thousands.

use crate::api::ConditionType;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// A connection, or what is shared of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Listed {
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
    pub(super) status: Status,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) creation_timestamp: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Spec {
    pub(super) display_name: String,
    #[serde(rename = "type")]
    pub(super) type_: String,
    /// What is shared says it here,
    pub(super) used_for: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status {
    conditions: Vec<Condition>,
    /// and a connection here.
    pub(super) used_for: String,
    pub(super) access: String,
    pub(super) dependents: Option<Dependents>,
    pub(super) consent: Consent,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    type_: String,
    pub(super) status: String,
    pub(super) reason: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Dependents {
    pub(super) total: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Consent {
    pub(super) by: String,
}

impl Listed {
    /// Reads an object; fields that aren't as expected are left empty.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        Self::deserialize(object).unwrap_or_default()
    }

    /// Its namespace and name.
    #[must_use]
    pub fn place(&self) -> (&str, &str) {
        (&self.metadata.namespace, &self.metadata.name)
    }

    pub(super) fn condition(&self, type_: ConditionType) -> Option<&Condition> {
        let mut conditions = self.status.conditions.iter();
        conditions.find(|condition| condition.type_ == type_.as_str())
    }

    pub(super) fn used_for(&self) -> &str {
        match self.spec.used_for.as_str() {
            "" => &self.status.used_for,
            used_for => used_for,
        }
    }
}
