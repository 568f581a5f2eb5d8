//! Log lines of a run. Contributors may read the logs of pods, so what libraries say of hosts and rows is left out.

use std::panic;
use tracing::error;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// What this package's own targets begin with: those of the library, and of the program.
const OWN: [&str; 2] = [env!("CARGO_CRATE_NAME"), "connection_connector"];

/// Begins to write log lines to standard error, as JSON: this package's own and no others.
pub fn init() {
    let own = filter_fn(|about| OWN.iter().any(|own| about.target().starts_with(own)));
    let lines = fmt::layer().json().with_writer(std::io::stderr).with_filter(own);
    tracing_subscriber::registry().with(lines).init();
    // The text of a panic may hold what the code was looking at.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!(place, "a defect ended the run");
    }));
}
