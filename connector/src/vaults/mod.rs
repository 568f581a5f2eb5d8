//! Credentials that stay in key vaults: the run reads them itself when it begins, by what the key vault's link names, and keeps
//! no copy.
//!
//! Flow: each key vault that the connection names is read from the API server and [judged](judge): consent to it stands, and
//! it lets the connection name the secret. What signs in to it is mounted; the operator's own adapters ask it. Guarantees: no
//! vault is asked without consent to it, none that the installation doesn't allow, and none by what was mounted for another link.

mod fault;
mod judge;
mod token;

pub use fault::VaultFault;
pub use judge::judge;

use crate::credentials::{Credentials, credential, mounted};
use crate::fault::Ended;
use crate::guard::{EVERY, SILENCE_MAX};
use connection_operator::api::connection_type::SecretSlot;
use connection_operator::api::reference::KeyVaultRef;
use connection_operator::api::run::VAULT_TOKEN_FILE;
use connection_operator::api::{Connection, KeyVault};
use connection_operator::governance::runs::vaults::folder;
use connection_operator::governance::vaults::address::{Allowed, Link};
use connection_operator::governance::vaults::{allowed, in_vault, reason};
use connection_operator::vault::address::{VaultAddress, VaultUrl, Wanted};
use connection_operator::vault::connect::Network;
use connection_operator::vault::reach::Reach;
use connection_operator::vault::value::SecretText;
use connection_operator::vault::vaults::{Limits, Vaults};
use kube::{Api, ResourceExt};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use token::MountedToken;
use tokio::time::{Instant, sleep, timeout};

/// The key vaults of a namespace, and where what signs in to them is mounted.
pub struct KeyVaults {
    /// The links, as the API server has them.
    pub links: Api<KeyVault>,
    /// A folder for each.
    pub directory: PathBuf,
    /// Ranges of addresses inside of networks that vaults may be at.
    pub ranges: Vec<String>,
}

impl KeyVaults {
    /// Reads the credentials that the connection takes from key vaults and its type declares.
    ///
    /// # Errors
    /// When one can't be read now.
    pub async fn read(
        &self,
        connection: &Connection,
        declared: &[SecretSlot],
        credentials: &mut Credentials,
    ) -> Result<(), Ended> {
        let mut opened = HashMap::new();
        for slot in declared {
            let name = slot.name.as_str();
            let source = connection.spec.secrets.get(name);
            let Some(named) = source.and_then(in_vault) else {
                continue;
            };
            let vault = named.name.as_str();
            if !opened.contains_key(vault) {
                opened.insert(vault.to_owned(), self.open(name, vault).await?);
            }
            if let Some(opened) = opened.get(vault) {
                let value = opened.value(name, named).await?;
                credentials.add(name, value);
            }
        }
        Ok(())
    }

    /// The key vault, and the way to it.
    async fn open(&self, credential: &str, vault: &str) -> Result<Opened, Ended> {
        let not_usable = || VaultFault::NotUsable {
            name: credential.to_owned(),
        };
        let link = judge(self.link(vault).await?).ok_or_else(not_usable)?;
        let folder = self.directory.join(folder(vault, &link.spec));
        let network = self
            .network(&link)
            .filter(|_| folder.is_dir())
            .ok_or_else(not_usable)?;
        let allowed = Allowed {
            reach: network.reach().clone(),
            ..Allowed::default()
        };
        let namespace = link.namespace().unwrap_or_default();
        let way = Link::read(&link.spec, &namespace, &allowed).map_err(|_| not_usable())?;
        let mut values = BTreeMap::new();
        for (number, (field, _)) in link.spec.credentials().into_iter().enumerate() {
            let text = mounted(&folder.join(number.to_string()), credential).map_err(|_| not_usable())?;
            values.insert(field, text.ok_or_else(not_usable)?);
        }
        let address = way.with(values).ok_or_else(not_usable)?;
        let token = MountedToken::new(folder.join(VAULT_TOKEN_FILE));
        let (vaults, _) = Vaults::new(network, Arc::new(token), Limits::default());
        Ok(Opened {
            link,
            address,
            vaults,
        })
    }

    /// The link as it is now; none if there is none.
    async fn link(&self, vault: &str) -> Result<Option<KeyVault>, VaultFault> {
        let began = Instant::now();
        loop {
            if let Ok(Ok(found)) = timeout(EVERY, self.links.get_opt(vault)).await {
                return Ok(found);
            }
            if began.elapsed() >= SILENCE_MAX {
                return Err(VaultFault::NoAnswer);
            }
            sleep(EVERY).await;
        }
    }

    /// The ways to the vault of this link: where its host may be. That the installation allows the host itself, the operator
    /// has seen to, which mounts nothing else.
    fn network(&self, link: &KeyVault) -> Option<Network> {
        let url = VaultUrl::read(link.spec.address()).ok()?;
        let name = url.ip().is_none().then(|| url.host()); // an address is in a range, or not allowed
        let reach = Reach::parse(self.ranges.iter().map(String::as_str).chain(name)).ok()?;
        Some(Network::new(reach))
    }
}

/// A key vault that may be asked.
struct Opened {
    link: KeyVault,
    address: VaultAddress,
    vaults: Vaults,
}

impl Opened {
    async fn value(&self, name: &str, named: &KeyVaultRef) -> Result<SecretText, VaultFault> {
        let patterns = self.link.spec.allowed_secrets.as_deref();
        let allows = |patterns| allowed(&named.secret, patterns);
        if !patterns.is_none_or(allows) {
            return Err(VaultFault::NotUsable {
                name: name.to_owned(),
            });
        }
        let wanted = Wanted {
            secret: named.secret.clone(),
            version: named.version.clone(),
            key: named.key.as_ref().map(ToString::to_string),
        };
        let value = self.vaults.read(&self.address, &wanted).await;
        let value = value.map_err(|fault| VaultFault::Lacks {
            name: name.to_owned(),
            reason: reason(&fault),
        })?;
        Ok(credential(value.text))
    }
}
