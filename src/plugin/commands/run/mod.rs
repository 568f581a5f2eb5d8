//! `run`: has an export or enrichment run now, and waits for its end if that is wanted.

mod bar;
mod dry;
pub(in crate::plugin::commands) mod told;

use super::attach::Attached;
use crate::api::export::{ExportStatus, RequestAnswer, Run as RunStatus, RunRequest, State};
use crate::api::names::RUN_REQUESTED_ANNOTATION;
use crate::api::run::RunOutcome;
use crate::api::{Enrichment, Export};
use crate::governance::runs::names::requested_job;
use crate::governance::runs::request;
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::lookup::find;
use crate::plugin::target::{Kind, Target};
use bar::Bar;
use futures::StreamExt;
use jiff::Timestamp;
use kube::ResourceExt;
use serde_json::json;
use std::pin::pin;
use std::time::Duration;
use thiserror::Error;

/// How long the operator may take to answer a request.
const ANSWERED: Duration = Duration::from_secs(30);

/// What runs.
#[derive(Clone, Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("waits").multiple(true)))]
pub struct Run {
    /// The export, or enrichment/NAME.
    #[arg(value_name = "NAME")]
    pub(in crate::plugin::commands) target: Target,
    /// Wait until it has ended, and end as it does: 0 if all went well.
    #[arg(long, group = "waits")]
    wait: bool,
    /// Count what a run of an export would send and show that, and send nothing.
    #[arg(long = "dry-run", group = "waits")]
    only_counts: bool,
    /// Wait no longer than this, such as 10m: the run goes on.
    #[arg(long, value_name = "TIME", requires = "waits", value_parser = patience)]
    timeout: Option<Duration>,
}

fn patience(text: &str) -> Result<Duration, String> {
    let asked = text.parse::<jiff::SignedDuration>().ok();
    let asked = asked.and_then(|asked| Duration::try_from(asked).ok());
    asked.ok_or_else(|| "write a time such as 10m or 90s".to_owned())
}

/// Why nothing runs, or not to its end.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RunError {
    /// It may not run now.
    #[error("{told} Nothing was begun.")]
    Refused {
        /// What the operator says.
        told: String,
    },
    /// The operator says nothing.
    #[error(
        "The operator hasn't answered within {}s. A request counts for ten minutes, so it may still run: kubectl connections runs \
         {called}. To see whether the operator is there: kubectl connections doctor",
        ANSWERED.as_secs()
    )]
    Unanswered {
        /// What was to run, as commands take it.
        called: String,
    },
    /// It goes on.
    #[error("{why}The run goes on. To see how it stands: kubectl connections runs {called}")]
    GoesOn {
        /// What runs, as commands take it.
        called: String,
        /// Why it isn't waited for any more, as a sentence with a blank after it; nothing if that was wanted.
        why: String,
    },
    /// It goes on.
    #[error(
        "{why}The dry run goes on. What it counts will stand in status.lastDryRun: kubectl get export {name} -o yaml"
    )]
    DryRunGoesOn {
        /// The export.
        name: String,
        /// Why it isn't waited for any more, as a sentence with a blank after it; nothing if that was wanted.
        why: String,
    },
    /// Somebody else asked, too.
    #[error("Another dry run of {name} was asked for meanwhile, and took the place of this one.")]
    Replaced {
        /// The export.
        name: String,
    },
    /// It isn't there any more.
    #[error("The {noun} {name} was removed, and its run was told to stop.")]
    Removed {
        /// Export or enrichment.
        noun: &'static str,
        /// Its name.
        name: String,
    },
}

impl Fault for RunError {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. } | Self::Replaced { .. } | Self::Removed { .. } => Exit::Not,
            Self::Unanswered { .. } | Self::GoesOn { .. } | Self::DryRunGoesOn { .. } => Exit::Unclear,
        }
    }
}

/// Requests a run, tells what came of that, and follows it.
///
/// # Errors
/// If it isn't there, may not run, or isn't theirs to run; if it didn't end well.
pub async fn run(asked: Run, session: &Session) -> Result<Exit, Failure> {
    let fitting: &[Kind] = if asked.only_counts {
        &[Kind::Export]
    } else {
        &[Kind::Export, Kind::Enrichment]
    };
    let kind = asked.target.kind(fitting)?;
    let cluster = session.cluster().await?;
    match kind {
        _ if asked.only_counts => dry::run(&asked, &cluster, session).await,
        Kind::Enrichment => now::<Enrichment>(&asked, &cluster, session).await,
        _ => now::<Export>(&asked, &cluster, session).await,
    }
}

async fn now<K: Attached>(asked: &Run, cluster: &Cluster, session: &Session) -> Result<Exit, Failure> {
    let name = &asked.target.name;
    let called = K::KIND.called(name);
    let object: K = find(cluster, name).await?;
    if let Some(told) = hindrance(K::KIND, name, judged(&object)) {
        return Err(RunError::Refused { told }.into());
    }
    let now = Timestamp::now().to_string();
    let change = json!({"metadata": {"annotations": {RUN_REQUESTED_ANNOTATION: now}}});
    let object = cluster.merge::<K>(name, &change).await?;
    let value = request::value(&now);
    let of_it = |status: &ExportStatus| status.last_request.clone();
    let (status, answer) = answered::<K>(cluster, name, of_it, &value).await?;
    if let Some(told) = refusal(&answer) {
        return Err(RunError::Refused { told }.into());
    }
    if !asked.wait {
        session.note(&format!(
            "A run of {name} was begun. To see how it stands: kubectl connections runs {called}"
        ));
        return Ok(Exit::Done);
    }
    let uid = object.uid().unwrap_or_default();
    let job = requested_job(&K::kind(&()), (name, &uid), &value);
    let expected = expected(&status.runs);
    let ended = followed::<K>(cluster, name, &job, Bar::new(name, expected, session));
    let late = RunError::GoesOn {
        called,
        why: String::new(),
    };
    let ended = bounded(asked, ended, late).await?;
    session.note(&told::ending(K::KIND, name, &ended));
    Ok(match ended.outcome {
        Some(RunOutcome::Succeeded) => Exit::Done,
        _ => Exit::Not,
    })
}

/// Waits no longer than was asked for.
async fn bounded<T>(
    asked: &Run,
    ended: impl Future<Output = Result<T, Failure>>,
    late: RunError,
) -> Result<T, Failure> {
    let Some(timeout) = asked.timeout else {
        return ended.await;
    };
    let ended = tokio::time::timeout(timeout, ended).await;
    ended.unwrap_or_else(|_| Err(late.into()))
}

/// What the operator says of it as it is now; nothing if it hasn't looked since it was changed.
fn judged<K: Attached>(object: &K) -> Option<&ExportStatus> {
    let status = object.activity()?;
    (status.observed_generation == object.meta().generation).then_some(status)
}

/// Why there is no use in asking, as far as is known.
fn hindrance(kind: Kind, name: &str, status: Option<&ExportStatus>) -> Option<String> {
    if let Some(told) = hindrance_of_state(kind, name, status) {
        return Some(told);
    }
    let status = status?;
    let under_way = status.runs.iter().find(|run| run.ended_at.is_none())?;
    Some(format!(
        "A run of {name} has been under way since {}, and only one runs at a time: kubectl connections runs {}.",
        under_way.started_at.0,
        kind.called(name)
    ))
}

/// Why nothing of it runs, as far as is known.
fn hindrance_of_state(kind: Kind, name: &str, status: Option<&ExportStatus>) -> Option<String> {
    let status = status?;
    let inactive = status.state == Some(State::Inactive) && !status.needs_run_account();
    inactive.then(|| super::told::activity(kind, name, Some(status)))
}

/// The status in which the operator has answered this request, and the answer, as `of_it` finds it there.
async fn answered<K: Attached>(
    cluster: &Cluster,
    name: &str,
    of_it: impl Fn(&ExportStatus) -> Option<RunRequest>,
    value: &str,
) -> Result<(ExportStatus, RunRequest), Failure> {
    let answered = watched::<K, _>(cluster, name, |status| match status {
        Ok(status) => {
            let answered = of_it(&status).filter(|answered| answered.value == value);
            Ok(answered.map(|answered| (status, answered)))
        }
        Err(error) if error.is_lasting() => Err(error.into()),
        Err(_) => Ok(None),
    });
    let answered = tokio::time::timeout(ANSWERED, answered).await;
    answered.unwrap_or(Ok(None))?.ok_or_else(|| {
        let called = K::KIND.called(name);
        RunError::Unanswered { called }.into()
    })
}

/// Looks at the status as it changes, until that shows what is looked for. A watch that broke is told, and begins
/// anew after a pause.
async fn watched<K: Attached, T>(
    cluster: &Cluster,
    name: &str,
    mut look: impl FnMut(Result<ExportStatus, ClusterError>) -> Result<Option<T>, Failure>,
) -> Result<Option<T>, Failure> {
    let mut seen = pin!(cluster.follow::<K>(name));
    while let Some(object) = seen.next().await {
        let status = match object {
            Ok(Some(object)) => Ok(object.activity().cloned().unwrap_or_default()),
            Ok(None) => {
                let (noun, name) = (K::KIND.noun(), name.to_owned());
                return Err(RunError::Removed { noun, name }.into());
            }
            Err(error) => Err(error),
        };
        if let Some(found) = look(status)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Why the operator began nothing.
fn refusal(answered: &RunRequest) -> Option<String> {
    (answered.answer != RequestAnswer::Begun).then(|| request::standing(answered).message)
}

/// How many rows there were to read the last time that all were.
fn expected(runs: &[RunStatus]) -> Option<i64> {
    let ended = |run: &&RunStatus| run.outcome == Some(RunOutcome::Succeeded);
    let counts = runs.iter().find(ended)?.counts?;
    Some(counts.rows_read).filter(|rows| *rows > 0)
}

/// Shows how far the run of this Job is, until it has ended.
async fn followed<K: Attached>(
    cluster: &Cluster,
    name: &str,
    job: &str,
    mut bar: Bar<'_>,
) -> Result<RunStatus, Failure> {
    let goes_on = |why: String| RunError::GoesOn {
        called: K::KIND.called(name),
        why,
    };
    let ended = watched::<K, _>(cluster, name, |status| {
        let status = match status {
            Ok(status) => status,
            Err(error) if error.is_lasting() => return Err(goes_on(format!("{error} ")).into()),
            Err(error) => {
                bar.says(&format!("{error} It is tried again."));
                return Ok(None);
            }
        };
        let mut runs = status.runs.into_iter();
        let run = runs.find(|run| run.job.as_deref() == Some(job));
        if let Some(run) = run.as_ref().filter(|run| run.ended_at.is_none()) {
            bar.shows(run, Timestamp::now());
        }
        Ok(run.filter(|run| run.ended_at.is_some()))
    });
    ended.await?.ok_or_else(|| goes_on(String::new()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::requested_run;

    #[test]
    fn what_is_known_to_hinder_a_run_is_told_before_it_is_asked_for() {
        let active = ExportStatus {
            state: Some(State::Active),
            ..ExportStatus::default()
        };
        assert_eq!(
            hindrance(Kind::Export, "nightly", None),
            None,
            "the operator may still be looking"
        );
        assert_eq!(hindrance(Kind::Export, "nightly", Some(&active)), None);
        let ended = ExportStatus {
            runs: vec![requested_run(Some(RunOutcome::Failed))],
            ..active.clone()
        };
        assert_eq!(hindrance(Kind::Export, "nightly", Some(&ended)), None);
        let under_way = ExportStatus {
            runs: vec![requested_run(None)],
            ..active
        };
        let told = hindrance(Kind::Export, "nightly", Some(&under_way)).expect("only one runs at a time");
        assert!(
            told.starts_with("A run of nightly has been under way since"),
            "{told}"
        );
        let inactive = ExportStatus {
            state: Some(State::Inactive),
            ..ExportStatus::default()
        };
        let told = hindrance(Kind::Export, "nightly", Some(&inactive)).expect("it is inactive");
        assert!(told.starts_with("The export nightly is Inactive"), "{told}");
    }

    #[test]
    fn a_time_is_none_that_was() {
        assert_eq!(patience("10m"), Ok(Duration::from_mins(10)));
        for text in ["-5m", "soon", ""] {
            assert!(patience(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_an_answer_that_something_was_begun_is_good_news() {
        let answered = |answer| RunRequest {
            value: "now".to_owned(),
            answer,
        };
        assert_eq!(refusal(&answered(RequestAnswer::Begun)), None);
        for answer in [
            RequestAnswer::Inactive,
            RequestAnswer::UnderWay,
            RequestAnswer::NotNow,
            RequestAnswer::Unreadable,
        ] {
            let told = refusal(&answered(answer)).expect("nothing was begun");
            assert!(told.starts_with("A run was requested"), "{told}");
        }
    }

    #[test]
    fn as_many_rows_are_expected_as_were_read_when_all_were() {
        let runs = [
            requested_run(None),
            requested_run(Some(RunOutcome::Failed)),
            requested_run(Some(RunOutcome::Succeeded)),
        ];
        assert_eq!(expected(&runs), Some(125_000));
        assert_eq!(expected(&runs[..2]), None);
    }
}
