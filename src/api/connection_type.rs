//! `ConnectionType`: one entry of the catalog.

use super::condition::{CONDITIONS_MAX, Condition};
use super::notice::{LINK, Notice, SHOWN};
use super::reference::{FieldName, ObjectName, Reference, Refers};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod identity;
mod parameter;

pub use identity::{Identity, IdentitySet, When};
pub use parameter::{PARAMETER_VALUE_MAX, Parameter, ParameterType};

/// Most parameters that a type may declare for each of its two lists.
pub const PARAMETERS_MAX: u32 = 32;
/// Most secrets that a type may declare.
pub const SECRETS_MAX: u32 = 8;

/// What was left out of consent by an edit could then change without asking anybody. Nor may it go: declared anew, it could
/// come back unmarked.
const PARAMETERS_STAY: &str = "!has(oldSelf.parameters) || oldSelf.parameters.all(old, !has(old.destination) || !old.destination || (has(self.parameters) && self.parameters.exists(new, new.name == old.name && has(new.destination) && new.destination)))";
const SECRETS_STAY: &str = "!has(oldSelf.secrets) || oldSelf.secrets.all(old, !has(old.destination) || !old.destination || (has(self.secrets) && self.secrets.exists(new, new.name == old.name && has(new.destination) && new.destination)))";

/// What a connection of this type needs, what it may be used for, what its administrator agrees to, its limits, and
/// the connector that runs it.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "connections.dev",
    version = "v1alpha1",
    kind = "ConnectionType",
    plural = "connectiontypes",
    shortname = "ctype",
    category = "connections-dev",
    status = "ConnectionTypeStatus",
    derive = "PartialEq",
    doc = "One entry of the catalog: what a connection of this type needs, and what its administrator agrees to.",
    printcolumn(
        name = "Used For",
        type_ = "string",
        json_path = ".spec.usedFor",
        description = "Export or Enrichment"
    ),
    printcolumn(
        name = "Category",
        type_ = "string",
        json_path = ".spec.service.category",
        description = "What the service is for"
    ),
    printcolumn(
        name = "Key Vault",
        type_ = "string",
        json_path = ".spec.keyVault",
        description = "Whether secrets may come from a key vault"
    ),
    printcolumn(
        name = "Runs",
        type_ = "boolean",
        json_path = ".status.runs",
        description = "Whether a connector of this installation runs it"
    ),
    printcolumn(
        name = "Deprecated",
        type_ = "boolean",
        json_path = ".status.deprecated",
        description = "Whether it should no longer be chosen"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#,
        description = "Whether connections can be made of it"
    ),
    printcolumn(
        name = "Service",
        type_ = "string",
        json_path = ".spec.service.vendor",
        priority = 1,
        description = "Whose service it is"
    ),
    printcolumn(
        name = "In Use",
        type_ = "boolean",
        json_path = ".status.inUse",
        priority = 1,
        description = "Whether any connection is of this type"
    ),
    printcolumn(
        name = "Use Instead",
        type_ = "string",
        json_path = ".spec.deprecated.replacement",
        priority = 1,
        description = "The type to choose in place of a deprecated one"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since it was created"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(PARAMETERS_STAY).message("a parameter that names a destination stays, and goes on doing so, as consent is to its value: keep it with destination: true, or make another connection type"),
    validation = Rule::new(SECRETS_STAY).message("a secret that decides whose account data goes to stays, and goes on doing so, as consent is to its reference: keep it with destination: true, or make another connection type")
)]
pub struct ConnectionTypeSpec {
    /// Whether its connections serve exports or enrichments; never both. It can't change.
    #[x_kube(validation = Rule::new("self == oldSelf").message("usedFor can't change: make another connection type"))]
    pub used_for: UsedFor,
    /// The service at the other end.
    pub service: Service,
    /// What connections of this type are good for, in a few sentences.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub description: String,
    /// Every fixed host that the connector may speak to. Moving one makes consent stale.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        inner(
            length(min = 1, max = 253),
            regex(pattern = r"^[a-z0-9*]([-a-z0-9.]*[a-z0-9])?$")
        )
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub endpoints: Vec<String>,
    /// What each connection of this type says about its destination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = PARAMETERS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub parameters: Vec<Parameter>,
    /// What each export or enrichment on such a connection chooses for itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = PARAMETERS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub export_parameters: Vec<Parameter>,
    /// The credentials that a connection of this type refers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = SECRETS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub secrets: Vec<SecretSlot>,
    /// Whether the secrets may come from a key vault.
    pub key_vault: Support,
    /// Which identifying columns the data must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// What the service accepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// What the administrator agrees to.
    pub notice: Notice,
    /// The connector that runs it: a name that the installation knows. Nothing runs without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<ObjectName>,
    /// Set when the type should no longer be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
}

/// What connections of a type are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UsedFor {
    /// Data goes out.
    Export,
    /// Data goes out and comes back richer.
    Enrichment,
}

impl std::fmt::Display for UsedFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Export => "Export",
            Self::Enrichment => "Enrichment",
        })
    }
}

/// Whether something can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Support {
    /// It can.
    Supported,
    /// It can't.
    Unsupported,
}

/// The service at the other end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Whose service it is.
    #[schemars(length(min = 1, max = 100), regex(pattern = SHOWN))]
    pub vendor: String,
    /// What the service is for, such as Advertising or File transfer.
    #[schemars(length(min = 1, max = 100), regex(pattern = SHOWN))]
    pub category: String,
    /// Where to read about it.
    #[schemars(length(min = 1, max = 512), regex(pattern = LINK))]
    pub homepage: String,
}

/// One credential that a connection refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretSlot {
    /// Its name, in camel case.
    pub name: FieldName,
    /// What sort of credential it is.
    pub kind: SecretKind,
    /// What it is for and where to get it.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub description: String,
    /// Whether it must be given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Whether it decides whose account receives the data: pointing it elsewhere asks for consent again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub destination: bool,
    /// The secret in whose place this one may be given: exactly one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternative_to: Option<FieldName>,
}

/// What sort of credential a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SecretKind {
    /// A user name.
    Username,
    /// A password.
    Password,
    /// A private key in PEM or OpenSSH form.
    PrivateKey,
    /// The passphrase of a private key.
    Passphrase,
    /// A key that a service hands out.
    ApiKey,
    /// The key of a storage account.
    AccountKey,
    /// The identifier of an OAuth 2.0 client.
    OAuthClientId,
    /// The secret of an OAuth 2.0 client.
    OAuthClientSecret,
    /// An OAuth 2.0 refresh token.
    OAuthRefreshToken,
    /// Any other token.
    Token,
}

/// What the service accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// The fewest members, which are rows, of each dataset of a payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub min_members: Option<i64>,
    /// The most members, which are the rows of datasets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_members: Option<i64>,
    /// What `maxMembers` counts; each export by itself if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LimitScope")]
    pub max_members_per: Option<LimitScope>,
    /// The most datasets of one payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub max_datasets: Option<i64>,
    /// The most files that one dataset is split into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_files_per_dataset: Option<i64>,
    /// How long a full export may take, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_minutes: Option<i64>,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LimitScope {
    /// One export.
    Export,
    /// One dataset of a payload.
    Dataset,
    /// All that goes to the destination.
    Destination,
}

/// Why a type should no longer be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deprecation {
    /// Why, and since when.
    #[schemars(length(min = 1, max = 1024), regex(pattern = SHOWN))]
    pub message: String,
    /// The type to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<ObjectName>,
}

/// What the operator has found out about a connection type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = { "observedGeneration": -1 }))]
pub struct ConnectionTypeStatus {
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is judged.
    #[serde(default)]
    #[schemars(length(max = CONDITIONS_MAX))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// Whether a connector of this installation runs it. Nothing on its connections is ever Active otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<bool>,
    /// Whether any connection is of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<bool>,
    /// Whether it should no longer be chosen, as its spec says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<bool>,
}

impl Refers for ConnectionType {
    fn references(&self) -> Vec<Reference> {
        let deprecated = self.spec.deprecated.iter();
        let replacements = deprecated.filter_map(|deprecated| deprecated.replacement.as_ref());
        replacements
            .map(|name| Reference::ConnectionType(name.to_string()))
            .collect()
    }
}
