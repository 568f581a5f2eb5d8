//! How far a run is: counted while it goes, and told to whoever may ask.
//!
//! Two numbers and nothing else leave by this door.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use connection_operator::api::run::{PROGRESS_PATH, RunCounts, RunProgress};
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;

/// What has been done so far. Copies count together.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    rows_read: AtomicI64,
    rows_written: AtomicI64,
    rows_sent: AtomicI64,
    bytes: AtomicI64,
    joined: OnceLock<(i64, i64)>,
}

impl Tally {
    /// So many rows more were read.
    pub fn read(&self, rows: usize) {
        add(&self.0.rows_read, rows);
    }

    /// So many rows more were handed to the destination.
    pub fn wrote(&self, rows: usize) {
        add(&self.0.rows_written, rows);
    }

    /// So many rows more stand at the destination.
    pub fn sent(&self, rows: usize) {
        add(&self.0.rows_sent, rows);
    }

    /// Of an enrichment, whose output stands: so many rows are in it, and so many weren't matched.
    pub fn joined(&self, enriched: usize, not_matched: usize) {
        let number = |rows| i64::try_from(rows).unwrap_or(i64::MAX);
        let _ = self.0.joined.set((number(enriched), number(not_matched))); // there is one output
    }

    /// So many bytes more left, or came.
    pub fn left(&self, bytes: usize) {
        add(&self.0.bytes, bytes);
    }

    /// What there is to tell at the end.
    #[must_use]
    pub fn counts(&self) -> RunCounts {
        RunCounts {
            rows_read: self.0.rows_read.load(Ordering::Relaxed),
            rows_sent: self.0.rows_sent.load(Ordering::Relaxed),
            rows_rejected: 0,
            bytes: self.0.bytes.load(Ordering::Relaxed),
            rows_enriched: self.0.joined.get().map(|(enriched, _)| *enriched),
            rows_not_matched: self.0.joined.get().map(|(_, not_matched)| *not_matched),
        }
    }

    fn progress(&self) -> RunProgress {
        RunProgress {
            rows_read: self.0.rows_read.load(Ordering::Relaxed),
            rows_written: self.0.rows_written.load(Ordering::Relaxed),
        }
    }
}

fn add(number: &AtomicI64, more: usize) {
    number.fetch_add(i64::try_from(more).unwrap_or(i64::MAX), Ordering::Relaxed);
}

/// Answers whoever asks, for as long as the run goes.
///
/// # Errors
/// When nobody can ask any more.
pub async fn serve(listener: TcpListener, tally: Tally) -> io::Result<()> {
    let answer = move || {
        let text = serde_json::to_string(&tally.progress()).unwrap_or_default();
        std::future::ready(([(CONTENT_TYPE, "application/json")], text))
    };
    axum::serve(listener, Router::new().route(PROGRESS_PATH, get(answer))).await
}
