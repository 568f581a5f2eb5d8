//! Azure Key Vault, through Azure's own client.
//!
//! A look lists the attributes of the secret's versions and sees no value, unless the identity may get the secret and nothing
//! else. A read does; the client keeps a copy of the answer while it reads it, which is freed but not overwritten.

use super::address::{Provider, VaultAddress, Wanted, azure_secret, azure_version};
use super::connect::{Network, Transport};
use super::fault::{Asking, Fault, Lack, Outage};
use super::run_tokens::RunTokens;
use super::sight::{Found, Listed, Listing};
use super::value::{SecretText, Value};
use azure_core::credentials::TokenCredential;
use azure_core::http::Pager;
use azure_security_keyvault_secrets::models::{
    ListSecretPropertiesResult, SecretAttributes, SecretClientGetSecretOptions,
};
use azure_security_keyvault_secrets::{ResourceExt, SecretClient, SecretClientOptions};
use futures::TryStreamExt;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

mod answers;
mod certificate;
mod sign_in;
mod transport;

use answers::{Purpose, Version};
use sign_in::SignIn;

/// Most pages of a secret's versions that are read, and how many versions are kept of each: Azure sends no more, by
/// <https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret-versions/get-secret-versions>.
const VERSION_PAGES_MAX: usize = 40;
const VERSIONS_A_PAGE: usize = 25;
/// Most pages of the vault's secrets that are read. Azure may send some with nothing on them.
const NAME_PAGES_MAX: usize = 100;

/// One Azure key vault, asked by one identity.
pub(super) struct Azure {
    client: SecretClient,
    asking: Asking,
}

impl Azure {
    /// Prepares; nothing is sent yet.
    pub fn new(
        address: &VaultAddress,
        network: &Network,
        transport: Arc<Transport>,
        tokens: Arc<dyn RunTokens>,
        remember: Duration,
    ) -> Result<Self, Fault> {
        let asking = Asking::from(address);
        let garbage = || asking.away(Outage::Garbage);
        let Provider::Azure { tenant } = &address.provider else {
            return Err(garbage());
        };
        let authority = network.authority(&address.url).ok_or_else(garbage)?;
        let options = transport::options(transport::ToVault(transport), authority);
        let sign_in = SignIn::new(
            tenant.clone(),
            address.identity.clone(),
            options.clone(),
            authority.clone(),
            tokens,
            asking.clone(),
            remember,
        );
        let credential: Arc<dyn TokenCredential> = Arc::new(sign_in);
        let options = SecretClientOptions {
            client_options: options,
            ..SecretClientOptions::default()
        };
        let client =
            SecretClient::new(&address.url.to_string(), credential, Some(options)).map_err(|_| garbage())?;
        Ok(Self { client, asking })
    }

    /// Looks whether the secret may be used: without its value, unless the identity may get it and not look at its versions.
    pub async fn look(&self, wanted: &Wanted, now: Timestamp) -> Result<Found, Fault> {
        let looked = self.versions(wanted, now).await;
        let Err(Fault::AccessDenied {
            lack: Lack::AzureMetadata,
            ..
        }) = looked
        else {
            return looked;
        };
        match self.get(wanted, now).await {
            Err(Fault::AccessDenied {
                lack: Lack::AzureValue,
                ..
            }) => looked,
            got => got.map(|(found, _)| found),
        }
    }

    async fn versions(&self, wanted: &Wanted, now: Timestamp) -> Result<Found, Fault> {
        let fault = |error| answers::fault(&self.asking, &Purpose::Look(wanted), &error);
        let pager = self
            .client
            .list_secret_properties_versions(&wanted.secret, None)
            .map_err(fault)?;
        let mut answers = pager.into_pages();
        let mut versions = Vec::new();
        for _ in 0..VERSION_PAGES_MAX {
            let Some(page) = answers.try_next().await.map_err(fault)? else {
                break;
            };
            let page: ListSecretPropertiesResult = page.into_model().map_err(fault)?;
            for properties in page.value.into_iter().take(VERSIONS_A_PAGE) {
                let version = properties.resource_id().map_err(fault)?.version;
                let version = version.unwrap_or_default();
                // What can't be a version isn't kept, however long it is.
                if azure_version(&version).is_ok() {
                    versions.push(Version::new(version, properties.attributes.as_ref()));
                }
            }
        }
        answers::judge(&self.asking, wanted, &versions, now)
    }

    /// The names of the vault's secrets, so many at most; none for an identity that has rights on single secrets only.
    pub async fn list(&self, max: usize) -> Result<Listing, Fault> {
        match self.names(max).await {
            Err(
                fault @ Fault::AccessDenied {
                    lack: Lack::AzureList,
                    ..
                },
            ) => Ok(Listing {
                denied: Some(fault.into()),
                ..Listing::default()
            }),
            told => told,
        }
    }

    async fn names(&self, max: usize) -> Result<Listing, Fault> {
        let fault = |error| answers::fault(&self.asking, &Purpose::List, &error);
        let pager: Pager<ListSecretPropertiesResult> =
            self.client.list_secret_properties(None).map_err(fault)?;
        let mut answers = pager.into_pages();
        let mut listing = Listing {
            truncated: true, // until the last page was seen
            ..Listing::default()
        };
        'pages: for _ in 0..NAME_PAGES_MAX {
            let Some(page) = answers.try_next().await.map_err(fault)? else {
                listing.truncated = false;
                break;
            };
            let page: ListSecretPropertiesResult = page.into_model().map_err(fault)?;
            for properties in page.value {
                let name = properties.resource_id().map_err(fault)?.name;
                if azure_secret(&name).is_err() {
                    continue; // nobody could name it
                }
                if listing.secrets.len() == max {
                    break 'pages;
                }
                let version = Version::new(String::new(), properties.attributes.as_ref());
                listing.secrets.push(Listed {
                    name,
                    enabled: version.enabled,
                    expires: version.expires,
                });
            }
        }
        listing.secrets.sort_unstable();
        Ok(listing)
    }

    /// The secret's value.
    pub async fn read(&self, wanted: &Wanted, now: Timestamp) -> Result<Value, Fault> {
        let (found, text) = self.get(wanted, now).await?;
        Ok(Value {
            version: found.version,
            text,
        })
    }

    async fn get(&self, wanted: &Wanted, now: Timestamp) -> Result<(Found, SecretText), Fault> {
        let fault = |error| answers::fault(&self.asking, &Purpose::Read(wanted), &error);
        let options = SecretClientGetSecretOptions {
            secret_version: wanted.version.clone(),
            ..SecretClientGetSecretOptions::default()
        };
        let answer = self
            .client
            .get_secret(&wanted.secret, Some(options))
            .await
            .map_err(fault)?;
        let mut secret = answer.into_model().map_err(fault)?;
        let text = SecretText::new(secret.value.take().unwrap_or_default());
        let version = secret.resource_id().map_err(fault)?.version.unwrap_or_default();
        let attributes: Option<&SecretAttributes> = secret.attributes.as_ref();
        let found = Version::new(version, attributes).usable(&self.asking, wanted, now)?;
        Ok((found, text))
    }
}
