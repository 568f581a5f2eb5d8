//! A **stand-in** for Azure Key Vault and for the token endpoint of Microsoft Entra ID. It is not Azure.
//!
//! One server is both: the official clients are told its address as the vault's URL and as the authority's host.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::fault::Fault;
use crate::server::{self, StandIn, Vendor};
use crate::wire::{Answer, Ask};
use crate::{Error, token};

mod answers;
mod assertion;
mod data;
mod secrets;
mod sign_in;

pub use data::{Certificate, Data, Federated, Identity, PermissionModel, Right, Secret, Version};

/// A running stand-in for Azure Key Vault.
pub type Azure = StandIn<AzureKeyVault>;

/// What a stand-in for Azure remembers: the tokens that it gave.
#[derive(Debug, Default)]
pub struct AzureKeyVault {
    given: BTreeMap<String, Given>,
}

/// A token that was given.
#[derive(Debug, Clone)]
struct Given {
    client: String,
    tenant: String,
    audience: String,
    until: Timestamp,
}

impl Azure {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When the machine doesn't give what is needed.
    pub fn start(data: Data) -> Result<Self, Error> {
        Self::start_on(data, 0)
    }

    /// Starts one on this port; 0: a free one.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_on(data: Data, port: u16) -> Result<Self, Error> {
        let names = data.names.clone();
        Self::serve(data, &names, (server::FREE.ip(), port).into())
    }

    /// The vault's URL under its own name, such as `https://contoso.vault.localhost:40123`. The official client demands a name
    /// whose ending the challenge names, so an address won't do.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}:{}", self.host(), self.address.port())
    }

    /// The name of that URL; it resolves to loopback where the system knows `*.localhost`, else a test resolves it.
    #[must_use]
    pub fn host(&self) -> String {
        self.edit(|data| format!("{}.vault.localhost", data.vault))
    }

    /// The URL of the host that gives tokens, such as `https://localhost:40123`.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }
}

impl Vendor for AzureKeyVault {
    type Data = Data;

    fn route(ask: &Ask) -> &'static str {
        let segments = ask.segments();
        if segments.ends_with(&["token"]) {
            return "token";
        }
        if ask.bearer().is_none() {
            return "challenge";
        }
        match segments.as_slice() {
            ["secrets"] => "secrets",
            ["secrets", _, "versions"] => "versions",
            ["secrets", _] => "secret",
            ["secrets", _, _] => "version",
            ["deletedsecrets", ..] => "deleted",
            _ => "other",
        }
    }

    fn answer(&mut self, data: &Data, ask: &Ask, now: Timestamp) -> Answer {
        match ask.segments().as_slice() {
            [tenant, "oauth2", "v2.0", "token"] if ask.method == "POST" => {
                self.sign_in(data, tenant, ask, now)
            }
            _ => self.vault(data, ask, now),
        }
    }

    fn fault(fault: &Fault, ask: &Ask) -> Answer {
        if Self::route(ask) == "token" {
            sign_in::fault(fault)
        } else {
            answers::fault(fault, ask)
        }
    }
}

impl AzureKeyVault {
    fn sign_in(&mut self, data: &Data, tenant: &str, ask: &Ask, now: Timestamp) -> Answer {
        let identity = match sign_in::judge(data, tenant, ask, now) {
            Ok(identity) => identity,
            Err(refusal) => return refusal,
        };
        let audience = ask
            .form()
            .get("scope")
            .map(|scope| scope.trim_end_matches("/.default").to_owned());
        let seconds = data.token_seconds;
        let given = Given {
            client: identity.client_id.clone(),
            tenant: tenant.to_owned(),
            audience: audience.unwrap_or_default(),
            until: now + jiff::SignedDuration::from_secs(seconds),
        };
        let access_token = token::write(&sign_in::claims(&given, now));
        self.given.insert(access_token.clone(), given);
        sign_in::granted(&access_token, seconds)
    }

    /// A request is judged in Azure's order: who are you, may you do this, is it there. (First of all the vault's firewall,
    /// which is a fault here.) learn.microsoft.com/azure/key-vault/general/authentication; words as recorded.
    fn vault(&self, data: &Data, ask: &Ask, now: Timestamp) -> Answer {
        let Some(bearer) = ask.bearer() else {
            return answers::challenge(data, ask, "AKV10000: Request is missing a Bearer or PoP token.");
        };
        let given = match self.given.get(bearer) {
            None => {
                return answers::challenge(
                    data,
                    ask,
                    "AKV10046: Unable to resolve the key used for signature validation.",
                );
            }
            Some(given) if given.until <= now => {
                return answers::challenge(data, ask, "[TokenExpired] Error validating token: 'S2S12086'.");
            }
            Some(given) if given.tenant != data.tenant => {
                return answers::wrong_issuer(data, ask, &given.tenant);
            }
            Some(given) if given.audience != answers::resource(ask) => {
                return answers::challenge(data, ask, "AKV10022: Invalid audience.");
            }
            Some(given) => given,
        };
        secrets::answer(data, &given.client, ask)
    }
}
