//! What people experience, told from their side.

mod connections;
mod datasets;
mod enrichments;
mod exports;
mod removal;
mod secrets;
mod types;
