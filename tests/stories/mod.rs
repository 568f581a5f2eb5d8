//! What people experience, told from their side.

mod bad_input;
mod catalog;
mod catalog_check;
mod connections;
mod datasets;
mod enrichment_runs;
mod enrichments;
mod exports;
pub mod malformed;
mod namespaces;
mod plugin;
mod proof;
mod records;
mod refusals;
mod removal;
pub mod run_accounts;
pub mod run_objects;
mod run_progress;
pub mod runs;
mod secrets;
mod sharing;
mod sign_in;
mod terms;
mod types;
mod vault_secrecy;
mod vaults;
