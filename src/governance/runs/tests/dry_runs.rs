use super::{changed, daily, steps};
use crate::fixtures::Visit;
use crate::governance::activity;
use crate::governance::decision::Effect;
use crate::governance::kept::Seen;
use crate::governance::runs::steps::RunStep;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::PodSpec;

fn asked() -> Visit {
    changed(daily(), |visit| {
        visit.runs.dry_run_requested = Some(visit.now.to_string());
    })
}

fn pod(visit: &Visit) -> PodSpec {
    let decision = activity::decide(&visit.facts());
    let mut jobs = decision.effects.into_iter().filter_map(|effect| match effect {
        Effect::Run(step) => match *step {
            RunStep::Start { job, .. } => Some(job),
            _ => None,
        },
        _ => None,
    });
    let job = jobs.next().expect("it begins");
    job.spec.and_then(|spec| spec.template.spec).expect("a pod")
}

#[test]
fn a_dry_run_begins_beside_the_schedule_and_gets_no_credential() {
    let begun = steps(&activity::decide(&asked().facts()));
    assert_eq!(begun, ["start 54"], "the schedule goes on as it is");
    let pod = pod(&asked());
    let container = &pod.containers[0];
    let arguments = container.args.as_deref().unwrap_or_default();
    assert_eq!(arguments.last().map(String::as_str), Some("--dry-run"));
    let volumes = pod.volumes.iter().flatten().map(|volume| volume.name.as_str());
    let volumes: Vec<&str> = volumes.collect();
    assert_eq!(volumes, ["plan", "token", "data-0"]);
    let mounts = container.volume_mounts.iter().flatten();
    let mounts: Vec<&str> = mounts.map(|mount| mount.name.as_str()).collect();
    assert_eq!(mounts, volumes);
}

#[test]
fn a_dry_run_waits_for_the_run_account() {
    let waits = changed(asked(), |visit| visit.runs.account.account = Seen::Absent);
    let decision = activity::decide(&waits.facts());
    assert!(!steps(&decision).iter().any(|step| step.starts_with("start")));
    assert_eq!(decision.status.last_dry_run, None, "it isn't answered yet");
    assert_eq!(decision.recheck, Some(SignedDuration::from_secs(1)));
}
