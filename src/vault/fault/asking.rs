//! What every fault of one link has in common.

use super::{Absence, Fault, Lack, Missing, Outage, Rejection};
use crate::vault::address::{NameError, VaultAddress, Wanted};
use jiff::Timestamp;

/// Which vault is asked, and by whom, in the words of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    vault: String,
    who: String,
}

impl From<&VaultAddress> for Asking {
    fn from(address: &VaultAddress) -> Self {
        Self {
            vault: address.url.to_string(),
            who: address.identity.who(),
        }
    }
}

impl Asking {
    /// The vault's name leads where the operator doesn't connect.
    #[must_use]
    pub fn not_allowed(&self) -> Fault {
        Fault::AddressNotAllowed {
            vault: self.vault.clone(),
        }
    }

    /// There is no such vault.
    #[must_use]
    pub fn missing(&self, what: Missing) -> Fault {
        Fault::VaultNotFound {
            vault: self.vault.clone(),
            what,
        }
    }

    /// The vault is away.
    #[must_use]
    pub fn away(&self, why: Outage) -> Fault {
        Fault::VaultUnavailable {
            vault: self.vault.clone(),
            why,
        }
    }

    /// The vault wants fewer requests.
    #[must_use]
    pub fn throttled(&self) -> Fault {
        Fault::Throttled {
            vault: self.vault.clone(),
        }
    }

    /// A right is missing.
    #[must_use]
    pub fn denied(&self, lack: Lack) -> Fault {
        Fault::AccessDenied {
            vault: self.vault.clone(),
            who: self.who.clone(),
            lack,
        }
    }

    /// Who asks isn't accepted.
    #[must_use]
    pub fn rejected(&self, why: Rejection) -> Fault {
        Fault::CredentialRejected {
            vault: self.vault.clone(),
            who: self.who.clone(),
            why,
        }
    }

    /// The secret isn't there.
    #[must_use]
    pub fn absent(&self, wanted: &Wanted, why: Absence) -> Fault {
        Fault::SecretNotFound {
            vault: self.vault.clone(),
            secret: wanted.secret.clone(),
            why,
        }
    }

    /// The key isn't there.
    #[must_use]
    pub fn no_key(&self, wanted: &Wanted) -> Fault {
        self.key_not_found(wanted, None)
    }

    fn key_not_found(&self, wanted: &Wanted, unfit: Option<NameError>) -> Fault {
        Fault::KeyNotFound {
            vault: self.vault.clone(),
            secret: wanted.secret.clone(),
            key: wanted.key.clone().unwrap_or_default(),
            unfit,
        }
    }

    /// The version isn't there.
    #[must_use]
    pub fn no_version(&self, wanted: &Wanted) -> Fault {
        self.version_not_found(wanted, None)
    }

    fn version_not_found(&self, wanted: &Wanted, unfit: Option<NameError>) -> Fault {
        Fault::VersionNotFound {
            vault: self.vault.clone(),
            secret: wanted.secret.clone(),
            version: wanted.version.clone().unwrap_or_default(),
            unfit,
        }
    }

    /// The secret is switched off.
    #[must_use]
    pub fn disabled(&self, wanted: &Wanted, version: &str) -> Fault {
        Fault::SecretDisabled {
            vault: self.vault.clone(),
            secret: wanted.secret.clone(),
            version: version.to_owned(),
        }
    }

    /// The secret's time is over.
    #[must_use]
    pub fn expired(&self, wanted: &Wanted, version: &str, at: Timestamp) -> Fault {
        Fault::SecretExpired {
            vault: self.vault.clone(),
            secret: wanted.secret.clone(),
            version: version.to_owned(),
            at,
        }
    }

    /// The vault can't hold what is wanted.
    #[must_use]
    pub fn unfit(&self, wanted: &Wanted, why: NameError) -> Fault {
        match why {
            NameError::AzureKey => self.key_not_found(wanted, Some(why)),
            NameError::AzureVersion | NameError::VaultVersion | NameError::NoVersions => {
                self.version_not_found(wanted, Some(why))
            }
            _ => self.absent(wanted, Absence::Unfit(why)),
        }
    }
}
