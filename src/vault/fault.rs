//! Why a secret can't be used. One variant for each state of the world; its words are whole sentences that end with the next
//! step, on one line, without any text that a server sent.

use super::address::NameError;
use super::run_tokens::NoRunToken;
use jiff::Timestamp;
use thiserror::Error;

mod asking;

pub use asking::Asking;

/// Why a secret can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The vault's name leads where the operator doesn't connect.
    #[error(
        "{vault} leads to an address inside a network that the operator doesn't connect to: correct it, or ask the operator's administrator to list the address's range among the allowed vaults."
    )]
    AddressNotAllowed {
        /// The vault's address.
        vault: String,
    },
    /// There is no such vault.
    #[error("{}", missing(vault, what))]
    VaultNotFound {
        /// The vault's address.
        vault: String,
        /// What isn't there.
        what: Missing,
    },
    /// The vault doesn't answer, or not as a vault.
    #[error("The vault {vault} can't be used at the moment: {why}")]
    VaultUnavailable {
        /// The vault's address.
        vault: String,
        /// What happened instead of an answer.
        why: Outage,
    },
    /// The vault wants fewer requests.
    #[error(
        "The vault {vault} takes no more requests for now: nothing need be done, it is asked again when it allows. If this comes back, spread the secrets over more vaults or raise the vault's limit."
    )]
    Throttled {
        /// The vault's address.
        vault: String,
    },
    /// The vault knows who asks, and refuses.
    #[error("{}", denied(vault, who, lack))]
    AccessDenied {
        /// The vault's address.
        vault: String,
        /// Who asked.
        who: String,
        /// What is missing.
        lack: Lack,
    },
    /// The vault, or the directory that vouches for identities, doesn't accept who asks.
    #[error("{}", rejected(vault, who, *why))]
    CredentialRejected {
        /// The vault's address.
        vault: String,
        /// Who asked.
        who: String,
        /// Why, as far as it's known.
        why: Rejection,
    },
    /// The vault doesn't have the secret.
    #[error("{}", absent(vault, secret, *why))]
    SecretNotFound {
        /// The vault's address.
        vault: String,
        /// The secret.
        secret: String,
        /// In which way it's absent.
        why: Absence,
    },
    /// The secret doesn't have the key.
    #[error("The secret {secret} in {vault} has no key {key}: {}.", unfit_or(*unfit, "add it there, or name another key"))]
    KeyNotFound {
        /// The vault's address.
        vault: String,
        /// The secret.
        secret: String,
        /// The key.
        key: String,
        /// Why no such vault could have it, if that is so.
        unfit: Option<NameError>,
    },
    /// The secret is switched off, or its time hasn't come.
    #[error(
        "The secret {secret} in {vault} is disabled, or not valid yet (version {version}): enable it there, or name another version."
    )]
    SecretDisabled {
        /// The vault's address.
        vault: String,
        /// The secret.
        secret: String,
        /// The version that is meant.
        version: String,
    },
    /// The secret's time is over.
    #[error("The secret {secret} in {vault} has expired (version {version}, on {on}): give it a new version there.", on = day(*at))]
    SecretExpired {
        /// The vault's address.
        vault: String,
        /// The secret.
        secret: String,
        /// The version that is meant.
        version: String,
        /// When it expired.
        at: Timestamp,
    },
    /// The secret doesn't have the version.
    #[error(
        "The secret {secret} in {vault} has no version {version}: {}.",
        unfit_or(*unfit, "name one that it has still, or leave the version away for the newest")
    )]
    VersionNotFound {
        /// The vault's address.
        vault: String,
        /// The secret.
        secret: String,
        /// The version.
        version: String,
        /// Why no such vault could have it, if that is so.
        unfit: Option<NameError>,
    },
}

/// What isn't there of a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// No host has its name.
    Host,
    /// No secrets engine, or no method to sign in, is mounted there.
    Mount(String),
    /// A version 1 engine is asked as version 2, or the other way round.
    Engine(String),
}

/// What happened instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Outage {
    /// Names can't be looked up.
    #[error("its name can't be looked up now. Check the cluster's DNS.")]
    NoName,
    /// No connection comes about.
    #[error(
        "no connection to it comes about. Check that it runs, and that the operator's network policy and the vault's firewall let the operator through."
    )]
    NoConnection,
    /// Its certificate isn't trusted.
    #[error(
        "its certificate isn't trusted. Give the certificate of its authority, or renew the vault's certificate."
    )]
    Untrusted,
    /// It takes too long.
    #[error("it doesn't answer in time. Check its load.")]
    Slow,
    /// The connection broke before the answer was there.
    #[error("it breaks the connection off. Check its log.")]
    Broken,
    /// It answers with a status of its own trouble.
    #[error("it answers with status {0}. Check its log.")]
    Status(u16),
    /// It is sealed or not set up.
    #[error("it is sealed, or not initialised. Unseal it.")]
    Sealed,
    /// It points elsewhere.
    #[error("it points to another address, and that isn't followed. Give the address that answers itself.")]
    Redirect,
    /// It answers with more than any vault does.
    #[error("it answers with more data than a vault ever does. Check that the address is the vault's.")]
    TooLarge,
    /// It answers with something else than a vault does.
    #[error("it doesn't answer as a vault does. Check that the address is the vault's.")]
    Garbage,
    /// The directory that signs in doesn't answer.
    #[error("the service that signs in to it doesn't answer. Check that the operator reaches it.")]
    SignIn,
    /// The cluster gives no token of the run account.
    #[error(transparent)]
    NoRunToken(NoRunToken),
    /// It failed often in a row, and is left alone for a while.
    #[error("it failed several times in a row. It is tried again by itself.")]
    Resting,
}

/// What right is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// To list Azure's secrets.
    AzureList,
    /// To look at one of Azure's secrets.
    AzureMetadata,
    /// To read the value of Azure's secrets.
    AzureValue,
    /// The vault's own firewall.
    AzureFirewall,
    /// A capability on a path of Vault.
    VaultPath {
        /// Such as `read` or `list`.
        capability: &'static str,
        /// Such as `kv/metadata/team/sftp`.
        path: String,
    },
}

/// Why somebody isn't accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The credential is wrong.
    Wrong,
    /// The credential has expired.
    Expired,
    /// The directory doesn't know the application.
    UnknownClient,
    /// There is no such directory.
    UnknownTenant,
    /// The application doesn't trust the run account.
    NoTrust,
    /// The vault belongs to another directory.
    OtherTenant,
    /// The certificate or its key can't be read.
    Unreadable,
    /// Managed identity isn't to be had here.
    NotManaged,
    /// Vault's method doesn't take it, or no method is mounted: Vault says the same to both.
    Method,
    /// The role wants a token that the cluster gives nobody.
    Audience,
    /// Not said, apart from the directory's own number.
    Code(u32),
    /// Not said.
    Unknown,
}

/// In which way a secret is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It isn't there, or was deleted.
    Unknown,
    /// It was deleted, and can be brought back.
    Deleted,
    /// It is there, but holds no version.
    Empty,
    /// No vault of this kind can hold a secret of that name.
    Unfit(NameError),
}

impl Fault {
    /// The word of the closed vocabulary for it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::AddressNotAllowed { .. } => "AddressNotAllowed",
            Self::VaultNotFound { .. } => "VaultNotFound",
            Self::VaultUnavailable { .. } => "VaultUnavailable",
            Self::Throttled { .. } => "Throttled",
            Self::AccessDenied { .. } => "AccessDenied",
            Self::CredentialRejected { .. } => "CredentialRejected",
            Self::SecretNotFound { .. } => "SecretNotFound",
            Self::KeyNotFound { .. } => "KeyNotFound",
            Self::SecretDisabled { .. } => "SecretDisabled",
            Self::SecretExpired { .. } => "SecretExpired",
            Self::VersionNotFound { .. } => "VersionNotFound",
        }
    }

    /// Whether what was known before still counts: the vault has said nothing else, it is only away.
    #[must_use]
    pub fn keeps_last_good(&self) -> bool {
        matches!(self, Self::VaultUnavailable { .. } | Self::Throttled { .. })
    }
}

fn missing(vault: &str, what: &Missing) -> String {
    match what {
        Missing::Host => format!(
            "There is no vault {vault}: no host has that name. Correct the address, or create the vault."
        ),
        Missing::Mount(mount) => format!(
            "The vault {vault} has nothing mounted at {mount}: correct the mount or the Vault namespace, or enable it there."
        ),
        Missing::Engine(mount) => format!(
            "The secrets engine at {mount} in {vault} isn't of the version that is said: say whether it's version 1 or 2 of the key-value engine."
        ),
    }
}

fn denied(vault: &str, who: &str, lack: &Lack) -> String {
    let what = match lack {
        Lack::AzureList => {
            "list secrets: give it the role Key Vault Secrets User on the vault, or List in the access policy"
        }
        Lack::AzureMetadata => {
            "look at this secret: give it the role Key Vault Secrets User on the vault or on the secret, or Get and List in the access policy"
        }
        Lack::AzureValue => {
            "read this secret: give it the role Key Vault Secrets User on the vault or on the secret, or Get in the access policy"
        }
        Lack::AzureFirewall => {
            return format!(
                "The firewall of the vault {vault} doesn't let the operator in: allow the address by which the cluster reaches the Internet, or a private endpoint, in the vault's networking."
            );
        }
        Lack::VaultPath { capability, path } => {
            return format!(
                "In the vault {vault}, {who} lacks the capability {capability} on {path}: give it in a policy of that identity."
            );
        }
    };
    format!("In the vault {vault}, {who} may not {what}.")
}

fn rejected(vault: &str, who: &str, why: Rejection) -> String {
    let why = match why {
        Rejection::Wrong => "the credential is wrong. Put the right one into the Secret".to_owned(),
        Rejection::Expired => "the credential has expired. Put a new one into the Secret".to_owned(),
        Rejection::UnknownClient => {
            "the tenant doesn't know that application. Correct the client ID or the tenant".to_owned()
        }
        Rejection::UnknownTenant => "there is no such tenant. Correct it".to_owned(),
        Rejection::NoTrust => {
            "the application doesn't trust the run account. Add a federated credential with the cluster's issuer, the subject of the namespace's ServiceAccount connections-run and the audience api://AzureADTokenExchange".to_owned()
        }
        Rejection::OtherTenant => "the vault belongs to another tenant. Correct the tenant".to_owned(),
        Rejection::Unreadable => {
            "the certificate or its key can't be read. Put both into the Secret in PEM, the key as an unencrypted RSA key in PKCS#8".to_owned()
        }
        Rejection::NotManaged => {
            "the node has no such managed identity. Assign it to the node, or choose another way to sign in".to_owned()
        }
        Rejection::Method => {
            "the sign-in was refused. Check that the method is mounted there, and which account, audience and addresses the role takes".to_owned()
        }
        Rejection::Audience => {
            return format!(
                "The vault {vault} isn't asked as {who}, as the API server takes tokens for that audience itself, and whoever is shown one could act in the cluster: choose another audience for the role, or have it taken out of those of the API server."
            );
        }
        Rejection::Code(code) => format!(
            "the sign-in was refused with AADSTS{code}. Look that number up in the tenant's sign-in log"
        ),
        Rejection::Unknown => {
            "the sign-in was refused. Check the credential, the role and its bounds".to_owned()
        }
    };
    format!("The vault {vault} doesn't accept {who}: {why}.")
}

fn absent(vault: &str, secret: &str, why: Absence) -> String {
    match why {
        Absence::Unknown => format!(
            "The vault {vault} has no secret {secret}: create it there, recover it if it was deleted, or name another."
        ),
        Absence::Deleted => format!(
            "The secret {secret} in {vault} was deleted: recover it there, write a new version, or name another."
        ),
        Absence::Empty => {
            format!("The secret {secret} in {vault} holds no version: write one there, or name another.")
        }
        Absence::Unfit(why) => format!(
            "The vault {vault} can't hold a secret of the name {secret}, as {why}: name one that it has."
        ),
    }
}

/// What such a vault can have at all comes before what this one has.
fn unfit_or(unfit: Option<NameError>, step: &str) -> String {
    unfit.map_or_else(|| step.to_owned(), |why| why.to_string())
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests;
