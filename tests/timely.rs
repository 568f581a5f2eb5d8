//! What must happen in time. Each test has the machine for itself: they are a program of their own, and take turns.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

#[path = "timely/leadership.rs"]
mod leadership;
#[path = "timely/removal.rs"]
mod removal;
#[path = "timely/replica.rs"]
mod replica;
#[allow(dead_code, unused_imports, reason = "other tests use the rest")]
mod support;

use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// Waits for one's turn, which lasts as long as what it gives.
async fn alone() -> MutexGuard<'static, ()> {
    TURN.lock().await
}
