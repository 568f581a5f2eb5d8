//! What can go wrong with an SFTP server. Whoever reads exports reads this: no host, folder or account in it.

use crate::fault::Fault;
use connection_operator::api::run::{FailureClass, Persistence};
use russh_sftp::client::error::Error;
use russh_sftp::protocol::StatusCode;
use thiserror::Error;

/// The server can't be used, or not for this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SftpFault {
    /// Its name leads nowhere.
    #[error(
        "The destination's host name isn't known. It's tried again; if that lasts, an administrator of the connection can correct it."
    )]
    HostUnknown,
    /// Nobody answers there.
    #[error(
        "The destination didn't answer. It's tried again; if that lasts, an administrator of the connection can ask its owner, or look whether the cluster may reach it."
    )]
    NotReached,
    /// Someone answers who doesn't speak SSH as we do.
    #[error(
        "The destination doesn't speak SSH, or not by any method that this connector takes. An administrator of the connection can ask its owner, and correct the port."
    )]
    NotSsh,
    /// It isn't who the connection says.
    #[error(
        "The destination has another host key than the connection's, so nothing was sent to it. An administrator of the connection can ask its owner whether the key was changed, and correct hostKey only then."
    )]
    HostKeyDiffers,
    /// It doesn't take the credentials.
    #[error(
        "The destination refused the connection's credentials. An administrator of the connection can correct them."
    )]
    CredentialsRejected,
    /// The private key can't be used.
    #[error(
        "The connection's private key can't be read: expected RSA, ECDSA or Ed25519 in PEM or OpenSSH form, with its passphrase if it has one. An administrator of the connection can correct it."
    )]
    KeyUnreadable,
    /// It doesn't offer SFTP.
    #[error(
        "The destination lets the account sign in, and doesn't offer it SFTP. An administrator of the connection can ask its owner."
    )]
    NoSftp,
    /// The folder isn't there.
    #[error(
        "The connection's folder isn't there at the destination. An administrator of the connection can have it made, or correct it."
    )]
    FolderMissing,
    /// The account may not write there.
    #[error(
        "The connection's account may not write to its folder at the destination. An administrator of the connection can ask its owner for that right."
    )]
    NotAllowed,
    /// It refuses without a reason, as it does when it is full.
    #[error(
        "The destination refused to write, and didn't say why: its disk or the account's quota may be full. It's tried again."
    )]
    Refused,
    /// It doesn't do what every server does.
    #[error(
        "The destination doesn't do what was asked of it, which every SFTP server should. An administrator of the connection can ask its owner."
    )]
    Unsupported,
    /// The connection broke.
    #[error(
        "The connection to the destination broke. It's tried again; what was begun there is taken away by a later run."
    )]
    Broken,
}

impl Fault for SftpFault {
    fn class(&self) -> FailureClass {
        FailureClass::Destination
    }

    fn persistence(&self) -> Persistence {
        match self {
            Self::HostUnknown | Self::NotReached | Self::Refused | Self::Broken => Persistence::Transient,
            Self::NotSsh
            | Self::HostKeyDiffers
            | Self::CredentialsRejected
            | Self::KeyUnreadable
            | Self::NoSftp
            | Self::FolderMissing
            | Self::NotAllowed
            | Self::Unsupported => Persistence::Permanent,
        }
    }
}

impl From<Error> for SftpFault {
    fn from(error: Error) -> Self {
        match error {
            Error::Status(status) => match status.status_code {
                StatusCode::NoSuchFile => Self::FolderMissing,
                StatusCode::PermissionDenied => Self::NotAllowed,
                StatusCode::OpUnsupported | StatusCode::BadMessage => Self::Unsupported,
                StatusCode::NoConnection | StatusCode::ConnectionLost => Self::Broken,
                StatusCode::Ok | StatusCode::Eof | StatusCode::Failure => Self::Refused,
            },
            Error::Limited(_) => Self::Refused,
            Error::IO(_) | Error::Timeout | Error::UnexpectedPacket | Error::UnexpectedBehavior(_) => {
                Self::Broken
            }
        }
    }
}

/// Whether the server says that there is no such file.
pub fn is_absent(error: &Error) -> bool {
    matches!(error, Error::Status(status) if status.status_code == StatusCode::NoSuchFile)
}
