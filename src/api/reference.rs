//! How one object names another, and the strings that such names may be.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! constrained_string {
    ($(#[$meta:meta])* $name:ident, max = $max:literal, pattern = $pattern:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(#[schemars(length(min = 1, max = $max), regex(pattern = $pattern))] pub String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

constrained_string!(
    /// The name of a Kubernetes object: lower-case letters, digits, dashes and dots.
    ObjectName,
    max = 253,
    pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
);
constrained_string!(
    /// A key of a Secret's data.
    SecretKey,
    max = 253,
    pattern = r"^[-._a-zA-Z0-9]+$"
);
constrained_string!(
    /// The name under which a type declares a parameter or a secret.
    FieldName,
    max = 63,
    pattern = r"^[a-z][a-zA-Z0-9]*$"
);
constrained_string!(
    /// The name of a column.
    ColumnName,
    max = 128,
    pattern = r"^[^\x00-\x1f]+$"
);

/// A Connection of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionRef {
    /// The Connection's name.
    pub name: ObjectName,
}

/// A Dataset of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetRef {
    /// The Dataset's name.
    pub dataset: ObjectName,
}

/// Where one secret value comes from: exactly one source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.secretKeyRef) != has(self.keyVaultRef)")
    .message("name exactly one source: secretKeyRef or keyVaultRef"))]
pub struct SecretSource {
    /// A key of a Secret in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKeyRef>,
    /// A secret in a linked key vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_vault_ref: Option<KeyVaultRef>,
}

/// A key of a Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyRef {
    /// The Secret's name.
    pub name: ObjectName,
    /// The key in its data.
    pub key: SecretKey,
}

/// A secret in a key vault that this namespace links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct KeyVaultRef {
    /// The KeyVault's name.
    pub name: ObjectName,
    /// The secret's name in the vault.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z0-9][-_./a-zA-Z0-9]*$')").message("must be the name of a secret in the vault, such as team/sftp: a letter or digit, and then letters, digits, dots, dashes, underscores and slashes"))]
    #[x_kube(validation = Rule::new("!self.split('/').exists(part, part == '..')").message("a secret's name must not step up by '..'"))]
    pub secret: String,
    /// A version to stay on; the newest one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[a-zA-Z0-9]+$')").message("must be a version as the vault shows it, letters and digits; leave it away for the newest"))]
    pub version: Option<String>,
    /// The key in a secret that holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SecretKey>,
}

impl SecretSource {
    /// What it points at in its namespace.
    #[must_use]
    pub fn target(&self, namespace: &str) -> Option<Reference> {
        let secret = self.secret_key_ref.as_ref();
        let secret = secret.map(|secret| Reference::Secret(namespace.to_owned(), secret.name.0.clone()));
        let vault = self.key_vault_ref.as_ref();
        secret.or(vault.map(|vault| Reference::KeyVault(namespace.to_owned(), vault.name.0.clone())))
    }
}

/// What one object points at, in its own namespace unless the target is cluster-wide.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// A ConnectionType, by name.
    ConnectionType(String),
    /// A Connection, by namespace and name.
    Connection(String, String),
    /// A Dataset, by namespace and name.
    Dataset(String, String),
    /// A KeyVault, by namespace and name.
    KeyVault(String, String),
    /// A Secret, by namespace and name.
    Secret(String, String),
    /// A PersistentVolumeClaim, by namespace and name.
    Claim(String, String),
    /// What a decision on consent is about, by namespace, kind and name.
    Subject(String, String, String),
    /// All connections of a namespace.
    Namespace(String),
    /// All connections of a namespace that people call the same.
    DisplayName(String, String),
    /// A dataset that is sent over a connection: its namespace, the connection's name, the dataset's.
    Segment(String, String, String),
    /// The contributors of a namespace, or of all if it's empty.
    Contributors(String),
    /// The run account of a namespace.
    RunAccount(String),
    /// What runs belong to, by namespace, kind and name.
    Run(String, String, String),
}

/// Tells, without asking anyone, what an object points at.
pub trait Refers {
    /// Every target once or more, in no particular order.
    fn references(&self) -> Vec<Reference>;
}
