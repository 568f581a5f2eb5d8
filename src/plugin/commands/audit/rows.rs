//! An audit as a page for people, and as one table for programs.

use super::access::Grant;
use crate::api::ConsentRecord;
use crate::api::export::ExportStatus;
use crate::api::run::RunOutcome;
use crate::plugin::screen::Screen;
use crate::plugin::screen::table::{self, Cell, Heading};
use jiff::Timestamp;
use std::fmt::Write as _;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Export or enrichment.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The connection that it is on now.
    pub connection: String,
    /// When it started.
    pub started: Timestamp,
    /// How it ended.
    pub outcome: String,
}

impl Ran {
    /// Those that a status still keeps.
    #[must_use]
    pub fn all(kind: &'static str, name: &str, status: &ExportStatus) -> Vec<Self> {
        let runs = status.runs.iter();
        runs.map(|run| Self {
            kind,
            name: name.to_owned(),
            connection: status.connection.clone().unwrap_or_default(),
            started: run.started_at.0,
            outcome: run.outcome.map_or("", RunOutcome::as_str).to_owned(),
        })
        .collect()
    }
}

/// All of it; what isn't theirs to see is absent.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The decisions, the oldest first.
    pub records: Vec<ConsentRecord>,
    /// Who may do what.
    pub grants: Option<Vec<Grant>>,
    /// What ran.
    pub runs: Option<Vec<Ran>>,
}

const DECISIONS: [(&str, bool); 7] = [
    ("AT", false),
    ("DECISION", false),
    ("SUBJECT", false),
    ("BY", true),
    ("VIA", true),
    ("NOTICE", false),
    ("DESTINATION", true),
];
const GRANTS: [(&str, bool); 3] = [("WHO", false), ("MAY", true), ("BY", false)];
const RUNS: [(&str, bool); 4] = [
    ("STARTED", false),
    ("WHAT", false),
    ("ON (NOW)", false), // a run doesn't tell which it was on
    ("OUTCOME", true),
];

/// The page for people.
#[must_use]
pub fn page(report: &Report, screen: Screen, heading: impl Fn(&str) -> String) -> String {
    let decisions: Vec<Vec<String>> = report.records.iter().map(decision).collect();
    let mut page = format!("{}\n", heading("Who consented to what"));
    page.push_str(&table(
        &DECISIONS,
        &decisions,
        screen,
        "Nobody, as far as records go.",
    ));
    let title = heading("Who may use what now, by bindings of this namespace");
    let _ = write!(page, "\n{title}\n"); // writing to a String can't fail
    match &report.grants {
        None => page.push_str("You may not see bindings here.\n"),
        Some(grants) => {
            let grants: Vec<Vec<String>> = grants.iter().map(grant).collect();
            page.push_str(&table(
                &GRANTS,
                &grants,
                screen,
                "Nobody, by a binding of this namespace.",
            ));
        }
    }
    let _ = write!(page, "\n{}\n", heading("What ran, as far as status keeps it"));
    match &report.runs {
        None => page.push_str("You may not see exports and enrichments here.\n"),
        Some(runs) => {
            let runs: Vec<Vec<String>> = runs.iter().map(run).collect();
            page.push_str(&table(&RUNS, &runs, screen, "Nothing."));
        }
    }
    page
}

fn table(columns: &[(&'static str, bool)], rows: &[Vec<String>], screen: Screen, none: &str) -> String {
    if rows.is_empty() {
        return format!("{none}\n");
    }
    let headings: Vec<Heading> = columns
        .iter()
        .map(|&(title, shortens)| Heading::new(title, shortens))
        .collect();
    let rows: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| row.iter().map(|text| Cell::new(text.as_str())).collect())
        .collect();
    table::table(&headings, &rows, screen)
}

fn decision(record: &ConsentRecord) -> Vec<String> {
    let spec = &record.spec;
    vec![
        spec.at.0.to_string(),
        format!("{:?}", spec.decision),
        format!("{}/{}", spec.subject.kind.to_lowercase(), spec.subject.name),
        spec.by.clone(),
        spec.via.clone(),
        spec.notice_version.clone(),
        spec.destination.clone(),
    ]
}

fn grant(grant: &Grant) -> Vec<String> {
    vec![grant.who.clone(), grant.may.clone(), grant.by.clone()]
}

fn run(run: &Ran) -> Vec<String> {
    vec![
        run.started.to_string(),
        format!("{}/{}", run.kind, run.name),
        run.connection.clone(),
        run.outcome.clone(),
    ]
}

/// The columns of all of it: what doesn't apply is empty.
const CSV: &str = "what,at,who,did,subject,via,destination,notice,digest\r\n";

/// One table for programs (RFC 4180).
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut text = CSV.to_owned();
    for record in &report.records {
        let spec = &record.spec;
        text.push_str(&line(&[
            "consent",
            &spec.at.0.to_string(),
            &spec.by,
            &format!("{:?}", spec.decision),
            &format!("{}/{}", spec.subject.kind.to_lowercase(), spec.subject.name),
            &spec.via,
            &spec.destination,
            &spec.notice_version,
            &spec.digest,
        ]));
    }
    for grant in report.grants.iter().flatten() {
        text.push_str(&line(&[
            "access", "", &grant.who, &grant.may, "", &grant.by, "", "", "",
        ]));
    }
    for run in report.runs.iter().flatten() {
        let (at, what) = (run.started.to_string(), format!("{}/{}", run.kind, run.name));
        text.push_str(&line(&[
            "run",
            &at,
            "",
            &run.outcome,
            &what,
            "",
            &run.connection,
            "",
            "",
        ]));
    }
    text
}

/// Each field in quotes. One that a spreadsheet would compute is kept from it by a blank.
fn line(fields: &[&str]) -> String {
    let quoted = fields.iter().map(|field| {
        let computed = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let blank = if computed { " " } else { "" };
        format!("\"{blank}{}\"", field.replace('"', "\"\""))
    });
    format!("{}\r\n", quoted.collect::<Vec<_>>().join(","))
}
