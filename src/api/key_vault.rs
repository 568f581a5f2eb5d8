//! `KeyVault`: a link to a vault that stays somebody else's.

use super::reference::{Reference, Refers, SecretKeyRef};
use kube::{CustomResource, KubeSchema, ResourceExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod status;

pub use status::{KeyVaultStatus, VaultDependentsStatus, VaultSecretStatus};

/// Longest address of a vault.
pub const ADDRESS_MAX: u32 = 300;
/// Most patterns of secrets that a key vault allows.
pub const ALLOWED_MAX: u32 = 64;
/// Most secrets that a status lists.
pub const LISTED_MAX: u32 = 200;
/// Most Secrets of its namespace that a key vault refers to: a credential and certificate authorities.
pub const CREDENTIALS_MAX: u32 = 2;

/// A link to the company's own vault, so that connections name secrets there and no copy of a value exists anywhere in the
/// cluster.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "connections.dev",
    version = "v1alpha1",
    kind = "KeyVault",
    namespaced,
    shortname = "kvault",
    category = "connections-dev",
    status = "KeyVaultStatus",
    derive = "PartialEq",
    doc = "A link to the company's own vault, Azure Key Vault or HashiCorp Vault (OpenBao), so that connections name secrets there and no copy of a value exists anywhere in the cluster.",
    printcolumn(
        name = "Provider",
        type_ = "string",
        json_path = ".status.provider",
        description = "Whose vault it is"
    ),
    printcolumn(
        name = "Address",
        type_ = "string",
        json_path = ".status.address",
        description = "Where it is"
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
        description = "How many connections and datasets name it"
    ),
    printcolumn(
        name = "Consented By",
        type_ = "string",
        json_path = ".status.consent.by",
        priority = 1,
        description = "Who consented"
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
#[x_kube(validation = Rule::new("has(self.azureKeyVault) != has(self.vault)")
    .message("name exactly one vault: azureKeyVault or vault"))]
pub struct KeyVaultSpec {
    /// An Azure Key Vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure_key_vault: Option<AzureKeyVault>,
    /// A HashiCorp Vault or OpenBao.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<HashiCorpVault>,
    /// The secrets that may be named, as patterns in which `*` stands for any text, slashes included; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ALLOWED_MAX), with = "Vec<SecretPattern>")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_secrets: Option<Vec<SecretPattern>>,
}

/// Secrets by name: letters, digits, dots, dashes, underscores and slashes, and `*` for any text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SecretPattern(
    #[schemars(length(min = 1, max = 512), extend("x-kubernetes-validations" = [{"rule": r"self.matches('^[-_./*a-zA-Z0-9]+$')", "message": "must be a pattern of names, such as partner-*: letters, digits, dots, dashes, underscores, slashes, and * for any text"}]))]
    pub String,
);

/// An Azure Key Vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct AzureKeyVault {
    /// Its address as the portal shows it, such as `https://sales.vault.azure.net`.
    #[schemars(length(max = ADDRESS_MAX))]
    #[x_kube(validation = Rule::new("self.startsWith('https://')").message("must begin with https://, as secrets never travel unencrypted"))]
    #[x_kube(validation = Rule::new("!self.contains('@')").message("must not hold a user name or password: put credentials into a Secret"))]
    #[x_kube(validation = Rule::new("!self.matches('^https?://[^./]*--')").message("must name a key vault, in which no two dashes stand in a row"))]
    #[x_kube(validation = Rule::new("self.matches('^https?://[a-z][-a-z0-9]{1,22}[a-z0-9]([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)+(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?/?$')").message("must name a key vault as the portal shows it, in lower case, with nothing after host and port: 3 to 24 letters, digits and dashes before the cloud's suffix, such as https://sales.vault.azure.net"))]
    pub vault_url: String,
    /// The tenant that the vault belongs to: the directory's ID, or its domain.
    #[schemars(length(max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)+)$')").message("must be one tenant: the directory's ID, such as 7b795fb9-09d3-42f4-a494-38864f99ba3c, or its domain, such as contoso.onmicrosoft.com"))]
    pub tenant_id: String,
    /// As whom it is asked.
    pub auth: AzureAuth,
}

/// As whom an Azure Key Vault is asked: exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.workloadIdentity), has(self.clientSecret), has(self.clientCertificate), has(self.managedIdentity)].filter(one, one).size() == 1")
    .message("name exactly one way to sign in: workloadIdentity, clientSecret, clientCertificate or managedIdentity"))]
pub struct AzureAuth {
    /// An application that trusts the namespace's ServiceAccount `connections-run`; no secret is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_identity: Option<WorkloadIdentity>,
    /// An application, by a client secret that stands in a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientCredential>,
    /// An application, by a certificate and its RSA key, both in PEM under one key of a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCredential>,
    /// The identity of the node that the operator runs on; only where the operator's installation allows it for this
    /// namespace and vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_identity: Option<ManagedIdentity>,
}

/// The ID of an application of Azure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ClientId(
    #[schemars(
        length(max = 36),
        extend("x-kubernetes-validations" = [{"rule": r"self.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')", "message": "must be the application's ID, such as 7b795fb9-09d3-42f4-a494-38864f99ba3c"}])
    )]
    pub String,
);

/// An application that trusts the namespace's run account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadIdentity {
    /// The application's ID.
    pub client_id: ClientId,
}

/// An application, and where its credential stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientCredential {
    /// The application's ID.
    pub client_id: ClientId,
    /// Its credential: a key of a Secret in the same namespace.
    pub secret_ref: SecretKeyRef,
}

/// The identity of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManagedIdentity {
    /// Which one, if the node has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ClientId")]
    pub client_id: Option<ClientId>,
}

/// A path of Vault: names between single slashes, none of which steps up or stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct VaultPath(
    #[schemars(
        length(min = 1, max = 255),
        extend("x-kubernetes-validations" = [{"rule": r"self.split('/').all(part, part.matches('^[-._a-zA-Z0-9]+$') && part != '.' && part != '..')", "message": "must be a path, such as kv or team/kv: letters, digits, dots, dashes and underscores between single slashes, and neither . nor .. as a step"}])
    )]
    pub String,
);

/// A HashiCorp Vault or OpenBao.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HashiCorpVault {
    /// Its address, such as `https://vault.example.com:8200`.
    #[schemars(length(max = ADDRESS_MAX))]
    #[x_kube(validation = Rule::new("self.startsWith('https://')").message("must begin with https://, as secrets never travel unencrypted"))]
    #[x_kube(validation = Rule::new("!self.contains('@')").message("must not hold a user name or password: put credentials into a Secret"))]
    #[x_kube(validation = Rule::new(r"self.matches('^https?://([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*|\\[[0-9a-f:.]+\\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?/?$')").message("must name a host in lower case, and perhaps a port, with nothing after it, such as https://vault.example.com:8200"))]
    pub address: String,
    /// Where the key-value engine is mounted, such as `secret`.
    pub mount: VaultPath,
    /// The namespace, of Vault Enterprise, HCP Vault and OpenBao; the root if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "VaultPath")]
    pub namespace: Option<VaultPath>,
    /// The version of the key-value engine that is mounted there; KV2 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Engine")]
    pub engine: Option<Engine>,
    /// The authorities that its certificate may be signed by, in PEM, instead of the public ones: a key of a Secret in the
    /// same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_ref: Option<SecretKeyRef>,
    /// As whom it is asked.
    pub auth: VaultAuth,
}

/// The version of Vault's key-value engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Engine {
    /// Without versions: a check reads the value.
    #[serde(rename = "KV1")]
    V1,
    /// With versions and metadata: a check reads metadata, unless a key is named.
    #[default]
    #[serde(rename = "KV2")]
    V2,
}

/// As whom a Vault is asked: exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.kubernetes), has(self.jwt), has(self.appRole), has(self.token)].filter(one, one).size() == 1")
    .message("name exactly one way to sign in: kubernetes, jwt, appRole or token"))]
pub struct VaultAuth {
    /// A role that trusts the namespace's ServiceAccount `connections-run`, by Vault's Kubernetes method; no secret is
    /// needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<RunAccountRole>,
    /// The same by Vault's JWT method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<RunAccountRole>,
    /// A role of the AppRole method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_role: Option<AppRole>,
    /// A token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenRef>,
}

/// A role that trusts the namespace's run account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(
    validation = Rule::new("!has(self.audience) || !self.audience.lowerAscii().startsWith('api://')").message("audience must not begin with api://, as Azure's do: whoever runs the Vault could sign in to Azure with such a token"),
    validation = Rule::new("!has(self.audience) || !self.audience.lowerAscii().matches('^([a-z][-+.a-z0-9]*://)?kubernetes([.]default([.]svc([.][^:/]*)?)?|[.]svc[.]default)?([:/]|$)')").message("audience must not be the API server's own: whoever runs the Vault could act in the cluster with such a token; choose another, such as vault")
)]
pub struct RunAccountRole {
    /// Where the method is mounted; its own name (`kubernetes`, `jwt`) if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "VaultPath")]
    pub mount: Option<VaultPath>,
    /// The role.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^[-._a-zA-Z0-9]+$')").message("must be the name of a role: letters, digits, dots, dashes and underscores"))]
    pub role: String,
    /// For whom the account's token is made out, as the role demands it; `vault` if absent. Choose one for each Vault: whoever
    /// runs one could show the token to another of the same audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[!-~]+$')").message("must be printable ASCII without spaces, such as vault"))]
    pub audience: Option<String>,
}

/// A role of the AppRole method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppRole {
    /// Where the method is mounted; `approle` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "VaultPath")]
    pub mount: Option<VaultPath>,
    /// The role's ID.
    #[schemars(length(min = 1, max = 253), extend("x-kubernetes-validations" = [{"rule": r"self.matches('^[!-~]+$')", "message": "must be printable ASCII without spaces, as Vault shows a role's ID"}]))]
    pub role_id: String,
    /// The secret ID: a key of a Secret in the same namespace.
    pub secret_id_ref: SecretKeyRef,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenRef {
    /// The token: a key of a Secret in the same namespace.
    pub secret_ref: SecretKeyRef,
}

impl KeyVaultSpec {
    /// Whose vault it is, by the field that says where it is.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        if self.azure_key_vault.is_some() {
            "azureKeyVault"
        } else {
            "vault"
        }
    }

    /// Where it is, without the slash at the end that portals show.
    #[must_use]
    pub fn address(&self) -> &str {
        let azure = self.azure_key_vault.as_ref().map(|azure| &azure.vault_url);
        let address = azure.or(self.vault.as_ref().map(|vault| &vault.address));
        address.map_or("", |address| address.trim_end_matches('/'))
    }

    /// Whether it signs in as its namespace's run account.
    #[must_use]
    pub fn uses_run_account(&self) -> bool {
        let azure = self.azure_key_vault.as_ref().map(|azure| &azure.auth);
        let auth = self.vault.as_ref().map(|vault| &vault.auth);
        azure.is_some_and(|auth| auth.workload_identity.is_some())
            || auth.is_some_and(|auth| auth.kubernetes.is_some() || auth.jwt.is_some())
    }

    /// The Secrets of its namespace that it refers to, each by the path of its field below `spec`.
    #[must_use]
    pub fn credentials(&self) -> Vec<(&'static str, &SecretKeyRef)> {
        let azure = self.azure_key_vault.as_ref().map(|azure| &azure.auth);
        let vault = self.vault.as_ref();
        let auth = vault.map(|vault| &vault.auth);
        let client_secret = azure.and_then(|auth| auth.client_secret.as_ref());
        let certificate = azure.and_then(|auth| auth.client_certificate.as_ref());
        let app_role = auth.and_then(|auth| auth.app_role.as_ref());
        let token = auth.and_then(|auth| auth.token.as_ref());
        let all = [
            (
                "azureKeyVault.auth.clientSecret.secretRef",
                client_secret.map(|credential| &credential.secret_ref),
            ),
            (
                "azureKeyVault.auth.clientCertificate.secretRef",
                certificate.map(|credential| &credential.secret_ref),
            ),
            (
                "vault.auth.appRole.secretIdRef",
                app_role.map(|role| &role.secret_id_ref),
            ),
            ("vault.auth.token.secretRef", token.map(|token| &token.secret_ref)),
            (
                "vault.caBundleRef",
                vault.and_then(|vault| vault.ca_bundle_ref.as_ref()),
            ),
        ];
        all.into_iter()
            .filter_map(|(field, reference)| Some((field, reference?)))
            .collect()
    }
}

impl Refers for KeyVault {
    fn references(&self) -> Vec<Reference> {
        let namespace = self.namespace().unwrap_or_default();
        let secrets = self.spec.credentials().into_iter();
        let secrets = secrets.map(|(_, secret)| Reference::Secret(namespace.clone(), secret.name.0.clone()));
        let account = self.spec.uses_run_account();
        let account = account.then(|| Reference::RunAccount(namespace.clone()));
        secrets.chain(account).collect()
    }
}
