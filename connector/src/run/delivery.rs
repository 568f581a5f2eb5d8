//! Pieces become files at the destination, which get their final names once all are whole.

use super::destination::{OpenFile, Upload};
use super::feed::Piece;
use crate::fault::Ended;
use crate::progress::Tally;

use tokio::sync::mpsc::Receiver;

/// What is on its way to a destination.
pub struct Delivery {
    upload: Upload,
    tally: Tally,
    /// How many rows each file holds.
    rows: Vec<usize>,
    unneeded: Vec<String>,
}

impl Delivery {
    /// By this upload.
    pub fn new(upload: Upload, tally: Tally) -> Self {
        Self {
            upload,
            tally,
            rows: Vec::new(),
            unneeded: Vec::new(),
        }
    }

    /// Writes all pieces, until there are no more.
    pub async fn take(&mut self, mut pieces: Receiver<Piece>) -> Result<(), Ended> {
        let mut open: Option<OpenFile> = None;
        while let Some(piece) = pieces.recv().await {
            match (piece, &mut open) {
                (Piece::Begin(name), _) => {
                    open = Some(self.upload.create(&name).await?);
                    self.rows.push(0);
                }
                (Piece::Bytes(bytes), Some(file)) => {
                    file.write(&bytes).await?;
                    self.tally.left(bytes.len());
                }
                (Piece::End, Some(_)) => {
                    if let Some(file) = open.take() {
                        file.finish().await?;
                    }
                }
                (Piece::Rows(more), _) => {
                    self.tally.wrote(more);
                    if let Some(rows) = self.rows.last_mut() {
                        *rows += more;
                    }
                }
                (Piece::Without(names), _) => self.unneeded.extend(names),
                (Piece::Bytes(_) | Piece::End, None) => {} // a feed begins files before it fills them
            }
        }
        Ok(())
    }

    /// Gives all files their final names.
    pub async fn publish(&mut self) -> Result<(), Ended> {
        let (rows, tally) = (&self.rows, &self.tally);
        let published = |file: usize| tally.sent(rows.get(file).copied().unwrap_or_default());
        self.upload.publish(published).await?;
        self.upload.remove(&self.unneeded).await
    }

    /// Takes away what has no final name; true if nothing of it is left.
    pub async fn undo(&mut self) -> bool {
        let (rows, tally) = (&self.rows, &self.tally);
        let published = |file: usize| tally.sent(rows.get(file).copied().unwrap_or_default());
        self.upload.undo(published).await
    }
}
