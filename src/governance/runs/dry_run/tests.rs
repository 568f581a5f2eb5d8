use super::*;
use crate::api::dry_run::DatasetEstimate;
use crate::fixtures::{Runs, at, ran};

fn asked(second: i64) -> Runs {
    Runs {
        dry_run_requested: Some(at(second).to_string()),
        ..Runs::default()
    }
}

/// The Job of the newest request is there, and has ended so, if at all.
fn begun(mut runs: Runs, outcome: Option<RunOutcome>) -> Runs {
    let mut job = ran(101, outcome, None);
    job.name = job_of(&runs.facts(), runs.dry_run_requested.as_deref().expect("asked"));
    job.dry_run = true;
    if let Some(ended) = &mut job.ended {
        ended.estimate = vec![customers()];
    }
    runs.dry_run_jobs.push(job);
    runs
}

fn customers() -> DatasetEstimate {
    DatasetEstimate {
        dataset: "customers".to_owned(),
        rows_read: 10,
        rows_to_send: 6,
        ..DatasetEstimate::default()
    }
}

fn judged(
    runs: &Runs,
    before: Option<&DryRun>,
    runnable: bool,
) -> (Option<DryRun>, bool, Vec<(String, bool)>) {
    let facts = runs.facts();
    let Standing { newest, begins, over } = standing(&facts, before, (runnable, false), at(102));
    let over = over.into_iter().map(|(job, running)| (job.name.clone(), running));
    (newest, begins, over.collect())
}

#[test]
fn a_request_is_answered_once_and_begins_only_what_may_run() {
    assert_eq!(judged(&Runs::default(), None, true), (None, false, Vec::new()));
    let rows = [
        ("active", asked(100), true, RequestAnswer::Begun, true),
        ("inactive", asked(100), false, RequestAnswer::Inactive, false),
        ("long ago", asked(-1000), true, RequestAnswer::NotNow, false),
        (
            "begun already",
            begun(asked(100), None),
            true,
            RequestAnswer::Begun,
            false,
        ),
    ];
    for (case, runs, runnable, answer, begins) in rows {
        let (newest, now_begins, over) = judged(&runs, None, runnable);
        let newest = newest.expect("it is answered");
        assert_eq!((newest.request.answer, now_begins), (answer, begins), "{case}");
        assert!(over.is_empty(), "{case}");
        let again = judged(&runs, Some(&newest), runnable);
        assert_eq!(again.0.as_ref(), Some(&newest), "{case}");
        assert!(!again.1, "{case}: only once");
    }
}

#[test]
fn its_job_goes_once_status_tells_what_it_counted() {
    let runs = begun(asked(100), Some(RunOutcome::Succeeded));
    let (first, ..) = judged(&asked(100), None, true);
    let (told, begins, over) = judged(&runs, first.as_ref(), true);
    let told = told.expect("it ran");
    assert_eq!(told.estimate, [customers()]);
    assert_eq!(
        told.run.as_ref().and_then(|run| run.outcome),
        Some(RunOutcome::Succeeded)
    );
    assert!(!begins && over.is_empty(), "not before that is written");
    let (same, _, over) = judged(&runs, Some(&told), true);
    assert_eq!(same.as_ref(), Some(&told));
    assert_eq!(over, [(runs.dry_run_jobs[0].name.clone(), false)]);
    let (gone, _, over) = judged(&asked(100), Some(&told), true);
    assert_eq!((gone, over), (Some(told), Vec::new()), "it stays told");
}

#[test]
fn a_newer_request_takes_the_place_of_the_one_before() {
    let (before, ..) = judged(&begun(asked(90), None), None, true);
    let mut runs = begun(asked(90), None);
    let earlier = runs.dry_run_jobs[0].name.clone();
    runs.dry_run_requested = asked(100).dry_run_requested;
    let (newest, begins, over) = judged(&runs, before.as_ref(), true);
    assert_eq!(newest.as_ref().and_then(|newest| newest.run.as_ref()), None);
    assert!(begins && over.is_empty());
    let (same, begins, over) = judged(&begun(runs, None), newest.as_ref(), true);
    assert!(!begins && same.is_some_and(|same| same.run.is_some()));
    assert_eq!(over, [(earlier, true)]);
}

#[test]
fn one_that_may_not_go_on_is_ended() {
    let runs = begun(asked(100), None);
    let facts = runs.facts();
    let under_way = standing(&facts, None, (true, false), at(102)).newest;
    let stopped = standing(&facts, under_way.as_ref(), (false, true), at(103));
    let run = stopped.newest.and_then(|newest| newest.run).expect("it ran");
    assert_eq!(run.outcome, Some(RunOutcome::Stopped));
    assert_eq!(stopped.over, [(&facts.dry_run_jobs[0], true)]);
}
