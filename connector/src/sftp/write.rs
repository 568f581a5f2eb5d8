//! One file that is being written: several writes are under way at once, so that a far server is as fast as a near one.

use super::fault::SftpFault;
use super::server::Server;
use super::window::Window;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, OpenFlags};
use std::sync::Arc;
use tokio::time::Instant;

/// A file that is open for writing.
pub struct OpenFile {
    server: Arc<Server>,
    handle: String,
    offset: u64,
    window: Window,
    under_way: FuturesUnordered<BoxFuture<'static, Answer>>,
}

/// How many bytes a write had, and when it was sent.
type Answer = Result<(usize, Instant), Error>;

impl OpenFile {
    /// Makes a file that isn't there yet.
    pub(super) async fn create(server: Arc<Server>, path: &str) -> Result<Self, SftpFault> {
        let flags = OpenFlags::CREATE | OpenFlags::EXCLUDE | OpenFlags::WRITE;
        let opened = server.sftp.open(path, flags, FileAttributes::empty()).await?;
        Ok(Self {
            server,
            handle: opened.handle,
            offset: 0,
            window: Window::new(),
            under_way: FuturesUnordered::new(),
        })
    }

    /// What the server calls it.
    pub(super) fn handle(&self) -> &str {
        &self.handle
    }

    /// Writes at its end.
    ///
    /// # Errors
    /// When the server refuses this or something that was written before.
    pub async fn write(&mut self, bytes: &Bytes) -> Result<(), SftpFault> {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            self.await_room().await?;
            let room = self.window.room().min(self.server.write_max).min(rest.len());
            let (piece, after) = rest.split_at(room);
            rest = after;
            self.send(piece.to_vec());
        }
        Ok(())
    }

    fn send(&mut self, piece: Vec<u8>) {
        let (server, handle, offset) = (Arc::clone(&self.server), self.handle.clone(), self.offset);
        let (length, sent) = (piece.len(), Instant::now());
        self.offset += length as u64;
        self.window.sent(length);
        let write = async move {
            server
                .sftp
                .write(handle, offset, piece)
                .await
                .map(|_| (length, sent))
        };
        self.under_way.push(Box::pin(write));
    }

    async fn await_room(&mut self) -> Result<(), Error> {
        // How long these took isn't known: nobody was looking.
        while let Some(Some(answer)) = self.under_way.next().now_or_never() {
            self.window.answered(answer?.0, None);
        }
        while self.window.room() == 0 {
            let Some(answer) = self.under_way.next().await else {
                break;
            };
            let (length, sent) = answer?;
            self.window.answered(length, Some(sent.elapsed()));
        }
        Ok(())
    }

    /// Waits until all of it stands on the server's disk.
    ///
    /// # Errors
    /// When the server refuses something that was written.
    pub async fn finish(mut self) -> Result<(), SftpFault> {
        while let Some(written) = self.under_way.next().await {
            written?;
        }
        if self.server.can(russh_sftp::extensions::FSYNC) {
            self.server.sftp.fsync(self.handle.as_str()).await?;
        }
        self.server.sftp.close(self.handle).await?;
        Ok(())
    }
}
