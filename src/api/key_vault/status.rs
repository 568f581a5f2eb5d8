//! What the operator tells of a key vault.

use super::{ADDRESS_MAX, CREDENTIALS_MAX, LISTED_MAX};
use crate::api::condition::{CONDITIONS_MAX, Condition};
use crate::api::connection::{ConsentStatus, SecretStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator has found out about a key vault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = { "observedGeneration": -1 }))]
pub struct KeyVaultStatus {
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is judged.
    #[serde(default)]
    #[schemars(length(max = CONDITIONS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// Whether somebody agreed to this vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentStatus>,
    /// What each reference to a Secret leads to. Never a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = CREDENTIALS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub credentials: Vec<SecretStatus>,
    /// Who uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependents: Option<VaultDependentsStatus>,
    /// Whose vault it is: azureKeyVault or vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub provider: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = ADDRESS_MAX))]
    pub address: Option<String>,
    /// Since when the vault hasn't confirmed what is said here, as it doesn't answer. Absent while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed_since: Option<Time>,
    /// The secrets that may be named, the first 200 by name. Never a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LISTED_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub secrets: Vec<VaultSecretStatus>,
}

/// One secret that a vault holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultSecretStatus {
    /// Its name.
    #[schemars(length(min = 1, max = 512))]
    pub name: String,
    /// Whether it is enabled, if the vault tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// When it expires, if the vault tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
}

/// Who uses a key vault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultDependentsStatus {
    /// How many connections name it.
    pub connections: i64,
    /// How many datasets name it.
    pub datasets: i64,
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
