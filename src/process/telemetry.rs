//! Log lines, as text or JSON, to standard error.

use super::settings::LogFormat;
use std::io::IsTerminal;
use thiserror::Error;
use tracing_subscriber::EnvFilter;

/// The log can't be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter isn't one.
    #[error("--log is {filter:?}, expected a filter such as \"info\" or \"connection_operator=debug\"")]
    Filter {
        /// What was given.
        filter: String,
        /// Why it isn't one.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
}

/// Begins to write log lines.
///
/// # Errors
/// When the filter can't be read.
pub fn init(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let parsed = EnvFilter::try_new(filter).map_err(|source| TelemetryError::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}
