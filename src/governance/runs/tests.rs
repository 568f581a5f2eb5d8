#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::history::{RUNS_MAX, merged, outlived};
use super::request::{RequestFacts, answer};
use super::results;
use super::steps::RunStep;
use super::{names, plan, verdict, workload};
use crate::api::connection_type::UsedFor;
use crate::api::export::{ExportStatus, Mode, RequestAnswer, Run, RunRequest, State, Trigger};
use crate::api::run::{FailureClass, Persistence, RunOutcome};
use crate::api::{ConditionStatus, ConditionType, Reason};
use crate::fixtures::{
    ConnectionBuilder, Runs, Visit, at, catalog_type, dataset, ran, sftp_partner, vault_secret, visit,
};
use crate::governance::activity;
use crate::governance::attachment::ConnectionSeen;
use crate::governance::conditions::find;
use crate::governance::datasets::Purpose;
use crate::governance::decision::{Decision, Effect};
use crate::governance::kept::Seen;
use crate::governance::parameters::CompiledType;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

fn export() -> Visit {
    visit(UsedFor::Export).over(&sftp_partner().consented().visited())
}

fn steps(decision: &Decision<ExportStatus>) -> Vec<String> {
    let told = decision.effects.iter().map(|effect| match effect {
        Effect::Run(step) => match &**step {
            RunStep::Schedule { plan, cron_job } => {
                let suspended = cron_job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true);
                let plan = if plan.is_some() { "plan and " } else { "" };
                format!(
                    "{plan}{}",
                    if suspended { "resting schedule" } else { "schedule" }
                )
            }
            RunStep::Start { job, .. } => {
                format!("start {}", job.metadata.name.clone().unwrap_or_default().len())
            }
            RunStep::Suspend(_) => "suspend".to_owned(),
            RunStep::Retire(_) => "retire".to_owned(),
            RunStep::End { job, running, .. } => {
                format!("{} {job}", if *running { "stop" } else { "remove" })
            }
        },
        other => format!("{other:?}"),
    });
    told.collect()
}

/// The CronJob that this visit wants, as it is once the API server has it.
fn scheduled(visit: &Visit) -> Seen<CronJob> {
    let decision = activity::decide(&visit.facts());
    let mut made = decision.effects.iter().filter_map(|effect| match effect {
        Effect::Run(step) => match &**step {
            RunStep::Schedule { cron_job, .. } => Some(cron_job.clone()),
            _ => None,
        },
        _ => None,
    });
    Seen::Present(Arc::new(made.next().expect("it is scheduled")))
}

fn after(mut visit: Visit) -> Visit {
    visit.before = activity::decide(&visit.facts()).status;
    visit
}

fn daily() -> Visit {
    let mut visit = export().every("30 2 * * *");
    visit.runs.cron_job = scheduled(&visit);
    after(visit)
}

/// With this much changed.
fn changed(mut visit: Visit, change: impl FnOnce(&mut Visit)) -> Visit {
    change(&mut visit);
    visit
}

#[test]
fn what_is_written_follows_from_how_the_export_stands() {
    let stopped_by = |connection: ConnectionBuilder| {
        changed(daily().over(&connection.visited()), |visit| {
            visit.runs.jobs = vec![ran(10, None, None)];
        })
    };
    let resting = |visit: Visit| {
        changed(visit, |visit| {
            if let Seen::Present(cron_job) = &mut visit.runs.cron_job {
                Arc::make_mut(cron_job).spec.as_mut().expect("a spec").suspend = Some(true);
            }
        })
    };
    let detached = || changed(daily(), |visit| visit.connection = ConnectionSeen::Detached);
    let rows: Vec<(&str, Visit, Vec<&str>)> = vec![
        ("manual", export(), vec![]),
        (
            "scheduled anew",
            export().every("30 2 * * *"),
            vec!["plan and schedule"],
        ),
        ("scheduled already", daily(), vec![]),
        (
            "scheduled for another time",
            daily().every("0 3 * * *"),
            vec!["schedule"],
        ),
        (
            "choosing something else",
            daily().choosing("compression", "Gzip"),
            vec!["plan and schedule"],
        ),
        (
            "resting, as it was stopped before",
            resting(daily()),
            vec!["schedule"],
        ),
        ("suspended", daily().suspended(), vec!["suspend"]),
        ("suspended, and at rest", resting(daily().suspended()), vec![]),
        ("detached", detached(), vec!["suspend"]),
        ("detached, and at rest", resting(detached()), vec!["retire"]),
        (
            "a run under way, and all is well",
            changed(daily(), |visit| visit.runs.jobs = vec![ran(10, None, None)]),
            vec![],
        ),
        (
            "consent withdrawn under a run",
            stopped_by(sftp_partner()),
            vec!["suspend", "stop job-0010"],
        ),
        (
            "the connection suspended under a run",
            stopped_by(sftp_partner().consented().suspended()),
            vec!["suspend", "stop job-0010"],
        ),
        (
            "the connection being removed under a run",
            stopped_by(sftp_partner().consented().being_removed()),
            vec!["suspend", "stop job-0010"],
        ),
        (
            "a dataset gone under a run, which may end",
            changed(daily(), |visit| {
                visit.uses[0].dataset = None;
                visit.runs.jobs = vec![ran(10, None, None)];
            }),
            vec!["suspend"],
        ),
    ];
    for (case, visit, expected) in rows {
        assert_eq!(steps(&activity::decide(&visit.facts())), expected, "{case}");
    }
}

#[test]
fn a_request_is_answered_once_and_only_while_it_is_fresh() {
    let now = at(1000);
    let written = |second: i64| at(second).to_string();
    let known = |value: String| RunRequest {
        value,
        answer: RequestAnswer::Inactive,
    };
    let rows: Vec<(
        &str,
        Option<String>,
        Option<RunRequest>,
        (bool, bool),
        Option<RequestAnswer>,
    )> = vec![
        ("none", None, None, (true, false), None),
        (
            "now",
            Some(written(1000)),
            None,
            (true, false),
            Some(RequestAnswer::Begun),
        ),
        (
            "a while ago",
            Some(written(400)),
            None,
            (true, false),
            Some(RequestAnswer::Begun),
        ),
        (
            "too long ago",
            Some(written(399)),
            None,
            (true, false),
            Some(RequestAnswer::NotNow),
        ),
        (
            "in the future",
            Some(written(1601)),
            None,
            (true, false),
            Some(RequestAnswer::NotNow),
        ),
        (
            "in another zone",
            Some("2023-11-15T00:30:00+02:00".to_owned()),
            None,
            (true, false),
            Some(RequestAnswer::Begun),
        ),
        (
            "no time",
            Some("now".to_owned()),
            None,
            (true, false),
            Some(RequestAnswer::Unreadable),
        ),
        (
            "of what is inactive",
            Some(written(1000)),
            None,
            (false, false),
            Some(RequestAnswer::Inactive),
        ),
        (
            "while another runs",
            Some(written(1000)),
            None,
            (true, true),
            Some(RequestAnswer::UnderWay),
        ),
        (
            "answered before",
            Some(written(1000)),
            Some(known(written(1000))),
            (true, false),
            None,
        ),
        (
            "another than was answered",
            Some(written(1000)),
            Some(known(written(990))),
            (true, false),
            Some(RequestAnswer::Begun),
        ),
    ];
    for (case, requested, before, (runnable, running), expected) in rows {
        let told = answer(RequestFacts {
            requested: requested.as_deref(),
            before: before.as_ref(),
            runnable,
            running,
            now,
        });
        assert_eq!(told.map(|told| told.answer), expected, "{case}");
    }
}

#[test]
fn a_requested_run_is_begun_and_the_schedule_rests_while_it_runs() {
    let requested = changed(daily(), |visit| {
        visit.runs.requested = Some(visit.now.to_string())
    });
    let decision = activity::decide(&requested.facts());
    assert_eq!(steps(&decision), ["start 54", "resting schedule"]);
    let granted = find(&decision.status.conditions, ConditionType::RequestGranted).expect("it is told");
    assert_eq!(
        (granted.status, granted.reason.as_str()),
        (ConditionStatus::True, "RequestBegun")
    );
    assert_eq!(
        decision.announcements.last().expect("news").reason,
        Reason::RequestBegun
    );

    let begun = changed(after(requested), |visit| visit.runs.starting = true);
    assert_eq!(
        steps(&activity::decide(&begun.facts())),
        ["resting schedule"],
        "it is begun once"
    );

    let lonely = changed(daily(), |visit| {
        visit.runs.requested = Some(visit.now.to_string());
        visit.runs.account.role_binding = Seen::Absent;
    });
    let waits = activity::decide(&lonely.facts());
    assert_eq!(
        (steps(&waits), waits.status.last_request.clone()),
        (vec![], None),
        "it waits for the account's rights"
    );
    assert!(waits.recheck.expect("soon").as_secs() <= 1);

    let resting = changed(daily().suspended(), |visit| {
        visit.runs.requested = Some(visit.now.to_string())
    });
    let refused = activity::decide(&resting.facts());
    let told = find(&refused.status.conditions, ConditionType::RequestGranted).expect("it is told");
    assert_eq!(
        (told.status, told.reason.as_str()),
        (ConditionStatus::False, "RequestedWhileInactive")
    );
}

#[test]
fn a_failure_for_good_holds_the_schedule_until_something_changes() {
    let connection = sftp_partner().consented().visited();
    let basis = verdict::basis(Some(1), &connection.0);
    let failed = |persistence| {
        changed(daily(), |visit| {
            let mut job = ran(100, Some(RunOutcome::Failed), Some(persistence));
            job.basis = Some(basis.clone());
            visit.runs.jobs = vec![job];
        })
    };
    let told = |visit: &Visit| {
        let decision = activity::decide(&visit.facts());
        let reason = |type_| {
            find(&decision.status.conditions, type_)
                .expect("it is told")
                .reason
                .clone()
        };
        let next = decision.status.next_run_at.is_some();
        (
            decision.status.state,
            reason(ConditionType::Ready),
            reason(ConditionType::LastRunSucceeded),
            steps(&decision),
            next,
        )
    };
    let (ready, nothing) = ("Ready".to_owned(), Vec::<String>::new());
    assert_eq!(
        told(&failed(Persistence::Transient)),
        (
            Some(State::Active),
            ready.clone(),
            "RunFailedForNow".to_owned(),
            nothing.clone(),
            true
        )
    );
    assert_eq!(
        told(&failed(Persistence::Permanent)),
        (
            Some(State::Inactive),
            "RunFailed".to_owned(),
            "RunFailed".to_owned(),
            vec!["resting schedule".to_owned()],
            false
        )
    );
    let mended = changed(failed(Persistence::Permanent), |visit| {
        let mut connection = sftp_partner().consented().visited();
        let status = connection.0.status.as_mut().expect("visited");
        status.secrets[0].version = Some("8".to_owned());
        visit.connection = connection.seen();
    });
    assert_eq!(
        told(&mended).0,
        Some(State::Active),
        "a new version of a secret ends it"
    );
    let again = changed(failed(Persistence::Permanent), |visit| {
        visit.runs.jobs.push(ran(150, Some(RunOutcome::Succeeded), None));
    });
    assert_eq!(
        told(&again).0,
        Some(State::Active),
        "and so does a run that ends well"
    );
    let requested = changed(after(failed(Persistence::Permanent)), |visit| {
        visit.runs.requested = Some(visit.now.to_string());
    });
    assert_eq!(
        told(&requested).3,
        ["start 54", "resting schedule"],
        "which can be requested"
    );
}

#[test]
fn what_the_connector_lacks_is_told_and_nothing_is_active_by_it() {
    let in_vault = sftp_partner()
        .source("password", vault_secret("company-vault", "partner"))
        .consented()
        .visited();
    let elsewhere = || {
        let mut lake = dataset("lake").visited();
        lake.0.spec.location.volume = None;
        lake.0.spec.location.url = Some("s3://lake/customers".to_owned());
        lake
    };
    let mut over_vault = export();
    over_vault.connection = in_vault.seen();
    let rows = [
        (
            "credentials in a vault",
            super::lacks::of_connection(&in_vault.0).map(str::to_owned),
            "takes credentials from a key vault",
        ),
        (
            "a dataset that isn't on a volume",
            Some(valid(
                &export().using(elsewhere().used("spec.payload", Purpose::Read)),
            )),
            "The dataset lake isn't on a volume",
        ),
        (
            "only what has changed",
            Some(valid(&changed(export(), |visit| {
                visit.runs.mode = Some(Mode::Incremental)
            }))),
            "spec.mode is Incremental",
        ),
    ];
    for (case, told, expected) in rows {
        let told = told.unwrap_or_default();
        assert!(told.contains(expected), "{case}: {told}");
    }
}

/// The message of Valid, which lacks something.
fn valid(visit: &Visit) -> String {
    let status = activity::decide(&visit.facts()).status;
    let valid = find(&status.conditions, ConditionType::Valid).expect("it is told");
    assert_eq!(valid.reason, "ConnectorLacks");
    assert_eq!(status.state, Some(State::Inactive));
    valid.message.clone()
}

fn job(conditions: &Value) -> Job {
    let job = json!({
        "metadata": {"name": "job", "uid": "j", "creationTimestamp": "2026-11-29T06:00:00Z"},
        "status": {"startTime": "2026-11-29T06:00:01Z", "conditions": conditions, "failed": 2},
    });
    serde_json::from_value(job).expect("a Job")
}

fn pod(owner: &str, terminated: &Value) -> Pod {
    let pod = json!({
        "metadata": {"name": "pod", "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "job", "uid": owner}]},
        "status": {"containerStatuses": [{
            "name": "connector", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": terminated},
        }]},
    });
    serde_json::from_value(pod).expect("a Pod")
}

#[test]
fn how_a_run_ended_is_read_from_its_pod_unless_that_contradicts_its_job() {
    let said = |outcome: &str, failure: &Value| {
        json!({"outcome": outcome, "startedAt": "2026-11-29T06:00:02Z", "endedAt": "2026-11-29T06:00:03Z",
            "counts": {"rowsRead": 5, "rowsSent": 3, "rowsRejected": 2, "bytes": 99}, "failure": failure})
        .to_string()
    };
    let ended = |code: i32, message: String| json!({"exitCode": code, "finishedAt": "2026-11-29T06:00:03Z", "message": message});
    let refused = json!({"class": "Destination", "persistence": "Transient", "message": "Refused.\nAgain."});
    let [complete, failed, late] = [
        json!([{"type": "Complete", "status": "True"}]),
        json!([{"type": "Failed", "status": "True", "reason": "PodFailurePolicy"}]),
        json!([{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]),
    ];
    use Persistence::{Permanent, Transient};
    use RunOutcome::{Failed, Stopped, Succeeded};
    let rows: Vec<(
        &str,
        &Value,
        Option<Value>,
        RunOutcome,
        Option<(Persistence, &str)>,
    )> = vec![
        (
            "well",
            &complete,
            Some(ended(0, said("Succeeded", &Value::Null))),
            Succeeded,
            None,
        ),
        ("well, and told nothing", &complete, None, Succeeded, None),
        (
            "badly",
            &failed,
            Some(ended(11, said("Failed", &refused))),
            Failed,
            Some((Permanent, "Refused.")),
        ),
        (
            "badly for now",
            &failed,
            Some(ended(10, said("Failed", &refused))),
            Failed,
            Some((Transient, "Refused.")),
        ),
        (
            "told to stop",
            &failed,
            Some(ended(12, said("Stopped", &Value::Null))),
            Stopped,
            None,
        ),
        (
            "told to stop, and told nothing",
            &failed,
            Some(ended(12, String::new())),
            Stopped,
            None,
        ),
        (
            "says well, and failed",
            &failed,
            Some(ended(1, said("Succeeded", &Value::Null))),
            Failed,
            Some((Transient, "exit code 1 and told no result")),
        ),
        (
            "says what is no result",
            &failed,
            Some(ended(11, "{".to_owned())),
            Failed,
            Some((Permanent, "exit code 11")),
        ),
        (
            "took too long",
            &late,
            None,
            Failed,
            Some((Transient, "took longer")),
        ),
        (
            "used too much memory",
            &failed,
            Some(json!({"exitCode": 137, "reason": "OOMKilled"})),
            Failed,
            Some((Transient, "more memory")),
        ),
        (
            "nothing is left",
            &failed,
            None,
            Failed,
            Some((Transient, "nothing is left")),
        ),
    ];
    for (case, conditions, terminated, outcome, failure) in rows {
        let pods: Vec<Pod> = terminated.iter().map(|terminated| pod("j", terminated)).collect();
        let others = pod("another", &ended(0, said("Succeeded", &Value::Null)));
        let seen = results::seen(&job(conditions), pods.iter().chain([&others]));
        let told = seen.ended.expect("it has ended");
        assert_eq!(told.outcome, outcome, "{case}");
        let why = told.failure.as_ref();
        assert_eq!(
            why.map(|why| why.persistence),
            failure.map(|(persistence, _)| persistence),
            "{case}"
        );
        let message = why.map(|why| why.message.clone()).unwrap_or_default();
        assert!(
            message.contains(failure.map_or("", |(_, words)| words)) && !message.contains('\n'),
            "{case}: {message}"
        );
        assert_eq!(seen.attempt, 2, "{case}");
    }
    let running = results::seen(
        &job(&json!([{"type": "FailureTarget", "status": "True"}])),
        std::iter::empty(),
    );
    assert_eq!(running.ended, None, "it isn't over before its pods are");
}

#[test]
fn a_job_goes_once_its_result_stands_in_status_and_ten_newer_ones_do_too() {
    let jobs: Vec<_> = (0..13)
        .map(|second| ran(second, Some(RunOutcome::Succeeded), None))
        .collect();
    let first = merged(&[], &jobs, false, at(50));
    let names = |runs: &[Run]| runs.iter().filter_map(|run| run.job.clone()).collect::<Vec<_>>();
    assert_eq!(
        names(&first).first().map(String::as_str),
        Some("job-0012"),
        "the newest first"
    );
    assert_eq!(first.len(), RUNS_MAX);
    assert!(
        outlived(&[], &first, &jobs).is_empty(),
        "nothing goes before the status is written"
    );
    let second = merged(&first, &jobs, false, at(60));
    assert_eq!(second, first);
    let gone: Vec<&str> = outlived(&first, &second, &jobs)
        .iter()
        .map(|job| job.name.as_str())
        .collect();
    assert_eq!(gone, ["job-0000", "job-0001", "job-0002"]);
}

#[test]
fn a_run_whose_job_vanished_is_told_as_lost_and_what_was_told_stays() {
    let running = merged(&[], &[ran(1, None, None)], false, at(5));
    assert_eq!(running[0].outcome, None);
    let lost = merged(&running, &[], false, at(9));
    assert_eq!(lost[0].outcome, Some(RunOutcome::Failed));
    assert_eq!(
        lost[0].failure.as_ref().map(|why| why.class),
        Some(FailureClass::System)
    );
    let stopped = merged(&running, &[ran(1, None, None)], true, at(9));
    assert_eq!(stopped[0].outcome, Some(RunOutcome::Stopped));
    let failed_meanwhile = ran(1, Some(RunOutcome::Failed), Some(Persistence::Transient));
    assert_eq!(
        merged(&stopped, &[failed_meanwhile], false, at(12)),
        stopped,
        "it was told to stop, and that stands"
    );
}

#[test]
fn a_pod_may_do_nothing_but_what_a_run_needs() {
    let visit = daily();
    let Seen::Present(cron_job) = scheduled(&changed(visit, |visit| visit.runs.cron_job = Seen::Absent))
    else {
        panic!("it is there")
    };
    let cron_job = serde_json::to_value(&*cron_job).expect("JSON");
    let spec = &cron_job["spec"];
    assert_eq!(spec["concurrencyPolicy"], "Forbid");
    assert_eq!(
        (
            &spec["successfulJobsHistoryLimit"],
            &spec["failedJobsHistoryLimit"]
        ),
        (&json!(1000), &json!(1000))
    );
    let pod = &spec["jobTemplate"]["spec"]["template"]["spec"];
    assert_eq!(
        (&pod["serviceAccountName"], &pod["automountServiceAccountToken"]),
        (&json!("connections-run"), &json!(false))
    );
    assert_eq!(pod["restartPolicy"], "Never");
    let volumes: Vec<&Value> = pod["volumes"].as_array().expect("volumes").iter().collect();
    assert_eq!(
        volumes[1]["projected"]["sources"],
        json!([
            {"secret": {"name": "partner", "items": [{"key": "password", "path": "password"}], "optional": false}},
            {"secret": {"name": "partner", "items": [{"key": "username", "path": "username"}], "optional": false}},
        ])
    );
    assert_eq!(
        volumes[3]["persistentVolumeClaim"],
        json!({"claimName": "marketing-data", "readOnly": true})
    );
    let mounts = pod["containers"][0]["volumeMounts"].as_array().expect("mounts");
    assert!(mounts.iter().all(|mount| mount["readOnly"] == json!(true)));
    assert_eq!(mounts[3]["mountPath"], "/run/connections/volumes/marketing-data");
    let token = &volumes[2]["projected"]["sources"][0]["serviceAccountToken"];
    assert_eq!(token, &json!({"expirationSeconds": 600, "path": "token"}));
    let name = cron_job["metadata"]["name"].as_str().expect("a name");
    assert!(
        name.len() <= names::CRON_JOB_NAME_MAX && name.starts_with("connections-run-"),
        "{name}"
    );
}

proptest! {
    /// ConfigMaps are read by more people than connections.
    #[test]
    fn no_plan_holds_a_parameter_account_or_reference_of_the_connection(
        host in "[a-z]{8,12}\\.secret", folder in "/[a-z]{9,14}", secret in "[a-z]{9,14}", key in "[a-z]{9,14}",
    ) {
        let connection = sftp_partner()
            .with("hostname", &host)
            .with("folder", &folder)
            .secret("username", &secret, &key)
            .secret("password", &secret, "password")
            .consented()
            .visited();
        let runs = Runs::default();
        let type_ = catalog_type("sftp-export");
        let type_ = CompiledType::compile("sftp-export", &type_.spec).expect("it is sound");
        let uses = [dataset("customers").visited().used("spec.payload", Purpose::Read)];
        let parameters = crate::fixtures::parameters([("compression", "Gzip")]);
        let facts = runs.facts();
        let plan = plan::plan(&facts, (&connection.0, &type_), &uses, &parameters).expect("all is there");
        let written = plan::written(&plan).expect("JSON");
        let text = serde_json::to_string(&plan::config_map(&facts, &written)).expect("JSON");
        for canary in [&host, &folder, &secret, &key] {
            prop_assert!(!text.contains(canary.as_str()), "{canary} stands in {text}");
        }
        prop_assert_eq!(names::hash(written.text.as_bytes()), written.hash);
    }

    #[test]
    fn names_fit_whatever_the_exports_name(name in "[a-z0-9][-a-z0-9.]{0,251}", request in ".{0,64}") {
        let cron_job = names::cron_job("Export", &name);
        prop_assert!(cron_job.len() <= names::CRON_JOB_NAME_MAX);
        prop_assert!(names::requested_job("Export", &name, &request).len() <= 63);
        prop_assert!(workload::is_in_form(&CronJob::default(), &CronJob::default()));
    }
}

#[test]
fn trigger_is_told_by_the_job() {
    let mut requested = job(&json!([]));
    requested.metadata.annotations =
        Some([("connections.dev/run-requested-at".to_owned(), "x".to_owned())].into());
    assert_eq!(
        results::seen(&requested, std::iter::empty()).trigger,
        Trigger::Request
    );
    assert_eq!(
        results::seen(&job(&json!([])), std::iter::empty()).trigger,
        Trigger::Schedule
    );
}
