//! Why a credential can't be taken from its key vault. Whoever reads exports reads this: neither the vault nor the secret is
//! named, nor who asks. The connection's administrator is told all of it by the operator, which looks at the same.

use crate::fault::Fault;
use connection_operator::api::Reason;
use connection_operator::api::run::{FailureClass, Persistence};
use thiserror::Error;

/// A credential can't be taken from its key vault now. Each is tried again: the operator keeps the connection from running for
/// as long as it sees the same.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VaultFault {
    /// Nobody says what the key vault is.
    #[error(
        "The API server didn't say what the connection's key vault is, so nothing was sent. It's tried again; if that lasts, whoever runs the cluster can look at the Role connections-run."
    )]
    NoAnswer,
    /// Its link doesn't let it be asked for that.
    #[error(
        "The credential {name} of the connection can't be taken from its key vault as that is linked now, so nothing was sent. Its administrator can see why in the connection's condition SecretsResolved; if nothing is wrong there, the link has changed since this run was made, and the next one goes by it."
    )]
    NotUsable {
        /// The credential's name.
        name: String,
    },
    /// The vault doesn't give it.
    #[error(
        "The key vault doesn't give the credential {name} of the connection ({reason}), so nothing was sent. It's tried again; if that lasts, its administrator can see more in the connection's condition SecretsResolved."
    )]
    Lacks {
        /// The credential's name.
        name: String,
        /// The word of the conditions for it.
        reason: Reason,
    },
}

impl Fault for VaultFault {
    fn class(&self) -> FailureClass {
        match self {
            Self::NoAnswer => FailureClass::System,
            Self::NotUsable { .. } | Self::Lacks { .. } => FailureClass::Destination,
        }
    }

    fn persistence(&self) -> Persistence {
        Persistence::Transient
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::tests::is_fit;

    #[test]
    fn faults_are_told_in_sentences() {
        let name = || "password".to_owned();
        let reason = Reason::AccessDenied;
        for fault in [
            VaultFault::NoAnswer,
            VaultFault::NotUsable { name: name() },
            VaultFault::Lacks { name: name(), reason },
        ] {
            is_fit(&fault);
        }
    }
}
