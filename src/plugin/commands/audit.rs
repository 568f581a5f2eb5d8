//! `audit`: who consented to what, when and for which destination; who may use what now, and by which binding; which runs
//! went where, as far as status still tells.

mod access;
mod rows;
#[cfg(test)]
mod tests;

use crate::api::{ConsentRecord, Enrichment, Export};
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError, Kept, Selection};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::screen::format::{Put, without_managed_fields};
use crate::plugin::screen::{Format, Tone};
use jiff::{SignedDuration, Timestamp};
use rows::{Ran, Report, csv, page};
use serde_json::Value;
use std::str::FromStr;
use thiserror::Error;

/// Which decisions.
#[derive(Clone, Debug, clap::Args)]
pub struct Audit {
    /// Only what was decided within this time, such as 30d, 12h or 2026-01-31.
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only about this connection, which may have been removed.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// The form of the output: csv for everything in one table; json, yaml, name or jsonpath=TEMPLATE for the records.
    #[arg(short, long, value_name = "FORM")]
    output: Option<AuditFormat>,
}

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    Ago(SignedDuration),
    Day(Timestamp),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(day) = text.parse::<jiff::civil::Date>() {
            let day = day.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
            return day
                .map(|day| Self::Day(day.timestamp()))
                .map_err(|error| error.to_string());
        }
        let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
        let ago = match days {
            Some(days) => Some(SignedDuration::from_hours(24 * i64::from(days))),
            None => text
                .parse::<SignedDuration>()
                .ok()
                .filter(|ago| !ago.is_negative()),
        };
        ago.map(Self::Ago)
            .ok_or_else(|| "write a time such as 30d, 12h or 2026-01-31".to_owned())
    }
}

impl Since {
    fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Day(day) => day,
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

/// The forms of an audit.
#[derive(Clone, Debug, PartialEq)]
enum AuditFormat {
    Csv,
    Other(Format),
}

impl FromStr for AuditFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "csv" => Ok(Self::Csv),
            "wide" => Err("there are csv, json, yaml, name and jsonpath=TEMPLATE".to_owned()),
            _ => text.parse().map(Self::Other),
        }
    }
}

/// Why there is no audit.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "You may not read the records of consent in the namespace {namespace}. Ask whoever administers it to bind you to \
     connections-auditor there."
)]
pub struct NoRights {
    namespace: String,
}

impl Fault for NoRights {
    fn exit(&self) -> Exit {
        Exit::Not
    }
}

/// Shows it.
///
/// # Errors
/// If the records aren't theirs to read.
pub async fn run(asked: Audit, session: &Session) -> Result<Exit, Failure> {
    let cluster = session.cluster().await?;
    let since = asked.since.map(|since| since.at(Timestamp::now()));
    let selection = Selection {
        namespace: Some(cluster.namespace.clone()),
        fields: asked
            .connection
            .as_ref()
            .map(|name| format!("spec.subject.kind=Connection,spec.subject.name={name}")),
        labels: None,
    };
    let records = cluster.list::<ConsentRecord, ConsentRecord>(&selection).await;
    let mut records = records.map_err(|error| match error {
        error if error.is_forbidden() => Failure::from(NoRights {
            namespace: cluster.namespace.clone(),
        }),
        error => error.into(),
    })?;
    records.retain(|record| since.is_none_or(|since| record.spec.at.0 >= since));
    records.sort_by(|a, b| (a.spec.at.0, &a.metadata.name).cmp(&(b.spec.at.0, &b.metadata.name)));
    if let Some(AuditFormat::Other(format)) = &asked.output {
        let objects = records
            .iter()
            .map(|record| serde_json::to_value(record).unwrap_or_default());
        let objects: Vec<Value> = objects.map(without_managed_fields).collect();
        session.show(&format.of(Put::Many(&objects)).unwrap_or_default());
        return Ok(Exit::Done);
    }
    let connection = asked.connection.as_deref();
    let report = Report {
        grants: access::grants(&cluster, connection).await?,
        runs: runs(&cluster, connection, since).await?,
        records,
    };
    let shown = match asked.output {
        Some(_) => csv(&report),
        None => page(&report, session.screen, |title| {
            Tone::Heading.paint(title, session.screen.colour)
        }),
    };
    session.show(&shown);
    Ok(Exit::Done)
}

async fn runs(
    cluster: &Cluster,
    connection: Option<&str>,
    since: Option<Timestamp>,
) -> Result<Option<Vec<Ran>>, Failure> {
    let exports = seen::<Export>(cluster).await?;
    let enrichments = seen::<Enrichment>(cluster).await?;
    let (Some(exports), Some(enrichments)) = (exports, enrichments) else {
        return Ok(None);
    };
    let exports = exports.iter().filter_map(|export| {
        Some(Ran::all(
            "export",
            export.metadata.name.as_deref()?,
            export.status.as_ref()?,
        ))
    });
    let enrichments = enrichments.iter().filter_map(|one| {
        Some(Ran::all(
            "enrichment",
            one.metadata.name.as_deref()?,
            one.status.as_ref()?,
        ))
    });
    let mut runs: Vec<Ran> = exports.chain(enrichments).flatten().collect();
    runs.retain(|run| {
        since.is_none_or(|since| run.started >= since) && connection.is_none_or(|name| run.connection == name)
    });
    runs.sort_by(|a, b| (a.started, &a.name).cmp(&(b.started, &b.name)));
    Ok(Some(runs))
}

/// All of a kind in the namespace; nothing where they aren't theirs to see.
async fn seen<K: Kept>(cluster: &Cluster) -> Result<Option<Vec<K>>, ClusterError> {
    let here = cluster.here();
    match cluster.list::<K, K>(&here).await {
        Err(error) if error.is_forbidden() => Ok(None),
        found => found.map(Some),
    }
}
