//! Whose certificates are trusted.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};
use thiserror::Error;

/// Authorities that can't be trusted as they are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CaBundleError {
    /// No certificate in PEM.
    #[error("holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----")]
    Empty,
    /// A certificate that can't be read.
    #[error("holds a certificate that can't be read")]
    Unreadable,
}

/// Whether a text is a bundle of authorities.
///
/// # Errors
/// When it holds none, or one that can't be read.
pub fn check_ca_bundle(pem: &str) -> Result<(), CaBundleError> {
    roots(pem).map(drop)
}

/// TLS 1.2 or 1.3, by the one provider of cryptography in this program, with the given authorities or else the system's.
///
/// # Errors
/// When the given ones can't be trusted as they are.
pub fn config(ca_bundle: Option<&str>) -> Result<ClientConfig, CaBundleError> {
    let roots = match ca_bundle {
        Some(pem) => Arc::new(roots(pem)?),
        None => system_roots(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| CaBundleError::Unreadable)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn roots(pem: &str) -> Result<RootCertStore, CaBundleError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| CaBundleError::Unreadable)?;
        roots.add(certificate).map_err(|_| CaBundleError::Unreadable)?;
    }
    if roots.is_empty() {
        return Err(CaBundleError::Empty);
    }
    Ok(roots)
}

/// The authorities of the system; where it has none, as in an image that holds one binary only, those that Mozilla
/// trusts. Read once.
fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Arc::new(roots)
    });
    Arc::clone(roots)
}
