//! The process around the controllers: settings, wiring, health, shutdown, uninstall.

pub mod catalog;
mod census;
pub mod health;
mod progress;
mod queues;
mod retention;
pub mod run;
pub mod run_tokens;
pub mod settings;
pub mod telemetry;
pub mod uninstall;
mod vaults;
mod wiring;

pub use run::{RunError, run, run_on};
pub use run_tokens::ClusterRunTokens;
pub use settings::Settings;
