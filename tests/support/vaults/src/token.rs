//! Signed tokens: read, and signed names that nobody can guess.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The parts of a token in the form of three dots.
pub(crate) struct Parts<'a> {
    pub header: Value,
    pub claims: Value,
    /// What was signed.
    pub signed: &'a str,
    pub signature: Vec<u8>,
}

/// Takes a token apart; the signature isn't looked at.
pub(crate) fn parts(token: &str) -> Option<Parts<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    Some(Parts {
        header: serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?,
        claims: serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?,
        signed,
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
    })
}

impl Parts<'_> {
    /// A claim that is text.
    pub fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    /// Whether it is for this audience, named alone or among others.
    pub fn is_for(&self, audience: &str) -> bool {
        match &self.claims["aud"] {
            Value::String(one) => one == audience,
            Value::Array(many) => many.iter().any(|one| one == audience),
            _ => false,
        }
    }
}

/// Writes a token of this shape.
pub(crate) fn write(claims: &Value) -> String {
    let part = |value: &[u8]| URL_SAFE_NO_PAD.encode(value);
    let header = part(br#"{"alg":"RS256","typ":"JWT"}"#);
    // Clients must not look into a token that isn't for them, so nobody checks this one but its giver, who knows it by heart.
    format!(
        "{header}.{}.{}",
        part(claims.to_string().as_bytes()),
        part(random().as_bytes())
    )
}

/// 32 hexadecimal digits.
pub(crate) fn random() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", number(), number())
}
