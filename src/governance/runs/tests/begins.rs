use super::{Visit, after, changed, daily, export, on_its_way, ran, requested, resting, steps};
use crate::api::export::{RequestAnswer, Trigger};
use crate::api::run::RunOutcome;
use crate::governance::activity;
use crate::governance::attachment::ConnectionSeen;
use jiff::SignedDuration;

fn answer(visit: &Visit) -> Option<RequestAnswer> {
    let status = activity::decide(&visit.facts()).status;
    status.last_request.map(|request| request.answer)
}

/// The Job of what is requested is there.
fn begun(visit: Visit, outcome: Option<RunOutcome>) -> Visit {
    changed(visit, |visit| {
        let mut job = ran(190, outcome, None);
        job.name = on_its_way(visit).pop_first().expect("one");
        job.trigger = Trigger::Request;
        visit.runs.jobs.push(job);
    })
}

#[test]
fn what_was_begun_is_told_so_though_it_could_not_be_told_at_once() {
    let later = |visit: Visit| changed(visit, |visit| visit.now += SignedDuration::from_mins(30));
    let rows = [
        ("under way", begun(requested(export()), None)),
        ("over", begun(requested(export()), Some(RunOutcome::Failed))),
        (
            "long ago",
            later(begun(requested(export()), Some(RunOutcome::Succeeded))),
        ),
        ("and inactive since", begun(requested(export()), None).suspended()),
        (
            "on its way",
            changed(requested(export().suspended()), |visit| {
                visit.runs.starting = on_its_way(visit);
            }),
        ),
    ];
    for (case, visit) in rows {
        assert_eq!(answer(&visit), Some(RequestAnswer::Begun), "{case}");
        let steps = steps(&activity::decide(&visit.facts()));
        let starts = steps.iter().any(|step| step.starts_with("start"));
        assert!(!starts, "{case}: {steps:?}");
    }
}

#[test]
fn nothing_begins_while_a_run_that_was_stopped_undoes_what_it_had_begun() {
    let undoing = changed(daily(), |visit| {
        visit.runs.undoing = Some(visit.now + SignedDuration::from_secs(7));
    });
    let decision = activity::decide(&undoing.facts());
    assert_eq!(steps(&decision), ["resting schedule"]);
    assert_eq!(decision.recheck, Some(SignedDuration::from_secs(7)));
    let wanted = requested(resting(undoing.clone()));
    assert_eq!(answer(&wanted), Some(RequestAnswer::UnderWay));
    let over = changed(resting(after(undoing)), |visit| visit.runs.undoing = None);
    assert_eq!(steps(&activity::decide(&over.facts())), ["schedule"]);
}

#[test]
fn a_schedule_rests_without_a_connector_and_goes_on_by_another_image() {
    let unnamed = daily().without_connectors();
    let unheld = changed(daily(), |visit| visit.runs.connector = None);
    for (case, visit) in [("no connectors", unnamed), ("no image", unheld)] {
        assert_eq!(steps(&activity::decide(&visit.facts())), ["suspend"], "{case}");
        let detached = changed(resting(visit), |visit| {
            visit.connection = ConnectionSeen::Detached;
        });
        assert_eq!(
            steps(&activity::decide(&detached.facts())),
            ["retire with 1 plans"],
            "{case}"
        );
    }
    let another = changed(daily(), |visit| {
        let connector = visit.runs.connector.as_mut().expect("one");
        "registry.example/connector:2".clone_into(&mut connector.image);
    });
    assert_eq!(steps(&activity::decide(&another.facts())), ["schedule"]);
}
