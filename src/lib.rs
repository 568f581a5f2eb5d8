//! Governs where customer data may go.

pub mod api;
pub mod cli;
pub mod cluster;
pub mod connection;
pub mod connection_type;
pub mod dataset;
pub mod docs;
pub mod enrichment;
pub mod export;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod governance;
pub mod key_vault;
pub mod metrics;
pub mod plugin;
pub mod process;
pub mod reconcile;
pub mod run_account;
pub mod vault;
