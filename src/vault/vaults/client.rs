//! One vault as one identity sees it, whatever its kind.

use crate::vault::address::{Engine, Identity, Provider, VaultAddress, Wanted};
use crate::vault::azure::Azure;
use crate::vault::connect::{Bounds, Gate, Network, Transport};
use crate::vault::fault::{Asking, Fault, Outage};
use crate::vault::hashicorp::HashiCorp;
use crate::vault::run_tokens::RunTokens;
use crate::vault::sight::{Found, Listing};
use crate::vault::value::Value;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// A vault, and as whom it is asked.
pub(super) struct Client {
    provider: Provider,
    asking: Asking,
    kind: Result<Kind, Fault>,
    pub gate: Gate,
}

enum Kind {
    Azure(Box<Azure>),
    HashiCorp(Box<HashiCorp>),
}

impl Client {
    /// Prepares; nothing is sent yet.
    pub fn new(
        address: &VaultAddress,
        network: &Network,
        tokens: Arc<dyn RunTokens>,
        gate: Gate,
        bounds: Bounds,
        remember: Duration,
    ) -> Self {
        let asking = Asking::from(address);
        let kind = kind(address, network, tokens, gate.clone(), bounds, remember);
        Self {
            provider: address.provider.clone(),
            asking,
            kind,
            gate,
        }
    }

    fn ready(&self, wanted: Option<&Wanted>) -> Result<&Kind, Fault> {
        if let Some(wanted) = wanted {
            wanted
                .fits(&self.provider)
                .map_err(|why| self.asking.unfit(wanted, why))?;
        }
        self.kind.as_ref().map_err(Clone::clone)
    }

    pub async fn look(&self, wanted: &Wanted, now: Timestamp) -> Result<Found, Fault> {
        match self.ready(Some(wanted))? {
            Kind::Azure(vault) => vault.look(wanted, now).await,
            Kind::HashiCorp(vault) => vault.look(wanted, now).await,
        }
    }

    pub async fn list(&self, max: usize) -> Result<Listing, Fault> {
        match self.ready(None)? {
            Kind::Azure(vault) => vault.list(max).await,
            Kind::HashiCorp(vault) => vault.list(max).await,
        }
    }

    pub async fn read(&self, wanted: &Wanted, now: Timestamp) -> Result<Value, Fault> {
        match self.ready(Some(wanted))? {
            Kind::Azure(vault) => vault.read(wanted, now).await,
            Kind::HashiCorp(vault) => vault.read(wanted, now).await,
        }
    }

    /// What is told while the vault wants no request.
    pub fn throttled(&self) -> Fault {
        self.asking.throttled()
    }

    /// A look that failed in a way that nobody foresaw.
    pub fn broke(&self) -> Fault {
        self.asking.away(Outage::Garbage)
    }
}

fn kind(
    address: &VaultAddress,
    network: &Network,
    tokens: Arc<dyn RunTokens>,
    gate: Gate,
    bounds: Bounds,
    remember: Duration,
) -> Result<Kind, Fault> {
    let asking = Asking::from(address);
    let authority = match address.provider {
        Provider::Azure { .. } => network.authority(&address.url).cloned(),
        Provider::Vault { .. } => None,
    };
    let bundle = address.ca_bundle.as_deref();
    let transport = Transport::new(
        network,
        &address.url,
        authority.into_iter().collect(),
        bundle,
        bounds,
        gate,
    );
    // A bundle that isn't one trusts nobody.
    let transport = Arc::new(transport.map_err(|_| asking.away(Outage::Untrusted))?);
    Ok(match address.provider {
        Provider::Azure { .. } => Kind::Azure(Box::new(Azure::new(
            address, network, transport, tokens, remember,
        )?)),
        Provider::Vault { .. } => {
            Kind::HashiCorp(Box::new(HashiCorp::new(address, transport, tokens, remember)?))
        }
    })
}

/// Stands for a vault and an identity: equal only if everything that an answer can depend on is. Credentials are in it
/// as a digest that means nothing outside of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key([u8; 32]);

/// Makes keys.
pub(super) struct Keys([u8; 32]);

impl Keys {
    pub fn new() -> Self {
        let mut salt = [0; 32];
        fastrand::fill(&mut salt);
        Self(salt)
    }

    pub fn of(&self, address: &VaultAddress) -> Key {
        let url = address.url.to_string();
        let trust = match &address.ca_bundle {
            Some(bundle) => ["bundle", bundle],
            None => ["system", ""],
        };
        let provider = match &address.provider {
            Provider::Azure { tenant } => ["azure", tenant, ""],
            Provider::Vault {
                mount,
                namespace,
                engine,
            } => {
                let engine = match engine {
                    Engine::V1 => "vault 1",
                    Engine::V2 => "vault 2",
                };
                [engine, mount, namespace.as_deref().unwrap_or_default()]
            }
        };
        let identity = parts(&address.identity);
        let mut hash = Sha256::new_with_prefix(self.0);
        for part in [url.as_str()]
            .iter()
            .chain(&trust)
            .chain(&provider)
            .chain(&identity)
        {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Key(hash.finalize().into())
    }
}

fn parts(identity: &Identity) -> [&str; 5] {
    match identity {
        Identity::AzureWorkload { client_id, namespace } => ["workload", client_id, namespace, "", ""],
        Identity::AzureClientSecret { client_id, secret } => ["secret", client_id, secret.expose(), "", ""],
        Identity::AzureCertificate { client_id, pem } => ["certificate", client_id, pem.expose(), "", ""],
        Identity::AzureManaged { client_id } => {
            let which = client_id.as_deref();
            ["managed", which.unwrap_or_default(), "", "", ""]
        }
        Identity::VaultToken { token } => ["token", token.expose(), "", "", ""],
        Identity::VaultAppRole {
            mount,
            role_id,
            secret_id,
        } => ["approle", mount, role_id, secret_id.expose(), ""],
        Identity::VaultServiceAccount {
            mount,
            role,
            audience,
            namespace,
        } => ["account", mount, role, audience, namespace],
    }
}

#[cfg(test)]
mod tests;
