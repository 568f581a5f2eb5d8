//! What goes wrong below the words of a vendor, and how tests see what was asked.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::time::{Duration, Instant};

use vault_stand_in::hashicorp::Vault;
use vault_stand_in::{Fault, File};

const TOKEN: (&str, &str) = ("x-vault-token", "example-token");
const PATH: &str = "/v1/secret/data/crm/api";

fn start() -> Vault {
    Vault::start(File::example().unwrap().vault.unwrap()).unwrap()
}

#[tokio::test]
async fn connections_are_cut_before_and_amid_an_answer() {
    let vault = start();
    let client = vault.client("localhost").unwrap();
    for fault in [Fault::Cut, Fault::CutMidway] {
        vault.fault_next(1, "data", fault.clone());
        assert!(client.get(PATH, &[TOKEN]).await.is_err(), "{fault:?}");
    }
    assert_eq!(
        client.get(PATH, &[TOKEN]).await.unwrap().status,
        200,
        "and no more"
    );
    assert_eq!(vault.count("data"), 3);
}

#[tokio::test]
async fn garbage_floods_and_redirects_come_as_told() {
    let vault = start();
    let client = vault.client("localhost").unwrap();
    vault.fault_next(1, "data", Fault::Garbage);
    let reply = client.get(PATH, &[TOKEN]).await.unwrap();
    assert!(reply.status == 200 && reply.json().is_null() && !reply.body.is_empty());
    vault.fault_next(1, "data", Fault::Flood(1_000_000));
    assert!(client.get(PATH, &[TOKEN]).await.unwrap().body.len() > 1_000_000);
    vault.fault_next(
        1,
        "data",
        Fault::Redirect("http://169.254.169.254/metadata".to_owned()),
    );
    let reply = client.get(PATH, &[TOKEN]).await.unwrap();
    assert_eq!(
        (reply.status, reply.header("location")),
        (307, Some("http://169.254.169.254/metadata"))
    );
}

#[tokio::test]
async fn slow_answers_are_right_and_late_and_hanging_ones_never_come() {
    let vault = start();
    let client = vault.client("localhost").unwrap();
    vault.fault_next(1, "data", Fault::Slow(Duration::from_millis(200)));
    let before = Instant::now();
    assert_eq!(client.get(PATH, &[TOKEN]).await.unwrap().status, 200);
    assert!(before.elapsed() >= Duration::from_millis(200));
    vault.fault_next(1, "data", Fault::Hang);
    let hanging = tokio::time::timeout(Duration::from_millis(200), client.get(PATH, &[TOKEN])).await;
    assert!(hanging.is_err());
    assert_eq!(
        client.get(PATH, &[TOKEN]).await.unwrap().status,
        200,
        "others are served meanwhile"
    );
}

#[tokio::test]
async fn a_server_that_is_down_refuses_and_comes_back_at_the_same_place() {
    let vault = start();
    let client = vault.client("localhost").unwrap();
    vault.down();
    assert!(client.get(PATH, &[TOKEN]).await.is_err());
    vault.up();
    assert_eq!(client.get(PATH, &[TOKEN]).await.unwrap().status, 200);
    assert_eq!(vault.count("data"), 1, "what was refused never came");
    vault.forget_arrivals();
    assert!(vault.counts().is_empty());
}

#[tokio::test]
async fn who_trusts_another_authority_gets_nothing() {
    let (one, other) = (start(), start());
    let client = vault_stand_in::client::Client::new(one.address, "localhost", &other.ca_pem).unwrap();
    assert!(client.get(PATH, &[TOKEN]).await.is_err());
    assert!(one.counts().is_empty());
}

#[test]
fn a_dropped_stand_in_is_gone() {
    let vault = start();
    let address = vault.address;
    drop(vault);
    assert!(std::net::TcpStream::connect(address).is_err());
}
