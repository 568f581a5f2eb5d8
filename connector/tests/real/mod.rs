//! What is tried with real servers.

mod deliveries;
mod runs;
mod servers;
mod stops;
mod support;
mod vaulted;
