//! One object that is being written: its bytes are gathered to parts, of which a few are under way at once.

use super::fault::ObjectsFault;
use bytes::Bytes;
use object_store::{MultipartUpload, PutPayload};
use std::mem::take;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// How large a part is, in bytes. S3 takes 5 MiB and more, some stores want all of one size, and 10,000 of these make a file
/// of 78 GiB.
pub const PART: usize = 8 << 20;
/// Most parts of an object: what S3 takes.
const PARTS_MAX: usize = 10_000;
/// Most parts that are under way at once. With their size, and the one that is being gathered, this bounds memory.
const UNDER_WAY_MAX: usize = 2;

/// What the library keeps of an object that is on its way.
pub type Parts = Arc<Mutex<Box<dyn MultipartUpload>>>;

/// An object that is open for writing. What is under way is let go with it.
pub struct OpenObject {
    parts: Parts,
    gathered: Vec<Bytes>,
    length: usize,
    begun: usize,
    under_way: JoinSet<object_store::Result<()>>,
}

impl OpenObject {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            parts,
            gathered: Vec::new(),
            length: 0,
            begun: 0,
            under_way: JoinSet::new(),
        }
    }

    /// Writes at its end.
    ///
    /// # Errors
    /// When the store refuses a part that was sent before, or the object becomes too large.
    pub async fn write(&mut self, bytes: &Bytes) -> Result<(), ObjectsFault> {
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PART - self.length));
            self.length += piece.len();
            self.gathered.push(piece);
            if self.length == PART {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// Sends what is gathered, once there is room under way.
    async fn send(&mut self) -> Result<(), ObjectsFault> {
        while self.under_way.len() >= UNDER_WAY_MAX {
            self.arrived().await?;
        }
        if self.begun == PARTS_MAX {
            return Err(ObjectsFault::TooLarge);
        }
        self.begun += 1;
        self.length = 0;
        let payload = PutPayload::from_iter(take(&mut self.gathered));
        let part = self.parts.lock().await.put_part(payload);
        self.under_way.spawn(part);
        Ok(())
    }

    /// Waits for one part, if any is under way.
    async fn arrived(&mut self) -> Result<(), ObjectsFault> {
        match self.under_way.join_next().await {
            Some(Ok(sent)) => Ok(sent?),
            Some(Err(_)) => Err(ObjectsFault::Broken),
            None => Ok(()),
        }
    }

    /// Waits until the store has all of it.
    ///
    /// # Errors
    /// When the store refuses a part.
    pub async fn finish(mut self) -> Result<(), ObjectsFault> {
        if self.length > 0 || self.begun == 0 {
            self.send().await?;
        }
        while !self.under_way.is_empty() {
            self.arrived().await?;
        }
        Ok(())
    }
}
