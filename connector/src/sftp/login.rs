//! Signing in: by password, in either of the ways that servers ask for it, or by private key.

use super::fault::SftpFault;
use super::host_key::Caller;
use crate::credentials::{CredentialFault, Credentials};
use crate::fault::Ended;
use connection_operator::vault::value::SecretText;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, decode_secret_key};
use russh::{Error, MethodKind};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

/// Most questions that a server may ask for one password.
const QUESTIONS_MAX: usize = 4;

/// Who signs in, and by what.
pub struct Login<'a> {
    user: &'a str,
    proof: Proof<'a>,
}

enum Proof<'a> {
    Password(&'a SecretText),
    Key(Arc<PrivateKey>),
}

impl<'a> Login<'a> {
    /// The connection's account: by its private key, if it has one.
    pub async fn of(credentials: &'a Credentials) -> Result<Self, Ended> {
        let user = given(credentials, "username")?.expose();
        let proof = match credentials.get("privateKey") {
            Some(key) => Proof::Key(Arc::new(opened(key, credentials.get("passphrase")).await?)),
            None => Proof::Password(given(credentials, "password")?),
        };
        Ok(Self { user, proof })
    }

    /// Signs in.
    pub async fn sign_in(&self, server: &mut Handle<Caller>) -> Result<(), SftpFault> {
        let signed_in = match &self.proof {
            Proof::Key(key) => by_key(server, self.user, key).await?,
            Proof::Password(password) => by_password(server, self.user, password).await?,
        };
        if signed_in {
            Ok(())
        } else {
            Err(SftpFault::CredentialsRejected)
        }
    }
}

fn given<'a>(credentials: &'a Credentials, name: &str) -> Result<&'a SecretText, CredentialFault> {
    credentials.get(name).ok_or_else(|| CredentialFault::Missing {
        name: name.to_owned(),
    })
}

/// The key without its passphrase, which takes long to find on purpose, and so isn't done between other work.
async fn opened(key: &SecretText, passphrase: Option<&SecretText>) -> Result<PrivateKey, SftpFault> {
    let copy = |secret: &SecretText| Zeroizing::new(secret.expose().to_owned());
    let (key, passphrase) = (copy(key), passphrase.map(copy));
    let decoded =
        spawn_blocking(move || decode_secret_key(&key, passphrase.as_ref().map(|text| text.as_str())));
    let decoded = decoded.await.map_err(|_| SftpFault::KeyUnreadable)?;
    decoded.map_err(|_| SftpFault::KeyUnreadable)
}

async fn by_key(server: &mut Handle<Caller>, user: &str, key: &Arc<PrivateKey>) -> Result<bool, SftpFault> {
    let hash = if key.algorithm().is_rsa() {
        let best = server.best_supported_rsa_hash().await;
        // A server that doesn't say which it takes knows this one (RFC 8332), or nothing but SHA-1, which is no proof any more.
        Some(
            best.map_err(|_| SftpFault::Broken)?
                .flatten()
                .unwrap_or(HashAlg::Sha256),
        )
    } else {
        None
    };
    let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
    let answer = server.authenticate_publickey(user, key).await;
    Ok(answer.map_err(|error| broken(&error))?.success())
}

async fn by_password(
    server: &mut Handle<Caller>,
    user: &str,
    password: &SecretText,
) -> Result<bool, SftpFault> {
    match server
        .authenticate_password(user, password.expose())
        .await
        .map_err(|error| broken(&error))?
    {
        AuthResult::Success => Ok(true),
        AuthResult::Failure {
            remaining_methods, ..
        } => {
            let asks = remaining_methods.contains(&MethodKind::KeyboardInteractive);
            if asks {
                by_questions(server, user, password).await
            } else {
                Ok(false)
            }
        }
    }
}

/// Many servers ask for the password as a question. What is asked in any other way isn't ours to answer.
async fn by_questions(
    server: &mut Handle<Caller>,
    user: &str,
    password: &SecretText,
) -> Result<bool, SftpFault> {
    let begun = server.authenticate_keyboard_interactive_start(user, None).await;
    let mut answer = begun.map_err(|error| broken(&error))?;
    for _ in 0..QUESTIONS_MAX {
        let prompts = match answer {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        if prompts.len() > 1 || prompts.iter().any(|prompt| prompt.echo) {
            return Ok(false);
        }
        let answers = prompts.iter().map(|_| password.expose().to_owned()).collect();
        let next = server.authenticate_keyboard_interactive_respond(answers).await;
        answer = next.map_err(|error| broken(&error))?;
    }
    Ok(false)
}

/// A server that has had enough of wrong passwords hangs up.
fn broken(error: &Error) -> SftpFault {
    match error {
        Error::NotAuthenticated | Error::NoAuthMethod => SftpFault::CredentialsRejected,
        _ => SftpFault::Broken,
    }
}
