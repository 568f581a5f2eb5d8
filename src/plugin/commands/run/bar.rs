//! How far a run is, on one line of a terminal that changes; elsewhere a line for each news.

use super::told;
use crate::api::export::Run;
use crate::plugin::Session;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use std::time::Duration;

/// How often the line shows that the program is alive.
const TICK: Duration = Duration::from_millis(250);
/// Where it isn't known how much there is to do.
const OPEN: &str = "{spinner} {wide_msg} {elapsed}";
/// Where it is, as far as the run before tells.
const BOUNDED: &str = "[{bar:20}] {wide_msg} {elapsed}";

/// The line. It goes with this value.
pub(super) struct Bar<'a> {
    name: &'a str,
    expected: Option<i64>,
    line: Line<'a>,
    shown: String,
}

enum Line<'a> {
    Terminal(ProgressBar),
    Notes(&'a Session),
}

impl<'a> Bar<'a> {
    /// For a run of this export. `expected` are the rows that there were to read the last time.
    pub fn new(name: &'a str, expected: Option<i64>, session: &'a Session) -> Self {
        let bar = ProgressBar::new(0);
        let line = if bar.is_hidden() {
            Line::Notes(session) // no terminal, or one that can't take a line back
        } else {
            bar.set_style(style(OPEN));
            bar.set_message(format!("{name}: begun"));
            bar.enable_steady_tick(TICK);
            Line::Terminal(bar)
        };
        Self {
            name,
            expected,
            line,
            shown: String::new(),
        }
    }

    /// Shows how far it is now.
    pub fn shows(&mut self, run: &Run, now: Timestamp) {
        if let Line::Terminal(bar) = &self.line {
            if let (Some(expected), Some(progress)) = (self.expected, run.progress) {
                bar.set_style(style(BOUNDED));
                bar.set_length(u64::try_from(expected).unwrap_or_default());
                bar.set_position(u64::try_from(progress.rows_read.min(expected)).unwrap_or_default());
            } else {
                bar.set_style(style(OPEN));
            }
        }
        self.says(&told::progress(run, self.expected, now));
    }

    /// Says this of it.
    pub fn says(&mut self, what: &str) {
        let text = format!("{}: {what}", self.name);
        match &self.line {
            Line::Notes(session) if text != self.shown => session.note(&text),
            Line::Notes(_) => {}
            Line::Terminal(bar) => bar.set_message(text.clone()),
        }
        self.shown = text;
    }
}

impl Drop for Bar<'_> {
    fn drop(&mut self) {
        if let Line::Terminal(bar) = &self.line {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_in_the_form_that_the_library_takes() {
        for template in [OPEN, BOUNDED] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
