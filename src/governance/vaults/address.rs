//! Where a key vault is and as whom it is asked: read strictly from what people wrote, within what the installation allows.

use crate::api::Reason;
use crate::api::key_vault::{
    AzureAuth, AzureKeyVault, Engine as WrittenEngine, HashiCorpVault, KeyVaultSpec, RunAccountRole,
    VaultAuth, VaultPath,
};
use crate::vault::address::{
    AZURE_AUDIENCE, Engine, Identity, NameError, Provider, VaultAddress, VaultUrl, audience as fit_audience,
    client_id, path, tenant,
};
use crate::vault::reach::{AZURE_SUFFIXES, Reach};
use crate::vault::value::SecretText;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// The fields below `spec` that name credentials.
const CLIENT_SECRET: &str = "azureKeyVault.auth.clientSecret.secretRef";
const CLIENT_CERTIFICATE: &str = "azureKeyVault.auth.clientCertificate.secretRef";
const SECRET_ID: &str = "vault.auth.appRole.secretIdRef";
const TOKEN: &str = "vault.auth.token.secretRef";
const CA_BUNDLE: &str = "vault.caBundleRef";

/// What the installation lets key vaults be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The vaults that may be linked.
    pub reach: Reach,
    /// Who may ask by the identity of the node.
    pub node: NodeIdentities,
}

impl Default for Allowed {
    /// The vaults of Azure's clouds, and no node's identity.
    fn default() -> Self {
        Self {
            reach: Reach::parse(AZURE_SUFFIXES).unwrap_or_default(),
            node: NodeIdentities::default(),
        }
    }
}

/// Pairs of a namespace and a vault that it may ask by the identity of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeIdentities(BTreeSet<(String, VaultUrl)>);

/// A pair that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{pair:?} is no namespace and vault: write them as in marketing=https://sales.vault.azure.net, separated by commas"
)]
pub struct NodeIdentityError {
    pair: String,
}

impl FromStr for NodeIdentities {
    type Err = NodeIdentityError;

    /// Reads `namespace=address`, separated by commas.
    fn from_str(text: &str) -> Result<Self, NodeIdentityError> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let read = |pair: &str| {
            let (namespace, address) = pair.split_once('=')?;
            Some((namespace.trim().to_owned(), VaultUrl::read(address.trim()).ok()?))
        };
        pairs
            .map(|pair| {
                read(pair)
                    .filter(|(namespace, _)| !namespace.is_empty())
                    .ok_or_else(|| NodeIdentityError {
                        pair: pair.chars().take(100).collect(),
                    })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Everything of an address that isn't secret.
pub struct Link {
    url: VaultUrl,
    provider: Provider,
    asking: Asking,
}

/// As whom a vault is asked, as far as it stands in the key vault itself.
enum Asking {
    /// Without a credential.
    As(Identity),
    ClientSecret(String),
    ClientCertificate(String),
    AppRole {
        mount: String,
        role_id: String,
    },
    Token,
}

/// What is wrong with what was written.
type Mistake = (Reason, String);

impl Link {
    /// Reads it from what was written in this namespace.
    ///
    /// # Errors
    /// When it can't be used, or isn't allowed.
    pub fn read(spec: &KeyVaultSpec, namespace: &str, allowed: &Allowed) -> Result<Self, Mistake> {
        match (&spec.azure_key_vault, &spec.vault) {
            (Some(azure), None) => of_azure(azure, namespace, allowed),
            (None, Some(vault)) => of_vault(vault, namespace, allowed),
            // The schema refuses this, but not in an object that was written before it did.
            _ => Err((
                Reason::AddressNotAllowed,
                "spec names no vault or more than one: name exactly one, azureKeyVault or vault.".to_owned(),
            )),
        }
    }

    /// With the values of its credentials by their fields; nothing as long as one is missing.
    #[must_use]
    pub fn with(self, mut values: BTreeMap<&str, SecretText>) -> Option<VaultAddress> {
        let identity = match self.asking {
            Asking::As(identity) => identity,
            Asking::ClientSecret(client_id) => Identity::AzureClientSecret {
                client_id,
                secret: values.remove(CLIENT_SECRET)?,
            },
            Asking::ClientCertificate(client_id) => Identity::AzureCertificate {
                client_id,
                pem: values.remove(CLIENT_CERTIFICATE)?,
            },
            Asking::AppRole { mount, role_id } => Identity::VaultAppRole {
                mount,
                role_id,
                secret_id: values.remove(SECRET_ID)?,
            },
            Asking::Token => Identity::VaultToken {
                token: values.remove(TOKEN)?,
            },
        };
        Some(VaultAddress {
            url: self.url,
            provider: self.provider,
            ca_bundle: values.remove(CA_BUNDLE).map(|bundle| bundle.expose().into()),
            identity,
        })
    }
}

/// For whom a token of the run account is made out, where the vault is asked as that.
#[must_use]
pub fn audience(spec: &KeyVaultSpec) -> Option<String> {
    let azure = spec.azure_key_vault.as_ref().map(|azure| &azure.auth);
    if azure.is_some_and(|auth| auth.workload_identity.is_some()) {
        return Some(AZURE_AUDIENCE.to_owned());
    }
    let auth = &spec.vault.as_ref()?.auth;
    let account = auth.kubernetes.as_ref().or(auth.jwt.as_ref())?;
    Some(vault_audience(account).to_owned())
}

fn vault_audience(account: &RunAccountRole) -> &str {
    account.audience.as_deref().unwrap_or("vault")
}

/// Whether a credential of this field is a bundle of certificate authorities.
#[must_use]
pub fn is_ca_bundle(field: &str) -> bool {
    field == CA_BUNDLE
}

fn of_azure(azure: &AzureKeyVault, namespace: &str, allowed: &Allowed) -> Result<Link, Mistake> {
    let url = VaultUrl::parse_azure(&azure.vault_url, &allowed.reach)
        .map_err(|error| not_allowed(format!("spec.azureKeyVault.vaultUrl {error}.")))?;
    fits("azureKeyVault.tenantId", &azure.tenant_id, tenant)?;
    let asking = azure_asking(&azure.auth, namespace, &url, allowed)?;
    Ok(Link {
        url,
        provider: Provider::Azure {
            tenant: azure.tenant_id.clone(),
        },
        asking,
    })
}

fn azure_asking(
    auth: &AzureAuth,
    namespace: &str,
    url: &VaultUrl,
    allowed: &Allowed,
) -> Result<Asking, Mistake> {
    match auth {
        AzureAuth {
            workload_identity: Some(identity),
            ..
        } => {
            let client_id = application("workloadIdentity", &identity.client_id.0)?;
            let namespace = namespace.to_owned();
            Ok(Asking::As(Identity::AzureWorkload { client_id, namespace }))
        }
        AzureAuth {
            client_secret: Some(credential),
            ..
        } => Ok(Asking::ClientSecret(application(
            "clientSecret",
            &credential.client_id.0,
        )?)),
        AzureAuth {
            client_certificate: Some(credential),
            ..
        } => Ok(Asking::ClientCertificate(application(
            "clientCertificate",
            &credential.client_id.0,
        )?)),
        AzureAuth {
            managed_identity: Some(identity),
            ..
        } => {
            if !allowed.node.0.contains(&(namespace.to_owned(), url.clone())) {
                return Err((Reason::IdentityNotAllowed, of_the_node(url)));
            }
            let client_id = identity.client_id.as_ref();
            let client_id = client_id
                .map(|id| application("managedIdentity", &id.0))
                .transpose()?;
            Ok(Asking::As(Identity::AzureManaged { client_id }))
        }
        _ => Err(nobody(
            "azureKeyVault",
            "workloadIdentity, clientSecret, clientCertificate or managedIdentity",
        )),
    }
}

fn of_the_node(url: &VaultUrl) -> String {
    format!(
        "spec.azureKeyVault.auth.managedIdentity is the identity of a node, which this installation doesn't allow this \
         namespace to use for {url}: choose another way to sign in, or ask the operator's administrator to allow it."
    )
}

fn application(auth: &str, id: &str) -> Result<String, Mistake> {
    fits(&format!("azureKeyVault.auth.{auth}.clientId"), id, client_id)?;
    Ok(id.to_owned())
}

fn of_vault(vault: &HashiCorpVault, namespace: &str, allowed: &Allowed) -> Result<Link, Mistake> {
    let url = VaultUrl::parse(&vault.address, &allowed.reach)
        .map_err(|error| not_allowed(format!("spec.vault.address {error}.")))?;
    fits("vault.mount", &vault.mount.0, path)?;
    if let Some(inner) = &vault.namespace {
        fits("vault.namespace", &inner.0, path)?;
    }
    let asking = vault_asking(&vault.auth, namespace)?;
    Ok(Link {
        url,
        provider: Provider::Vault {
            mount: vault.mount.0.clone(),
            namespace: vault.namespace.as_ref().map(|inner| inner.0.clone()),
            engine: match vault.engine.unwrap_or_default() {
                WrittenEngine::V1 => Engine::V1,
                WrittenEngine::V2 => Engine::V2,
            },
        },
        asking,
    })
}

fn vault_asking(auth: &VaultAuth, namespace: &str) -> Result<Asking, Mistake> {
    let account = |method: &str, role: &RunAccountRole| {
        let audience = vault_audience(role);
        fits(&format!("vault.auth.{method}.audience"), audience, fit_audience)?;
        Ok(Asking::As(Identity::VaultServiceAccount {
            mount: mounted(method, role.mount.as_ref())?,
            role: role.role.clone(),
            audience: audience.to_owned(),
            namespace: namespace.to_owned(),
        }))
    };
    match auth {
        VaultAuth {
            kubernetes: Some(role),
            ..
        } => account("kubernetes", role),
        VaultAuth { jwt: Some(role), .. } => account("jwt", role),
        VaultAuth {
            app_role: Some(role), ..
        } => Ok(Asking::AppRole {
            mount: mounted("appRole", role.mount.as_ref())?,
            role_id: role.role_id.clone(),
        }),
        VaultAuth { token: Some(_), .. } => Ok(Asking::Token),
        _ => Err(nobody("vault", "kubernetes, jwt, appRole or token")),
    }
}

/// Where a method is mounted: at its own name, if nothing else is said.
fn mounted(method: &str, mount: Option<&VaultPath>) -> Result<String, Mistake> {
    let mount = mount.map_or_else(|| method.to_ascii_lowercase(), |mount| mount.0.clone());
    fits(&format!("vault.auth.{method}.mount"), &mount, path)?;
    Ok(mount)
}

/// The schema says the same, but not of an object that was written before it did.
fn fits(field: &str, text: &str, judge: fn(&str) -> Result<(), NameError>) -> Result<(), Mistake> {
    judge(text).map_err(|error| not_allowed(format!("spec.{field} can't be used: {error}.")))
}

fn not_allowed(text: String) -> Mistake {
    (Reason::AddressNotAllowed, text)
}

fn nobody(vault: &str, expected: &str) -> Mistake {
    let text = format!("spec.{vault}.auth names no way to sign in: name exactly one, {expected}.");
    (Reason::IdentityNotAllowed, text)
}
