//! The cluster's own certificate authority and what it signs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::Error;

/// Signs the certificates of servers and clients of one cluster.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its private key, both as PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// Where an [`Identity`] was written.
#[derive(Debug, Clone)]
pub struct IdentityFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Authority {
    /// A new authority with a key of its own.
    ///
    /// # Errors
    /// When no key can be generated.
    pub fn new() -> Result<Self, Error> {
        let mut params = named("local-cluster")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// The authority's own certificate and key.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            certificate: self.issuer.pem(),
            key: self.issuer.key().serialize_pem(),
        }
    }

    /// A certificate for a server that answers under these names and addresses.
    ///
    /// # Errors
    /// When a name is not a valid DNS name.
    pub fn server(&self, common_name: &str, names: &[&str]) -> Result<Identity, Error> {
        let mut params = named(common_name)?;
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// A certificate by which Kubernetes knows a user, and the group the user is in.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn client(&self, user: &str, group: Option<&str>) -> Result<Identity, Error> {
        let mut params = named(user)?;
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, mut params: CertificateParams) -> Result<Identity, Error> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// A key pair for signing service account tokens: its public half stands where the certificate would.
///
/// # Errors
/// When no key can be generated.
pub fn token_signer() -> Result<Identity, Error> {
    let key = KeyPair::generate()?;
    Ok(Identity {
        certificate: key.public_key_pem(),
        key: key.serialize_pem(),
    })
}

impl Identity {
    /// Writes `<name>.crt` and, readable by the owner alone, `<name>.key`.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self, folder: &Path, name: &str) -> Result<IdentityFiles, Error> {
        let files = IdentityFiles {
            certificate: folder.join(format!("{name}.crt")),
            key: folder.join(format!("{name}.key")),
        };
        fs::write(&files.certificate, &self.certificate).map_err(Error::file("write", &files.certificate))?;
        write_private(&files.key, &self.key)?;
        Ok(files)
    }
}

/// Writes a file that only its owner can read.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, content: &str) -> Result<(), Error> {
    fs::write(path, "").map_err(Error::file("write", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(Error::file("protect", path))?;
    fs::write(path, content).map_err(Error::file("write", path))
}

fn named(common_name: &str) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new([])?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}
