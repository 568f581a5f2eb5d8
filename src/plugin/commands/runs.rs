//! `runs`: the newest runs, as status keeps them, so that whoever may see exports sees them too.

use super::run::told::{rows, size};
use crate::api::export::{ExportStatus, Run, Trigger};
use crate::api::run::RunOutcome;
use crate::api::{Enrichment, Export};
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, Kept};
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::lookup::find;
use crate::plugin::screen::age::age;
use crate::plugin::screen::format::Put;
use crate::plugin::screen::table::{self, Cell, Heading};
use crate::plugin::screen::{Format, Screen, Tone};
use crate::plugin::target::{Kind, Target};
use jiff::Timestamp;
use kube::ResourceExt;
use serde_json::Value;

/// Whose runs, and how they are shown.
#[derive(Clone, Debug, clap::Args)]
pub struct Runs {
    /// The export, or enrichment/NAME; all of the namespace if absent.
    #[arg(value_name = "NAME")]
    target: Option<Target>,
    /// The form of the output: wide, json, yaml or jsonpath=TEMPLATE.
    #[arg(short, long, value_name = "FORM", value_parser = form)]
    output: Option<Format>,
}

/// Runs have no name by which kubectl would take them.
fn form(text: &str) -> Result<Format, String> {
    match text.parse()? {
        Format::Name => Err("there are wide, json, yaml and jsonpath=TEMPLATE".to_owned()),
        format => Ok(format),
    }
}

/// A run, and what ran.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    of: String,
    run: Run,
}

/// Shows them, the newest first.
///
/// # Errors
/// If what is named isn't there, or isn't theirs to see.
pub async fn run(asked: Runs, session: &Session) -> Result<Exit, Failure> {
    let cluster = session.cluster().await?;
    let mut found = match &asked.target {
        Some(target) => of_one(&cluster, target).await?,
        None => of_all(&cluster).await?,
    };
    found.sort_by(|a, b| (b.run.started_at.0, &b.of).cmp(&(a.run.started_at.0, &a.of)));
    let format = asked.output.unwrap_or_default();
    let objects: Vec<Value> = found.iter().map(object).collect();
    if let Some(shown) = format.of(Put::Many(&objects)) {
        session.show(&shown);
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        let place = &cluster.namespace;
        session.note(&match &asked.target {
            Some(target) => {
                let called = target.known().unwrap_or(Kind::Export).called(&target.name);
                format!("{called} has not run yet. To have it run: kubectl connections run {called}")
            }
            None => format!("Nothing in the namespace {place} has run yet. To have an export run: kubectl connections run NAME"),
        });
        return Ok(Exit::Done);
    }
    session.show(&table(
        &found,
        format == Format::Wide,
        session.screen,
        Timestamp::now(),
    ));
    if let Some(why) = found.first().and_then(|newest| newest.run.failure.as_ref()) {
        session.note(&why.message);
    }
    Ok(Exit::Done)
}

async fn of_one(cluster: &Cluster, target: &Target) -> Result<Vec<Row>, Failure> {
    let kind = target.kind(&[Kind::Export, Kind::Enrichment])?;
    let name = &target.name;
    let status = if kind == Kind::Export {
        find::<Export>(cluster, name).await?.status
    } else {
        find::<Enrichment>(cluster, name).await?.status
    };
    Ok(ran(kind, name, status))
}

async fn of_all(cluster: &Cluster) -> Result<Vec<Row>, Failure> {
    let exports = all::<Export>(cluster).await?;
    let exports = exports
        .into_iter()
        .flat_map(|one| ran(Kind::Export, &one.name_any(), one.status));
    let enrichments = all::<Enrichment>(cluster).await?;
    let enrichments = enrichments
        .into_iter()
        .flat_map(|one| ran(Kind::Enrichment, &one.name_any(), one.status));
    Ok(exports.chain(enrichments).collect())
}

async fn all<K: Kept>(cluster: &Cluster) -> Result<Vec<K>, Failure> {
    let here = cluster.here();
    Ok(cluster.list::<K, K>(&here).await?)
}

fn ran(kind: Kind, name: &str, status: Option<ExportStatus>) -> Vec<Row> {
    let runs = status.map(|status| status.runs).unwrap_or_default();
    let of = format!("{}/{name}", kind.word());
    let row = |run| Row { of: of.clone(), run };
    runs.into_iter().map(row).collect()
}

/// For programs: the run as status has it, and what ran.
fn object(row: &Row) -> Value {
    let mut object = serde_json::to_value(&row.run).unwrap_or_default();
    object["of"] = row.of.clone().into();
    object
}

const STARTED: Heading = Heading::new("STARTED", false);
const OF: Heading = Heading::new("OF", false);
const BY: Heading = Heading::new("BY", false);
const OUTCOME: Heading = Heading::new("OUTCOME", false);
const TOOK: Heading = Heading::new("TOOK", false);
const READ: Heading = Heading::new("READ", false);
const SENT: Heading = Heading::new("SENT", false);
const REFUSED: Heading = Heading::new("REFUSED", false);
const SIZE: Heading = Heading::new("SIZE", false);
const TRIES: Heading = Heading::new("TRIES", false);
const WHY: Heading = Heading::new("WHY", true);

const USUAL: [Heading; 8] = [STARTED, OF, BY, OUTCOME, TOOK, READ, SENT, WHY];
const WIDE: [Heading; 11] = [
    STARTED,
    OF,
    BY,
    OUTCOME,
    TOOK,
    TRIES,
    READ,
    SENT,
    REFUSED,
    SIZE,
    Heading::new("WHY", false),
];

fn table(found: &[Row], wide: bool, screen: Screen, now: Timestamp) -> String {
    let headings: &[Heading] = if wide { &WIDE } else { &USUAL };
    let cells = |row: &Row| headings.iter().map(|heading| cell(*heading, row, now)).collect();
    let cells: Vec<Vec<Cell>> = found.iter().map(cells).collect();
    table::table(headings, &cells, screen)
}

fn cell(heading: Heading, Row { of, run }: &Row, now: Timestamp) -> Cell {
    let counted = |number: fn(&crate::api::run::RunCounts) -> i64| run.counts.as_ref().map(number);
    let number = |number: Option<i64>| Cell::new(number.map_or_else(String::new, rows));
    match heading.title {
        "STARTED" => Cell::new(age(run.started_at.0, now)),
        "OF" => Cell::new(of.as_str()),
        "BY" => Cell::new(run.trigger.map_or("", Trigger::as_str)),
        "OUTCOME" => outcome(run.outcome),
        "TOOK" => Cell::new(age(
            run.started_at.0,
            run.ended_at.as_ref().map_or(now, |ended| ended.0),
        )),
        "TRIES" => Cell::new(
            run.attempt
                .map_or_else(String::new, |attempt| attempt.to_string()),
        ),
        "READ" => {
            number(counted(|counts| counts.rows_read).or(run.progress.map(|progress| progress.rows_read)))
        }
        // An enrichment sends nothing: what it made of the rows counts.
        "SENT" => number(counted(|counts| counts.rows_enriched.unwrap_or(counts.rows_sent))),
        "REFUSED" => number(counted(|counts| counts.rows_rejected)),
        "SIZE" => Cell::new(counted(|counts| counts.bytes).map_or_else(String::new, size)),
        _ => Cell::new(
            run.failure
                .as_ref()
                .map_or("", |failure| failure.message.as_str()),
        ),
    }
}

fn outcome(outcome: Option<RunOutcome>) -> Cell {
    match outcome {
        None => Cell::new("Running"),
        Some(RunOutcome::Succeeded) => Cell::toned(RunOutcome::Succeeded.as_str(), Tone::Good),
        Some(RunOutcome::Failed) => Cell::toned(RunOutcome::Failed.as_str(), Tone::Bad),
        Some(RunOutcome::Stopped) => Cell::toned(RunOutcome::Stopped.as_str(), Tone::Faint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::run::RunProgress;
    use crate::fixtures::{at, requested_run};

    fn rows() -> Vec<Row> {
        let row = |run| Row {
            of: "export/nightly".to_owned(),
            run,
        };
        let running = Run {
            progress: Some(RunProgress {
                rows_read: 3000,
                rows_written: 2400,
            }),
            ..requested_run(None)
        };
        let failed = requested_run(Some(RunOutcome::Failed));
        vec![
            row(running),
            row(failed),
            row(requested_run(Some(RunOutcome::Succeeded))),
        ]
    }

    #[test]
    fn each_run_is_a_row_with_what_it_did_and_why_it_failed() {
        let expected = "\
STARTED   OF               BY        OUTCOME     TOOK   READ      SENT      WHY
20s       export/nightly   Request   Running     20s    3,000
20s       export/nightly   Request   Failed      6s     125,000   100,000   The server refused the password.
20s       export/nightly   Request   Succeeded   6s     125,000   100,000
";
        assert_eq!(table(&rows(), false, Screen::default(), at(120)), expected);
        let wide = table(&rows(), true, Screen::default(), at(120));
        let head = "STARTED   OF               BY        OUTCOME     TOOK   TRIES   READ      SENT      REFUSED   SIZE       WHY";
        assert_eq!(wide.lines().next(), Some(head));
        assert!(wide.contains("3.45 MiB"), "{wide}");
    }

    #[test]
    fn programs_get_the_run_as_status_has_it_and_what_ran() {
        let object = object(&rows()[2]);
        assert_eq!(object["of"], "export/nightly");
        assert_eq!(object["counts"]["rowsSent"], 100_000);
        assert_eq!(
            form("name"),
            Err("there are wide, json, yaml and jsonpath=TEMPLATE".to_owned())
        );
    }
}
