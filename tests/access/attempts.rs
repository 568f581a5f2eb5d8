//! Runs every line of `attempts.md`.

use super::markdown::{Table, tables};
use super::scene::{PAUSE, Scene, page};
use crate::support::PATIENCE;
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Output;
use std::thread;
use std::time::Instant;

/// Fewer attempts than these can't have been all.
const AT_LEAST: usize = 100;
/// What no attempt may change, but on purpose the connection `withdrawn`.
const GUARDED: &str = "connections,exports,enrichments,datasets,sharedconnections,consentrecords,secrets,\
                       serviceaccounts,cronjobs.batch,roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io";

/// What is cut from a line that tells of a refusal.
const CUT: [&str; 7] = [
    r"^(?:Error from server \(\w+\): |Error from server: |error: )",
    r"^unable to upgrade connection: ",
    r#"^(?:error when \w+ "[^"]*": |failed to (?:create|patch) \w+:? )"#,
    r#"^(?:The \w+ "[^"]*" is invalid: :? ?|\S+(?: "[^"]*")? is forbidden: )"#,
    r#"^spec\S*: Invalid value: (?:"[^"]*": )?"#,
    r"^ValidatingAdmissionPolicy '\S+' with binding '\S+' denied request: ",
    r#"^user "[^"]*" \(groups=\[[^\]]*\]\) "#,
];

/// One line of the page, with what its words stand for.
struct Attempt {
    line: usize,
    who: String,
    tries: String,
    answer: String,
}

/// Attempts in their order.
struct Section(Vec<Attempt>);

fn sections(scene: &Scene) -> Vec<Section> {
    let of = |table: &Table| {
        let attempts = table.rows.iter().map(|row| Attempt {
            line: row.line,
            who: row.cells[0].clone(),
            tries: scene.words.spoken(&row.cells[1]),
            answer: scene.words.spoken(&row.cells[2]),
        });
        Section(attempts.collect())
    };
    let tables = tables(&page());
    let tables = tables.iter().filter(|table| {
        let elsewhere = if scene.stamps {
            "(before Kubernetes 1.36)"
        } else {
            "(from Kubernetes 1.36)"
        };
        table.header == ["who", "tries", "answer"] && !table.heading.ends_with(elsewhere)
    });
    tables.map(of).collect()
}

#[tokio::test]
async fn every_attempt_gets_the_answer_that_is_written_and_changes_nothing() {
    let scene = Scene::set().await;
    let run = tokio::task::spawn_blocking(move || {
        let before = guarded(&scene);
        let sections = sections(&scene);
        let count: usize = sections.iter().map(|section| section.0.len()).sum();
        assert!(count >= AT_LEAST, "only {count} attempts");
        let mut surprises = surprises(&scene, &sections);
        surprises.sort();
        let surprises: Vec<String> = surprises.into_iter().map(|(_, surprise)| surprise).collect();
        assert!(
            surprises.is_empty(),
            "of {count} attempts {}:\n\n{}",
            surprises.len(),
            surprises.join("\n\n")
        );
        let after = guarded(&scene);
        for (object, content) in before {
            assert_eq!(after.get(&object), Some(&content), "{object} stays as it was");
        }
    });
    run.await.expect("all attempts are made");
}

/// The sections run side by side. Answers that aren't as written, by their line.
fn surprises(scene: &Scene, sections: &[Section]) -> Vec<(usize, String)> {
    thread::scope(|scope| {
        let run = |section: &Section| -> Vec<(usize, String)> {
            let lines = section.0.iter();
            lines.filter_map(|attempt| surprise(scene, attempt)).collect()
        };
        let running: Vec<_> = sections
            .iter()
            .map(|section| scope.spawn(move || run(section)))
            .collect();
        let ended = running
            .into_iter()
            .flat_map(|section| section.join().expect("it ends"));
        ended.collect()
    })
}

fn surprise(scene: &Scene, attempt: &Attempt) -> Option<(usize, String)> {
    let Attempt {
        line,
        who,
        tries,
        answer,
    } = attempt;
    let waits = tries.starts_with("kubectl get ");
    let started = Instant::now();
    let told = loop {
        let told = told(scene, who, &scene.kubectl(who, tries));
        // Where two policies refuse, either may speak.
        let either = answer.replace(" or no: ", "\nno: ");
        let as_written = either.lines().any(|answer| told == answer);
        if as_written || (answer == "ok" && told.starts_with("ok: ")) {
            return None;
        }
        if !waits || started.elapsed() > PATIENCE {
            break told;
        }
        thread::sleep(PAUSE);
    };
    let surprise =
        format!("attempts.md:{line}, {who}: {tries}\n    expected  {answer}\n    answered  {told}");
    Some((*line, surprise))
}

/// The answer as it would be written on the page.
fn told(scene: &Scene, who: &str, answer: &Output) -> String {
    let line = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    let (out, error) = (line(&answer.stdout), line(&answer.stderr));
    if answer.status.success() {
        let lines: Vec<&str> = out.lines().collect();
        return format!("ok: {}", lines.join(" "));
    }
    let error: Vec<String> = error
        .lines()
        .filter(|line| !(line.is_empty() || line.starts_with("Warning: ") || line.starts_with("{APIGroups:")))
        .map(|line| cut(scene, who, line))
        .collect();
    let said = if error.is_empty() {
        out.trim().to_owned()
    } else {
        error.join(" ")
    };
    format!("no: {said}")
}

fn cut(scene: &Scene, who: &str, line: &str) -> String {
    let cut = CUT.iter().fold(line.to_owned(), |line, pattern| {
        Regex::new(pattern)
            .expect("a pattern")
            .replace(&line, "")
            .into_owned()
    });
    let own = cut.strip_prefix(&format!("User \"{}\" ", scene.people[who].user));
    own.unwrap_or(&cut).to_owned()
}

/// What people wrote, and what they may do, of each guarded object.
fn guarded(scene: &Scene) -> BTreeMap<String, String> {
    let answer = scene.kubectl("root", &format!("kubectl get {GUARDED} -o json"));
    let list: Value = serde_json::from_slice(&answer.stdout).expect("a list");
    let objects = list["items"].as_array().expect("objects").iter();
    let content = objects.map(|object| {
        let meta = &object["metadata"];
        let name = format!("{} {}", object["kind"], meta["name"]);
        let parts = [
            &meta["uid"],
            &meta["deletionTimestamp"],
            &meta["annotations"],
            &object["spec"],
            &object["data"],
            &object["rules"],
            &object["roleRef"],
            &object["subjects"],
        ];
        let parts = parts.map(Value::to_string);
        (name, parts.join(" "))
    });
    content
        .filter(|(name, _)| name != "\"Connection\" \"withdrawn\"")
        .collect()
}
