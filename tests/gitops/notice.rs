//! Consent by pull request: the notice and the digest are had without a cluster, and then count on one.

use crate::support::manifests::{connection_type, plain_connection, sftp, with};
use crate::support::{World, given};
use connection_operator::api::{Connection, KeyVault};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// What the command says about manifests on its standard input.
fn told(manifests: &[&Value], namespace: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connection-operator"))
        .args(["consent", "--namespace", namespace, "-f", "-"])
        .env_remove("KUBECONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut input = command.stdin.take().expect("an input");
    for manifest in manifests {
        writeln!(input, "---\n{manifest}").expect("it reads");
    }
    drop(input);
    command.wait_with_output().expect("it ends")
}

/// The connection with the line that the command asks to put into its manifest.
fn agreed(manifests: &[&Value], namespace: &str) -> Value {
    let output = told(manifests, namespace);
    let text = String::from_utf8(output.stdout).expect("text");
    let (annotation, digest) = text
        .lines()
        .last()
        .and_then(|line| line.split_once(": "))
        .expect("a line");
    assert_eq!(annotation.trim(), "connections.dev/consent");
    with(manifests[0].clone(), &given(digest))
}

#[tokio::test]
async fn a_connection_that_comes_with_the_line_for_its_manifest_needs_nobody_on_the_cluster() {
    let world = World::furnished().await;
    let own = world.type_name("own");
    let type_ = connection_type(&own);
    world.apply(type_.clone()).await;
    let of_the_catalog = sftp("partner");
    let of_our_own = plain_connection("own", &own);
    for manifests in [vec![&of_the_catalog], vec![&of_our_own, &type_]] {
        let connection = agreed(&manifests, &world.namespace);
        let name = connection["metadata"]["name"]
            .as_str()
            .expect("a name")
            .to_owned();
        world.apply(connection).await;
        world.until_ready_says::<Connection>(&name, "Ready").await;
    }
}

#[tokio::test]
async fn a_key_vault_is_linked_in_the_same_way() {
    let world = World::new().await;
    let vault = json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "KeyVault",
        "metadata": {"name": "team-vault"},
        "spec": {"vault": {
            "address": "https://localhost:8200", "mount": "secret", "auth": {"kubernetes": {"role": "connections"}},
        }},
    });
    world.apply(agreed(&[&vault], &world.namespace)).await;
    let counts = |vault: &KeyVault| {
        let status = vault.status.as_ref();
        let consent = status.and_then(|status| status.consent.as_ref());
        consent.is_some_and(|consent| consent.given)
    };
    world
        .until::<KeyVault>("team-vault", "its consent counts", counts)
        .await;
}

#[test]
fn the_example_carries_the_consent_that_its_manifest_needs() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/gitops/connections/sftp-partner.yaml"
    );
    let (code, told) = checked(path);
    assert_eq!(code, Some(0), "put the last line there: {told}");
    assert!(
        told.ends_with("carries consent to this destination and notice.\n"),
        "{told}"
    );
}

/// The exit code of a check, and what it says.
fn checked(place: &str) -> (Option<i32>, String) {
    let command = Command::new(env!("CARGO_BIN_EXE_connection-operator"))
        .args(["consent", "--check", place])
        .env_remove("KUBECONFIG")
        .output();
    let output = command.expect("the command runs");
    (
        output.status.code(),
        String::from_utf8(output.stdout).expect("text"),
    )
}

#[test]
fn a_pull_request_is_checked_by_the_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display().to_string();
    let write = |manifest: Value| {
        std::fs::write(folder.path().join("partner.yaml"), manifest.to_string()).expect("it is written");
    };
    let in_marketing = || with(sftp("partner"), &json!({"metadata": {"namespace": "marketing"}}));
    let (code, told) = checked(&place);
    assert_eq!(code, Some(2), "there is nothing to check: {told}");
    assert!(
        told.starts_with(&format!(
            "There is no Connection or KeyVault in {place}: no YAML file was found there."
        )),
        "{told}"
    );
    write(agreed(&[&in_marketing()], "marketing"));
    assert_eq!(checked(&place).0, Some(0), "the digest");
    let moved = json!({"spec": {"parameters": {"folder": "/elsewhere"}}});
    write(with(agreed(&[&in_marketing()], "marketing"), &moved));
    let (code, told) = checked(&place);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("carries consent to something else"), "{told}");
    write(with(
        agreed(&[&in_marketing()], "marketing"),
        &json!({"spec": {"type": "carrier-pigeon"}}),
    ));
    assert_eq!(checked(&place).0, Some(2), "a type that nobody knows");
}

#[test]
fn a_pipeline_hears_by_the_exit_code_that_there_is_no_answer() {
    let unknown = plain_connection("own", "carrier-pigeon");
    let refused = told(&[&unknown], "marketing");
    assert!(!refused.status.success() && refused.stdout.is_empty());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.starts_with("the connection own is of type carrier-pigeon, which"),
        "{said}"
    );
}
