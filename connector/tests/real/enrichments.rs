//! Whole runs of enrichments: a file that a provider has, joined to a dataset, becomes another one.

use super::runs::api_server;
use super::support::cluster::{World, credentials, type_of};
use super::support::proxy::Proxy;
use super::support::run::{Ended, Pod, plan};
use super::support::sshd::{PASSWORD, Sshd, USER, names};
use super::support::until;
use connection_operator::api::Connection;
use connection_operator::api::connection_type::UsedFor;
use connection_operator::api::run::{FailureClass, Persistence, Plan, RunOutcome};
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What stood in the output before.
const BEFORE: &str = "of yesterday";
const FILE: &str = "domain,employees,city\ncanary-0.example,12,Ulm\ncanary-2.example,7,\"Bonn, am Rhein\"\nother.example,1,\n";

/// A provider's server, and a pod that is to fetch `canary-companies.csv` there and join it to the companies on the volume.
struct Enriching {
    world: World,
    server: Sshd,
    connection: Connection,
    pod: Pod,
}

impl Enriching {
    async fn new(change: impl FnOnce(&mut Plan)) -> Self {
        let server = Sshd::start();
        let address = server.address;
        Self::by(server, address, change).await
    }

    /// Whose way to the server begins there.
    async fn by(server: Sshd, address: SocketAddr, change: impl FnOnce(&mut Plan)) -> Self {
        let world = World::new().await;
        let parameters = json!({
            "hostname": address.ip().to_string(), "port": address.port().to_string(), "folder": "/in",
            "hostKey": server.fingerprint("ed25519"),
        });
        let connection = world
            .connect_as("sftp-import", parameters, ["username", "password"])
            .await;
        let mut plan = Plan {
            used_for: UsedFor::Enrichment,
            type_: "sftp-import".into(),
            type_spec: type_of("sftp-import"),
            enrichment: serde_json::from_value(companies()).expect("a plan's enrichment"),
            parameters: [("fileName".to_owned(), "canary-companies.csv".to_owned())].into(),
            ..plan(&world.namespace, &world.digest(&connection), json!([]))
        };
        change(&mut plan);
        let pod = Pod::new(&plan, &credentials(), &world.kubeconfig(api_server()).await);
        pod.write("volumes/lake/companies.csv", input(6).as_bytes());
        pod.write("output/firmographics/current.csv", BEFORE.as_bytes());
        Self {
            world,
            server,
            connection,
            pod,
        }
    }

    fn provides(&self, name: &str, bytes: &[u8]) {
        let path = self.server.inside().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    fn output(&self) -> String {
        fs::read_to_string(self.pod.path("output/firmographics/current.csv")).expect("it is there")
    }

    /// The output is the one of before, and nothing half-done is beside it.
    fn is_untouched(&self) {
        assert_eq!(self.output(), BEFORE);
        assert_eq!(names(&self.pod.path("output/firmographics")), ["current.csv"]);
    }
}

fn companies() -> Value {
    json!({
        "input": {
            "dataset": "companies", "location": {"volume": {"claimName": "lake", "path": "companies.csv"}},
            "format": {"type": "CSV"}, "where": "status = 'won'",
        },
        "mapping": {"domain": "website"},
        "output": {
            "dataset": "firmographics", "format": {"type": "CSV"},
            "location": {"volume": {"claimName": "warehouse", "path": "firmographics/current.csv"}},
        },
    })
}

/// So many companies, of which every second was won.
fn input(count: usize) -> String {
    let mut text = "id,website,status\n".to_owned();
    for id in 0..count {
        let status = ["won", "lost"][id % 2];
        writeln!(text, "{id},canary-{id}.example,{status}").expect("text");
    }
    text
}

fn is_silent(ended: &Ended, server: &Sshd) {
    let port = format!(":{}", server.address.port());
    for private in [PASSWORD, USER, "canary", "/in", "Ulm", &port] {
        for (what, told) in [("the result", &ended.text), ("the log", &ended.log)] {
            assert!(!told.contains(private), "{private} in {what}: {told}");
        }
    }
}

#[tokio::test]
async fn a_run_brings_back_what_the_provider_knows_and_tells_what_it_did() {
    let enriching = Enriching::new(|_| {}).await;
    enriching.provides("canary-companies.csv", FILE.as_bytes());
    let ended = enriching.pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);
    assert_eq!(
        enriching.output(),
        "website,employees,city\ncanary-0.example,12,Ulm\ncanary-2.example,7,\"Bonn, am Rhein\"\n"
    );
    assert_eq!(
        names(&enriching.pod.path("output/firmographics")),
        ["current.csv"]
    );
    let input_after = fs::read_to_string(enriching.pod.path("volumes/lake/companies.csv"));
    assert_eq!(
        input_after.expect("it is there"),
        input(6),
        "the input isn't changed"
    );
    assert_eq!(
        enriching.server.names(),
        ["canary-companies.csv"],
        "nothing is left there"
    );

    let result = ended.result();
    let counts = result.counts;
    assert_eq!((result.outcome, result.failure), (RunOutcome::Succeeded, None));
    assert_eq!(
        (counts.rows_read, counts.rows_sent, counts.rows_rejected),
        (6, 0, 0)
    );
    assert_eq!(
        (counts.rows_enriched, counts.rows_not_matched),
        (Some(2), Some(1))
    );
    assert_eq!(usize::try_from(counts.bytes), Ok(FILE.len()));
    is_silent(&ended, &enriching.server);
}

#[tokio::test]
async fn a_run_fetches_from_a_subfolder_unpacks_and_splits_as_it_is_told() {
    let change = |plan: &mut Plan| {
        let chosen = [
            ("fileName", "companies.csv.gz"),
            ("subfolder", "2026/november"),
            ("delimiter", "Semicolon"),
        ];
        plan.parameters
            .extend(chosen.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let output = &mut plan.enrichment.as_mut().expect("one").output;
        output.format = serde_json::from_value(json!({"type": "NDJSON"})).expect("a format");
    };
    let enriching = Enriching::new(change).await;
    let mut packer = GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer
        .write_all(FILE.replace(',', ";").replace("; am", ", am").as_bytes())
        .expect("packed");
    enriching.provides(
        "2026/november/companies.csv.gz",
        &packer.finish().expect("packed"),
    );
    let ended = enriching.pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);
    assert_eq!(
        enriching.output(),
        "{\"website\":\"canary-0.example\",\"employees\":\"12\",\"city\":\"Ulm\"}\n\
         {\"website\":\"canary-2.example\",\"employees\":\"7\",\"city\":\"Bonn, am Rhein\"}\n"
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_apart_and_the_output_stays() {
    use FailureClass::{Destination, User};
    let enriching = Enriching::new(|_| {}).await;
    let file = "canary-companies.csv";
    let refused = async |class: FailureClass, message: &str| {
        let ended = enriching.pod.start().ended().await;
        let failure = ended.result().failure.expect("it says why");
        assert!(
            failure.message.starts_with(message),
            "{message}: {}",
            failure.message
        );
        let of_the_file = ["provider's file", "is fetched", "two columns"];
        let (code, persistence) = if of_the_file.iter().any(|words| message.contains(words)) {
            (10, Persistence::Transient) // the next time there may be another one
        } else {
            (11, Persistence::Permanent)
        };
        assert_eq!((ended.code, failure.class), (Some(code), class), "{message}");
        assert_eq!(failure.persistence, persistence, "{message}");
        is_silent(&ended, &enriching.server);
        enriching.is_untouched();
    };
    refused(Destination, "The file that is fetched isn't there").await;
    fs::create_dir(enriching.server.inside().join(file)).expect("made");
    refused(Destination, "What is fetched is no file").await;
    fs::remove_dir(enriching.server.inside().join(file)).expect("removed");
    let wrong: [(&str, FailureClass, &str); 5] = [
        ("", Destination, "The provider's file is empty"),
        (
            "site,city\ncanary,Ulm\n",
            User,
            "The provider's file has no columns of these names",
        ),
        (
            "domain,city\ncanary-0.example,Ulm\ncanary-0.example,Bonn\n",
            User,
            "The provider's file has more than one line for the same key, the second being record 3",
        ),
        (
            "domain,website\ncanary,b\n",
            User,
            "The output would have two columns \"website\"",
        ),
        (
            "domain,city\ncanary\n",
            Destination,
            "The provider's file can't be read at record 2",
        ),
    ];
    for (text, class, message) in wrong {
        enriching.provides(file, text.as_bytes());
        refused(class, message).await;
    }
    enriching.provides(file, FILE.as_bytes());
    enriching
        .pod
        .write("volumes/lake/companies.csv", b"id,status\n1,won\n");
    refused(
        User,
        "The mapping names columns that the dataset companies doesn't have: \"website\".",
    )
    .await;
    enriching
        .pod
        .write("volumes/lake/companies.csv", input(6).as_bytes());
    enriching.pod.write("secrets/password", b"wrong");
    refused(
        Destination,
        "The destination refused the connection's credentials.",
    )
    .await;
    enriching.pod.write("secrets/password", PASSWORD.as_bytes());
    assert_eq!(
        enriching.pod.start().ended().await.code,
        Some(0),
        "all is well again"
    );

    let impostor = Sshd::start();
    let elsewhere = Enriching::by(Sshd::start(), impostor.address, |_| {}).await;
    let ended = elsewhere.pod.start().ended().await;
    assert_eq!(ended.code, Some(11));
    assert!(
        ended
            .message()
            .starts_with("The destination has another host key"),
        "{}",
        ended.message()
    );
    elsewhere.is_untouched();
}

#[tokio::test]
async fn a_run_that_may_not_go_on_stops_in_the_middle_of_the_file() {
    let server = Sshd::start();
    let way = Proxy::to(server.address).await;
    way.slow(3000); // questions are small: this is some megabytes a second of answers
    let address = way.address;
    let enriching = Enriching::by(server, address, |_| {}).await;
    let mut large = FILE.to_owned();
    for id in 0..800_000 {
        writeln!(large, "of-others-{id}.example,{id},somewhere").expect("text");
    }
    enriching.provides("canary-companies.csv", large.as_bytes());
    for withdrawn in [true, false] {
        let accepted = enriching.server.log().matches("Accepted").count();
        let run = enriching.pod.start();
        until("it signed in", async || {
            enriching.server.log().matches("Accepted").count() > accepted
        })
        .await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let told = Instant::now();
        if withdrawn {
            let change = enriching.world.withdrawal(&enriching.connection);
            enriching.world.change(change).await;
        } else {
            run.signal("TERM");
        }
        let ended = run.ended().await;
        assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
        assert_eq!(
            (ended.code, ended.result().outcome),
            (Some(12), RunOutcome::Stopped)
        );
        assert_eq!(
            ended.result().counts.rows_enriched,
            None,
            "nothing stands in the output"
        );
        enriching.is_untouched();
        enriching.world.consent().await;
    }
}

#[tokio::test]
async fn a_run_that_is_killed_leaves_the_output_of_before_and_the_next_one_tidies_up() {
    let enriching = Enriching::new(|_| {}).await;
    let many = input(1_000_000);
    enriching.pod.write("volumes/lake/companies.csv", many.as_bytes());
    let mut file = "domain,city\n".to_owned();
    for id in 0..50_000 {
        writeln!(file, "canary-{id}.example,Ulm").expect("text");
    }
    enriching.provides("canary-companies.csv", file.as_bytes());
    let folder = enriching.pod.path("output/firmographics");
    let run = enriching.pod.start();
    run.until_writing().await;
    run.signal("TERM");
    let told = Instant::now();
    let ended = run.ended().await;
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
    assert_eq!(ended.code, Some(12), "{}", ended.log);
    enriching.is_untouched();

    let run = enriching.pod.start();
    run.until_writing().await;
    run.signal("KILL");
    assert_eq!(run.ended().await.code, None);
    assert_eq!(enriching.output(), BEFORE);
    let left = names(&folder);
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left[0].starts_with(".connections-") && left[0].contains(".part"),
        "{left:?}"
    );

    enriching
        .pod
        .write("volumes/lake/companies.csv", input(6).as_bytes());
    let ended = enriching.pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert_eq!(names(&folder), ["current.csv"]);
    assert_ne!(enriching.output(), BEFORE);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_fetched_is_fetched_again() {
    let server = Sshd::start();
    let way = Proxy::to(server.address).await;
    way.slow(3000);
    let address = way.address;
    let enriching = Enriching::by(server, address, |_| {}).await;
    let mut large = FILE.to_owned();
    for id in 0..200_000 {
        writeln!(large, "of-others-{id}.example,{id},somewhere").expect("text");
    }
    enriching.provides("canary-companies.csv", large.as_bytes());
    let run = enriching.pod.start();
    until("it signed in", async || {
        enriching.server.log().contains("Accepted")
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let path = enriching.server.inside().join("canary-companies.csv");
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(path)
        .expect("it is there");
    for _ in 0..600 {
        if enriching.pod.path("result-file").exists() {
            break;
        }
        writeln!(file, "of-later.example,1,somewhere").expect("written");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let ended = run.ended().await;
    assert_eq!(ended.code, Some(10), "it's tried again: {}", ended.text);
    assert!(
        ended
            .message()
            .starts_with("The file changed while it was fetched"),
        "{}",
        ended.message()
    );
    enriching.is_untouched();
}

#[tokio::test]
async fn a_file_as_large_as_may_be_fits_in_memory_whatever_the_input_and_a_larger_one_is_refused() {
    let enriching = Enriching::new(|_| {}).await;
    enriching
        .pod
        .write("volumes/lake/companies.csv", input(300_000).as_bytes());
    let file = |lines: usize| {
        let mut file = "domain,city,note\n".to_owned();
        for id in 0..lines {
            writeln!(file, "canary-{id:06}.example,somewhere,{}", "x".repeat(40)).expect("text");
        }
        file
    };
    enriching.provides("canary-companies.csv", file(700_000).as_bytes());
    let ended = enriching.pod.start().ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert!(ended.peak < 350 << 10, "{} KiB, of 512 MiB", ended.peak);

    enriching.provides("canary-companies.csv", file(800_000).as_bytes());
    let ended = enriching.pod.start().ended().await;
    assert_eq!(ended.code, Some(10), "{}", ended.text);
    assert!(
        ended
            .message()
            .starts_with("The provider's file is too large to be joined"),
        "{}",
        ended.message()
    );
}
