//! A **stand-in** for Vault and OpenBao: what RustyVault lacks of their API. It is neither of them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::fault::Fault;
use crate::server::{self, StandIn, Vendor};
use crate::wire::{Answer, Ask};
use crate::{Error, token};

mod answers;
mod auth;
mod data;
mod kv;
pub(crate) mod review;

pub use data::{Capability, Data, Deletion, Kv, Login, Method, Mount, Policy, Secret, StaticToken, Version};
pub use review::Reviewer;

use review::Review;

/// A running stand-in for Vault.
pub type Vault = StandIn<HashiCorpVault>;

/// What a stand-in for Vault remembers: the tokens that it gave, and when they expire.
#[derive(Debug, Default)]
pub struct HashiCorpVault {
    given: BTreeMap<String, Given>,
}

/// A token that was given.
#[derive(Debug, Clone)]
struct Given {
    policies: Vec<String>,
    made: Timestamp,
    ttl: i64,
    renewable: bool,
    path: String,
    until: Timestamp,
}

impl Vault {
    /// Starts one where its data say.
    ///
    /// # Errors
    /// When the machine doesn't give what is needed.
    pub fn start(data: Data) -> Result<Self, Error> {
        let address = data.listen.unwrap_or(server::FREE);
        let mut names = data.names.clone();
        names.extend(data.listen.map(|address| address.ip().to_string()));
        Self::serve(data, &names, address)
    }

    /// Starts one on this port of loopback; 0: a free one.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_on(data: Data, port: u16) -> Result<Self, Error> {
        let names = data.names.clone();
        Self::serve(data, &names, (server::FREE.ip(), port).into())
    }

    /// Its address, such as `https://localhost:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        if self.address.ip() == server::FREE.ip() {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("https://{}", self.address)
        }
    }
}

impl Vendor for HashiCorpVault {
    type Data = Data;

    fn route(ask: &Ask) -> &'static str {
        match ask.segments().as_slice() {
            ["v1", "auth", "token", "lookup-self"] => "lookup",
            ["v1", "auth", "token", "renew-self"] => "renew",
            ["v1", "auth", "token", ..] => "token",
            ["v1", "auth", _, "login", ..] => "login",
            ["v1", "sys", "health"] => "health",
            ["v1", "sys", "internal", "ui", "mounts", ..] => "mounts",
            ["v1", "sys", ..] => "other",
            ["v1", _, "metadata", ..] if kv::is_listing(ask) => "list",
            ["v1", _, "metadata", ..] => "metadata",
            ["v1", _, "data", ..] => "data",
            _ if kv::is_listing(ask) => "list",
            _ => "secret",
        }
    }

    fn review(data: &Data, ask: &Ask) -> Option<Review> {
        match ask.segments().as_slice() {
            ["v1", "auth", mount, "login", ..] => auth::review(data, mount, &ask.json()),
            _ => None,
        }
    }

    fn answer(&mut self, data: &Data, ask: &Ask, now: Timestamp) -> Answer {
        let segments = ask.segments();
        match segments.as_slice() {
            ["v1", "sys", "health"] => answers::health(now),
            _ if !data.is_namespace(ask.header("x-vault-namespace")) => answers::no_route(&segments),
            ["v1", "auth", mount, "login", ..] => self.login(data, mount, ask, now),
            _ => self.signed_in(data, ask, now),
        }
    }

    fn fault(fault: &Fault, ask: &Ask) -> Answer {
        answers::fault(fault, ask)
    }
}

impl HashiCorpVault {
    fn login(&mut self, data: &Data, mount: &str, ask: &Ask, now: Timestamp) -> Answer {
        let login = match auth::judge(data, mount, ask, now) {
            Ok(login) => login,
            Err(refusal) => return refusal,
        };
        let given = Given {
            policies: login.policies.clone(),
            made: now,
            ttl: login.ttl,
            renewable: login.renewable,
            path: format!("auth/{mount}/login"),
            until: now + SignedDuration::from_secs(login.ttl),
        };
        let token = format!("hvs.{}", token::random());
        let answer = auth::granted(&token, &given);
        self.given.insert(token, given);
        answer
    }

    fn signed_in(&mut self, data: &Data, ask: &Ask, now: Timestamp) -> Answer {
        let Some(token) = ask.header("x-vault-token").filter(|token| !token.is_empty()) else {
            return answers::missing_token();
        };
        let fixed = data
            .tokens
            .iter()
            .find(|fixed| fixed.token == token)
            .map(|fixed| Given {
                policies: fixed.policies.clone(),
                made: now,
                ttl: 0,
                renewable: false,
                path: "auth/token/create".to_owned(),
                until: Timestamp::MAX,
            });
        let given = fixed.or_else(|| self.given.get(token).filter(|given| given.until > now).cloned());
        let Some(given) = given else {
            return answers::invalid_token();
        };
        match ask.segments().as_slice() {
            ["v1", "auth", "token", "lookup-self"] => auth::looked_up(token, &given, now),
            ["v1", "auth", "token", "renew-self"] => self.renew(token, given, now),
            ["v1", "sys", "internal", "ui", "mounts", path @ ..] => kv::mount(data, &given.policies, path),
            ["v1", path @ ..] => kv::answer(data, &given.policies, path, ask, now),
            segments => answers::no_route(segments),
        }
    }

    /// developer.hashicorp.com/vault/api-docs/auth/token#renew-a-token-self
    fn renew(&mut self, token: &str, mut given: Given, now: Timestamp) -> Answer {
        if !given.renewable {
            return answers::errors(400, &["lease is not renewable"]);
        }
        given.until = now + SignedDuration::from_secs(given.ttl);
        let answer = auth::granted(token, &given);
        self.given.insert(token.to_owned(), given);
        answer
    }
}
