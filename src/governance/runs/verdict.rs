//! What the newest run says about the export or enrichment: whether it ended well, and whether scheduled runs are held.

use super::names::hash_of;
use crate::api::export::Run;
use crate::api::run::{Persistence, RunCounts, RunOutcome};
use crate::api::{Connection, Reason};
use crate::governance::Standing;
use crate::governance::datasets::Use;
use kube::ResourceExt;

/// A hash of what a run would begin with now: a change of the spec, the connection, a secret or
/// of where a dataset lies and how it's written gives another.
#[must_use]
pub fn basis(generation: Option<i64>, connection: &Connection, uses: &[Use]) -> String {
    let generations = [generation, connection.metadata.generation];
    let [own, connections] = generations.map(|generation| generation.unwrap_or_default().to_string());
    let uid = connection.uid().unwrap_or_default();
    let status = connection.status.as_ref();
    let secrets = status.map(|status| status.secrets.as_slice()).unwrap_or_default();
    let datasets = uses.iter().filter_map(|used| used.dataset.as_ref());
    let datasets: Vec<String> = datasets
        .map(|dataset| {
            let spec = &dataset.spec;
            let lies = (dataset.name_any(), &spec.location, &spec.format);
            serde_json::to_string(&lies).unwrap_or_default() // all of it can be written
        })
        .collect();
    let mut parts = vec![own.as_str(), &connections, &uid];
    parts.extend(datasets.iter().map(String::as_str));
    for secret in secrets {
        parts.extend([secret.name.as_str(), &secret.source]);
        parts.push(secret.version.as_deref().unwrap_or_default());
    }
    hash_of(&parts)[..32].to_owned()
}

/// Judges the newest run that has ended: the condition LastRunSucceeded.
#[must_use]
pub fn judge(last_ended: Option<&Run>, basis: Option<&str>) -> Standing {
    let Some(last) = last_ended else {
        return Standing::unknown(Reason::NeverRan, "It has not run yet.");
    };
    let failure = last.failure.as_ref();
    let why = failure.map_or("Its connector didn't tell why.", |failure| {
        failure.message.as_str()
    });
    match last.outcome {
        Some(RunOutcome::Succeeded) => Standing::met(Reason::RunSucceeded, succeeded(last)),
        Some(RunOutcome::Stopped) => Standing::unmet(Reason::RunStopped, stopped(last)),
        Some(RunOutcome::Failed) | None => {
            let permanent = failure.is_some_and(|failure| failure.persistence == Persistence::Permanent);
            if permanent && last.basis.as_deref() == basis {
                let text = format!(
                    "The newest run failed for good, so scheduled runs are held until what it failed by changes, or a run on \
                     request ends well. {why}"
                );
                return Standing::unmet(Reason::RunFailed, text);
            }
            Standing::unmet(
                Reason::RunFailedForNow,
                format!("The newest run failed, and the next one may end better. {why}"),
            )
        }
    }
}

fn stopped(run: &Run) -> String {
    let counts = run.counts.unwrap_or_default();
    let stands = match (counts.rows_enriched, counts.rows_sent) {
        (Some(enriched), _) => format!(" By then its output was the new one, with {enriched} rows enriched."),
        (None, sent) if sent > 0 => format!(" By then {sent} rows stood at the destination."),
        _ => String::new(),
    };
    format!("The newest run was stopped before its end, as it was no longer allowed.{stands}")
}

fn succeeded(run: &Run) -> String {
    match run.counts {
        Some(RunCounts {
            rows_read,
            rows_enriched: Some(enriched),
            rows_not_matched: Some(not_matched),
            ..
        }) => format!(
            "The newest run ended well: {rows_read} rows read, {enriched} enriched, {not_matched} not matched."
        ),
        Some(counts) => format!(
            "The newest run ended well: {} rows read, {} sent, {} rejected.",
            counts.rows_read, counts.rows_sent, counts.rows_rejected
        ),
        None => "The newest run ended well.".to_owned(),
    }
}
