//! What can go wrong with an object store. Whoever reads exports reads this: no host, bucket, folder or account in it.

use crate::fault::Fault;
use connection_operator::api::run::{FailureClass, Persistence};
use std::error::Error as StdError;
use thiserror::Error;

/// The store can't be used, or not for this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ObjectsFault {
    /// Its name leads nowhere.
    #[error(
        "The object store's host name isn't known. It's tried again; if that lasts, an administrator of the connection can correct it."
    )]
    HostUnknown,
    /// Nobody answers there.
    #[error(
        "The object store didn't answer. It's tried again; if that lasts, an administrator of the connection can ask its owner, or look whether the cluster may reach it."
    )]
    NotReached,
    /// Its certificate isn't one that is trusted for that name.
    #[error(
        "The object store's certificate isn't trusted, so nothing was sent to it: it has expired, is for another name, or is signed by nobody whom the connector's system trusts. An administrator of the connection can ask its owner."
    )]
    NotTrusted,
    /// Someone answers who doesn't speak TLS as we do.
    #[error(
        "The object store doesn't speak HTTPS, or not by any method that this connector takes, so nothing was sent to it. An administrator of the connection can ask its owner, and correct the port."
    )]
    NotHttps,
    /// It sends us to another host, which nobody consented to.
    #[error(
        "The object store sends the run elsewhere, as it does where the region or host isn't the bucket's, and nobody consented to that. An administrator of the connection can correct hostname and region."
    )]
    Elsewhere,
    /// It doesn't take the credentials.
    #[error(
        "The object store refused the connection's credentials. An administrator of the connection can correct them."
    )]
    CredentialsRejected,
    /// The clocks differ.
    #[error(
        "The object store's clock and the cluster's differ too much, so it refused. It's tried again; if that lasts, whoever runs the cluster can set its nodes' clocks."
    )]
    ClockSkewed,
    /// The bucket or container isn't there.
    #[error(
        "The connection's bucket or container isn't there. An administrator of the connection can have it made, or correct it."
    )]
    BucketMissing,
    /// The account may not write there.
    #[error(
        "The connection's account may not write to its bucket or container, or not under that name. An administrator of the connection can ask its owner for that right."
    )]
    NotAllowed,
    /// It is full.
    #[error(
        "The object store takes no more: a quota is used up, or it is full. It's tried again; if that lasts, an administrator of the connection can ask its owner."
    )]
    Full,
    /// It wants fewer requests.
    #[error("The object store wants fewer requests at once than it gets. It's tried again.")]
    Throttled,
    /// It can't just now.
    #[error("The object store refused, and said that it's at fault itself. It's tried again.")]
    Refused,
    /// What was begun isn't there any more.
    #[error(
        "What this run had begun at the object store isn't there any more: another run of the export, or the owner, took it away. It's tried again."
    )]
    Superseded,
    /// Whether an object has got its name isn't known.
    #[error(
        "Whether a file got its final name at the object store isn't known, so it may stand there, whole, or be as it was: the way broke just then, or another run of the export, or the owner, took away what this one had begun. It's tried again."
    )]
    Unclear,
    /// There is nothing of that name.
    #[error("The object store has nothing of that name. It's tried again.")]
    Absent,
    /// A file would have more parts than it takes.
    #[error(
        "A file became larger than the object store takes in one piece. Send fewer rows or columns, or spread them over several exports."
    )]
    TooLarge,
    /// It doesn't do what every store does.
    #[error(
        "The object store doesn't do what was asked of it, which every one of its kind should. An administrator of the connection can ask its owner."
    )]
    Unsupported,
    /// The connection broke.
    #[error("The connection to the object store broke. It's tried again.")]
    Broken,
}

impl Fault for ObjectsFault {
    fn class(&self) -> FailureClass {
        match self {
            Self::TooLarge => FailureClass::User,
            Self::ClockSkewed => FailureClass::System,
            _ => FailureClass::Destination,
        }
    }

    fn persistence(&self) -> Persistence {
        match self {
            Self::HostUnknown
            | Self::NotReached
            | Self::ClockSkewed
            | Self::Full
            | Self::Throttled
            | Self::Refused
            | Self::Superseded
            | Self::Unclear
            | Self::Absent
            | Self::Broken => Persistence::Transient,
            Self::NotTrusted
            | Self::NotHttps
            | Self::Elsewhere
            | Self::CredentialsRejected
            | Self::BucketMissing
            | Self::NotAllowed
            | Self::TooLarge
            | Self::Unsupported => Persistence::Permanent,
        }
    }
}

impl ObjectsFault {
    /// What it means where an object was to be completed: the store may have done so, and only the answer was lost; if it's
    /// asked again then, it knows of no such parts.
    pub(super) fn in_completion(self) -> Self {
        match self {
            Self::Broken | Self::Refused | Self::Superseded => Self::Unclear,
            other => other,
        }
    }
}

impl From<object_store::Error> for ObjectsFault {
    /// What our transport said lies somewhere below what the library makes of it.
    fn from(error: object_store::Error) -> Self {
        let mut link: Option<&(dyn StdError + 'static)> = Some(&error);
        while let Some(error) = link {
            if let Some(fault) = error.downcast_ref::<Self>() {
                return *fault;
            }
            link = error.source();
        }
        match error {
            object_store::Error::NotFound { .. } => Self::Absent,
            _ => Self::Refused, // an answer that says that it went well, and in its text that it didn't
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::tests::is_fit;

    #[test]
    fn every_fault_is_told_in_sentences() {
        let faults = [
            ObjectsFault::HostUnknown,
            ObjectsFault::NotReached,
            ObjectsFault::NotTrusted,
            ObjectsFault::NotHttps,
            ObjectsFault::Elsewhere,
            ObjectsFault::CredentialsRejected,
            ObjectsFault::ClockSkewed,
            ObjectsFault::BucketMissing,
            ObjectsFault::NotAllowed,
            ObjectsFault::Full,
            ObjectsFault::Throttled,
            ObjectsFault::Refused,
            ObjectsFault::Unclear,
            ObjectsFault::Superseded,
            ObjectsFault::Absent,
            ObjectsFault::TooLarge,
            ObjectsFault::Unsupported,
            ObjectsFault::Broken,
        ];
        for fault in faults {
            is_fit(&fault);
            let again = fault.to_string().contains("It's tried again");
            assert_eq!(again, fault.persistence() == Persistence::Transient, "{fault}");
        }
    }
}
