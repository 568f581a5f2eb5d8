//! One file that is fetched: several reads are under way at once, so that a far server is as fast as a near one. Nothing is
//! written there, made or renamed.

use super::fault::{SftpFault, is_absent};
use super::server::Server;
use super::settings::Import;
use super::upload::join;
use crate::fault::Fault;
use bytes::Bytes;
use connection_operator::api::run::{FailureClass, Persistence};
use futures::{StreamExt, stream};
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use std::sync::Arc;
use thiserror::Error as Told;
use tokio::sync::mpsc::Sender;

/// How many reads are under way at once.
const AHEAD: usize = 16;

/// The file can't be fetched. Whoever reads enrichments reads this: no host, folder, account or name of a file in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Told)]
pub enum FetchFault {
    /// It isn't there.
    #[error(
        "The file that is fetched isn't there, in the connection's folder or the subfolder that is chosen. Correct subfolder or fileName in spec.parameters, or ask the provider to put it there."
    )]
    FileMissing,
    /// It is something else.
    #[error(
        "What is fetched is no file, but a folder or something else. Correct fileName in spec.parameters, or ask the provider."
    )]
    NotAFile,
    /// The account may not read it.
    #[error(
        "The connection's account may not read the file that is fetched, or its folder. An administrator of the connection can ask the provider for that right."
    )]
    NotAllowed,
    /// The server refuses without a reason.
    #[error("The provider's server refused to read the file, and didn't say why. It's tried again.")]
    Refused,
    /// It became another one meanwhile.
    #[error(
        "The file changed while it was fetched, as it does while the provider writes it. It's tried again."
    )]
    Changed,
    /// The connection broke.
    #[error("The connection to the provider's server broke. It's tried again.")]
    Broken,
    /// The server can't be used.
    #[error(transparent)]
    Server(#[from] SftpFault),
}

impl Fault for FetchFault {
    fn class(&self) -> FailureClass {
        match self {
            Self::Server(fault) => fault.class(),
            _ => FailureClass::Destination,
        }
    }

    fn persistence(&self) -> Persistence {
        match self {
            Self::Server(fault) => fault.persistence(),
            // A file that is late, or not yet right, may be there the next time.
            Self::FileMissing | Self::NotAFile | Self::Refused | Self::Changed | Self::Broken => {
                Persistence::Transient
            }
            Self::NotAllowed => Persistence::Permanent,
        }
    }
}

impl From<Error> for FetchFault {
    fn from(error: Error) -> Self {
        match SftpFault::from(error) {
            SftpFault::FolderMissing => Self::FileMissing,
            SftpFault::NotAllowed => Self::NotAllowed,
            SftpFault::Refused => Self::Refused,
            SftpFault::Broken => Self::Broken,
            other => Self::Server(other),
        }
    }
}

/// A file that is open for reading.
pub struct Fetch {
    server: Arc<Server>,
    handle: String,
    found: FileAttributes,
}

impl Fetch {
    /// Opens the file of these settings, whose folder must be there.
    ///
    /// # Errors
    /// When it isn't there, or can't be read.
    pub async fn begin(server: Server, wanted: &Import) -> Result<Self, FetchFault> {
        let place = &wanted.place;
        let folder = server.sftp.stat(place.folder.as_str()).await;
        let folder = folder.map_err(|error| match error {
            error if is_absent(&error) => SftpFault::FolderMissing.into(),
            error => FetchFault::from(error),
        })?;
        if !folder.attrs.is_dir() {
            return Err(SftpFault::FolderMissing.into());
        }
        let mut path = place.folder.clone();
        for name in place.subfolders.iter().chain([&wanted.file]) {
            path = join(&path, name);
        }
        // A pipe or device would never end, nor let itself be opened.
        if !is_file(&server.sftp.stat(path.as_str()).await?.attrs) {
            return Err(FetchFault::NotAFile);
        }
        let opened = server
            .sftp
            .open(path, OpenFlags::READ, FileAttributes::empty())
            .await?;
        let found = server.sftp.fstat(opened.handle.as_str()).await?.attrs;
        if !is_file(&found) {
            return Err(FetchFault::NotAFile); // it became one meanwhile
        }
        Ok(Self {
            server: Arc::new(server),
            handle: opened.handle,
            found,
        })
    }

    /// Hands its bytes over, for as long as somebody takes them, and nothing once it is whole.
    ///
    /// # Errors
    /// When it can't be read, or became another one meanwhile.
    pub async fn run(
        self,
        pieces: &Sender<Option<Bytes>>,
        mut fetched: impl FnMut(usize),
    ) -> Result<(), FetchFault> {
        let length = self.server.read_max;
        let mut read = stream::iter(0_u64..)
            .map(|number| chunk(&self.server, &self.handle, number * u64::from(length), length))
            .buffered(AHEAD);
        let mut size = 0;
        while let Some(chunk) = read.next().await {
            let chunk = chunk?;
            let ends = chunk.len() < length as usize;
            size += chunk.len() as u64;
            fetched(chunk.len());
            if !chunk.is_empty() && pieces.send(Some(chunk.into())).await.is_err() {
                return Ok(()); // whoever took has said why
            }
            if ends {
                break;
            }
        }
        drop(read);
        let after = self.server.sftp.fstat(self.handle.as_str()).await?.attrs;
        let grew = after.size.is_some_and(|told| told != size);
        if grew || (after.size, after.mtime) != (self.found.size, self.found.mtime) {
            return Err(FetchFault::Changed);
        }
        self.server.sftp.close(self.handle).await?;
        let _ = pieces.send(None).await; // whoever took has said why
        Ok(())
    }
}

/// Whether it is a file, as far as the server tells.
fn is_file(found: &FileAttributes) -> bool {
    found.permissions.is_none() || found.is_regular()
}

/// So many bytes of a file, fewer only at its end: a server may give less at once.
async fn chunk(server: &Server, handle: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
    let mut chunk = Vec::new();
    while chunk.len() < length as usize {
        let left = length - u32::try_from(chunk.len()).unwrap_or(length);
        match server.sftp.read(handle, offset + chunk.len() as u64, left).await {
            Ok(read) if read.data.is_empty() => break,
            Ok(read) => chunk.extend(read.data.into_iter().take(left as usize)),
            Err(Error::Status(status)) if status.status_code == StatusCode::Eof => break,
            Err(error) => return Err(error),
        }
    }
    Ok(chunk)
}
