//! What ends a run before all is sent: consent, its guard's silence, an order. Nothing half-done remains.

use super::runs::{api_server, rows};
use super::support::cluster::{World, credentials};
use super::support::proxy::Proxy;
use super::support::run::{Ended, Pod, customers, plan};
use super::support::sshd::Sshd;
use super::support::until;
use connection_operator::api::Connection;
use connection_operator::api::run::{FailureClass, Persistence, RunOutcome};
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};

/// A run that takes long, as the way to its server is slow.
struct Slow {
    world: World,
    server: Sshd,
    connection: Connection,
    api_server: Proxy,
    pod: Pod,
}

/// What stood at the server before.
const BEFORE: &[u8] = b"of yesterday";

impl Slow {
    async fn new() -> Self {
        Self::on(World::new().await).await
    }

    async fn on(world: World) -> Self {
        let server = Sshd::start();
        let way = Proxy::to(server.address).await;
        way.slow(200_000);
        let api_server = Proxy::to(api_server()).await;
        let connection = world.connect(&server, way.address).await;
        let plan = plan(&world.namespace, &world.digest(&connection), json!([customers()]));
        let pod = Pod::new(&plan, &credentials(), &world.kubeconfig(api_server.address).await);
        pod.write("volumes/lake/customers.csv", rows(400_000).as_bytes());
        fs::write(server.inside().join("customers.csv"), BEFORE).expect("written");
        Self {
            world,
            server,
            connection,
            api_server,
            pod,
        }
    }

    /// What there is at the server is what there was before.
    fn is_untouched(&self) {
        assert_eq!(self.server.names(), ["customers.csv"]);
        let found = fs::read(self.server.inside().join("customers.csv")).expect("it is there");
        assert_eq!(found, BEFORE);
    }
}

fn is_stopped(ended: &Ended, message: &str) {
    let result = ended.result();
    assert_eq!(
        (ended.code, result.outcome),
        (Some(12), RunOutcome::Stopped),
        "{}",
        ended.log
    );
    assert!(ended.message().starts_with(message), "{}", ended.message());
    assert_eq!(result.counts.rows_sent, 0, "nothing stands at the destination");
}

/// The changes of a connection that stop runs, and what the run then says.
fn changes(slow: &Slow) -> [(&'static str, Value, &'static str); 3] {
    [
        (
            "suspended",
            json!({"spec": {"suspend": true}}),
            "The connection is suspended",
        ),
        (
            "withdrawn",
            slow.world.withdrawal(&slow.connection),
            "Consent to the connection isn't given",
        ),
        (
            "another folder",
            json!({"spec": {"parameters": {"folder": "/out"}}}),
            "The connection has changed since this run was planned",
        ),
    ]
}

#[tokio::test]
async fn a_run_that_may_not_begin_opens_nothing() {
    let slow = Slow::new().await;
    for (case, change, message) in changes(&slow) {
        slow.world.change(change).await;
        let ended = slow.pod.start().ended().await;
        is_stopped(&ended, message);
        assert_eq!(ended.result().counts.rows_read, 0, "{case}");
        let back = json!({"spec": {"suspend": null, "parameters": {"folder": "/in"}}});
        slow.world.change(back).await;
        slow.world.consent().await;
    }
    slow.world.disconnect().await;
    is_stopped(&slow.pod.start().ended().await, "The connection is being removed");
    assert!(!slow.server.log().contains("Accepted"), "{}", slow.server.log());
    slow.is_untouched();
}

#[tokio::test]
async fn a_run_under_way_stops_within_five_seconds() {
    let slow = Slow::new().await;
    for (case, change, message) in changes(&slow) {
        let run = slow.pod.start();
        run.until_writing().await;
        slow.world.change(change).await;
        let changed = Instant::now();
        let ended = run.ended().await;
        assert!(
            changed.elapsed() < Duration::from_secs(5),
            "{case}: {:?}",
            changed.elapsed()
        );
        is_stopped(&ended, message);
        assert!(ended.result().counts.rows_read > 0, "{case}");
        slow.is_untouched();
        let back = json!({"spec": {"suspend": null, "parameters": {"folder": "/in"}}});
        slow.world.change(back).await;
        slow.world.consent().await;
    }
}

#[tokio::test]
async fn a_run_stops_once_the_api_server_is_silent() {
    let slow = Slow::new().await;
    let run = slow.pod.start();
    run.until_writing().await;
    slow.api_server.freeze();
    let silent = Instant::now();
    let ended = run.ended().await;
    let took = silent.elapsed();
    assert!(
        took > Duration::from_secs(10) && took < Duration::from_secs(20),
        "{took:?}"
    );
    let failure = ended.result().failure.expect("it says why");
    assert_eq!(ended.code, Some(10), "it's tried again");
    assert_eq!(
        (failure.class, failure.persistence),
        (FailureClass::System, Persistence::Transient)
    );
    assert!(
        failure
            .message
            .starts_with("The API server didn't say for 15 seconds"),
        "{}",
        failure.message
    );
    slow.is_untouched();
}

#[tokio::test]
async fn without_an_answer_nothing_begins() {
    let slow = Slow::on(World::without_rights().await).await;
    let ended = slow.pod.start().ended().await;
    assert_eq!(ended.code, Some(10));
    assert!(
        ended
            .message()
            .starts_with("The API server didn't say for 15 seconds"),
        "{}",
        ended.message()
    );
    assert!(!slow.server.log().contains("Accepted"), "{}", slow.server.log());
    slow.is_untouched();
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_undoes_within_ten_seconds() {
    let slow = Slow::new().await;
    let run = slow.pod.start();
    run.until_writing().await;
    until("it has begun a file", async || slow.server.names().len() == 2).await;
    run.signal("TERM");
    let told = Instant::now();
    let ended = run.ended().await;
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
    is_stopped(&ended, "The run was told to stop");
    slow.is_untouched();
}

#[tokio::test]
async fn a_run_that_is_killed_leaves_no_half_file_under_a_final_name() {
    let slow = Slow::new().await;
    let run = slow.pod.start();
    run.until_writing().await;
    run.signal("KILL");
    let ended = run.ended().await;
    assert_eq!((ended.code, ended.text.as_str()), (None, ""));
    let found = fs::read(slow.server.inside().join("customers.csv")).expect("it is there");
    assert_eq!(found, BEFORE);
    let names = slow.server.names();
    let others = names.iter().filter(|name| *name != "customers.csv");
    assert!(
        others.clone().all(|name| name.starts_with(".connections-")),
        "{names:?}"
    );
}

#[tokio::test]
async fn a_run_tells_two_numbers_and_nothing_else() {
    let slow = Slow::new().await;
    let run = slow.pod.start();
    run.until_writing().await;
    let progress = run.progress().expect("an answer");
    assert!(
        progress.rows_read >= progress.rows_written && progress.rows_written > 0,
        "{progress:?}"
    );
    for path in ["/", "/metrics", "/progress/x", "/plan"] {
        let answer = run.get(path).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
}
