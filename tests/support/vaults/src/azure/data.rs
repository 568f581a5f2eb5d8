//! What a stand-in for Azure Key Vault holds, as its file has it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::keys::Keys;

/// A vault, who may sign in, and its secrets.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Data {
    /// The vault's name, the first part of its host.
    pub vault: String,
    /// The tenant that the vault belongs to.
    pub tenant: String,
    /// How the vault decides who may do what.
    #[serde(default)]
    pub permission_model: PermissionModel,
    /// Who may sign in.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// The secrets by name.
    #[serde(default)]
    pub secrets: BTreeMap<String, Secret>,
    /// How many entries a page of a listing has at most; Azure's own bound is 25.
    #[serde(default = "page_size")]
    pub page_size: usize,
    /// How long a token is good for; Azure's is 60 to 90 minutes.
    #[serde(default = "token_seconds")]
    pub token_seconds: i64,
    /// More names that the certificate is for.
    #[serde(default)]
    pub names: Vec<String>,
}

/// How a vault decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PermissionModel {
    /// Roles of Azure, which is what Azure advises.
    #[default]
    Rbac,
    /// The vault's own access policies.
    Policy,
}

/// An app registration or a managed identity.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// The application's id.
    pub client_id: String,
    /// Its tenant, if not the vault's.
    pub tenant: Option<String>,
    /// The client secret by which it signs in.
    pub client_secret: Option<String>,
    /// Whether that secret has expired.
    #[serde(default)]
    pub client_secret_expired: bool,
    /// The certificate by which it signs in.
    pub certificate: Option<Certificate>,
    /// The workload of another issuer that signs in as it.
    pub federated: Option<Federated>,
    /// What it may do with secrets of the vault.
    #[serde(default)]
    pub rights: Vec<Right>,
    /// The secrets for which it may, as by roles on them; the whole vault if nothing is said.
    pub only: Option<Vec<String>>,
}

impl Identity {
    /// Whether it may do this with a secret, or with the vault as a whole.
    pub(super) fn may(&self, right: Right, secret: Option<&str>) -> bool {
        let within = match (&self.only, secret) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(only), Some(secret)) => only.iter().any(|name| name.eq_ignore_ascii_case(secret)),
        };
        within && self.rights.contains(&right)
    }
}

/// A certificate as PEM.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Certificate(pub String);

/// Which tokens of another issuer are taken.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Federated {
    /// The issuer, such as the cluster's.
    pub issuer: String,
    /// The subject, such as `system:serviceaccount:acme:connections-run`.
    pub subject: String,
    /// The audience.
    #[serde(default = "exchange")]
    pub audience: String,
    /// The issuer's keys, one of which has signed the token; any signature is taken if that isn't said.
    pub keys: Option<Keys>,
}

/// What an identity may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Right {
    /// Read values and their attributes.
    Get,
    /// List names, versions and attributes.
    List,
}

/// A secret and its versions, the oldest first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// Deleted, and can still be recovered.
    #[serde(default)]
    pub deleted: bool,
    /// The versions.
    pub versions: Vec<Version>,
}

/// One version of a secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Version {
    /// 32 hexadecimal digits.
    pub version: String,
    /// The value.
    pub value: String,
    /// Whether it can be read.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// From when on it is meant to be used.
    pub not_before: Option<Timestamp>,
    /// Until when it is meant to be used.
    pub expires: Option<Timestamp>,
    /// When it was made.
    #[serde(default = "long_ago")]
    pub created: Timestamp,
    /// What kind of thing it is.
    pub content_type: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl Version {
    /// An enabled version without dates.
    #[must_use]
    pub fn new(version: &str, value: &str) -> Self {
        Self {
            version: version.to_owned(),
            value: value.to_owned(),
            enabled: true,
            not_before: None,
            expires: None,
            created: long_ago(),
            content_type: None,
            tags: BTreeMap::new(),
        }
    }
}

fn page_size() -> usize {
    25
}

fn token_seconds() -> i64 {
    3599
}

fn exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

fn yes() -> bool {
    true
}

fn long_ago() -> Timestamp {
    Timestamp::constant(1_700_000_000, 0)
}
