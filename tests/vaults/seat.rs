//! Somebody who follows secrets, and the world around: names, run accounts, limits.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connection_operator::vault::address::{Look, VaultAddress, Wanted};
use connection_operator::vault::budget::Rate;
use connection_operator::vault::connect::{Cloud, NameFault, Names, Network};
use connection_operator::vault::reach::Reach;
use connection_operator::vault::run_tokens::{NoRunToken, RunTokens};
use connection_operator::vault::sight::Sight;
use connection_operator::vault::value::SecretText;
use connection_operator::vault::vaults::{Changed, Limits, Owner, Vaults};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// What every name leads to.
pub type Leads = Arc<Mutex<Result<Vec<IpAddr>, NameFault>>>;

struct Book(Leads);

#[async_trait]
impl Names for Book {
    async fn addresses(&self, _: &str) -> Result<Vec<IpAddr>, NameFault> {
        self.0.lock().expect("a lock").clone()
    }
}

/// A cluster whose run accounts say who they are; nobody signs for it.
struct Cluster;

#[async_trait]
impl RunTokens for Cluster {
    async fn token(&self, namespace: &str, audience: &str) -> Result<SecretText, NoRunToken> {
        if namespace == "nowhere" {
            return Err(NoRunToken::NoAccount);
        }
        let now = jiff::Timestamp::now().as_second();
        let claims = serde_json::json!({
            "iss": "https://kubernetes.default.svc",
            "sub": format!("system:serviceaccount:{namespace}:connections-run"),
            "aud": [audience],
            "nbf": now - 1,
            "iat": now,
            "exp": now + 600,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": "connections-run", "uid": "1"}},
        });
        let parts = [serde_json::json!({"alg": "RS256", "kid": "1"}), claims];
        let [head, body] = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        Ok(SecretText::new(format!(
            "{head}.{body}.{}",
            URL_SAFE_NO_PAD.encode("nobody")
        )))
    }
}

/// Looks at each secret as often as a test has patience for.
pub fn often() -> Limits {
    Limits {
        interval: Duration::from_millis(300),
        timeout: Duration::from_secs(2),
        ..Limits::default()
    }
}

/// Looks at each secret once.
pub fn once() -> Limits {
    Limits {
        interval: Duration::from_hours(1),
        timeout: Duration::from_secs(30),
        rate: Rate::default(),
        ..Limits::default()
    }
}

/// What the installation allows.
pub fn reach() -> Reach {
    Reach::parse(["*.vault.localhost", "localhost", "127.0.0.1"]).expect("a list")
}

/// One that follows.
pub struct Seat {
    pub vaults: Vaults,
    pub changed: Changed,
    pub leads: Leads,
}

impl Seat {
    pub fn new(limits: Limits, cloud: Option<Cloud>) -> Self {
        let leads: Leads = Arc::new(Mutex::new(Ok(vec![Ipv4Addr::LOCALHOST.into()])));
        let network = Network::new(reach()).with_names(Arc::new(Book(Arc::clone(&leads))));
        let network = match cloud {
            Some(cloud) => network.with_cloud(cloud),
            None => network,
        };
        let (vaults, changed) = Vaults::new(network, Arc::new(Cluster), limits);
        Self {
            vaults,
            changed,
            leads,
        }
    }

    /// Follows one secret until what is known of it is as wanted, and tells what that is.
    pub async fn until(&mut self, what: &str, look: &Look, is: impl Fn(&Sight) -> bool) -> Sight {
        let owner = owner("sftp");
        let mut last = Sight::default();
        let follow = async {
            loop {
                last = self.vaults.follow(&owner, std::slice::from_ref(look)).remove(0);
                if is(&last) {
                    return;
                }
                self.changed.next().await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, follow).await;
        assert!(in_time.is_ok(), "{what}: what is known stays {last:?}");
        last
    }

    /// Follows one secret until that reason is told, or that all is well.
    pub async fn told(&mut self, what: &str, look: &Look, reason: &str) -> Sight {
        self.until(what, look, |sight| told(sight) == reason).await
    }
}

/// What is told of a secret, in one word.
pub fn told(sight: &Sight) -> &'static str {
    match &sight.latest {
        None => "nothing",
        Some(Ok(_)) => "well",
        Some(Err(fault)) => fault.reason(),
    }
}

pub fn owner(name: &str) -> Owner {
    Owner {
        kind: "Connection".to_owned(),
        namespace: "marketing".to_owned(),
        name: name.to_owned(),
    }
}

pub fn look(address: &VaultAddress, secret: &str, version: Option<&str>, key: Option<&str>) -> Look {
    Look {
        address: Arc::new(address.clone()),
        wanted: Wanted {
            secret: secret.to_owned(),
            version: version.map(str::to_owned),
            key: key.map(str::to_owned),
        },
    }
}
