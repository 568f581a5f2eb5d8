//! Everything that needs an API server: one control plane and one operator for the whole run, one namespace a test.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

mod access;
mod chaos;
mod chart;
mod crds;
mod examples;
mod gitops;
mod stories;
mod support;
