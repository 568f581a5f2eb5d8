//! What is told of one run, while it goes on and once it has ended.

use crate::api::export::Run;
use crate::api::run::RunOutcome;
use crate::plugin::commands::told::look;
use crate::plugin::screen::age::age;
use crate::plugin::target::Kind;
use indicatif::{HumanBytes, HumanCount};
use jiff::Timestamp;
use std::fmt::Write as _;

/// A number of rows, as people write it.
#[must_use]
pub fn rows(rows: i64) -> String {
    HumanCount(u64::try_from(rows).unwrap_or_default()).to_string()
}

/// A number of bytes, as people write it.
#[must_use]
pub fn size(bytes: i64) -> String {
    HumanBytes(u64::try_from(bytes).unwrap_or_default()).to_string()
}

/// How far a run is. `expected` are the rows that there were to read the last time.
#[must_use]
pub fn progress(run: &Run, expected: Option<i64>, now: Timestamp) -> String {
    let Some(progress) = run.progress else {
        return match run.attempt {
            Some(attempt) if attempt > 1 => format!("under way, attempt {attempt}"),
            _ => "under way".to_owned(),
        };
    };
    let mut text = rows(progress.rows_read);
    if let Some(expected) = expected {
        let _ = write!(text, " of about {}", rows(expected)); // writing to a String can't fail
    }
    let _ = write!(text, " rows read, {} handed over", rows(progress.rows_written));
    let seconds = now.duration_since(run.started_at.0).as_secs().max(0);
    let first = run.attempt.is_none_or(|attempt| attempt == 1); // of a later try nobody knows when it began
    let expected = expected.filter(|_| first);
    if let Some(left) = expected.and_then(|expected| left(seconds, progress.rows_read, expected)) {
        let _ = write!(text, ", about {} left", age(Timestamp::UNIX_EPOCH, left));
    }
    text
}

/// How long it will take, as a time since the epoch, if it goes on as it went.
fn left(seconds: i64, read: i64, expected: i64) -> Option<Timestamp> {
    let rest = expected.checked_sub(read).filter(|rest| *rest > 0)?;
    let left = seconds.checked_mul(rest)?.checked_div(read)?;
    Timestamp::from_second(left).ok()
}

/// How a run ended.
#[must_use]
pub fn ending(kind: Kind, name: &str, run: &Run) -> String {
    let took = run
        .ended_at
        .as_ref()
        .map_or_else(String::new, |ended| age(run.started_at.0, ended.0));
    let counts = run.counts.unwrap_or_default();
    let (what, number) = match counts.rows_enriched {
        Some(enriched) => ("enriched", enriched),
        None => ("sent", counts.rows_sent),
    };
    let done = format!(
        "{} of {} rows {what} ({})",
        rows(number),
        rows(counts.rows_read),
        size(counts.bytes)
    );
    let refused = match counts.rows_rejected {
        0 => String::new(),
        refused => format!(", {} refused by the service", rows(refused)),
    };
    match run.outcome {
        Some(RunOutcome::Succeeded) => format!("{name}: {done}{refused} in {took}."),
        Some(RunOutcome::Stopped) => format!(
            "The run of {name} was told to stop after {took}, as it may not go on.{} To see why: {}",
            stands(kind, run),
            look(kind, name)
        ),
        _ => {
            let failure = run.failure.as_ref();
            let why = failure.map_or("nothing tells why.", |failure| failure.message.as_str());
            format!("The run of {name} failed after {took}: {why}")
        }
    }
}

/// What a run that was stopped has left, as a sentence with a blank before it.
fn stands(kind: Kind, run: &Run) -> String {
    let Some(counts) = run.counts else {
        return String::new();
    };
    match (kind, counts.rows_enriched) {
        (Kind::Enrichment, None) => " Its output is as it was before.".to_owned(),
        (_, Some(enriched)) => format!(
            " Its output is the new one, with {} rows enriched.",
            rows(enriched)
        ),
        (_, None) => format!(" {} rows stand at the destination.", rows(counts.rows_sent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::run::RunProgress;
    use crate::fixtures::{at, requested_run};

    #[test]
    fn how_far_a_run_is_is_told_as_far_as_it_is_known() {
        let far = |read, written| {
            Some(RunProgress {
                rows_read: read,
                rows_written: written,
            })
        };
        let rows = [
            (None, Some(1), Some(4000), "under way"),
            (None, Some(2), None, "under way, attempt 2"),
            (
                far(3000, 2400),
                Some(1),
                None,
                "3,000 rows read, 2,400 handed over",
            ),
            (
                far(3000, 2400),
                Some(1),
                Some(4000),
                "3,000 of about 4,000 rows read, 2,400 handed over, about 30s left",
            ),
            (
                far(0, 0),
                Some(1),
                Some(4000),
                "0 of about 4,000 rows read, 0 handed over",
            ),
            (
                far(5000, 1),
                Some(1),
                Some(4000),
                "5,000 of about 4,000 rows read, 1 handed over",
            ),
        ];
        for (progress, attempt, expected, told) in rows {
            let run = Run {
                attempt,
                progress,
                ..requested_run(None)
            };
            assert_eq!(super::progress(&run, expected, at(190)), told);
        }
    }

    #[test]
    fn how_a_run_ended_is_one_sentence() {
        assert_eq!(
            ending(
                Kind::Export,
                "nightly",
                &requested_run(Some(RunOutcome::Succeeded))
            ),
            "nightly: 100,000 of 125,000 rows sent (3.45 MiB) in 6s."
        );
        let stopped = ending(Kind::Export, "nightly", &requested_run(Some(RunOutcome::Stopped)));
        assert!(
            stopped.starts_with("The run of nightly was told to stop after 6s"),
            "{stopped}"
        );
        let mut enriching = requested_run(Some(RunOutcome::Stopped));
        let rows = [
            (None, " Its output is as it was before. "),
            (Some(7), " Its output is the new one, with 7 rows enriched. "),
        ];
        for (enriched, left) in rows {
            enriching.counts.as_mut().expect("counts").rows_enriched = enriched;
            let told = ending(Kind::Enrichment, "companies", &enriching);
            assert!(told.contains(left), "{told}");
            assert!(told.ends_with("kubectl describe enrichment companies"), "{told}");
        }
        let failed = requested_run(Some(RunOutcome::Failed));
        assert_eq!(
            ending(Kind::Export, "nightly", &failed),
            "The run of nightly failed after 6s: The server refused the password."
        );
        let mut refused = requested_run(Some(RunOutcome::Succeeded));
        refused.counts.as_mut().expect("counts").rows_rejected = 3;
        assert!(ending(Kind::Export, "nightly", &refused).contains(", 3 refused by the service in 6s."));
    }
}
