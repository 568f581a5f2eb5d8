//! The keys by which an issuer of tokens signs, as it publishes them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use crate::token::Parts;

/// The answer of an issuer's `jwks_uri`; Kubernetes has it at `/openid/v1/jwks`. www.rfc-editor.org/rfc/rfc7517
#[derive(Debug, Clone, Deserialize)]
pub struct Keys {
    keys: Vec<Key>,
}

/// www.rfc-editor.org/rfc/rfc7518#section-6
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kty")]
enum Key {
    #[serde(rename = "RSA")]
    Rsa {
        kid: Option<String>,
        n: String,
        e: String,
    },
    #[serde(rename = "EC")]
    Ec {
        kid: Option<String>,
        x: String,
        y: String,
    },
}

impl Keys {
    /// Whether one of them has signed this token.
    pub(crate) fn have_signed(&self, parts: &Parts<'_>) -> bool {
        self.keys
            .iter()
            .any(|key| key.has_signed(parts).unwrap_or_default())
    }
}

impl Key {
    fn has_signed(&self, parts: &Parts<'_>) -> Option<bool> {
        let number = |text: &String| URL_SAFE_NO_PAD.decode(text).ok();
        let (signed, signature) = (parts.signed.as_bytes(), &parts.signature[..]);
        let (kid, algorithm, holds) = match self {
            Self::Rsa { kid, n, e } => {
                let key = RsaPublicKeyComponents {
                    n: number(n)?,
                    e: number(e)?,
                };
                let holds = key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature);
                (kid, "RS256", holds.is_ok())
            }
            Self::Ec { kid, x, y } => {
                let point = [vec![4], number(x)?, number(y)?].concat();
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                (kid, "ES256", key.verify(signed, signature).is_ok())
            }
        };
        let named = parts.header["kid"].as_str();
        let is_named = named.is_none() || kid.is_none() || kid.as_deref() == named;
        Some(is_named && parts.header["alg"] == algorithm && holds)
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::rsa::PublicKeyComponents;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    };
    use serde_json::{Value, json};
    use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    use super::*;
    use crate::token::parts;

    const NOBODY: &str = include_str!("../../../../src/vault/azure/certificate/nobody.pem");

    fn curve() -> EcdsaKeyPair {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap()
    }

    fn published(key: &EcdsaKeyPair) -> Value {
        let point = key.public_key().as_ref();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "kid": "a", "x": part(&point[1..33]), "y": part(&point[33..])})
    }

    fn token(header: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", part(&header.to_string()), part(r#"{"sub":"a"}"#));
        let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    #[test]
    fn only_what_one_of_the_keys_has_signed_is_taken() {
        let random = SystemRandom::new();
        let (own, other) = (curve(), curve());
        let rsa = PrivatePkcs8KeyDer::from_pem_slice(NOBODY.as_bytes()).unwrap();
        let rsa = RsaKeyPair::from_pkcs8(rsa.secret_pkcs8_der()).unwrap();
        let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(rsa.public());
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let keys =
            json!({"keys": [published(&own), {"kty": "RSA", "kid": "b", "n": part(&n), "e": part(&e)}]});
        let keys: Keys = serde_json::from_value(keys).unwrap();
        let by = |key: &EcdsaKeyPair, header: Value| {
            token(&header, |text| key.sign(&random, text).unwrap().as_ref().to_vec())
        };
        let by_rsa = |header: Value| {
            token(&header, |text| {
                let mut signature = vec![0; rsa.public().modulus_len()];
                rsa.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .unwrap();
                signature
            })
        };
        let rows = [
            ("its own", by(&own, json!({"alg": "ES256", "kid": "a"})), true),
            ("no key named", by(&own, json!({"alg": "ES256"})), true),
            ("by RSA", by_rsa(json!({"alg": "RS256", "kid": "b"})), true),
            (
                "another's key",
                by(&other, json!({"alg": "ES256", "kid": "a"})),
                false,
            ),
            (
                "another key named",
                by(&own, json!({"alg": "ES256", "kid": "c"})),
                false,
            ),
            (
                "another algorithm named",
                by(&own, json!({"alg": "RS256", "kid": "a"})),
                false,
            ),
            (
                "not signed",
                token(&json!({"alg": "none"}), |_| Vec::new()),
                false,
            ),
        ];
        for (case, token, expected) in rows {
            assert_eq!(keys.have_signed(&parts(&token).unwrap()), expected, "{case}");
        }
    }
}
