//! What is tried with real servers.

mod blobs;
mod deliveries;
mod enrichments;
mod objects;
mod runs;
mod servers;
mod stops;
mod support;
mod vaulted;
