//! Signing in by a signed token: with a certificate of one's own, or as a workload of another issuer.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::sign_in::refused;
use super::{Certificate, Federated, Identity};
use crate::token::{Parts, parts};
use crate::wire::Answer;

/// Whether this token signs in as that identity. An application vouches for itself; a workload is vouched for.
pub(super) fn judge(
    identity: &Identity,
    assertion: &str,
    endpoint: &str,
    now: Timestamp,
) -> Result<(), Answer> {
    let Some(parts) = parts(assertion) else {
        return Err(refused(
            401,
            "invalid_client",
            50_027,
            "JWT token is invalid or malformed.",
        ));
    };
    if parts.claims["exp"]
        .as_i64()
        .is_none_or(|end| end <= now.as_second())
    {
        let text = "Client assertion is not within its valid time range.";
        return Err(refused(401, "invalid_client", 700_024, text));
    }
    if parts.claim("iss") == identity.client_id {
        certified(identity, &parts, endpoint)
    } else {
        federated(identity.federated.as_ref(), &parts)
    }
}

/// learn.microsoft.com/entra/identity-platform/certificate-credentials
///
/// The page of numbers lists 700027 of these. 700021 and 700023 are as recorded; the page gives the latter another meaning.
fn certified(identity: &Identity, parts: &Parts<'_>, endpoint: &str) -> Result<(), Answer> {
    let signed = identity
        .certificate
        .as_ref()
        .is_some_and(|certificate| is_signed(certificate, parts));
    if !signed {
        let text = "Client assertion contains an invalid signature. [Reason - The key was not found.]";
        return Err(refused(401, "invalid_client", 700_027, text));
    }
    if parts.claim("sub") != identity.client_id {
        let text = "Client assertion application identifier doesn't match 'client_id' parameter.";
        return Err(refused(401, "invalid_client", 700_021, text));
    }
    if !parts.claim("aud").ends_with(endpoint) {
        let text = "Client assertion audience claim does not match Realm issuer.";
        return Err(refused(401, "invalid_client", 700_023, text));
    }
    Ok(())
}

fn is_signed(certificate: &Certificate, parts: &Parts<'_>) -> bool {
    let Ok(chain) = crate::client::certificates(&certificate.0) else {
        return false;
    };
    let Some(own) = chain.first() else { return false };
    let thumbprint = Sha256::digest(own.as_ref());
    let named = parts.header["x5t#S256"].as_str();
    // Both alphabets of base64 are in use; older clients send the SHA-1 thumbprint, which is left to the signature.
    let is_named = named.is_none_or(|named| {
        named == URL_SAFE_NO_PAD.encode(thumbprint) || named == STANDARD.encode(thumbprint)
    });
    let algorithm = match parts.header["alg"].as_str() {
        Some("RS256") => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
        Some("PS256") => webpki::ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        _ => return false,
    };
    is_named
        && webpki::EndEntityCert::try_from(own).is_ok_and(|own| {
            own.verify_signature(algorithm, parts.signed.as_bytes(), &parts.signature)
                .is_ok()
        })
}

/// learn.microsoft.com/entra/workload-id/workload-identity-federation. No page lists 700211 to 700213, which are as recorded;
/// learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations has 70021 for a credential that was made
/// a moment ago.
///
/// Entra also checks the signature by the issuer's published keys, for which the stand-in has to be given them. The number:
/// learn.microsoft.com/entra/identity-platform/reference-error-codes (InvalidAssertion).
fn federated(known: Option<&Federated>, parts: &Parts<'_>) -> Result<(), Answer> {
    let (issuer, subject) = (parts.claim("iss"), parts.claim("sub"));
    match known {
        Some(known) if known.issuer == issuer && known.subject == subject => {
            if known.keys.as_ref().is_some_and(|keys| !keys.have_signed(parts)) {
                let text = "Assertion failed signature validation.";
                return Err(refused(401, "invalid_client", 50_013, text));
            }
            if parts.is_for(&known.audience) {
                return Ok(());
            }
            let text = "No matching federated identity record found for presented assertion audience.";
            Err(refused(401, "invalid_client", 700_212, text))
        }
        Some(known) if known.issuer == issuer => {
            let text = format!(
                "No matching federated identity record found for presented assertion subject '{subject}'."
            );
            Err(refused(401, "invalid_client", 700_213, &text))
        }
        _ => {
            let text = format!(
                "No matching federated identity record found for presented assertion issuer '{issuer}'."
            );
            Err(refused(401, "invalid_client", 700_211, &text))
        }
    }
}
