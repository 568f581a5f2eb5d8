//! How the operator signs in to Azure, by
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>. What each number means:
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use super::super::address::{AZURE_AUDIENCE, Identity, VaultUrl};
use super::super::connect::SendError;
use super::super::fault::{Asking, Fault, Outage, Rejection};
use super::super::run_tokens::{NoRunToken, RunTokens};
use super::super::value::SecretText;
use super::answers::{chain, refused};
use super::certificate::Certificate;
use super::transport;
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientMethodOptions, ClientOptions};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId,
};
use serde::Deserialize;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

mod node;

/// Signs in when a token is asked for, each time anew: the vault's client keeps it and asks for another when it's refused
/// or about to expire. A rejection is remembered for a while, so that a thousand secrets don't try a wrong password a
/// thousand times.
pub(super) struct SignIn {
    tenant: String,
    identity: Identity,
    options: ClientOptions,
    authority: VaultUrl,
    tokens: Arc<dyn RunTokens>,
    asking: Asking,
    remember: Duration,
    last: Mutex<Option<(Instant, Result<AccessToken, Fault>)>>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn")
    }
}

impl SignIn {
    pub fn new(
        tenant: String,
        identity: Identity,
        options: ClientOptions,
        authority: VaultUrl,
        tokens: Arc<dyn RunTokens>,
        asking: Asking,
        remember: Duration,
    ) -> Self {
        Self {
            tenant,
            identity,
            options,
            authority,
            tokens,
            asking,
            remember,
            last: Mutex::default(),
        }
    }

    fn credential(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let tenant = self.tenant.clone();
        let assertion_options = || ClientAssertionCredentialOptions {
            client_options: self.options.clone(),
        };
        Ok(match &self.identity {
            Identity::AzureWorkload { client_id, namespace } => {
                let account = RunAccount {
                    tokens: Arc::clone(&self.tokens),
                    namespace: namespace.clone(),
                };
                ClientAssertionCredential::new(tenant, client_id.clone(), account, Some(assertion_options()))?
            }
            Identity::AzureClientSecret { client_id, secret } => {
                let options = ClientSecretCredentialOptions {
                    client_options: self.options.clone(),
                };
                let secret = Secret::new(secret.expose().to_owned());
                ClientSecretCredential::new(&tenant, client_id.clone(), secret, Some(options))?
            }
            Identity::AzureCertificate { client_id, pem } => {
                let audience = format!("{}/{tenant}/oauth2/v2.0/token", self.authority);
                let certificate = Certificate::read(pem, client_id, audience)
                    .ok_or_else(|| carried(self.asking.rejected(Rejection::Unreadable)))?;
                ClientAssertionCredential::new(
                    tenant,
                    client_id.clone(),
                    certificate,
                    Some(assertion_options()),
                )?
            }
            Identity::AzureManaged { client_id } => {
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                    client_options: transport::options(node::ToNode::new(), &self.authority),
                };
                ManagedIdentityCredential::new(Some(options))?
            }
            Identity::VaultToken { .. }
            | Identity::VaultAppRole { .. }
            | Identity::VaultServiceAccount { .. } => {
                return Err(carried(self.asking.rejected(Rejection::Unknown)));
            }
        })
    }

    /// What it means that nobody signed in.
    fn fault(&self, error: &azure_core::Error) -> Fault {
        if let Some(fault) = chain(error).find_map(|link| link.downcast_ref::<Fault>()) {
            return fault.clone();
        }
        if let Some(none) = chain(error).find_map(|link| link.downcast_ref::<NoRunToken>()) {
            return match none {
                NoRunToken::ForTheCluster => self.asking.rejected(Rejection::Audience),
                none => self.asking.away(Outage::NoRunToken(*none)),
            };
        }
        let managed = matches!(self.identity, Identity::AzureManaged { .. });
        if managed && chain(error).any(<dyn Error>::is::<SendError>) {
            return self.asking.rejected(Rejection::NotManaged);
        }
        match refused(error) {
            Some((429, _)) => self.asking.throttled(),
            None | Some((500.., _)) => self.asking.away(Outage::SignIn),
            Some(_) if managed => self.asking.rejected(Rejection::NotManaged),
            Some((_, body)) => self.asking.rejected(rejection(body)),
        }
    }
}

/// A fault on its way through Azure's client.
fn carried(fault: Fault) -> azure_core::Error {
    azure_core::Error::new(ErrorKind::Credential, fault)
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error_codes: Vec<u32>,
}

/// Why the directory refused, by its own number.
fn rejection(body: &[u8]) -> Rejection {
    let codes = serde_json::from_slice(body).map_or_else(|_| Vec::new(), |body: Refusal| body.error_codes);
    match codes.first() {
        Some(7_000_215 | 700_027) => Rejection::Wrong,
        Some(7_000_222 | 700_024) => Rejection::Expired,
        Some(700_016) => Rejection::UnknownClient,
        Some(90_002 | 900_023) => Rejection::UnknownTenant,
        Some(70_021 | 700_211 | 700_212 | 700_213) => Rejection::NoTrust,
        Some(code) => Rejection::Code(*code),
        None => Rejection::Unknown,
    }
}

#[async_trait]
impl TokenCredential for SignIn {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        match &*last {
            // Somebody has signed in while this one waited to.
            Some((at, Ok(token))) if *at > asked => return Ok(token.clone()),
            Some((at, Err(fault))) if at.elapsed() < self.remember => return Err(carried(fault.clone())),
            _ => *last = None,
        }
        let answer = match self.credential() {
            Ok(credential) => credential.get_token(scopes, options).await,
            Err(error) => Err(error),
        };
        let answer = answer.map_err(|error| self.fault(&error));
        // An outage isn't remembered: the next look shows whether it's over.
        if !matches!(answer, Err(Fault::VaultUnavailable { .. })) {
            *last = Some((Instant::now(), answer.clone()));
        }
        answer.map_err(carried)
    }
}

/// The run account of a namespace, whose token Azure takes in place of a password.
struct RunAccount {
    tokens: Arc<dyn RunTokens>,
    namespace: String,
}

impl fmt::Debug for RunAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunAccount")
    }
}

#[async_trait]
impl ClientAssertion for RunAccount {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let token: Result<SecretText, _> = self.tokens.token(&self.namespace, AZURE_AUDIENCE).await;
        match token {
            Ok(token) => Ok(token.expose().to_owned()),
            Err(none) => Err(azure_core::Error::new(ErrorKind::Credential, none)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_is_told_by_the_directorys_number() {
        let rows = [
            (
                "a wrong password",
                r#"{"error_codes":[7000215]}"#,
                Rejection::Wrong,
            ),
            (
                "an old password",
                r#"{"error_codes":[7000222]}"#,
                Rejection::Expired,
            ),
            (
                "an unknown application",
                r#"{"error_codes":[700016]}"#,
                Rejection::UnknownClient,
            ),
            (
                "an unknown tenant",
                r#"{"error_codes":[90002]}"#,
                Rejection::UnknownTenant,
            ),
            (
                "no federated credential",
                r#"{"error_codes":[700213]}"#,
                Rejection::NoTrust,
            ),
            (
                "another number",
                r#"{"error_codes":[53003, 1]}"#,
                Rejection::Code(53_003),
            ),
            ("no number", r#"{"error":"invalid_request"}"#, Rejection::Unknown),
            ("not the directory", "<html>", Rejection::Unknown),
        ];
        for (case, body, expected) in rows {
            assert_eq!(rejection(body.as_bytes()), expected, "{case}");
        }
    }
}
