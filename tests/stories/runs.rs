//! Runs: begun by schedule and on request, told in status, stopped, and held after a failure for good.
//!
//! Kubernetes' own controllers make the Jobs and pods; the tests play the kubelet.

use crate::support::kubelet::{Kubelet, result};
use crate::support::manifests::{dataset, export, secret, sftp, with};
use crate::support::operator::{Operator, own_cluster};
use crate::support::{Active, Conditioned, Kind, PATIENCE, World, withdrawn};
use connection_operator::api::export::{ExportStatus, Run};
use connection_operator::api::names::CONSENT_ANNOTATION;
use connection_operator::api::run::RunOutcome;
use connection_operator::api::{ConditionStatus, ConditionType, Connection, Export};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod, ServiceAccount};
use k8s_openapi::api::rbac::v1::Role;
use kube::ResourceExt;
use kube::api::ListParams;
use local_cluster::Options;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const REQUEST: &str = "connections.dev/run-requested-at";
pub(super) const PLAN: &str = "connections.dev/run-plan";

/// An export that has long to wait for its time.
pub fn yearly(name: &str) -> Value {
    with(
        export(name, "partner"),
        &json!({"spec": {"schedule": {"cron": "0 0 29 2 *", "timeZone": "Europe/Berlin"}}}),
    )
}

/// The change by which somebody requests a run now.
pub fn request(value: &str) -> Value {
    json!({"metadata": {"annotations": {REQUEST: value}}})
}

pub fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// The CronJob of the one export in the namespace.
pub(super) async fn cron_job(world: &World, what: &str, holds: impl Fn(&CronJob) -> bool + Send) -> CronJob {
    let name = only_name::<CronJob>(world).await;
    world.until::<CronJob>(&name, what, holds).await
}

/// Waits until there is one object of the kind, and names it.
pub async fn only_name<K: Kind>(world: &World) -> String {
    let started = std::time::Instant::now();
    loop {
        let found = world.api::<K>().list(&ListParams::default()).await;
        let names: Vec<String> = found.expect("a list").iter().map(ResourceExt::name_any).collect();
        if let [name] = names.as_slice() {
            return name.clone();
        }
        assert!(started.elapsed() < PATIENCE, "{}: {names:?}", K::kind(&()));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

pub(super) fn suspended(cron_job: &CronJob) -> bool {
    cron_job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true)
}

pub(super) fn status(export: &Export) -> ExportStatus {
    export.status.clone().unwrap_or_default()
}

/// Waits until the newest run has ended, and tells of it.
async fn until_ended(world: &World, export: &str) -> Run {
    let ended = |export: &Export| status(export).last_run.is_some_and(|run| run.ended_at.is_some());
    let export = world
        .until::<Export>(export, "its newest run has ended", ended)
        .await;
    status(&export).last_run.expect("just seen")
}

pub(super) async fn connected() -> World {
    let world = World::furnished().await;
    // What the type's own examples don't name.
    let private = json!({"spec": {"parameters": {"hostname": "private.test", "folder": "/private-folder"}}});
    world.connect(with(sftp("partner"), &private)).await;
    world
}

#[tokio::test]
async fn an_export_with_a_schedule_has_a_cron_job_that_goes_when_it_is_detached() {
    let world = connected().await;
    world.apply(yearly("nightly")).await;
    let export = world.until_active::<Export>("nightly").await;
    let next = status(&export)
        .next_run_at
        .expect("it has a next time")
        .0
        .to_string();
    assert!(next.contains("-02-28T23:00:00Z"), "midnight in Berlin: {next}");

    let made = cron_job(&world, "it is made", |_| true).await;
    let owner = &made.owner_references()[0];
    assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("Export", "nightly"));
    let spec = made.spec.clone().expect("a spec");
    assert_eq!(spec.time_zone.as_deref(), Some("Europe/Berlin"));
    let plan = made.annotations()[PLAN].clone();
    let plans = world.api::<ConfigMap>();
    let written = plans
        .get(&format!("connections-run-plan-{plan}"))
        .await
        .expect("it is there");
    assert_eq!(written.immutable, Some(true));
    let text = &written.data.as_ref().expect("data")["plan.json"];
    let hash = Sha256::digest(text)
        .iter()
        .fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
    assert_eq!(hash, plan, "it is called by its hash");
    for private in ["private.test", "private-folder", "acme"] {
        assert!(!text.contains(private), "{private} stands in {text}");
    }
    world
        .until::<ServiceAccount>("connections-run", "it is made", |_| true)
        .await;
    world
        .until::<Role>("connections-run", "it is made", |_| true)
        .await;

    let choice = json!({"spec": {"parameters": {"compression": "Gzip"}}});
    world.merge::<Export>("nightly", choice).await;
    cron_job(&world, "it has a new plan", |cron_job| {
        cron_job.annotations()[PLAN] != plan
    })
    .await;

    world
        .merge::<Export>("nightly", json!({"spec": {"suspend": true}}))
        .await;
    cron_job(&world, "it rests", suspended).await;
    world
        .merge::<Export>("nightly", json!({"spec": {"suspend": null}}))
        .await;
    cron_job(&world, "it is on again", |cron_job| !suspended(cron_job)).await;

    let name = made.name_any();
    world
        .merge::<Export>("nightly", json!({"spec": {"connectionRef": null}}))
        .await;
    world.until_gone::<CronJob>(&name).await;
    let detached = world.until_inactive::<Export>("nightly", "Detached").await;
    assert_eq!(detached.status, ConditionStatus::True);
}

#[tokio::test]
async fn a_run_comes_by_itself_at_its_time() {
    let world = connected().await;
    let often = json!({"spec": {"schedule": {"cron": "* * * * *"}}});
    world.apply(with(export("often", "partner"), &often)).await;
    let job = only_name::<Job>(&world).await;
    world
        .merge::<Export>("often", json!({"spec": {"schedule": {"cron": "0 0 29 2 *"}}}))
        .await;
    Kubelet::shared()
        .await
        .ends(&world, &job, 0, &result("Succeeded", None))
        .await;
    let run = until_ended(&world, "often").await;
    let told = serde_json::to_value(&run).expect("JSON");
    assert_eq!(
        (&told["trigger"], &told["outcome"], &told["job"]),
        (&json!("Schedule"), &json!("Succeeded"), &json!(job))
    );
}

#[tokio::test]
async fn a_requested_run_is_begun_once_and_its_result_stands_in_status() {
    let world = connected().await;
    world.apply(export("now", "partner")).await;
    world.until_active::<Export>("now").await;
    let value = now();
    world.merge::<Export>("now", request(&value)).await;
    let job = only_name::<Job>(&world).await;
    let said = world
        .until_says::<Export>("now", ConditionType::RequestGranted, "RequestBegun")
        .await;
    assert_eq!(said.status, ConditionStatus::True);
    let running = |export: &Export| status(export).last_run.is_some();
    world
        .until::<Export>("now", "it tells of a run under way", running)
        .await;

    Kubelet::shared()
        .await
        .ends(&world, &job, 0, &result("Succeeded", None))
        .await;
    let run = until_ended(&world, "now").await;
    let told = serde_json::to_value(&run).expect("JSON");
    assert_eq!(told["trigger"], "Request");
    assert_eq!(
        told["counts"],
        json!({"rowsRead": 120, "rowsSent": 100, "rowsRejected": 20, "bytes": 4096})
    );
    let said = world
        .until_says::<Export>("now", ConditionType::LastRunSucceeded, "RunSucceeded")
        .await;
    assert_eq!(
        said.message,
        "The newest run ended well: 120 rows read, 100 sent, 20 rejected."
    );

    // Whatever else changes, the same request isn't answered again.
    world
        .merge::<Export>("now", json!({"spec": {"displayName": "Another"}}))
        .await;
    let seen = |export: &Export| status(export).observed_generation == Some(2);
    let export = world.until::<Export>("now", "the change was seen", seen).await;
    assert_eq!(status(&export).runs.len(), 1);
    let last = status(&export).last_request.expect("it was answered");
    assert_eq!(last.value, value);
    assert_eq!(only_name::<Job>(&world).await, job);
}

#[tokio::test]
async fn what_is_inactive_is_not_run_on_request_and_says_so() {
    let world = connected().await;
    world
        .apply(with(
            export("resting", "partner"),
            &json!({"spec": {"suspend": true}}),
        ))
        .await;
    world.until_inactive::<Export>("resting", "Suspended").await;
    world.merge::<Export>("resting", request(&now())).await;
    let said = world
        .until_says::<Export>("resting", ConditionType::RequestGranted, "RequestedWhileInactive")
        .await;
    assert_eq!(said.status, ConditionStatus::False);
    let heard = |event: &Event| event.reason.as_deref() == Some("RequestedWhileInactive");
    let started = std::time::Instant::now();
    while !world
        .api::<Event>()
        .list(&ListParams::default())
        .await
        .expect("events")
        .items
        .iter()
        .any(heard)
    {
        assert!(started.elapsed() < PATIENCE, "nobody hears of it");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    world
        .merge::<Export>("resting", request("2020-01-01T00:00:00Z"))
        .await;
    world
        .until_says::<Export>("resting", ConditionType::RequestGranted, "RequestNotNow")
        .await;
    // Resuming makes up for nothing.
    world
        .merge::<Export>("resting", json!({"spec": {"suspend": null}}))
        .await;
    world.until_active::<Export>("resting").await;
    let jobs = world
        .api::<Job>()
        .list(&ListParams::default())
        .await
        .expect("a list");
    assert_eq!(jobs.items.len(), 0);
}

#[tokio::test]
async fn withdrawn_consent_stops_a_run_under_way() {
    let world = connected().await;
    world.apply(yearly("nightly")).await;
    world.until_active::<Export>("nightly").await;
    world.merge::<Export>("nightly", request(&now())).await;
    let job = only_name::<Job>(&world).await;
    let under_way = |export: &Export| status(export).last_run.is_some();
    world
        .until::<Export>("nightly", "a run is under way", under_way)
        .await;
    cron_job(&world, "the schedule rests meanwhile", suspended).await;

    let connection = world
        .api::<Connection>()
        .get("partner")
        .await
        .expect("it is there");
    let digest = connection.annotations()[CONSENT_ANNOTATION].clone();
    world.merge::<Connection>("partner", withdrawn(&digest)).await;
    world.until_gone::<Job>(&job).await;
    let run = until_ended(&world, "nightly").await;
    assert_eq!(run.outcome, Some(RunOutcome::Stopped));
    let started = std::time::Instant::now();
    while !world
        .api::<Pod>()
        .list(&ListParams::default())
        .await
        .expect("pods")
        .items
        .is_empty()
    {
        assert!(started.elapsed() < PATIENCE, "its pod goes on");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(suspended(&cron_job(&world, "it is there", |_| true).await));
}

#[tokio::test]
async fn a_failure_for_good_holds_the_export_until_its_secret_changes() {
    let world = connected().await;
    world.apply(yearly("nightly")).await;
    world.until_active::<Export>("nightly").await;
    world.merge::<Export>("nightly", request(&now())).await;
    let job = only_name::<Job>(&world).await;
    let refused = (
        "Destination",
        "Permanent",
        "The server refused the password. Ask the connection's administrator.",
    );
    Kubelet::shared()
        .await
        .ends(&world, &job, 11, &result("Failed", Some(refused)))
        .await;

    let told = world.until_inactive::<Export>("nightly", "RunFailed").await;
    assert!(told.message.ends_with(refused.2), "{}", told.message);
    cron_job(&world, "it rests", suspended).await;
    world
        .apply(secret(
            "partner",
            &[("username", "acme"), ("password", "another")],
        ))
        .await;
    world.until_active::<Export>("nightly").await;
    world
        .until_says::<Export>("nightly", ConditionType::LastRunSucceeded, "RunFailedForNow")
        .await;
    cron_job(&world, "it is on again", |cron_job| !suspended(cron_job)).await;
}

#[tokio::test]
async fn what_the_connector_cannot_read_is_told() {
    let world = connected().await;
    let lake = json!({"spec": {"location": {"volume": null, "url": "s3://lake/customers"}}});
    world.apply(with(dataset("lake", "Source"), &lake)).await;
    let payload = json!({"spec": {"payload": [{"dataset": "lake"}]}});
    world.apply(with(export("lakes", "partner"), &payload)).await;
    let told = world.until_inactive::<Export>("lakes", "ConnectorLacks").await;
    assert_eq!(
        told.message,
        "The dataset lake isn't on a volume, and this version's connector reads volumes only: name another, or ask an \
         administrator to move it."
    );
}

#[tokio::test]
async fn a_run_that_ends_while_no_operator_runs_is_told_once_one_does() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let operator = Operator::govern(&control_plane).await;
    let world = World::on(client).await.furnish().await;
    world.connect(sftp("partner")).await;
    world.apply(export("now", "partner")).await;
    world.until_active::<Export>("now").await;
    world.merge::<Export>("now", request(&now())).await;
    let job = only_name::<Job>(&world).await;
    operator.kill();

    let kubelet = Kubelet::on(control_plane.kubeconfig()).await;
    kubelet.ends(&world, &job, 0, &result("Succeeded", None)).await;
    let complete = |job: &Job| {
        let conditions = job
            .status
            .as_ref()
            .and_then(|status| status.conditions.clone())
            .unwrap_or_default();
        conditions.iter().any(|condition| condition.type_ == "Complete")
    };
    world.until::<Job>(&job, "it is complete", complete).await;

    let operator = Operator::govern(&control_plane).await;
    let run = until_ended(&world, "now").await;
    assert_eq!(run.counts.map(|counts| counts.rows_sent), Some(100));
    operator
        .until("the run is counted", || {
            operator.counted("connections_runs_total", "Succeeded") == 1
        })
        .await;
    assert!(
        world
            .api::<Job>()
            .get_opt(&job)
            .await
            .expect("an answer")
            .is_some(),
        "it is among the newest ten"
    );
    let export = world.api::<Export>().get("now").await.expect("it is there");
    assert!(export.is_active() && export.condition(ConditionType::LastRunSucceeded).is_some());
}
