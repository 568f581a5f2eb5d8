//! What comes in pieces, read as one text.

use bytes::{Buf, Bytes};
use std::io::{Error, ErrorKind, Read, Result};
use tokio::sync::mpsc::Receiver;

/// Pieces of a file, and nothing once it is whole. It is read on a thread that may wait.
pub struct Pieces {
    from: Receiver<Option<Bytes>>,
    piece: Bytes,
    whole: bool,
}

impl Pieces {
    /// Those that come this way.
    #[must_use]
    pub fn new(from: Receiver<Option<Bytes>>) -> Self {
        Self {
            from,
            piece: Bytes::new(),
            whole: false,
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        while self.piece.is_empty() && !self.whole {
            match self.from.blocking_recv() {
                Some(Some(piece)) => self.piece = piece,
                Some(None) => self.whole = true,
                // A file that ends early must not be taken for a shorter one.
                None => return Err(Error::from(ErrorKind::UnexpectedEof)),
            }
        }
        let length = room.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut room[..length]);
        Ok(length)
    }
}
