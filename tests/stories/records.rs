//! Decisions on consent, on record: by whom, for what, and for how long.

use crate::support::manifests::sftp;
use crate::support::operator::{Operator, own_cluster};
use crate::support::{VALUES, World, shared};
use connection_operator::api::consent_record::ConsentDecision;
use connection_operator::api::{Connection, ConsentRecord};
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, PostParams};
use local_cluster::Options;
use serde_json::{Value, json};

/// Decision, author and digest of each record in a namespace, the oldest first.
async fn decisions(world: &World) -> Vec<(ConsentDecision, String, String)> {
    let mut records = world
        .api::<ConsentRecord>()
        .list(&ListParams::default())
        .await
        .expect("a list")
        .items;
    records.sort_by_key(ResourceExt::name_any);
    let told = records
        .into_iter()
        .map(|record| (record.spec.decision, record.spec.by, record.spec.digest));
    told.collect()
}

async fn digest(world: &World, name: &str) -> String {
    let connection = world.api::<Connection>().get(name).await.expect("it is there");
    connection.annotations()["connections.dev/consent"].clone()
}

#[tokio::test]
async fn each_decision_is_on_record_once_and_outlives_its_connection() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    let first = digest(&world, "partner").await;
    world
        .merge::<Connection>("partner", json!({"spec": {"parameters": {"folder": "/other"}}}))
        .await;
    world
        .until_ready_says::<Connection>("partner", "ConsentStale")
        .await;
    world.consent("partner").await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
    let second = digest(&world, "partner").await;
    world
        .merge::<Connection>("partner", crate::support::withdrawn(&second))
        .await;
    world
        .until_ready_says::<Connection>("partner", "ConsentWithdrawn")
        .await;
    world.delete::<Connection>("partner").await;
    world.until_gone::<Connection>("partner").await;

    let by = || "admin".to_owned();
    let expected = [
        (ConsentDecision::Given, by(), first.clone()),
        (ConsentDecision::Stale, String::new(), first),
        (ConsentDecision::Given, by(), second.clone()),
        (ConsentDecision::Withdrawn, by(), second),
    ];
    assert_eq!(decisions(&world).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_too_long_for_the_record_is_told_as_far_as_it_fits() {
    let world = World::furnished().await;
    world.apply(sftp("partner")).await;
    let asks = |connection: &Connection| required(connection).is_some();
    let asking = world
        .until::<Connection>("partner", "it asks for consent", asks)
        .await;
    let digest = required(&asking).expect("just seen");
    let user = "x".repeat(5000);
    let mut annotate = shared().kubectl();
    annotate.args(["annotate", "connection", "partner", "-n", &world.namespace]);
    annotate.args([format!("--as={user}"), "--as-group=system:masters".to_owned()]);
    annotate.arg(format!("connections.dev/consent={digest}"));
    annotate.arg(format!("connections.dev/consented-by=given {digest} {user}"));
    assert!(annotate.status().expect("kubectl runs").success());
    world.until_ready_says::<Connection>("partner", "Ready").await;
    let [(decision, by, _)] = &decisions(&world).await[..] else {
        panic!("one decision is on record");
    };
    assert_eq!(*decision, ConsentDecision::Given);
    assert_eq!(by.chars().count(), 1024);
    assert!(user.starts_with(by.split('…').next().expect("a start")), "{by}");
}

fn required(connection: &Connection) -> Option<String> {
    connection.status.as_ref()?.consent.as_ref()?.required.clone()
}

fn record(name: &str, subject: &str, at: &str) -> ConsentRecord {
    let record: Value = json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "ConsentRecord", "metadata": {"name": name},
        "spec": {
            "subject": {"kind": "Connection", "name": subject, "uid": "u"}, "decision": "Given", "digest": "0",
            "by": "ada", "noticeVersion": "1", "at": at,
        },
    });
    serde_json::from_value(record).expect("a record")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_leaves_the_record_after_its_time() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await;
    // As if it had been written long ago, when nobody but the operator could.
    let unguard = control_plane
        .kubectl()
        .args([
            "delete",
            "validatingadmissionpolicybinding",
            "records.connections.dev",
        ])
        .status();
    assert!(unguard.expect("kubectl runs").success());
    let records = world.api::<ConsentRecord>();
    let old = record("old-1", "gone", "2020-01-01T00:00:00Z");
    while records.create(&PostParams::default(), &old).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let recent = jiff::Timestamp::now().to_string();
    records
        .create(&PostParams::default(), &record("new-1", "gone-too", &recent))
        .await
        .expect("taken");
    let values = [VALUES[0], r#"consent={"retentionDays":1}"#];
    tokio::task::block_in_place(|| control_plane.install_chart(&values)).expect("the chart is upgraded");

    // The API server takes a moment to act by a binding that is back.
    let asked = DeleteParams {
        dry_run: true,
        ..DeleteParams::default()
    };
    while records.delete("new-1", &asked).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }

    let _operator = Operator::start_with(&control_plane, &[("CONSENT_RETENTION_DAYS", "1")]);
    world.until_gone::<ConsentRecord>("old-1").await;
    records.get("new-1").await.expect("its time is not over");
    let refused = records.delete("new-1", &DeleteParams::default()).await;
    assert!(
        refused
            .expect_err("nobody else may")
            .to_string()
            .contains("kept for as long")
    );
}
