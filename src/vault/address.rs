//! A vault's address, who looks at it, and what is looked for. Everything that people write is read strictly here, so that
//! no other program on the way (resolver, TLS, proxy) can read it another way.

use super::reach::{Reach, is_host_name};
use super::value::SecretText;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use thiserror::Error;

mod names;

pub use names::{
    NameError, audience, azure_secret, azure_version, client_id, path, tenant, vault_secret, vault_version,
};

/// Longest address that is read.
pub const URL_MAX: usize = 300;

/// For whom a token is made out that is shown to Azure, by
/// <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust>.
pub const AZURE_AUDIENCE: &str = "api://AzureADTokenExchange";

/// An address of a vault that can't be one, or isn't allowed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not `https://`.
    #[error("must begin with https://, as secrets never travel unencrypted")]
    NotHttps,
    /// A user or a password before the host.
    #[error("must not hold a user name or password: put credentials into a Secret")]
    UserInfo,
    /// Something after the host and port.
    #[error("must end after the host and port, such as https://vault.example.com:8200")]
    PathOrQuery,
    /// The port isn't one.
    #[error("must name a port from 1 to 65535, or none for 443")]
    Port,
    /// Letters beyond ASCII, which may look like others.
    #[error(
        "must be written in plain letters, digits, dots and dashes: other letters can look like these and aren't taken"
    )]
    NotAscii,
    /// The host isn't one.
    #[error("must name a host, such as https://vault.example.com")]
    Host,
    /// An address in place of a name.
    #[error(
        "must name a host instead of the address {0}, unless the operator's administrator lists that address among the allowed vaults"
    )]
    IpNotAllowed(IpAddr),
    /// The host isn't on the list.
    #[error(
        "must be one of the vaults that this installation allows ({allowed}), which {host} isn't: ask the operator's administrator to list it"
    )]
    HostNotAllowed {
        /// The host.
        host: String,
        /// What is allowed.
        allowed: String,
    },
    /// Azure's vaults have names of their own.
    #[error(
        "must name an Azure key vault as the portal shows it: 3 to 24 letters, digits and dashes before the cloud's suffix, such as https://sales.vault.azure.net"
    )]
    NotAzure,
}

/// The address of a vault: https, a host, perhaps a port, nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VaultUrl {
    host: String,
    port: u16,
}

impl VaultUrl {
    /// Reads an address that `reach` allows.
    ///
    /// # Errors
    /// When it isn't one, or isn't allowed.
    pub fn parse(text: &str, reach: &Reach) -> Result<Self, AddressError> {
        let url = Self::read(text)?;
        match url.ip() {
            Some(address) if !reach.lists(address) => return Err(AddressError::IpNotAllowed(address)),
            Some(_) => {}
            None if reach.allows_host(&url.host) => {}
            None => {
                return Err(AddressError::HostNotAllowed {
                    host: url.host,
                    allowed: reach.names().join(", "),
                });
            }
        }
        Ok(url)
    }

    /// Reads the address of an Azure key vault that `reach` allows.
    ///
    /// # Errors
    /// When it isn't one, or isn't allowed.
    pub fn parse_azure(text: &str, reach: &Reach) -> Result<Self, AddressError> {
        let url = Self::parse(text, reach)?;
        // By https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#vault-name-and-object-name
        let name = url.host.split('.').next().unwrap_or_default();
        let fits = (3..=24).contains(&name.len()) && !name.contains("--") && url.host.contains('.');
        if url.ip().is_some() || !fits {
            return Err(AddressError::NotAzure);
        }
        Ok(url)
    }

    /// Reads an address, whether or not it is allowed.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn read(text: &str) -> Result<Self, AddressError> {
        if !text.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        let rest = match text.get(..8) {
            Some(scheme) if scheme.eq_ignore_ascii_case("https://") => &text[8..],
            _ => return Err(AddressError::NotHttps),
        };
        if rest.contains('@') {
            return Err(AddressError::UserInfo);
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '\\']) {
            return Err(AddressError::PathOrQuery);
        }
        let (host, port) = split_port(authority);
        let port = match port {
            None => 443,
            Some(digits) if digits.len() <= 5 && digits.bytes().all(|c| c.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or(AddressError::Port)?,
            Some(_) => return Err(AddressError::Port),
        };
        let host = canonical_host(host).filter(|_| text.len() <= URL_MAX);
        Ok(Self {
            host: host.ok_or(AddressError::Host)?,
            port,
        })
    }

    /// The host, in lower case; an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, if one stands in place of a name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        literal(&self.host)
    }
}

impl fmt::Display for VaultUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            443 => write!(f, "https://{}", self.host),
            port => write!(f, "https://{}:{port}", self.host),
        }
    }
}

/// The address that a host's text is, brackets taken off.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    let from = authority.rfind(']').unwrap_or(0);
    match authority[from..].rfind(':') {
        Some(colon) => (&authority[..from + colon], Some(&authority[from + colon + 1..])),
        None => (authority, None),
    }
}

fn canonical_host(host: &str) -> Option<String> {
    match literal(host) {
        Some(IpAddr::V6(six)) if host.starts_with('[') => Some(format!("[{six}]")),
        Some(IpAddr::V6(_)) => None,
        Some(IpAddr::V4(four)) => Some(four.to_string()),
        None => is_host_name(host).then(|| host.to_ascii_lowercase()),
    }
}

/// A vault, and as whom it is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultAddress {
    /// Where it is.
    pub url: VaultUrl,
    /// What kind of vault it is.
    pub provider: Provider,
    /// The authorities that its certificate may be signed by, in PEM, instead of the system's.
    pub ca_bundle: Option<Arc<str>>,
    /// Who asks.
    pub identity: Identity,
}

/// What kind of vault it is, and where in it secrets are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Azure Key Vault.
    Azure {
        /// The tenant whose directory knows the identity.
        tenant: String,
    },
    /// HashiCorp Vault or OpenBao.
    Vault {
        /// Where the secrets engine is mounted.
        mount: String,
        /// The namespace, of Vault Enterprise and OpenBao.
        namespace: Option<String>,
        /// Which version of the key-value engine is mounted there.
        engine: Engine,
    },
}

/// The version of Vault's key-value engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Without versions and metadata: a look has to read the value.
    V1,
    /// With both: a look reads metadata only, unless a key is asked for.
    V2,
}

/// Who asks a vault. Credentials are held as long as somebody looks with them, to sign in anew.
#[derive(Clone, PartialEq, Eq)]
pub enum Identity {
    /// An application of Azure that trusts the run account of a namespace.
    AzureWorkload {
        /// The application.
        client_id: String,
        /// The namespace of the run account.
        namespace: String,
    },
    /// An application of Azure with a password.
    AzureClientSecret {
        /// The application.
        client_id: String,
        /// Its password.
        secret: SecretText,
    },
    /// An application of Azure with a certificate.
    AzureCertificate {
        /// The application.
        client_id: String,
        /// The certificate and its RSA key, in PEM.
        pem: SecretText,
    },
    /// The identity of the node that the operator runs on.
    AzureManaged {
        /// Which one, if the node has several.
        client_id: Option<String>,
    },
    /// A token of Vault.
    VaultToken {
        /// The token.
        token: SecretText,
    },
    /// A role of Vault's AppRole method.
    VaultAppRole {
        /// Where the method is mounted, such as `approle`.
        mount: String,
        /// The role's ID.
        role_id: String,
        /// The secret that belongs to it.
        secret_id: SecretText,
    },
    /// The run account of a namespace, by Vault's Kubernetes or JWT method.
    VaultServiceAccount {
        /// Where the method is mounted, such as `kubernetes`.
        mount: String,
        /// The role.
        role: String,
        /// For whom the account's token is made out.
        audience: String,
        /// The namespace of the run account.
        namespace: String,
    },
}

impl Identity {
    /// How messages call it. No secret is in it.
    #[must_use]
    pub fn who(&self) -> String {
        match self {
            Self::AzureWorkload { client_id, namespace } => {
                format!("the application {client_id} (workload identity of namespace {namespace})")
            }
            Self::AzureClientSecret { client_id, .. } | Self::AzureCertificate { client_id, .. } => {
                format!("the application {client_id}")
            }
            Self::AzureManaged { client_id: Some(id) } => format!("the managed identity {id}"),
            Self::AzureManaged { client_id: None } => "the node's managed identity".to_owned(),
            Self::VaultToken { .. } => "the Vault token".to_owned(),
            Self::VaultAppRole { mount, .. } => format!("the AppRole at auth/{mount}"),
            Self::VaultServiceAccount {
                mount,
                role,
                namespace,
                ..
            } => format!("the role {role} at auth/{mount} (run account of namespace {namespace})"),
        }
    }
}

/// What is looked for in a vault.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wanted {
    /// The secret's name, or its path below the mount.
    pub secret: String,
    /// The version; the newest if absent.
    pub version: Option<String>,
    /// The key in a secret that holds several.
    pub key: Option<String>,
}

impl Wanted {
    /// Whether a vault of this kind can hold it at all.
    ///
    /// # Errors
    /// When the name, the version or the key can't be one.
    pub fn fits(&self, provider: &Provider) -> Result<(), NameError> {
        match provider {
            Provider::Azure { .. } => {
                azure_secret(&self.secret)?;
                self.version.as_deref().map_or(Ok(()), azure_version)?;
                self.key.as_ref().map_or(Ok(()), |_| Err(NameError::AzureKey))
            }
            Provider::Vault { engine, .. } => {
                vault_secret(&self.secret)?;
                match (engine, &self.version) {
                    (Engine::V1, Some(_)) => Err(NameError::NoVersions),
                    (Engine::V2, Some(version)) => vault_version(version),
                    (_, None) => Ok(()),
                }
            }
        }
    }
}

/// One thing to look at.
#[derive(Clone, PartialEq, Eq)]
pub struct Look {
    /// Where, and as whom.
    pub address: Arc<VaultAddress>,
    /// What.
    pub wanted: Wanted,
}

#[cfg(test)]
mod tests;
