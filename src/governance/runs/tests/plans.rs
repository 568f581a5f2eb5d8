use super::{Visit, changed, export, ran, requested, scheduled, steps};
use crate::api::names::{RUN_PLAN_ANNOTATION, RUN_PLAN_BEFORE_ANNOTATION};
use crate::api::run::RunOutcome;
use crate::governance::activity;
use crate::governance::decision::Effect;
use crate::governance::kept::Seen;
use crate::governance::runs::names;
use crate::governance::runs::steps::RunStep;
use jiff::SignedDuration;

/// A plan as it is scheduled, those before, and the names of those that go.
fn plans(visit: &Visit) -> (String, Vec<String>, Vec<String>) {
    let decision = activity::decide(&visit.facts());
    let mut told = decision.effects.iter().filter_map(|effect| match effect {
        Effect::Run(step) => match &**step {
            RunStep::Schedule {
                cron_job, outlived, ..
            } => {
                let annotations = cron_job.metadata.annotations.clone().unwrap_or_default();
                let before = annotations.get(RUN_PLAN_BEFORE_ANNOTATION).map(String::as_str);
                let before = before.into_iter().flat_map(|before| before.split(','));
                let before = before.filter_map(|entry| Some(entry.split_once('@')?.0.to_owned()));
                Some((
                    annotations[RUN_PLAN_ANNOTATION].clone(),
                    before.collect(),
                    outlived.clone(),
                ))
            }
            _ => None,
        },
        _ => None,
    });
    told.next().expect("it is scheduled")
}

/// The visit so many seconds after this one, which came true, with something else chosen.
fn next(visit: &Visit, seconds: i64, compression: &str) -> Visit {
    let mut next = visit.clone();
    next.runs.cron_job = scheduled(visit);
    next.now += SignedDuration::from_secs(seconds);
    next.choosing("compression", compression)
}

fn first() -> Visit {
    export().every("30 2 * * *")
}

#[test]
fn a_plan_goes_a_minute_after_another_took_its_place_when_no_job_has_it() {
    let first = first();
    let second = next(&first, 5, "Gzip");
    let third = changed(next(&second, 59, "None"), |visit| {
        visit.runs.payload[0].where_ = Some("a > 1".to_owned());
    });
    let fourth = next(&third, 1, "Gzip");
    let [one, two, three, four] = [&first, &second, &third, &fourth].map(plans);
    let none = Vec::<String>::new();
    assert_eq!((&one.1, &one.2), (&none, &none));
    assert_eq!((&two.1, &two.2), (&vec![one.0.clone()], &none));
    assert_eq!(
        (&three.1, &three.2),
        (&vec![two.0.clone(), one.0.clone()], &none),
        "59 seconds are too early"
    );
    assert_eq!(
        (&four.1, &four.2),
        (&vec![three.0.clone(), two.0.clone()], &vec![names::plan(&one.0)])
    );

    let kept = changed(fourth.clone(), |visit| {
        let mut job = ran(10, Some(RunOutcome::Succeeded), None);
        job.plan = Some(one.0.clone());
        visit.runs.jobs = vec![job];
    });
    assert_eq!(plans(&kept).2, none, "a Job has it");
    let beginning = changed(requested(fourth), |visit| {
        visit.runs.starting.insert("a-job".to_owned());
    });
    assert_eq!(plans(&beginning).2, none, "a Job that isn't seen yet may have it");
}

#[test]
fn a_plan_that_is_back_is_none_of_those_before() {
    let first = first();
    let second = next(&first, 5, "Gzip");
    let mut back = next(&second, 60, "None");
    back.parameters.clone_from(&first.parameters);
    let [one, two, three] = [&first, &second, &back].map(plans);
    assert_eq!(three, (one.0, vec![two.0], Vec::new()));
}

#[test]
fn what_is_made_again_under_the_same_name_has_plans_and_jobs_of_its_own() {
    let old = first();
    let again = changed(old.clone(), |visit| "another".clone_into(&mut visit.runs.uid));
    assert_ne!(plans(&old).0, plans(&again).0);
    let job = |uid| names::requested_job("Export", ("nightly", uid), "now");
    assert_ne!(job("nightlys"), job("another"));
    assert_eq!(job("nightlys"), job("nightlys"));

    let beside = changed(again, |visit| visit.runs.cron_job = scheduled(&old));
    assert_eq!(
        steps(&activity::decide(&beside.facts())),
        ["retire with 0 plans"],
        "what was there before goes first"
    );
    let wanting = activity::decide(&requested(beside.clone()).facts());
    assert_eq!(
        (steps(&wanting), wanting.status.last_request),
        (vec!["retire with 0 plans".to_owned()], None)
    );
    let gone = changed(beside, |visit| visit.runs.cron_job = Seen::Absent);
    assert_eq!(steps(&activity::decide(&gone.facts())), ["plan and schedule"]);
}
