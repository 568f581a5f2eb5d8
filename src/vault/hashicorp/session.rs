//! The token by which one identity asks one Vault: got, renewed before it expires, and got anew when the vault no longer
//! knows it.

use super::super::address::{Identity, VaultAddress};
use super::super::connect::{Answer, Transport};
use super::super::fault::{Asking, Fault, Missing, Outage, Rejection};
use super::super::run_tokens::{NoRunToken, RunTokens};
use super::super::value::SecretText;
use super::answers::{self, Grant};
use super::requests::Ask;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// What one identity holds.
pub(super) struct Session {
    base: String,
    namespace: Option<String>,
    identity: Identity,
    transport: Arc<Transport>,
    tokens: Arc<dyn RunTokens>,
    asking: Asking,
    remember: Duration,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    /// A rejection, so that a thousand secrets don't try a wrong credential a thousand times.
    rejected: Option<(Instant, Fault)>,
}

struct Token {
    text: SecretText,
    /// When the vault last said that it knows it.
    confirmed: Option<Instant>,
    /// When it's time for a new one.
    until: Option<Instant>,
    renewable: bool,
}

impl Session {
    pub fn new(
        address: &VaultAddress,
        namespace: Option<String>,
        transport: Arc<Transport>,
        tokens: Arc<dyn RunTokens>,
        remember: Duration,
    ) -> Self {
        Self {
            base: address.url.to_string(),
            namespace,
            identity: address.identity.clone(),
            transport,
            tokens,
            asking: Asking::from(address),
            remember,
            held: Mutex::default(),
        }
    }

    /// Sends one request.
    pub async fn send(&self, ask: &Ask<'_>, token: Option<&SecretText>) -> Result<Answer, Fault> {
        let request = ask
            .request(&self.base, self.namespace.as_deref(), token)
            .map_err(|_| self.asking.rejected(Rejection::Wrong))?;
        self.transport
            .send(request)
            .await
            .map_err(|error| error.fault(&self.asking))
    }

    /// The token, a new one if there is none or its time is nearly over.
    pub async fn token(&self) -> Result<SecretText, Fault> {
        let mut held = self.held.lock().await;
        match &held.token {
            Some(token) if token.until.is_none_or(|until| Instant::now() < until) => Ok(token.text.clone()),
            Some(token) if token.renewable => {
                let text = token.text.clone();
                let renewed = self.renew(&text).await?;
                match renewed {
                    Some(grant) => Ok(held.take(grant)),
                    None => self.sign_in(&mut held).await,
                }
            }
            _ => self.sign_in(&mut held).await,
        }
    }

    /// Whether the vault knows the token. It answers 403 both to one that it doesn't know and to one without the right.
    pub async fn knows(&self, token: &SecretText) -> Result<bool, Fault> {
        let confirmed = |held: &Held| {
            let token = held.token.as_ref().filter(|held| held.text == *token)?;
            token.confirmed
        };
        let confirmed = confirmed(&*self.held.lock().await);
        if confirmed.is_some_and(|at| at.elapsed() < self.remember) {
            return Ok(true);
        }
        let answer = self.send(&Ask::Lookup, Some(token)).await?;
        match answer.status.as_u16() {
            200 => {
                let mut held = self.held.lock().await;
                if let Some(held) = held.token.as_mut().filter(|held| held.text == *token) {
                    held.confirmed = Some(Instant::now());
                }
                Ok(true)
            }
            403 => Ok(false),
            status => Err(answers::refusal(
                &self.asking,
                "auth/token",
                None,
                status,
                &answer.body.0,
            )),
        }
    }

    /// A new token, unless somebody has got one meanwhile.
    pub async fn another_than(&self, token: &SecretText) -> Result<SecretText, Fault> {
        let mut held = self.held.lock().await;
        match &held.token {
            Some(newer) if newer.text != *token => Ok(newer.text.clone()),
            _ => {
                held.token = None;
                if let Identity::VaultToken { .. } = self.identity {
                    return Err(held.reject(self.asking.rejected(Rejection::Expired)));
                }
                self.sign_in(&mut held).await
            }
        }
    }

    async fn sign_in(&self, held: &mut Held) -> Result<SecretText, Fault> {
        if let Some((at, fault)) = &held.rejected
            && at.elapsed() < self.remember
        {
            return Err(fault.clone());
        }
        held.rejected = None;
        held.token = None;
        let grant = match &self.identity {
            Identity::VaultToken { token } => self.given(token).await,
            Identity::VaultAppRole {
                mount,
                role_id,
                secret_id,
            } => {
                let ask = Ask::AppRole {
                    mount,
                    role_id,
                    secret_id,
                };
                self.login(&ask, mount, Rejection::Wrong).await
            }
            Identity::VaultServiceAccount {
                mount,
                role,
                audience,
                namespace,
            } => {
                let jwt = self.tokens.token(namespace, audience).await;
                let jwt = match jwt {
                    // Remembered, so that no token is made for each of a thousand secrets.
                    Err(NoRunToken::ForTheCluster) => {
                        return Err(held.reject(self.asking.rejected(Rejection::Audience)));
                    }
                    jwt => jwt.map_err(|none| self.asking.away(Outage::NoRunToken(none)))?,
                };
                let ask = Ask::Account {
                    mount,
                    role,
                    jwt: &jwt,
                };
                self.login(&ask, mount, Rejection::Unknown).await
            }
            Identity::AzureWorkload { .. }
            | Identity::AzureClientSecret { .. }
            | Identity::AzureCertificate { .. }
            | Identity::AzureManaged { .. } => Err(self.asking.rejected(Rejection::Unknown)),
        };
        match grant {
            Ok(grant) => Ok(held.take(grant)),
            Err(fault @ Fault::CredentialRejected { .. }) => Err(held.reject(fault)),
            Err(fault) => Err(fault),
        }
    }

    /// A token from a Secret. It is renewed so that it stays; a vault that allows no renewal is no reason to stop.
    async fn given(&self, token: &SecretText) -> Result<Grant, Fault> {
        let text: SecretText = SecretText::new(token.expose().trim().to_owned());
        if text.is_empty() {
            return Err(self.asking.rejected(Rejection::Wrong));
        }
        Ok(self.renew(&text).await?.unwrap_or(Grant {
            token: text,
            lease: Duration::ZERO,
            renewable: false,
        }))
    }

    /// The same token with more time, or nothing if the vault gives none. Whatever else is wrong shows when it's used.
    async fn renew(&self, token: &SecretText) -> Result<Option<Grant>, Fault> {
        let answer = self.send(&Ask::Renew, Some(token)).await?;
        let renewed = answer.status.as_u16() == 200;
        Ok(renewed
            .then(|| answers::grant(&self.asking, &answer.body.0).ok())
            .flatten())
    }

    async fn login(&self, ask: &Ask<'_>, mount: &str, rejection: Rejection) -> Result<Grant, Fault> {
        let answer = self.send(ask, None).await?;
        match answer.status.as_u16() {
            200 => answers::grant(&self.asking, &answer.body.0),
            404 => Err(self.asking.missing(Missing::Mount(format!("auth/{mount}")))),
            _ if answers::no_handler(&answer.body.0) => {
                Err(self.asking.missing(Missing::Mount(format!("auth/{mount}"))))
            }
            403 => Err(self.asking.rejected(Rejection::Method)),
            400..=402 => Err(self.asking.rejected(rejection)),
            status => Err(answers::refusal(
                &self.asking,
                mount,
                None,
                status,
                &answer.body.0,
            )),
        }
    }
}

impl Held {
    fn take(&mut self, grant: Grant) -> SecretText {
        let now = Instant::now();
        let until = (!grant.lease.is_zero()).then(|| now + grant.lease * 2 / 3);
        let text = grant.token.clone();
        self.token = Some(Token {
            text: grant.token,
            confirmed: None,
            until,
            renewable: grant.renewable,
        });
        text
    }

    fn reject(&mut self, fault: Fault) -> Fault {
        self.rejected = Some((Instant::now(), fault.clone()));
        fault
    }
}
