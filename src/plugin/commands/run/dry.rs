//! `run --dry-run`: has what a run would send counted, and shows it.

use super::told::{rows, size};
use super::{Run, RunError, answered, bounded, hindrance_of_state, judged, refusal, watched};
use crate::api::Export;
use crate::api::dry_run::{DatasetEstimate, DryRun};
use crate::api::names::DRY_RUN_REQUESTED_ANNOTATION;
use crate::api::run::RunOutcome;
use crate::governance::runs::request;
use crate::plugin::Session;
use crate::plugin::cluster::Cluster;
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::lookup::find;
use crate::plugin::screen::Screen;
use crate::plugin::screen::table::{self, Cell, Heading};
use crate::plugin::target::Kind;
use jiff::Timestamp;
use serde_json::json;

/// Requests a dry run, waits for it, and shows what it counted.
///
/// # Errors
/// If it may not run, or isn't theirs to run; if it didn't end well.
pub(super) async fn run(asked: &Run, cluster: &Cluster, session: &Session) -> Result<Exit, Failure> {
    let name = &asked.target.name;
    let export: Export = find(cluster, name).await?;
    if let Some(told) = hindrance_of_state(Kind::Export, name, judged(&export)) {
        return Err(RunError::Refused { told }.into());
    }
    let now = Timestamp::now().to_string();
    let change = json!({"metadata": {"annotations": {DRY_RUN_REQUESTED_ANNOTATION: now}}});
    cluster.merge::<Export>(name, &change).await?;
    let value = request::value(&now);
    let of_it = |status: &crate::api::ExportStatus| Some(status.last_dry_run.as_ref()?.request.clone());
    let (_, answer) = answered::<Export>(cluster, name, of_it, &value).await?;
    if let Some(told) = refusal(&answer) {
        return Err(RunError::Refused { told }.into());
    }
    session.note(&format!("A dry run of {name} was begun. It sends nothing."));
    let late = goes_on(name, String::new());
    let ended = bounded(asked, followed(cluster, name, &value), late).await?;
    let run = ended.run.as_ref();
    if run.and_then(|run| run.outcome) == Some(RunOutcome::Succeeded) {
        return Ok(shown(&ended.estimate, export.spec.payload.len(), session));
    }
    let failure = run.and_then(|run| run.failure.as_ref());
    let why = failure.map_or("it was told to stop, as the export may not go on.", |failure| {
        failure.message.as_str()
    });
    session.note(&format!("The dry run of {name} didn't end well: {why}"));
    Ok(Exit::Not)
}

/// Shows what was counted, and says what is missing of it.
fn shown(estimate: &[DatasetEstimate], datasets: usize, session: &Session) -> Exit {
    if estimate.is_empty() {
        session.note("It ended well, but nothing tells what was counted. Ask for another one.");
        return Exit::Unclear;
    }
    session.show(&table(estimate, session.screen));
    let more = datasets.saturating_sub(estimate.len());
    if more > 0 {
        session.note(&format!(
            "There was no room for {more} more, the last of the payload."
        ));
    }
    Exit::Done
}

/// The dry run of this request, once it has ended.
async fn followed(cluster: &Cluster, name: &str, value: &str) -> Result<DryRun, Failure> {
    let goes_on = |why| goes_on(name, why);
    let ended = watched::<Export, _>(cluster, name, |status| {
        let newest = match status {
            Ok(status) => status.last_dry_run,
            Err(error) if error.is_lasting() => return Err(goes_on(format!("{error} ")).into()),
            Err(_) => return Ok(None),
        };
        let Some(newest) = newest.filter(|newest| newest.request.value == value) else {
            let name = name.to_owned();
            return Err(RunError::Replaced { name }.into());
        };
        let ended = newest.run.as_ref().is_some_and(|run| run.ended_at.is_some());
        Ok(ended.then_some(newest))
    });
    ended.await?.ok_or_else(|| goes_on(String::new()).into())
}

fn goes_on(name: &str, why: String) -> RunError {
    let name = name.to_owned();
    RunError::DryRunGoesOn { name, why }
}

const HEADINGS: [Heading; 6] = [
    Heading::new("DATASET", false),
    Heading::new("ROWS TO SEND", false),
    Heading::new("OF", false),
    Heading::new("SIZE", false),
    Heading::new("FILES", true),
    Heading::new("COLUMNS", true),
];

fn table(datasets: &[DatasetEstimate], screen: Screen) -> String {
    let cells = |dataset: &DatasetEstimate| {
        vec![
            Cell::new(dataset.dataset.as_str()),
            Cell::new(rows(dataset.rows_to_send)),
            Cell::new(rows(dataset.rows_read)),
            Cell::new(size(dataset.bytes_to_send)),
            Cell::new(dataset.files.join(", ")),
            Cell::new(columns(dataset)),
        ]
    };
    let cells: Vec<Vec<Cell>> = datasets.iter().map(cells).collect();
    table::table(&HEADINGS, &cells, screen)
}

/// The columns by name, and how many more there are.
fn columns(dataset: &DatasetEstimate) -> String {
    let named = dataset.columns.join(", ");
    let more = dataset.column_count - i64::try_from(dataset.columns.len()).unwrap_or_default();
    match (named.is_empty(), more > 0) {
        (_, false) => named,
        (true, true) => rows(more),
        (false, true) => format!("{named} and {} more", rows(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_would_send_is_a_row_for_each_dataset() {
        let customers = DatasetEstimate {
            dataset: "customers".to_owned(),
            rows_read: 125_000,
            rows_to_send: 75_000,
            bytes_to_send: 3_622_241,
            column_count: 12,
            columns: vec!["email".to_owned(), "country".to_owned()],
            files: vec!["customers.csv".to_owned()],
        };
        let orders = DatasetEstimate {
            dataset: "orders".to_owned(),
            column_count: 400,
            columns: Vec::new(),
            ..customers.clone()
        };
        let expected = "\
DATASET     ROWS TO SEND   OF        SIZE       FILES           COLUMNS
customers   75,000         125,000   3.45 MiB   customers.csv   email, country and 10 more
orders      75,000         125,000   3.45 MiB   customers.csv   400
";
        assert_eq!(table(&[customers, orders], Screen::default()), expected);
    }
}
