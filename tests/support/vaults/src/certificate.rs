//! The stand-in's own certificate authority, and the certificate that it shows.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::Error;

/// Names under which tests and people call a stand-in. A test that resolves names itself can use a vendor's own.
const NAMES: [&str; 11] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "*.localhost",
    "*.vault.localhost",
    "*.vault.azure.net",
    "*.vault.usgovcloudapi.net",
    "*.vault.azure.cn",
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.chinacloudapi.cn",
];

/// What a server shows, and what its clients must trust.
pub(crate) struct Shown {
    pub acceptor: TlsAcceptor,
    pub ca_pem: String,
}

/// A new authority, and a certificate of it, as PEM: authority, certificate, key.
pub(crate) fn issue(extra: &[String]) -> Result<(String, String, KeyPair), rcgen::Error> {
    let mut authority = CertificateParams::new([])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    authority
        .distinguished_name
        .push(DnType::CommonName, "vault stand-in authority");
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let names: Vec<String> = NAMES
        .iter()
        .map(ToString::to_string)
        .chain(extra.iter().cloned())
        .collect();
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "vault stand-in");
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok((issuer.pem(), certificate.pem(), key))
}

/// A new authority and a certificate of it for the usual names and these.
pub(crate) fn show(extra: &[String]) -> Result<Shown, Error> {
    let (ca_pem, certificate, key) = issue(extra).map_err(Error::machine("make a certificate"))?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let chain = crate::client::certificates(&certificate)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::machine("choose versions of TLS"))?
        .with_no_client_auth()
        .with_single_cert(chain, key.into())
        .map_err(Error::machine("show a certificate"))?;
    Ok(Shown {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        ca_pem,
    })
}
