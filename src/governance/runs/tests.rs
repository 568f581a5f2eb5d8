use super::steps::RunStep;
use super::{names, verdict};
use crate::api::connection_type::UsedFor;
use crate::api::export::{ExportStatus, Mode, State};
use crate::api::run::{Persistence, RunOutcome};
use crate::api::{ConditionStatus, ConditionType, Reason};
use crate::fixtures::{
    ConnectionBuilder, Visit, company_vault, dataset, ran, sftp_partner, vault_secret, visit,
};
use crate::governance::activity;
use crate::governance::attachment::ConnectionSeen;
use crate::governance::conditions::find;
use crate::governance::datasets::Purpose;
use crate::governance::decision::{Decision, Effect};
use crate::governance::kept::Seen;
use jiff::SignedDuration;
use k8s_openapi::api::batch::v1::CronJob;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

mod begins;
mod dry_runs;
mod enrichments;
mod leaving;
mod plans;
mod unseen;

fn export() -> Visit {
    visit(UsedFor::Export).over(&sftp_partner().consented().visited())
}

fn steps(decision: &Decision<ExportStatus>) -> Vec<String> {
    let told = decision.effects.iter().map(|effect| match effect {
        Effect::Run(step) => match &**step {
            RunStep::Schedule { plan, cron_job, .. } => {
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
            RunStep::Retire { plans, .. } => format!("retire with {} plans", plans.len()),
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
            RunStep::Schedule { cron_job, .. } => Some((**cron_job).clone()),
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

/// Its time came forty seconds ago.
fn passing() -> Visit {
    let mut visit = export().every("16 22 * * *");
    visit.runs.cron_job = scheduled(&visit);
    after(visit)
}

/// Its CronJob rests.
fn resting(visit: Visit) -> Visit {
    changed(visit, |visit| {
        if let Seen::Present(cron_job) = &mut visit.runs.cron_job {
            Arc::make_mut(cron_job).spec.as_mut().expect("a spec").suspend = Some(true);
        }
    })
}

/// A run of it is requested.
fn requested(visit: Visit) -> Visit {
    changed(visit, |visit| visit.runs.requested = Some(visit.now.to_string()))
}

/// The name of the Job of what is requested.
fn on_its_way(visit: &Visit) -> BTreeSet<String> {
    let request = visit.runs.requested.clone().unwrap_or_default();
    BTreeSet::from([names::requested_job(
        "Export",
        ("nightly", &visit.runs.uid),
        &request,
    )])
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
        (
            "scheduled for a time that has just passed, which isn't made up for",
            daily().every("16 22 * * *"),
            vec!["resting schedule"],
        ),
        (
            "resting while its time has just passed",
            resting(passing()),
            vec!["resting schedule"],
        ),
        (
            "running by itself while its time has just passed",
            passing(),
            vec![],
        ),
        ("suspended", daily().suspended(), vec!["suspend"]),
        ("suspended, and at rest", resting(daily().suspended()), vec![]),
        ("detached", detached(), vec!["suspend"]),
        (
            "detached, and at rest",
            resting(detached()),
            vec!["retire with 1 plans"],
        ),
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
fn a_requested_run_is_begun_once_the_schedule_rests() {
    let early = requested(daily());
    let decision = activity::decide(&early.facts());
    assert_eq!(
        (steps(&decision), decision.status.last_request),
        (vec!["resting schedule".to_owned()], None)
    );
    let unseen = changed(early.clone(), |visit| visit.runs.cron_job = Seen::Pending);
    assert_eq!(
        steps(&activity::decide(&unseen.facts())),
        Vec::<String>::new(),
        "until it is seen"
    );

    let requested = changed(early.clone(), |visit| visit.runs.cron_job = scheduled(&early));
    let decision = activity::decide(&requested.facts());
    assert_eq!(steps(&decision), ["start 54"]);
    let granted = find(&decision.status.conditions, ConditionType::RequestGranted).expect("it is told");
    assert_eq!(
        (granted.status, granted.reason.as_str()),
        (ConditionStatus::True, "RequestBegun")
    );
    assert_eq!(
        decision.announcements.last().expect("news").reason,
        Reason::RequestBegun
    );

    let begun = changed(after(requested), |visit| visit.runs.starting = on_its_way(visit));
    assert_eq!(
        steps(&activity::decide(&begun.facts())),
        Vec::<String>::new(),
        "it is begun once"
    );

    let lonely = changed(super::tests::requested(export()), |visit| {
        visit.runs.account.role_binding = Seen::Absent;
    });
    let waits = activity::decide(&lonely.facts());
    assert_eq!(
        (steps(&waits), waits.status.last_request.clone()),
        (vec![], None),
        "it waits for the account's rights"
    );
    assert!(waits.recheck.expect("soon").as_secs() <= 1);

    let refused = activity::decide(&super::tests::requested(daily().suspended()).facts());
    let told = find(&refused.status.conditions, ConditionType::RequestGranted).expect("it is told");
    assert_eq!(
        (told.status, told.reason.as_str()),
        (ConditionStatus::False, "RequestedWhileInactive")
    );
}

#[test]
fn a_failure_for_good_holds_the_schedule_until_something_changes() {
    let connection = sftp_partner().consented().visited();
    let basis = verdict::basis(Some(1), &connection.0, &daily().uses);
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
    let corrected = changed(failed(Persistence::Permanent), |visit| {
        let mut dataset = (**visit.uses[0].dataset.as_ref().expect("a dataset")).clone();
        dataset.spec.location.volume.as_mut().expect("a volume").path = "corrected.csv".to_owned();
        visit.uses[0].dataset = Some(Arc::new(dataset));
    });
    assert_eq!(
        told(&corrected).0,
        Some(State::Active),
        "so does another place of a dataset"
    );
    let again = changed(failed(Persistence::Permanent), |visit| {
        visit.runs.jobs.push(ran(150, Some(RunOutcome::Succeeded), None));
    });
    assert_eq!(
        told(&again).0,
        Some(State::Active),
        "and so does a run that ends well"
    );
    let held = super::tests::requested(after(failed(Persistence::Permanent)));
    let requested = changed(held.clone(), |visit| visit.runs.cron_job = scheduled(&held));
    assert_eq!(told(&requested).3, ["start 54"], "which can be requested");
}

#[test]
fn what_the_connector_lacks_is_told_and_nothing_is_active_by_it() {
    let elsewhere = || {
        let mut lake = dataset("lake").visited();
        lake.0.spec.location.volume = None;
        lake.0.spec.location.url = Some("s3://lake/customers".to_owned());
        lake
    };
    let by_the_node = || {
        let in_vault = sftp_partner()
            .source("password", vault_secret("company-vault", "partner"))
            .consented()
            .visited();
        changed(export(), |visit| {
            visit.connection = in_vault.seen();
            let vault = Arc::new(company_vault().by_the_node().0);
            visit.runs.vaults = [("company-vault".to_owned(), vault)].into();
        })
    };
    let rows = [
        (
            "credentials in a vault that the node's identity opens",
            Some(valid(&by_the_node())),
            "asked by the identity of the node, which runs don't have",
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
                visit.runs.mode = Some(Mode::Incremental);
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
    let rules = &spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"];
    assert_eq!(
        (&rules[0]["action"], &rules[1]["action"]),
        (&json!("Ignore"), &json!("FailJob")),
        "whose node is drained is told to end, and begins anew elsewhere"
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

#[test]
fn what_rests_until_a_missed_time_is_past_goes_on_by_itself() {
    let decision = activity::decide(&daily().every("16 22 * * *").facts());
    assert_eq!(
        decision.recheck,
        Some(SignedDuration::from_secs(7)),
        "of 45, and 2 for the clocks"
    );
}
