//! How a run ended: the result in the termination message, and the exit code.

use crate::fault::{Ended, LEFT};
use connection_operator::api::dry_run::{DatasetEstimate, NAMED_COLUMNS_MAX};
use connection_operator::api::run::{
    EXIT_PERMANENT, EXIT_STOPPED, EXIT_SUCCEEDED, EXIT_TRANSIENT, FailureClass, Persistence, RESULT_MAX,
    RunCounts, RunFailure, RunOutcome, RunResult,
};
use connection_operator::governance::message;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// Most characters of a message.
const MESSAGE_MAX: usize = 1000;

/// The result of a run.
#[must_use]
pub fn result(
    (started_at, ended_at): (Timestamp, Timestamp),
    counts: RunCounts,
    ended: &Result<Vec<DatasetEstimate>, Ended>,
) -> RunResult {
    let estimate = ended.clone().unwrap_or_default();
    let (outcome, failure) = match ended {
        Ok(_) => (RunOutcome::Succeeded, None),
        Err(Ended::Failed(failure)) => (RunOutcome::Failed, Some(failure.clone())),
        Err(Ended::Stopped(stop)) => (RunOutcome::Stopped, Some(stopped(stop.to_string()))),
        Err(Ended::StoppedLeaving(stop)) => (RunOutcome::Stopped, Some(stopped(format!("{stop}{LEFT}")))),
    };
    RunResult {
        outcome,
        started_at: Time(started_at),
        ended_at: Time(ended_at),
        counts,
        estimate,
        failure,
    }
}

fn stopped(message: String) -> RunFailure {
    RunFailure {
        class: FailureClass::Destination,
        persistence: Persistence::Permanent,
        message,
    }
}

/// The exit code by which Kubernetes goes.
#[must_use]
pub fn exit_code(result: &RunResult) -> u8 {
    match (result.outcome, &result.failure) {
        (RunOutcome::Succeeded, _) => EXIT_SUCCEEDED,
        (RunOutcome::Stopped, _) => EXIT_STOPPED,
        (RunOutcome::Failed, Some(failure)) if failure.persistence == Persistence::Permanent => {
            EXIT_PERMANENT
        }
        (RunOutcome::Failed, _) => EXIT_TRANSIENT,
    }
}

/// The result as it is written: at most as long as Kubernetes keeps.
#[must_use]
pub fn text(result: &RunResult) -> String {
    let mut max = MESSAGE_MAX;
    let (mut columns, mut datasets) = (NAMED_COLUMNS_MAX, result.estimate.len());
    loop {
        let mut fitting = result.clone();
        // Names of columns give way first, then datasets at the end.
        fitting.estimate.truncate(datasets);
        let estimate = fitting.estimate.into_iter();
        fitting.estimate = estimate.map(|dataset| dataset.bounded(columns)).collect();
        if let Some(failure) = &mut fitting.failure {
            failure.message = message::cut(&message::bounded(failure.message.clone()), max);
        }
        let text = serde_json::to_string(&fitting).unwrap_or_default();
        if text.len() <= RESULT_MAX || max == 0 {
            return text;
        }
        match (columns, datasets) {
            (_, 0) => max /= 2, // characters that JSON writes in several bytes
            (0, _) => datasets -= 1,
            _ => columns /= 2,
        }
    }
}

/// Writes the result.
///
/// # Errors
/// When the file can't be written.
pub fn write(file: &Path, result: &RunResult) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(file)?;
    file.write_all(text(result).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Stop;

    fn failed(persistence: Persistence, message: &str) -> Result<Vec<DatasetEstimate>, Ended> {
        Err(Ended::Failed(RunFailure {
            class: FailureClass::User,
            persistence,
            message: message.to_owned(),
        }))
    }

    #[test]
    fn exit_codes_tell_what_kubernetes_should_do() {
        let rows = [
            ("all was sent", Ok(Vec::new()), 0),
            ("it may pass", failed(Persistence::Transient, "Later."), 10),
            ("it stays", failed(Persistence::Permanent, "Never."), 11),
            ("told to stop", Err(Ended::Stopped(Stop::Suspended)), 12),
        ];
        for (case, ended, expected) in rows {
            let result = result(
                (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH),
                RunCounts::default(),
                &ended,
            );
            assert_eq!(exit_code(&result), expected, "{case}");
            assert_eq!(result.failure.is_none(), expected == 0, "{case}");
        }
    }

    #[test]
    fn a_result_fits_whatever_its_message() {
        let counts = RunCounts {
            rows_read: i64::MAX,
            rows_sent: i64::MAX,
            rows_rejected: i64::MAX,
            bytes: i64::MAX,
            rows_enriched: Some(i64::MAX),
            rows_not_matched: Some(i64::MAX),
        };
        for letter in ["a", "\u{e9}", "\u{1f600}", "\"", "\u{1}", "\\"] {
            let ended = failed(Persistence::Permanent, &letter.repeat(20_000));
            let result = result((Timestamp::MAX, Timestamp::MAX), counts, &ended);
            let text = text(&result);
            assert!(text.len() <= RESULT_MAX, "{letter:?}: {}", text.len());
            let read: RunResult = serde_json::from_str(&text).expect("it can be read again");
            assert_eq!(read.counts, counts, "{letter:?}");
        }
    }

    #[test]
    fn an_estimate_fits_however_many_datasets_and_columns_there_are() {
        let dataset = |number: usize| DatasetEstimate {
            dataset: format!("dataset-{number}"),
            rows_to_send: i64::MAX,
            column_count: 10_000,
            columns: vec!["\u{1f600}".repeat(100); 10_000],
            files: vec!["dataset.csv.gz".to_owned(); 5],
            ..DatasetEstimate::default()
        };
        for (datasets, named, columns) in [(1, 1, 10), (8, 8, 1), (50, 18, 0)] {
            let ended = Ok((0..datasets).map(dataset).collect());
            let result = result((Timestamp::MAX, Timestamp::MAX), RunCounts::default(), &ended);
            let text = text(&result);
            assert!(text.len() <= RESULT_MAX, "{datasets}: {}", text.len());
            let read: RunResult = serde_json::from_str(&text).expect("it can be read again");
            let told = (read.estimate.len(), read.estimate[0].columns.len());
            assert_eq!(told, (named, columns), "{datasets}");
            assert_eq!(read.estimate[0].column_count, 10_000);
        }
    }
}
