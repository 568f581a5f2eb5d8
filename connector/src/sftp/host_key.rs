//! Who the server is: its host key, by the fingerprint that the connection names.

use russh::Preferred;
use russh::client::{Config, Handler};
use russh::keys::PublicKeyOrCertificate;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long the server may be silent before it's asked whether it's still there.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How often it's asked before the connection counts as broken.
const KEEP_ALIVE_MAX: usize = 2;

/// Looks at the server's host key before anything is said that an impostor shouldn't hear.
pub struct Caller {
    expected: Option<String>,
    differs: Arc<AtomicBool>,
}

impl Caller {
    /// Expects this fingerprint, or takes any key; tells whether another one was shown.
    pub fn new(expected: Option<&str>) -> (Self, Arc<AtomicBool>) {
        let differs = Arc::new(AtomicBool::new(false));
        let caller = Self {
            expected: expected.map(str::to_owned),
            differs: Arc::clone(&differs),
        };
        (caller, differs)
    }
}

impl Handler for Caller {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let Some(expected) = &self.expected else {
            return Ok(true);
        };
        let fits = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                key.fingerprint(HashAlg::Sha256).to_string() == *expected
            }
            PublicKeyOrCertificate::Certificate(_) => false, // none was asked for
        };
        self.differs.store(!fits, Ordering::Relaxed);
        Ok(fits)
    }
}

/// How the server is spoken to, one for each sort of host key: it shows the one key of the sort that is asked for, and the
/// connection may name another of its keys.
pub fn configs(pinned: bool) -> Vec<Arc<Config>> {
    let ecdsa = [EcdsaCurve::NistP256, EcdsaCurve::NistP384, EcdsaCurve::NistP521];
    let sha2 = [HashAlg::Sha512, HashAlg::Sha256];
    let sorts = [
        vec![Algorithm::Ed25519],
        ecdsa.map(|curve| Algorithm::Ecdsa { curve }).to_vec(),
        sha2.map(|hash| Algorithm::Rsa { hash: Some(hash) }).to_vec(), // SHA-1 is no proof any more
    ];
    let sorts = if pinned {
        sorts.to_vec()
    } else {
        vec![sorts.concat()]
    };
    sorts.into_iter().map(|sort| Arc::new(config(sort))).collect()
}

fn config(keys: Vec<Algorithm>) -> Config {
    Config {
        preferred: Preferred {
            key: Cow::Owned(keys),
            ..Preferred::DEFAULT
        },
        keepalive_interval: Some(KEEP_ALIVE),
        keepalive_max: KEEP_ALIVE_MAX,
        nodelay: true,
        ..Config::default()
    }
}
