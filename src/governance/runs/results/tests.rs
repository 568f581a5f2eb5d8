#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::Persistence::{Permanent, Transient};
use super::RunOutcome::{Failed, Stopped, Succeeded};
use super::*;
use serde_json::{Value, json};

type Failure<'a> = Option<(Persistence, &'a str)>;

fn job(conditions: &Value) -> Job {
    let job = json!({
        "metadata": {"name": "job", "uid": "j", "creationTimestamp": "2026-11-29T06:00:00Z"},
        "status": {"startTime": "2026-11-29T06:00:01Z", "conditions": conditions, "failed": 2},
    });
    serde_json::from_value(job).expect("a Job")
}

fn pod(owner: &str, terminated: &Value) -> Pod {
    let pod = json!({
        "metadata": {"name": "pod", "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "job", "uid": owner}]},
        "status": {"containerStatuses": [{
            "name": "connector", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": terminated},
        }]},
    });
    serde_json::from_value(pod).expect("a Pod")
}

#[test]
fn how_a_run_ended_is_read_from_its_pod_unless_that_contradicts_its_job() {
    let said = |outcome: &str, failure: &Value| {
        json!({"outcome": outcome, "startedAt": "2026-11-29T06:00:02Z", "endedAt": "2026-11-29T06:00:03Z",
            "counts": {"rowsRead": 5, "rowsSent": 3, "rowsRejected": 2, "bytes": 99}, "failure": failure})
        .to_string()
    };
    let ended = |code: i32, message: String| json!({"exitCode": code, "finishedAt": "2026-11-29T06:00:03Z", "message": message});
    let refused = json!({"class": "Destination", "persistence": "Transient", "message": "Refused.\nAgain."});
    let [complete, failed, late] = [
        json!([{"type": "Complete", "status": "True"}]),
        json!([{"type": "Failed", "status": "True", "reason": "PodFailurePolicy"}]),
        json!([{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]),
    ];
    let rows: Vec<(&str, &Value, Option<Value>, RunOutcome, Failure)> = vec![
        (
            "well",
            &complete,
            Some(ended(0, said("Succeeded", &Value::Null))),
            Succeeded,
            None,
        ),
        ("well, and told nothing", &complete, None, Succeeded, None),
        (
            "badly",
            &failed,
            Some(ended(11, said("Failed", &refused))),
            Failed,
            Some((Permanent, "Refused.")),
        ),
        (
            "badly for now",
            &failed,
            Some(ended(10, said("Failed", &refused))),
            Failed,
            Some((Transient, "Refused.")),
        ),
        (
            "told to stop",
            &failed,
            Some(ended(12, said("Stopped", &Value::Null))),
            Stopped,
            None,
        ),
        (
            "told to stop, and told nothing",
            &failed,
            Some(ended(12, String::new())),
            Stopped,
            None,
        ),
        (
            "says well, and failed",
            &failed,
            Some(ended(1, said("Succeeded", &Value::Null))),
            Failed,
            Some((Transient, "exit code 1 and told no result")),
        ),
        (
            "says what is no result",
            &failed,
            Some(ended(11, "{".to_owned())),
            Failed,
            Some((Permanent, "exit code 11")),
        ),
        (
            "took too long",
            &late,
            None,
            Failed,
            Some((Transient, "took longer")),
        ),
        (
            "took too long, and was told to stop",
            &late,
            Some(ended(12, said("Stopped", &Value::Null))),
            Failed,
            Some((Transient, "took longer")),
        ),
        (
            "used too much memory",
            &failed,
            Some(json!({"exitCode": 137, "reason": "OOMKilled"})),
            Failed,
            Some((Transient, "more memory")),
        ),
        (
            "nothing is left",
            &failed,
            None,
            Failed,
            Some((Transient, "nothing is left")),
        ),
    ];
    for (case, conditions, terminated, outcome, failure) in rows {
        let pods: Vec<Pod> = terminated.iter().map(|terminated| pod("j", terminated)).collect();
        let others = pod("another", &ended(0, said("Succeeded", &Value::Null)));
        let told_by = seen(&job(conditions), pods.iter().chain([&others]), |_| None);
        let told = told_by.ended.expect("it has ended");
        assert_eq!(told.outcome, outcome, "{case}");
        let why = told.failure.as_ref();
        assert_eq!(
            why.map(|why| why.persistence),
            failure.map(|(persistence, _)| persistence),
            "{case}"
        );
        let message = why.map(|why| why.message.clone()).unwrap_or_default();
        assert!(
            message.contains(failure.map_or("", |(_, words)| words)) && !message.contains('\n'),
            "{case}: {message}"
        );
        assert_eq!(told_by.attempt, 2, "{case}");
    }
    let running = seen(
        &job(&json!([{"type": "FailureTarget", "status": "True"}])),
        std::iter::empty(),
        |_| None,
    );
    assert_eq!(running.ended, None, "it isn't over before its pods are");
}

#[test]
fn trigger_is_told_by_the_job() {
    let mut requested = job(&json!([]));
    requested.metadata.annotations =
        Some([("connections.dev/run-requested-at".to_owned(), "x".to_owned())].into());
    assert_eq!(
        seen(&requested, std::iter::empty(), |_| None).trigger,
        Trigger::Request
    );
    assert_eq!(
        seen(&job(&json!([])), std::iter::empty(), |_| None).trigger,
        Trigger::Schedule
    );
}

#[test]
fn what_a_stopped_run_had_done_is_told_by_its_pod() {
    let stopped = |message: &str| {
        let mut pod = pod("j", &json!({"exitCode": 12, "message": message}));
        pod.metadata.labels = Some([("batch.kubernetes.io/job-name".to_owned(), "job".to_owned())].into());
        last_words([pod].iter())
    };
    let said = json!({"outcome": "Stopped", "startedAt": "2026-11-29T06:00:02Z", "endedAt": "2026-11-29T06:00:03Z",
        "counts": {"rowsRead": 5, "rowsSent": 3, "rowsRejected": 0, "bytes": 99}});
    let sent = |told: &BTreeMap<String, RunCounts>| told.get("job").map(|counts| counts.rows_sent);
    assert_eq!(sent(&stopped(&said.to_string())), Some(3));
    assert_eq!(sent(&stopped("")), None);
    assert_eq!(
        sent(&stopped(&said.to_string().replace("Stopped", "Succeeded"))),
        None
    );
}

#[test]
fn a_pod_whose_run_is_over_may_go_on_until_its_time_is_over_too() {
    let now: Timestamp = "2026-11-29T06:00:00Z".parse().expect("a time");
    let in_seconds = |seconds| now + SignedDuration::from_secs(seconds);
    let under_way = seen(&job(&json!([])), std::iter::empty(), |_| None);
    let over = JobSeen {
        dry_run: false,
        ended: Some(Ended {
            estimate: Vec::new(),
            at: Time(now),
            outcome: Stopped,
            counts: None,
            failure: None,
        }),
        ..under_way.clone()
    };
    let running = |ends: Option<i64>| {
        let mut pod = pod("j", &Value::Null);
        pod.metadata.deletion_timestamp = ends.map(|seconds| Time(in_seconds(seconds)));
        pod
    };
    let done = pod(
        "j",
        &json!({"exitCode": 12, "finishedAt": "2026-11-29T06:00:00Z"}),
    );
    let mut evicted = running(None);
    evicted.status = serde_json::from_value(json!({"phase": "Failed"})).expect("a status");
    let rows: Vec<(&str, Pod, Vec<JobSeen>, Option<i64>)> = vec![
        ("its Job is under way", running(None), vec![under_way], None),
        ("its Job is gone", running(Some(7)), vec![], Some(7)),
        ("its Job has ended", running(Some(7)), vec![over], Some(7)),
        ("it isn't told yet", running(None), vec![], Some(GRACE)),
        ("its node is lost", running(Some(-1)), vec![], None),
        ("it has ended", done, vec![], None),
        ("it never ran", evicted, vec![], None),
    ];
    for (case, pod, jobs, expected) in rows {
        assert_eq!(
            undoing([pod].iter(), &jobs, now),
            expected.map(in_seconds),
            "{case}"
        );
    }
}
