use super::{Visit, after, changed, daily, ran, resting, scheduled, steps};
use crate::api::names::RUN_PLAN_ANNOTATION;
use crate::api::run::RunOutcome;
use crate::governance::activity;
use crate::governance::decision::Effect;
use crate::governance::kept::Seen;
use crate::governance::runs::steps::RunStep;

fn told(visit: &Visit) -> Vec<String> {
    steps(&activity::decide(&visit.facts()))
}

/// The names of the plans that go with Jobs.
fn plans(visit: &Visit) -> Vec<String> {
    let effects = activity::decide(&visit.facts()).effects;
    let plans = effects.into_iter().filter_map(|effect| match effect {
        Effect::Run(step) => match *step {
            RunStep::End { plan, .. } => plan,
            _ => None,
        },
        _ => None,
    });
    plans.collect()
}

/// Somebody's finalizer, that of an orphaning deletion included, holds what is being removed: nothing of it may be left
/// that only the operator could remove.
#[test]
fn all_that_runs_are_made_of_goes_before_what_is_being_removed() {
    let leaving = changed(daily(), |visit| {
        let mut done = ran(10, Some(RunOutcome::Succeeded), None);
        done.plan = Some("by-request".to_owned());
        let mut running = ran(20, None, None);
        if let Seen::Present(cron_job) = scheduled(&super::export().every("30 2 * * *")) {
            running.plan = cron_job
                .metadata
                .annotations
                .as_ref()
                .expect("some")
                .get(RUN_PLAN_ANNOTATION)
                .cloned();
        }
        visit.runs.jobs = vec![done, running];
    });
    let leaving = after(leaving).being_removed();
    assert_eq!(told(&leaving), ["suspend", "stop job-0020"]);

    let rests = resting(after(leaving));
    assert_eq!(told(&rests), ["stop job-0020", "remove job-0010"]);
    let stopped = changed(rests, |visit| visit.runs.jobs[1].going = true);
    assert_eq!(told(&stopped), ["remove job-0010"]);
    assert_eq!(plans(&stopped), ["connections-run-plan-by-request"]);

    let last = changed(stopped, |visit| visit.runs.jobs.clear());
    assert_eq!(told(&last), ["retire with 1 plans"]);
    let gone = changed(last, |visit| visit.runs.cron_job = Seen::Absent);
    assert_eq!(told(&gone), Vec::<String>::new());
}

#[test]
fn nothing_is_retired_before_how_it_ended_is_told() {
    let leaving = changed(resting(daily()), |visit| {
        visit.runs.jobs = vec![ran(10, Some(RunOutcome::Succeeded), None)];
    });
    let leaving = leaving.being_removed();
    assert_eq!(
        told(&leaving),
        Vec::<String>::new(),
        "its status is written first"
    );
    assert_eq!(told(&after(leaving)), ["remove job-0010"]);
}

#[test]
fn the_last_job_of_a_plan_takes_it_along() {
    let leaving = changed(resting(daily()), |visit| {
        visit.runs.jobs = [10, 20, 30]
            .map(|second| {
                let mut job = ran(second, Some(RunOutcome::Succeeded), None);
                job.plan = Some(if second == 20 { "two" } else { "one" }.to_owned());
                job
            })
            .to_vec();
    });
    let mut leaving = after(leaving.being_removed());
    assert_eq!(
        plans(&leaving),
        ["connections-run-plan-two", "connections-run-plan-one"]
    );
    leaving.runs.starting.insert("a-job".to_owned());
    assert_eq!(
        plans(&leaving),
        Vec::<String>::new(),
        "a Job that isn't seen yet may have it"
    );
}
