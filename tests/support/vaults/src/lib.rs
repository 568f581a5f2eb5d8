//! What the operator's vault adapters are tested against.
//!
//! - [`azure::Azure`] is a **stand-in** for Azure Key Vault and for the part of Microsoft Entra ID that gives tokens.
//! - [`hashicorp::Vault`] is a **stand-in** for Vault and OpenBao.
//! - [`rusty::RustyVault`] is no stand-in: it starts RustyVault, an independent server of Vault's API.
//!
//! A stand-in answers what the vendor's documentation says that the vendor's server answers; the page stands beside each kind
//! of answer. It can't show that the documentation is right.

pub mod azure;
mod certificate;
pub mod client;
pub mod fault;
mod file;
pub mod hashicorp;
mod keys;
pub mod rusty;
mod server;
mod token;
mod wire;

pub use fault::Fault;
pub use file::File;
pub use keys::Keys;
pub use server::{Arrival, StandIn};

/// What a stand-in can fail with before it answers anything.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data is not what a stand-in reads.
    #[error(
        "the data of the stand-in can't be read: {0}; compare it with tests/support/vaults/data/example.yaml"
    )]
    Data(String),
    /// The machine didn't give what is needed.
    #[error("can't {what}: {why}")]
    Machine {
        /// What was tried.
        what: &'static str,
        /// What came back.
        why: String,
    },
}

impl Error {
    /// For `map_err`: what was tried when the machine refused.
    pub(crate) fn machine<E: ToString>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |why| Self::Machine {
            what,
            why: why.to_string(),
        }
    }
}
