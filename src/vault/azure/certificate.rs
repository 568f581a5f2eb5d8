//! Signing in with a certificate: a short-lived statement, signed with its key, in place of a password.
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>
//!
//! Azure's own credential for it needs OpenSSL, which would be a second TLS in this program.

use super::super::value::SecretText;
use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt;

/// How long a statement is good for, in seconds.
const VALID: i64 = 300;

/// A certificate of an application.
pub(super) struct Certificate {
    key: RsaKeyPair,
    thumbprint: String,
    client_id: String,
    audience: String,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl Certificate {
    /// Reads a certificate and its RSA key; nothing if one is missing or can't be used.
    pub fn read(pem: &SecretText, client_id: &str, audience: String) -> Option<Self> {
        let pem = pem.expose().as_bytes();
        let certificate = CertificateDer::from_pem_slice(pem).ok()?;
        let key = match PrivateKeyDer::from_pem_slice(pem).ok()? {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return None,
        };
        Some(Self {
            key: key.ok()?,
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)),
            client_id: client_id.to_owned(),
            audience,
        })
    }

    /// A statement that is good from `now` on, in seconds; nothing if the system gives no random numbers.
    fn statement(&self, now: i64) -> Option<String> {
        let random = SystemRandom::new();
        let mut id = [0; 16];
        random.fill(&mut id).ok()?;
        let head = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        let claims = json!({
            "aud": self.audience,
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": URL_SAFE_NO_PAD.encode(id),
            "nbf": now - 60,
            "exp": now + VALID,
        });
        let [head, claims] = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{head}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature)
            .ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait]
impl ClientAssertion for Certificate {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let statement = self.statement(jiff::Timestamp::now().as_second());
        statement.ok_or_else(|| azure_core::Error::with_message(ErrorKind::Credential, "no random numbers"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    /// A certificate of nobody, with its key.
    const PEM: &str = include_str!("certificate/nobody.pem");

    fn certificate(pem: &str) -> Option<Certificate> {
        Certificate::read(
            &SecretText::new(pem.to_owned()),
            "app",
            "https://login.example/t".to_owned(),
        )
    }

    fn part(text: &str) -> serde_json::Value {
        let bytes = URL_SAFE_NO_PAD.decode(text).expect("base64");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[test]
    fn a_statement_is_as_the_directory_wants_it_and_signed_with_the_key() {
        let certificate = certificate(PEM).expect("it can be read");
        let statement = certificate.statement(1000).expect("it can be signed");
        let [head, claims, signature] = statement.split('.').collect::<Vec<_>>()[..] else {
            panic!("three parts: {statement}");
        };
        let (head_json, claims_json) = (part(head), part(claims));
        assert_eq!(
            (&head_json["alg"], &head_json["typ"]),
            (&json!("PS256"), &json!("JWT"))
        );
        assert_eq!(head_json["x5t#S256"].as_str().map(str::len), Some(43), "32 bytes");
        assert_eq!(
            (&claims_json["nbf"], &claims_json["exp"]),
            (&json!(940), &json!(1300))
        );
        assert_eq!(
            (&claims_json["iss"], &claims_json["sub"]),
            (&json!("app"), &json!("app"))
        );
        assert_eq!(claims_json["aud"], "https://login.example/t");
        let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, certificate.key.public().as_ref());
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        assert!(
            key.verify(format!("{head}.{claims}").as_bytes(), &signature)
                .is_ok()
        );
        let again = certificate.statement(1000).expect("it can be signed");
        assert_ne!(
            part(again.split('.').nth(1).expect("claims"))["jti"],
            claims_json["jti"]
        );
    }

    #[test]
    fn what_is_no_certificate_with_its_rsa_key_is_not_taken() {
        let key = PEM.find("-----BEGIN PRIVATE").expect("a key");
        let rows = [
            ("nothing", ""),
            ("no key", &PEM[..key]),
            ("no certificate", &PEM[key..]),
            ("cut short", &PEM[..PEM.len() - 100]),
        ];
        for (case, pem) in rows {
            assert!(certificate(pem).is_none(), "{case}");
        }
    }
}
