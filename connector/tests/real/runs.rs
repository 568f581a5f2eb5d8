//! Whole runs: from a plan to files at a server and a result.

use super::support::cluster::{World, credentials, shared};
use super::support::run::{Pod, customers, plan};
use super::support::sshd::{PASSWORD, Sshd, USER};
use connection_operator::api::run::{FailureClass, Persistence, Plan, RunOutcome};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;

/// Where the API server listens.
pub fn api_server() -> SocketAddr {
    let url = shared().server();
    url.trim_start_matches("https://").parse().expect("an address")
}

/// A world, a server, and a pod that is to bring this payload there.
async fn furnished(payload: Value) -> (World, Sshd, Pod) {
    furnished_with(payload, |_| {}).await
}

async fn furnished_with(payload: Value, change: impl FnOnce(&mut Plan)) -> (World, Sshd, Pod) {
    let (world, server) = (World::new().await, Sshd::start());
    let connection = world.connect(&server, server.address).await;
    let mut plan = plan(&world.namespace, &world.digest(&connection), payload);
    change(&mut plan);
    let pod = Pod::new(&plan, &credentials(), &world.kubeconfig(api_server()).await);
    (world, server, pod)
}

/// So many customers.
pub fn rows(count: usize) -> String {
    let mut text = "id,email,country,note\n".to_owned();
    for id in 0..count {
        let country = ["DE", "FR", "US"][id % 3];
        writeln!(
            text,
            "{id},canary-{id}@customer.example,{country},\"says \"\"hi\"\", often\""
        )
        .expect("text");
    }
    text
}

#[tokio::test]
async fn a_run_brings_what_its_plan_says_and_tells_what_it_did() {
    let mut chosen = customers();
    chosen["where"] = json!("country = 'DE' AND CAST(id AS BIGINT) < 30");
    chosen["columns"] = json!(["email", "note"]);
    chosen["rename"] = json!({"email": "E-Mail"});
    let orders = json!({
        "dataset": "orders", "location": {"volume": {"claimName": "lake", "path": "orders.ndjson"}},
        "format": {"type": "NDJSON"},
    });
    let (_world, server, pod) = furnished(json!([chosen, orders])).await;
    pod.write("volumes/lake/customers.csv", rows(100).as_bytes());
    pod.write(
        "volumes/lake/orders.ndjson",
        b"{\"id\":1,\"total\":9.5}\n{\"id\":2}\n",
    );
    fs::write(server.inside().join("customers_2.csv"), b"of a larger run").expect("written");
    let ended = pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);

    assert_eq!(server.names(), ["customers.csv", "orders.csv"]);
    let text = fs::read_to_string(server.inside().join("customers.csv")).expect("it is there");
    let mut expected = "E-Mail,note\n".to_owned();
    for id in (0..30).step_by(3) {
        writeln!(
            expected,
            "canary-{id}@customer.example,\"says \"\"hi\"\", often\""
        )
        .expect("text");
    }
    assert_eq!(text, expected);
    let text = fs::read_to_string(server.inside().join("orders.csv")).expect("it is there");
    assert_eq!(text, "id,total\n1,9.5\n2,\n");

    let result = ended.result();
    assert_eq!((result.outcome, result.failure), (RunOutcome::Succeeded, None));
    assert_eq!((result.counts.rows_read, result.counts.rows_sent), (102, 12));
    assert_eq!(
        usize::try_from(result.counts.bytes),
        Ok(expected.len() + text.len())
    );
    assert!(result.started_at <= result.ended_at);
    let port = format!(":{}", server.address.port());
    for private in [PASSWORD, USER, "canary", "customer.example", "/in", &port] {
        for (what, told) in [("the result", &ended.text), ("the log", &ended.log)] {
            assert!(!told.contains(private), "{private} in {what}: {told}");
        }
    }
}

#[tokio::test]
async fn a_run_packs_what_it_brings_if_the_export_wants_that() {
    let change = |plan: &mut Plan| {
        let chosen = [
            ("compression", "Gzip"),
            ("delimiter", "Tab"),
            ("subfolder", "a/b"),
        ];
        plan.parameters
            .extend(chosen.map(|(name, value)| (name.to_owned(), value.to_owned())));
    };
    let (_world, server, pod) = furnished_with(json!([customers()]), change).await;
    pod.write("volumes/lake/customers.csv", b"id,name\n1,\"Ada, Countess\"\n");
    let ended = pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);
    let packed = fs::File::open(server.inside().join("a/b/customers.csv.gz")).expect("it is there");
    let text = std::io::read_to_string(flate2::read::GzDecoder::new(packed)).expect("text");
    assert_eq!(text, "id\tname\n1\tAda, Countess\n");
}

#[tokio::test]
async fn a_dry_run_tells_what_a_run_would_send_and_reaches_nobody() {
    let mut chosen = customers();
    chosen["where"] = json!("country = 'DE'");
    chosen["columns"] = json!(["email", "note"]);
    chosen["rename"] = json!({"email": "E-Mail"});
    let (_world, server, mut pod) = furnished(json!([chosen])).await;
    pod.write("volumes/lake/customers.csv", rows(99).as_bytes());
    fs::remove_dir_all(pod.path("secrets")).expect("it needs none");
    pod.dry_run = true;
    let before = server.log();
    let ended = pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);
    let result = ended.result();
    assert_eq!((result.outcome, result.failure), (RunOutcome::Succeeded, None));
    assert_eq!(
        (
            result.counts.rows_read,
            result.counts.rows_sent,
            result.counts.bytes
        ),
        (99, 0, 0)
    );
    let customers = &result.estimate[0];
    assert_eq!((customers.rows_read, customers.rows_to_send), (99, 33));
    assert_eq!(customers.columns, ["E-Mail", "note"]);
    assert_eq!(customers.files, ["customers.csv"]);
    assert!(!ended.text.contains("canary"), "{}", ended.text);
    assert!(server.names().is_empty(), "nothing was sent");
    assert_eq!(server.log(), before, "nobody came");

    // The run itself sends just that.
    pod.dry_run = false;
    for (name, value) in credentials() {
        pod.write(&format!("secrets/{name}"), value.as_bytes());
    }
    let ended = pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);
    let counts = ended.result().counts;
    assert_eq!((counts.rows_sent, counts.bytes), (33, customers.bytes_to_send));
    assert_eq!(server.names(), ["customers.csv"]);
    assert_ne!(server.log(), before, "its log tells who comes");
}

#[tokio::test]
async fn a_dry_run_names_no_column_that_the_export_does_not_name() {
    let mut all = customers();
    all["rename"] = json!({"7": "number"});
    let (_world, _server, mut pod) = furnished(json!([all])).await;
    pod.write(
        "volumes/lake/customers.csv",
        b"7,canary@customer.example,Canary Lane 1\n8,b@customer.example,Canary Lane 2\n",
    );
    pod.dry_run = true;
    let ended = pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);
    let customers = &ended.result().estimate[0];
    assert_eq!((customers.rows_to_send, customers.column_count), (1, 3));
    assert_eq!(customers.columns, ["number"]);
    for (what, told) in [("the result", &ended.text), ("the log", &ended.log)] {
        assert!(!told.to_lowercase().contains("canary"), "in {what}: {told}");
    }
}

#[tokio::test]
async fn a_plan_that_the_job_does_not_name_is_refused() {
    let (_world, server, pod) = furnished(json!([customers()])).await;
    pod.write("volumes/lake/customers.csv", rows(1).as_bytes());
    let ended = pod.start_with(&"0".repeat(64)).ended().await;
    let failure = ended.result().failure.expect("it says why");
    assert_eq!(ended.code, Some(11));
    assert_eq!(
        (failure.class, failure.persistence),
        (FailureClass::System, Persistence::Permanent)
    );
    assert!(
        failure
            .message
            .starts_with("The plan of the run isn't the one that its Job names")
    );
    assert_eq!(server.names(), [""; 0]);
    assert!(!server.log().contains("Accepted"), "{}", server.log());
}

#[tokio::test]
async fn what_is_wrong_is_told_by_class_and_exit_code() {
    let (_world, server, pod) = furnished(json!([customers()])).await;
    let rows: [(&str, &[u8], i32, FailureClass, &str); 3] = [
        (
            "volumes/lake/other.csv",
            b"a\n",
            11,
            FailureClass::User,
            "The dataset customers has no file at its spec.location.volume.path",
        ),
        (
            "volumes/lake/customers.csv",
            b"id\n1\n2,canary\n",
            11,
            FailureClass::User,
            "The dataset customers can't be read, file \"customers.csv\", row 3: expected as many fields as the first row has.",
        ),
        (
            "volumes/lake/customers.csv",
            b"id,id\n1,2\n",
            11,
            FailureClass::User,
            "The dataset customers calls its column 2 as one before it",
        ),
    ];
    for (file, bytes, code, class, message) in rows {
        pod.write(file, bytes);
        let ended = pod.start().ended().await;
        let failure = ended.result().failure.expect("it says why");
        assert_eq!((ended.code, failure.class), (Some(code), class), "{file}");
        assert!(
            failure.message.starts_with(message),
            "{file}: {}",
            failure.message
        );
        assert!(!failure.message.contains("canary"), "{}", failure.message);
    }
    pod.write("volumes/lake/customers.csv", b"id\n1\n");
    pod.write("secrets/password", b"wrong");
    let ended = pod.start().ended().await;
    assert_eq!(
        (ended.code, ended.result().failure.map(|failure| failure.class)),
        (Some(11), Some(FailureClass::Destination))
    );
    assert!(
        ended
            .message()
            .starts_with("The destination refused the connection's credentials.")
    );
    assert_eq!(server.names(), [""; 0], "nothing of it stays");
}

#[tokio::test]
async fn memory_stays_flat_however_much_is_sent() {
    let (_world, server, pod) = furnished(json!([customers()])).await;
    let mut peaks = Vec::new();
    for count in [20_000, 400_000] {
        pod.write("volumes/lake/customers.csv", rows(count).as_bytes());
        let ended = pod.start().ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.text);
        assert_eq!(usize::try_from(ended.result().counts.rows_sent), Ok(count));
        peaks.push(ended.peak);
    }
    let length = fs::metadata(server.inside().join("customers.csv"))
        .expect("it is there")
        .len();
    assert!(length > 20 << 20, "{length}");
    assert!(peaks[1] < peaks[0] + (16 << 10), "{peaks:?} KiB");
}
