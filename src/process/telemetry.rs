//! Log lines, as text or JSON, to standard error.

use super::settings::LogFormat;
use std::io::IsTerminal;
use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// The target of lines that tell who decided what.
const AUDIT: &str = "audit";

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
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::registry()
        .with(parsed)
        .with(lines(format, ansi, std::io::stderr))
        .init();
    Ok(())
}

/// Lines of the audit tell of decisions, whichever visit saw them: they stand alone, without the span that others have.
fn lines<S, W>(format: LogFormat, ansi: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let all = || fmt::layer().with_ansi(ansi).with_writer(writer.clone());
    let audit = filter_fn(|line| line.target() == AUDIT);
    let others = filter_fn(|line| line.target() != AUDIT);
    match format {
        LogFormat::Text => all()
            .with_filter(audit)
            .and_then(all().with_filter(others))
            .boxed(),
        LogFormat::Json => {
            let [audited, rest] = [all().json(), all().json()];
            audited
                .with_filter(audit)
                .and_then(rest.with_filter(others))
                .boxed()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("nobody panicked").write(text)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat) -> [String; 2] {
        let page = Page::default();
        let writer = page.clone();
        let layer = lines(format, false, move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info_span!("reconciling object", object = "one").in_scope(|| {
                tracing::info!(target: "audit", by = "ada", "consent");
                tracing::info!("a line");
            });
        });
        let text = page.0.lock().expect("nobody panicked").clone();
        let text = String::from_utf8(text).expect("UTF-8");
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.try_into().expect("each line once")
    }

    #[test]
    fn a_line_of_the_audit_stands_alone_and_others_say_what_they_are_part_of() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let [audit, other] = written(format);
            assert!(
                audit.contains("consent") && audit.contains("ada"),
                "{format:?}: {audit}"
            );
            assert!(!audit.contains("reconciling"), "{format:?}: {audit}");
            assert!(
                other.contains("a line") && other.contains("reconciling object"),
                "{format:?}: {other}"
            );
        }
    }
}
