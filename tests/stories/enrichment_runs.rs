//! Runs of enrichments: begun by schedule and on request, with what they read and write mounted, told in status, and stopped.

use super::run_objects::until_none_left;
use super::runs::{PLAN, cron_job, now, only_name, request, suspended};
use crate::support::kubelet::Kubelet;
use crate::support::manifests::{dataset, enrichment, sftp_import, with};
use crate::support::{World, withdrawn};
use connection_operator::api::export::ExportStatus;
use connection_operator::api::names::CONSENT_ANNOTATION;
use connection_operator::api::run::RunOutcome;
use connection_operator::api::{ConditionStatus, ConditionType, Connection, Enrichment};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, ServiceAccount};
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

fn status(enrichment: &Enrichment) -> ExportStatus {
    enrichment.status.clone().unwrap_or_default()
}

/// A connection to a provider, and an enrichment on it that has long to wait for its time.
pub async fn enriching() -> World {
    let world = World::furnished().await;
    world.apply(dataset("results", "Output")).await;
    let private = json!({"spec": {"parameters": {"hostname": "private.test", "folder": "/private-folder"}}});
    world.connect(with(sftp_import("provider"), &private)).await;
    let yearly = json!({"spec": {"schedule": {"cron": "0 0 29 2 *", "timeZone": "Europe/Berlin"}}});
    world
        .apply(with(enrichment("results", "provider"), &yearly))
        .await;
    world.until_active::<Enrichment>("results").await;
    world
}

#[tokio::test]
async fn an_enrichment_with_a_schedule_has_a_cron_job_that_mounts_what_it_reads_and_writes() {
    let world = enriching().await;
    let enrichment = world
        .api::<Enrichment>()
        .get("results")
        .await
        .expect("it is there");
    assert!(status(&enrichment).next_run_at.is_some());

    let made = cron_job(&world, "it is made", |_| true).await;
    let owner = &made.owner_references()[0];
    assert_eq!(
        (owner.kind.as_str(), owner.name.as_str()),
        ("Enrichment", "results")
    );
    assert_eq!(made.labels()["connections.dev/run"], "Enrichment");
    let plan = made.annotations()[PLAN].clone();
    let written = world
        .api::<ConfigMap>()
        .get(&format!("connections-run-plan-{plan}"))
        .await
        .expect("it is there");
    let text = &written.data.as_ref().expect("data")["plan.json"];
    for private in ["private.test", "private-folder", "acme"] {
        assert!(!text.contains(private), "{private} stands in {text}");
    }
    let plan: Value = serde_json::from_str(text).expect("JSON");
    let planned = &plan["enrichment"];
    assert_eq!(plan["usedFor"], "Enrichment");
    assert_eq!(planned["input"]["dataset"], "customers");
    assert_eq!(planned["mapping"], json!({"email": "email"}));
    assert_eq!(planned["output"]["location"]["volume"]["path"], "results");

    let pod =
        serde_json::to_value(&made).expect("JSON")["spec"]["jobTemplate"]["spec"]["template"]["spec"].clone();
    let mounts = pod["containers"][0]["volumeMounts"]
        .as_array()
        .expect("mounts")
        .clone();
    let writable = mounts.iter().filter(|mount| mount["readOnly"] != json!(true));
    let writable: Vec<&Value> = writable.map(|mount| &mount["mountPath"]).collect();
    assert_eq!(writable, [&json!("/run/connections/output")]);
    let claims = pod["volumes"].as_array().expect("volumes").iter();
    let claims: Vec<&Value> = claims
        .map(|volume| &volume["persistentVolumeClaim"])
        .filter(|claim| claim.is_object())
        .collect();
    assert_eq!(
        claims,
        [&json!({"claimName": "warehouse"})],
        "of both, one volume"
    );
    world
        .until::<ServiceAccount>("connections-run", "it is made", |_| true)
        .await;

    let name = made.name_any();
    world
        .merge::<Enrichment>("results", json!({"spec": {"suspend": true}}))
        .await;
    cron_job(&world, "it rests", suspended).await;
    world
        .merge::<Enrichment>("results", json!({"spec": {"suspend": null}}))
        .await;
    cron_job(&world, "it is on again", |cron_job| !suspended(cron_job)).await;
    world
        .merge::<Enrichment>("results", json!({"spec": {"connectionRef": null}}))
        .await;
    world.until_gone::<CronJob>(&name).await;
}

#[tokio::test]
async fn a_requested_enrichment_runs_once_and_its_counts_stand_in_status() {
    let world = enriching().await;
    world.merge::<Enrichment>("results", request(&now())).await;
    let job = only_name::<Job>(&world).await;
    let said = world
        .until_says::<Enrichment>("results", ConditionType::RequestGranted, "RequestBegun")
        .await;
    assert_eq!(said.status, ConditionStatus::True);
    cron_job(&world, "the schedule rests meanwhile", suspended).await;

    let at = now();
    let counts = json!({
        "rowsRead": 120, "rowsSent": 0, "rowsRejected": 0, "bytes": 4096, "rowsEnriched": 100, "rowsNotMatched": 20,
    });
    let result = json!({"outcome": "Succeeded", "startedAt": at, "endedAt": at, "counts": counts});
    let kubelet = Kubelet::shared().await;
    kubelet.ends(&world, &job, 0, &result.to_string()).await;
    let said = world
        .until_says::<Enrichment>("results", ConditionType::LastRunSucceeded, "RunSucceeded")
        .await;
    assert_eq!(
        said.message,
        "The newest run ended well: 120 rows read, 100 enriched, 20 not matched."
    );
    let enrichment = world
        .api::<Enrichment>()
        .get("results")
        .await
        .expect("it is there");
    let run = status(&enrichment).last_run.expect("it ran");
    let told = serde_json::to_value(&run).expect("JSON");
    assert_eq!((&told["trigger"], &told["counts"]), (&json!("Request"), &counts));
    cron_job(&world, "it is on again", |cron_job| !suspended(cron_job)).await;
}

#[tokio::test]
async fn withdrawn_consent_stops_an_enrichment_under_way() {
    let world = enriching().await;
    world.merge::<Enrichment>("results", request(&now())).await;
    let job = only_name::<Job>(&world).await;
    let under_way = |enrichment: &Enrichment| status(enrichment).last_run.is_some();
    world
        .until::<Enrichment>("results", "a run is under way", under_way)
        .await;

    let connection = world
        .api::<Connection>()
        .get("provider")
        .await
        .expect("it is there");
    let digest = connection.annotations()[CONSENT_ANNOTATION].clone();
    world.merge::<Connection>("provider", withdrawn(&digest)).await;
    world.until_gone::<Job>(&job).await;
    let stopped = |enrichment: &Enrichment| {
        let run = status(enrichment).last_run;
        run.is_some_and(|run| run.outcome == Some(RunOutcome::Stopped))
    };
    world
        .until::<Enrichment>("results", "its run is told as stopped", stopped)
        .await;
    until_none_left::<Pod>(&world).await;
    assert!(suspended(&cron_job(&world, "it is there", |_| true).await));
}

#[tokio::test]
async fn a_failure_for_good_holds_an_enrichment_and_removing_it_takes_its_runs_along() {
    let world = enriching().await;
    world.merge::<Enrichment>("results", request(&now())).await;
    let job = only_name::<Job>(&world).await;
    let refused = (
        "Destination",
        "Permanent",
        "The file that is fetched isn't there. Ask the provider to put it there.",
    );
    let result = crate::support::kubelet::result("Failed", Some(refused));
    Kubelet::shared().await.ends(&world, &job, 11, &result).await;
    let told = world.until_inactive::<Enrichment>("results", "RunFailed").await;
    assert!(told.message.ends_with(refused.2), "{}", told.message);
    cron_job(&world, "it rests", suspended).await;

    let api = world.api::<Enrichment>();
    let deleted = api.delete("results", &DeleteParams::orphan()).await;
    deleted.expect("nothing keeps anybody from it");
    world.until_gone::<Enrichment>("results").await;
    until_none_left::<CronJob>(&world).await;
    until_none_left::<Job>(&world).await;
    until_none_left::<ConfigMap>(&world).await;
    let pods = world
        .api::<Pod>()
        .list(&ListParams::default())
        .await
        .expect("a list");
    assert!(
        pods.items
            .iter()
            .all(|pod| pod.metadata.deletion_timestamp.is_some())
            || pods.items.is_empty()
    );
}
