//! A run at the command line: begun, watched, told. The tests play the kubelet.

use super::Person;
use super::person::{ADMINISTRATOR, WIDE, terminal};
use crate::stories::enrichment_runs::enriching;
use crate::stories::run_objects::until_none_left;
use crate::stories::run_progress::pod_that_says;
use crate::stories::runs::only_name;
use crate::stories::sharing::{shared_sftp, until_can_use};
use crate::support::World;
use crate::support::kubelet::{Kubelet, result};
use crate::support::manifests::export;
use crate::support::terminal::Key;
use connection_operator::api::Export;
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

/// A contributor with an Active export.
async fn carol(world: &World) -> Person {
    let carol = Person::with_roles(world, "carol", &["connections-contributor"]).await;
    world.connect(shared_sftp("partner")).await;
    world.apply(export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    until_can_use(world, "carol", "partner", true).await;
    carol
}

#[tokio::test(flavor = "multi_thread")] // whoever waits at the terminal doesn't keep the pod from answering
async fn a_contributor_has_an_export_run_and_sees_how_far_it_is() {
    let world = World::furnished().await;
    let carol = carol(&world).await;
    let told = carol.runs(&["runs", "nightly"]);
    assert_eq!(
        told.err,
        "nightly has not run yet. To have it run: kubectl connections run nightly\n"
    );

    let dialogue = terminal(&carol, &["run", "nightly", "--wait"], WIDE);
    dialogue.until("nightly: under way");
    let job = only_name::<Job>(&world).await;
    let told = carol.fails(1, &["run", "nightly"]);
    assert!(
        told.starts_with("A run of nightly has been under way since"),
        "{told}"
    );
    let kubelet = Kubelet::shared().await;
    let (address, _) = pod_that_says(r#"{"rowsRead":3000,"rowsWritten":2400}"#).await;
    kubelet.runs(&world, &job, address.into()).await;
    dialogue.until("nightly: 3,000 rows read, 2,400 handed over");
    let running = carol.does(&["runs"]);
    assert!(
        running.contains("Running") && running.contains("3,000"),
        "{running}"
    );
    kubelet.ends(&world, &job, 0, &result("Succeeded", None)).await;
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("nightly: 100 of 120 rows sent (4.00 KiB), 20 refused by the service in "),
        "{screen}"
    );

    let runs = carol.does(&["runs", "-o", "json"]);
    let runs: Value = serde_json::from_str(&runs).expect("JSON");
    let run = &runs["items"][0];
    assert_eq!(
        (&run["of"], &run["outcome"], &run["counts"]["rowsSent"]),
        (&json!("export/nightly"), &json!("Succeeded"), &json!(100))
    );
    let told = carol.fails(1, &["logs", "nightly"]);
    assert!(
        told.starts_with("You may not read the logs of pods in the namespace"),
        "{told}"
    );
}

#[tokio::test]
async fn a_script_goes_by_how_the_run_ended() {
    let world = World::furnished().await;
    let carol = carol(&world).await;
    let almighty = Person::almighty(&world);
    let told = almighty.fails(1, &["logs", "nightly"]);
    assert!(told.starts_with("No pod of a run of nightly is left"), "{told}");

    let running = carol.program(&["run", "nightly", "--wait"]);
    let running = tokio::task::spawn_blocking(move || {
        let mut running = running;
        running.output().expect("it runs")
    });
    let job = only_name::<Job>(&world).await;
    let refused = ("Destination", "Permanent", "The server refused the password.");
    Kubelet::shared()
        .await
        .ends(&world, &job, 11, &result("Failed", Some(refused)))
        .await;
    let ended = running.await.expect("it ends");
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("The run of nightly failed after "), "{told}");
    assert!(
        told.trim_end().ends_with("The server refused the password."),
        "{told}"
    );
    let runs = carol.runs(&["runs", "export/nightly"]);
    assert!(runs.out.contains("Failed"), "{runs:?}");
    assert_eq!(runs.err, "The server refused the password.\n");
}

#[tokio::test]
async fn an_enrichment_is_run_and_waited_for_like_an_export() {
    let world = enriching().await;
    let carol = Person::with_roles(&world, "carol", &["connections-contributor"]).await;
    until_can_use(&world, "carol", "provider", true).await;
    let name = "enrichment/results";
    let told = carol.runs(&["runs", name]);
    assert_eq!(
        told.err,
        "enrichment/results has not run yet. To have it run: kubectl connections run enrichment/results\n"
    );
    let told = Person::almighty(&world).fails(1, &["logs", name]);
    assert!(
        told.starts_with("No pod of a run of enrichment/results is left"),
        "{told}"
    );

    let running = carol.program(&["run", name, "--wait"]);
    let running = tokio::task::spawn_blocking(move || {
        let mut running = running;
        running.output().expect("it runs")
    });
    let job = only_name::<Job>(&world).await;
    let mut ended: Value = serde_json::from_str(&result("Succeeded", None)).expect("JSON");
    ended["counts"] = json!({
        "rowsRead": 120, "rowsSent": 0, "rowsRejected": 0, "bytes": 4096, "rowsEnriched": 100, "rowsNotMatched": 20,
    });
    let kubelet = Kubelet::shared().await;
    kubelet.ends(&world, &job, 0, &ended.to_string()).await;
    let ended = running.await.expect("it ends");
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(0), "{told}");
    assert!(
        told.contains("results: 100 of 120 rows enriched (4.00 KiB) in "),
        "{told}"
    );
    let runs = carol.does(&["runs", name]);
    assert!(
        runs.contains("enrichment/results") && runs.contains("Succeeded"),
        "{runs}"
    );
}

#[tokio::test]
async fn what_a_run_would_send_is_shown_without_one() {
    let world = World::furnished().await;
    let carol = carol(&world).await;
    let counting = carol.program(&["run", "nightly", "--dry-run"]);
    let counting = tokio::task::spawn_blocking(move || {
        let mut counting = counting;
        counting.output().expect("it runs")
    });
    let job = only_name::<Job>(&world).await;
    let mut told: Value = serde_json::from_str(&result("Succeeded", None)).expect("JSON");
    told["estimate"] = json!([{
        "dataset": "customers", "rowsRead": 120, "rowsToSend": 75, "bytesToSend": 4096, "columnCount": 2,
        "columns": ["email", "country"], "files": ["customers.csv"],
    }]);
    let kubelet = Kubelet::shared().await;
    kubelet.ends(&world, &job, 0, &told.to_string()).await;
    let ended = counting.await.expect("it ends");
    let shown = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(0), "{shown} {ended:?}");
    assert_eq!(
        shown,
        "DATASET     ROWS TO SEND   OF    SIZE       FILES           COLUMNS\n\
         customers   75             120   4.00 KiB   customers.csv   email, country\n"
    );
    let told = carol.runs(&["runs", "nightly"]);
    assert!(told.err.starts_with("nightly has not run yet."), "{told:?}");
    until_none_left::<Job>(&world).await;

    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    ada.runs(&["suspend", "export/nightly"]);
    world.until_inactive::<Export>("nightly", "Suspended").await;
    let told = carol.fails(1, &["run", "nightly", "--dry-run"]);
    assert!(told.starts_with("The export nightly is Inactive"), "{told}");
}

#[tokio::test]
async fn what_may_not_run_is_told_why_and_nothing_is_asked() {
    let world = World::furnished().await;
    let carol = carol(&world).await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    ada.runs(&["suspend", "export/nightly"]);
    world.until_inactive::<Export>("nightly", "Suspended").await;
    assert_eq!(
        carol.fails(1, &["run", "nightly"]),
        "The export nightly is Inactive: It is suspended: nothing runs until spec.suspend is false. Nothing was begun.\n"
    );
    let told = carol.fails(2, &["run", "enrichment/nightly", "--dry-run"]);
    assert!(
        told.starts_with("This command is not for \"enrichment\""),
        "{told}"
    );
    let told = carol.fails(1, &["run", "enrichment/nightly"]);
    assert!(told.starts_with("There is no enrichment \"nightly\""), "{told}");
    let told = carol.fails(1, &["run", "nihgtly"]);
    assert!(told.contains("Did you mean nightly?"), "{told}");
}

#[tokio::test]
async fn whoever_interrupts_the_wait_is_told_that_the_run_can_be_looked_for() {
    let world = World::furnished().await;
    let carol = carol(&world).await;
    let mut dialogue = terminal(&carol, &["run", "nightly", "--wait"], WIDE);
    dialogue.until("nightly: under way");
    dialogue.presses(Key::ControlC);
    let (code, screen) = dialogue.ends();
    assert_eq!(code, 130, "{screen}");
    assert!(
        screen.contains("Interrupted. To see how it stands: kubectl connections runs nightly"),
        "{screen}"
    );
    let told = carol.fails(1, &["run", "nightly", "--wait", "--timeout", "1s"]);
    assert!(
        told.starts_with("A run of nightly has been under way since"),
        "{told}"
    );
}
