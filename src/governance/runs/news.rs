//! What people should hear of runs: how each ended, and what became of a request.

use super::request;
use crate::api::dry_run::DryRun;
use crate::api::export::{ExportStatus, RequestAnswer, Run};
use crate::api::run::RunOutcome;
use crate::api::{ConditionType, Reason};
use crate::governance::Standing;
use crate::governance::conditions::find;
use crate::governance::decision::Announcement;

/// The news, the oldest first: one for each run that has ended.
#[must_use]
pub fn announcements(before: &ExportStatus, after: &ExportStatus) -> Vec<Announcement> {
    let mut ended: Vec<&Run> = newly_ended(before, after).collect();
    ended.reverse();
    let newest = ended.last().copied();
    let ended = ended.into_iter().map(|run| match run.outcome {
        Some(RunOutcome::Succeeded) => (false, Reason::RunSucceeded),
        Some(RunOutcome::Stopped) => (true, Reason::RunStopped),
        Some(RunOutcome::Failed) | None if Some(run) == newest => (true, failed(after)),
        Some(RunOutcome::Failed) | None => (true, Reason::RunFailedForNow),
    });
    let request = after.last_request.as_ref();
    let request = request.filter(|request| before.last_request.as_ref() != Some(request));
    let answered = request.map(|request| {
        let Standing { reason, .. } = request::standing(request);
        (request.answer != RequestAnswer::Begun, reason)
    });
    let dry_run = of_dry_runs(before.last_dry_run.as_ref(), after.last_dry_run.as_ref());
    let all = ended.chain(answered).chain(dry_run);
    all.map(|(warning, reason)| Announcement { warning, reason })
        .collect()
}

/// That a dry run has ended, or why none was begun.
fn of_dry_runs(before: Option<&DryRun>, after: Option<&DryRun>) -> Option<(bool, Reason)> {
    let after = after?;
    let outcome = |dry_run: &DryRun| dry_run.run.as_ref().and_then(|run| run.outcome);
    let before = before.filter(|before| before.request == after.request);
    match outcome(after) {
        None if before.is_none() && after.request.answer != RequestAnswer::Begun => {
            Some((true, request::standing(&after.request).reason))
        }
        None => None,
        Some(_) if before.is_some_and(|before| outcome(before).is_some()) => None,
        Some(RunOutcome::Succeeded) => Some((false, Reason::DryRunSucceeded)),
        Some(RunOutcome::Failed | RunOutcome::Stopped) => Some((true, Reason::DryRunFailed)),
    }
}

/// A failure that holds what follows is told as what it does to the export.
fn failed(after: &ExportStatus) -> Reason {
    let last = find(&after.conditions, ConditionType::LastRunSucceeded);
    if last.is_some_and(|last| last.reason == Reason::RunFailed.as_str()) {
        Reason::RunFailed
    } else {
        Reason::RunFailedForNow
    }
}

/// The runs that have ended since, the newest first.
pub fn newly_ended<'a>(before: &'a ExportStatus, after: &'a ExportStatus) -> impl Iterator<Item = &'a Run> {
    let told = |run: &Run| {
        let mut known = before.runs.iter();
        known.any(|known| known.job == run.job && known.ended_at.is_some())
    };
    after
        .runs
        .iter()
        .filter(move |run| run.ended_at.is_some() && !told(run))
}
