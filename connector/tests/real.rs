//! The connector against real servers: OpenSSH's and stores of objects on this machine, and an API server with
//! the chart's policies.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

// One module, so that `tools/test` can name all of them where they can't be run.
#[path = "real/mod.rs"]
mod real;
