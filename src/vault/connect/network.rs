//! Where the operator may connect to.

use super::names::{Names, SystemNames};
use crate::vault::address::VaultUrl;
use crate::vault::reach::Reach;
use std::sync::Arc;

/// Where the operator may connect to, how names are looked up, and where Azure signs in.
#[derive(Clone)]
pub struct Network {
    pub(super) reach: Arc<Reach>,
    pub(super) names: Arc<dyn Names>,
    clouds: Vec<Cloud>,
    pub(super) authorities: Option<Arc<str>>,
}

/// Where the applications of one of Azure's clouds sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// The end of its vaults' names.
    pub suffix: String,
    /// The address at which they sign in.
    pub authority: VaultUrl,
}

/// Azure's clouds, by <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-base-url>
/// and <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>.
const CLOUDS: [(&str, &str); 3] = [
    (".vault.azure.net", "https://login.microsoftonline.com"),
    (".vault.usgovcloudapi.net", "https://login.microsoftonline.us"),
    (".vault.azure.cn", "https://login.chinacloudapi.cn"),
];

impl Network {
    /// Looks names up as the system does, and knows Azure's own clouds.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        let own = CLOUDS.into_iter().filter_map(|(suffix, authority)| {
            let allowed = Reach::parse([authority.trim_start_matches("https://")]).ok()?;
            Some(Cloud {
                suffix: suffix.to_owned(),
                authority: VaultUrl::parse(authority, &allowed).ok()?,
            })
        });
        Self {
            reach: Arc::new(reach),
            names: Arc::new(SystemNames),
            clouds: own.collect(),
            authorities: None,
        }
    }

    /// Looks names up in another way.
    #[must_use]
    pub fn with_names(self, names: Arc<dyn Names>) -> Self {
        Self { names, ..self }
    }

    /// Knows one more cloud of Azure, such as one of a company's own.
    #[must_use]
    pub fn with_cloud(mut self, cloud: Cloud) -> Self {
        self.clouds.insert(0, cloud);
        self
    }

    /// Trusts these certificate authorities, in PEM, instead of the system's, where a vault's link gives none.
    #[must_use]
    pub fn with_authorities(self, pem: &str) -> Self {
        Self {
            authorities: Some(pem.into()),
            ..self
        }
    }

    /// What is allowed.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Where the applications that ask this vault sign in: at the public cloud if its name says nothing else.
    pub(in crate::vault) fn authority(&self, vault: &VaultUrl) -> Option<&VaultUrl> {
        let own = self
            .clouds
            .iter()
            .find(|cloud| vault.host().ends_with(&cloud.suffix));
        let public = || self.clouds.iter().find(|cloud| cloud.suffix == CLOUDS[0].0);
        own.or_else(public).map(|cloud| &cloud.authority)
    }
}
