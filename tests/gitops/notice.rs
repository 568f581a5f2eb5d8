//! Consent by pull request: the notice and the digest are had without a cluster, and then count on one.

use crate::support::manifests::{connection_type, plain_connection, sftp, with};
use crate::support::{World, given};
use connection_operator::api::Connection;
use serde_json::Value;
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

#[test]
fn the_example_carries_the_consent_that_its_manifest_needs() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/gitops/connections/sftp-partner.yaml"
    );
    let command = Command::new(env!("CARGO_BIN_EXE_connection-operator"))
        .args(["consent", "-f", path])
        .output();
    let told = String::from_utf8(command.expect("the command runs").stdout).expect("text");
    assert!(
        told.contains("The manifest carries this agreement already:"),
        "put the last line there: {told}"
    );
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
