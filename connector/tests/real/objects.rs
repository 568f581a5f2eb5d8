//! Whole runs to a store that speaks S3: an object is whole under its name, or as before.

use super::runs::{api_server, rows};
use super::support::cluster::{World, type_of};
use super::support::proxy::Proxy;
use super::support::run::{Ended, Pod, customers, plan};
use super::support::until;
use super::support::versitygw::{BUCKET, KEY_ID, SECRET_KEY, Versitygw};
use connection_operator::api::run::{FailureClass, Persistence, Plan, RunFailure, RunOutcome};
use connector::fault::Fault;
use connector::objects::ObjectsFault;
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What the bucket held before.
const BEFORE: &[u8] = b"of yesterday";

/// The names of the credentials of such a connection.
const SECRETS: [&str; 2] = ["accessKeyId", "secretAccessKey"];

/// A pod that is to bring this payload to the bucket of this server, by this way.
async fn furnished(
    server: &Versitygw,
    address: SocketAddr,
    payload: Value,
    change: impl FnOnce(&mut Plan),
) -> (World, Pod) {
    let world = World::new().await;
    let parameters = json!({
        "hostname": address.ip().to_string(), "port": address.port().to_string(), "bucket": BUCKET,
    });
    let connection = world.connect_as("s3", parameters, SECRETS).await;
    let mut plan = plan(&world.namespace, &world.digest(&connection), payload);
    plan.type_ = "s3".into();
    plan.type_spec = type_of("s3");
    change(&mut plan);
    let credentials = [
        (SECRETS[0], KEY_ID.to_owned()),
        (SECRETS[1], SECRET_KEY.to_owned()),
    ];
    let pod = Pod::new(&plan, &credentials, &world.kubeconfig(api_server()).await);
    pod.write("authorities", server.authority.as_bytes());
    (world, pod)
}

fn is_untouched(server: &Versitygw) {
    assert_eq!(server.names(), ["customers.csv"]);
    let found = fs::read(server.object("customers.csv")).expect("it is there");
    assert_eq!(found, BEFORE);
    assert_eq!(server.unfinished(), 0);
}

fn failure(ended: &Ended) -> RunFailure {
    ended.result().failure.expect("it says why")
}

#[tokio::test]
async fn a_run_brings_what_its_plan_says_and_tells_what_it_did() {
    let server = Versitygw::start();
    fs::write(server.object("customers.csv"), BEFORE).expect("written");
    fs::write(server.object("customers_2.csv"), b"of a larger run").expect("written");
    fs::write(server.object("theirs.txt"), b"theirs").expect("written");
    let mut chosen = customers();
    chosen["where"] = json!("country = 'DE' AND CAST(id AS BIGINT) < 6");
    chosen["columns"] = json!(["email"]);
    let orders = json!({
        "dataset": "orders", "location": {"volume": {"claimName": "lake", "path": "orders.ndjson"}},
        "format": {"type": "NDJSON"},
    });
    let (_world, pod) = furnished(&server, server.address, json!([chosen, orders]), |_| {}).await;
    pod.write("volumes/lake/customers.csv", rows(100).as_bytes());
    pod.write(
        "volumes/lake/orders.ndjson",
        b"{\"id\":1,\"total\":9.5}\n{\"id\":2}\n",
    );
    let ended = pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);

    assert_eq!(server.names(), ["customers.csv", "orders.csv", "theirs.txt"]);
    let read = |name: &str| fs::read_to_string(server.object(name)).expect("text");
    let (customers, orders) = (read("customers.csv"), read("orders.csv"));
    assert_eq!(
        customers,
        "email\ncanary-0@customer.example\ncanary-3@customer.example\n"
    );
    assert_eq!(orders, "id,total\n1,9.5\n2,\n");
    assert_eq!(
        server.attribute("customers.csv", "content-type"),
        "text/csv; charset=utf-8"
    );
    assert_eq!(server.unfinished(), 0);

    let result = ended.result();
    assert_eq!((result.outcome, result.failure), (RunOutcome::Succeeded, None));
    assert_eq!((result.counts.rows_read, result.counts.rows_sent), (102, 4));
    assert_eq!(
        usize::try_from(result.counts.bytes),
        Ok(customers.len() + orders.len())
    );
    let port = format!(":{}", server.address.port());
    for private in [
        KEY_ID,
        SECRET_KEY,
        "canary",
        "customer.example",
        BUCKET,
        "127.0.0.1:9",
        &port,
    ] {
        for (what, told) in [("the result", &ended.text), ("the log", &ended.log)] {
            assert!(!told.contains(private), "{private} in {what}: {told}");
        }
    }
}

#[tokio::test]
async fn a_run_packs_what_it_brings_and_names_it_by_its_folder() {
    let server = Versitygw::start();
    let change = |plan: &mut Plan| {
        let chosen = [("compression", "Gzip"), ("folder", "crm & co/\u{e4}lter")];
        let chosen = chosen.map(|(name, value)| (name.to_owned(), value.to_owned()));
        plan.parameters.extend(chosen);
    };
    let (_world, pod) = furnished(&server, server.address, json!([customers()]), change).await;
    pod.write("volumes/lake/customers.csv", b"id,name\n1,\"Ada, Countess\"\n");
    for _ in 0..2 {
        let ended = pod.start().ended().await;
        assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);
        assert!(!ended.log.contains("WARN"), "{}", ended.log);
        let name = "crm & co/\u{e4}lter/customers.csv.gz";
        assert_eq!(server.names(), [name]);
        let packed = fs::File::open(server.object(name)).expect("it is there");
        let text = std::io::read_to_string(flate2::read::GzDecoder::new(packed)).expect("text");
        assert_eq!(text, "id,name\n1,\"Ada, Countess\"\n");
    }
}

#[tokio::test]
async fn what_a_store_refuses_is_told_with_the_next_step() {
    let mut server = Versitygw::start();
    let (_world, pod) = furnished(&server, server.address, json!([customers()]), |_| {}).await;
    pod.write("volumes/lake/customers.csv", rows(3).as_bytes());
    let told = async |fault: ObjectsFault| {
        let ended = pod.start().ended().await;
        let failure = failure(&ended);
        assert_eq!(failure.message, fault.to_string(), "{}", ended.log);
        assert_eq!(
            (failure.class, failure.persistence),
            (fault.class(), fault.persistence())
        );
        assert_eq!(
            ended.code,
            Some(if fault.persistence() == Persistence::Permanent {
                11
            } else {
                10
            })
        );
    };
    pod.write("secrets/secretAccessKey", b"wrong");
    told(ObjectsFault::CredentialsRejected).await;
    pod.write("secrets/secretAccessKey", SECRET_KEY.as_bytes());
    pod.write("secrets/accessKeyId", b"nobody");
    told(ObjectsFault::CredentialsRejected).await;
    pod.write("secrets/accessKeyId", KEY_ID.as_bytes());

    pod.write("authorities", Versitygw::start().authority.as_bytes());
    told(ObjectsFault::NotTrusted).await;
    pod.write("authorities", server.authority.as_bytes());

    fs::rename(server.object(""), server.object("../other")).expect("renamed");
    told(ObjectsFault::BucketMissing).await;
    server.kill();
    told(ObjectsFault::NotReached).await;
}

#[tokio::test]
async fn a_key_that_can_be_none_is_refused_before_anybody_is_asked() {
    let server = Versitygw::start();
    let (_world, pod) = furnished(&server, server.address, json!([customers()]), |_| {}).await;
    pod.write("volumes/lake/customers.csv", rows(3).as_bytes());
    for unfit in ["", "canary key", "canary\u{1}", "can\u{e4}ry"] {
        pod.write("secrets/accessKeyId", unfit.as_bytes());
        let ended = pod.start().ended().await;
        let failure = failure(&ended);
        assert_eq!(ended.code, Some(11), "{}", ended.log);
        assert_eq!(failure.class, FailureClass::Destination);
        assert!(
            failure
                .message
                .starts_with("The credential accessKeyId of the connection isn't a key")
        );
        assert!(!ended.log.contains("can\u{e4}ry") && !ended.log.contains("canary"));
    }
}

/// A run that takes long, as the way to its store is slow.
async fn slow(server: &Versitygw, rate: u64) -> (World, Pod, Proxy) {
    let way = Proxy::to(server.address).await;
    way.slow(rate);
    let (world, pod) = furnished(server, way.address, json!([customers()]), |_| {}).await;
    pod.write("volumes/lake/customers.csv", rows(600_000).as_bytes());
    fs::write(server.object("customers.csv"), BEFORE).expect("written");
    (world, pod, way)
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_leaves_nothing() {
    let server = Versitygw::start();
    let (_world, pod, _way) = slow(&server, 2_000_000).await;
    let run = pod.start();
    until("a part has arrived", async || server.unfinished() > 0).await;
    run.signal("TERM");
    let stopped = Instant::now();
    let ended = run.ended().await;
    assert!(
        stopped.elapsed() < Duration::from_secs(10),
        "{:?}",
        stopped.elapsed()
    );
    let result = ended.result();
    assert_eq!(
        (ended.code, result.outcome),
        (Some(12), RunOutcome::Stopped),
        "{}",
        ended.log
    );
    assert_eq!(
        failure(&ended).message,
        "The run was told to stop before its end."
    );
    assert_eq!(result.counts.rows_sent, 0);
    is_untouched(&server);
}

#[tokio::test]
async fn a_run_that_may_not_go_on_leaves_nothing() {
    let server = Versitygw::start();
    let (world, pod, _way) = slow(&server, 2_000_000).await;
    let run = pod.start();
    until("a part has arrived", async || server.unfinished() > 0).await;
    world.change(json!({"spec": {"suspend": true}})).await;
    let ended = run.ended().await;
    assert_eq!(ended.code, Some(12), "{}", ended.log);
    assert!(failure(&ended).message.starts_with("The connection is suspended"));
    is_untouched(&server);
}

#[tokio::test]
async fn what_a_killed_run_left_is_taken_away_by_the_next() {
    let server = Versitygw::start();
    let (_world, pod, way) = slow(&server, 2_000_000).await;
    let run = pod.start();
    until("a part has arrived", async || server.unfinished() > 0).await;
    run.signal("KILL");
    assert_eq!(run.ended().await.code, None);
    let found = fs::read(server.object("customers.csv")).expect("it is there");
    assert_eq!(found, BEFORE, "never a half one");
    assert!(server.unfinished() > 0);

    way.slow(0);
    pod.write("volumes/lake/customers.csv", b"id\n1\n");
    let ended = pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);
    let found = fs::read(server.object("customers.csv")).expect("it is there");
    assert_eq!((found.as_slice(), server.unfinished()), (&b"id\n1\n"[..], 0));
}

#[tokio::test]
async fn a_store_that_goes_away_midway_is_tried_again() {
    let mut server = Versitygw::start();
    let (_world, pod, _way) = slow(&server, 2_000_000).await;
    let run = pod.start();
    until("a part has arrived", async || server.unfinished() > 0).await;
    server.kill();
    let ended = run.ended().await;
    let failure = failure(&ended);
    assert_eq!(ended.code, Some(10), "{}", ended.log);
    assert_eq!(
        (failure.class, failure.persistence),
        (FailureClass::Destination, Persistence::Transient)
    );
    let expected = [ObjectsFault::Broken, ObjectsFault::NotReached].map(|fault| fault.to_string());
    assert!(
        expected.iter().any(|text| failure.message.starts_with(text)),
        "{}",
        failure.message
    );
    let found = fs::read(server.object("customers.csv")).expect("it is there");
    assert_eq!(found, BEFORE);
}

#[tokio::test]
async fn memory_stays_flat_however_many_parts_a_file_has() {
    let server = Versitygw::start();
    let (_world, pod) = furnished(&server, server.address, json!([customers()]), |_| {}).await;
    let mut peaks = Vec::new();
    for count in [400_000, 1_200_000] {
        let text = rows(count);
        pod.write("volumes/lake/customers.csv", text.as_bytes());
        let ended = pod.start().ended().await;
        assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);
        let found = fs::read(server.object("customers.csv")).expect("it is there");
        assert!(
            found == text.as_bytes(),
            "{} of {} bytes",
            found.len(),
            text.len()
        );
        peaks.push(ended.peak);
    }
    let length = fs::metadata(server.object("customers.csv"))
        .expect("it is there")
        .len();
    assert!(
        length > 8 * (8 << 20),
        "{length}: more parts than are under way at once"
    );
    assert!(peaks[1] < peaks[0] + (16 << 10), "{peaks:?} KiB");
}
