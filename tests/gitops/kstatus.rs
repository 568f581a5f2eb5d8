//! kstatus, the real library: what Flux and `kubectl` plugins wait by.

use super::table::{Situation, found, rows};
use crate::support::manifests::{connection_type, dataset, enrichment, export, sftp};
use crate::support::{World, operator};
use local_cluster::Options;
use local_cluster::programs::KSTATUS;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// The word of each object, in their order.
fn words(objects: &[&Value]) -> Vec<String> {
    let mut program = Command::new(KSTATUS.path().expect("kstatus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("kstatus runs");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let mut input = program.stdin.take().expect("an input");
    write!(input, "{list}").expect("it reads");
    drop(input);
    let answer = program.wait_with_output().expect("it ends");
    assert!(answer.status.success(), "it judges every object");
    let lines = String::from_utf8(answer.stdout).expect("text");
    let word = |line: &str| line.split(' ').nth(1).expect("a word").to_owned();
    lines.lines().map(word).collect()
}

#[tokio::test]
async fn kstatus_says_of_every_kind_in_every_situation_what_the_table_says() {
    let rows = rows().await;
    let words = words(&rows.iter().map(|row| &row.object).collect::<Vec<_>>());
    assert_eq!(words.len(), rows.len());
    for (row, word) in rows.iter().zip(words) {
        assert_eq!(
            word,
            row.situation.kstatus(),
            "{}: {:#}",
            row.case,
            row.object["status"]
        );
    }
}

#[tokio::test]
async fn what_the_operator_has_not_seen_is_never_taken_for_current() {
    let (_control_plane, client) = operator::own_cluster(Options::default()).await;
    let world = World::on(client).await;
    for manifest in [
        connection_type("own"),
        sftp("partner"),
        dataset("customers", "Source"),
        export("nightly", "partner"),
        enrichment("companies", "provider"),
    ] {
        let applied = world.try_apply(&manifest).await.expect("it is accepted");
        let (api, name) = found(&world, &manifest);
        let read = api.get(&name).await.expect("it is there");
        for object in [applied, read] {
            let object = serde_json::to_value(object).expect("JSON");
            assert_eq!(words(&[&object]), [Situation::Unseen.kstatus()], "{object:#}");
        }
    }
}
