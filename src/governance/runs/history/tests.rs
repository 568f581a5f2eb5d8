use super::*;
use crate::fixtures::{at, ran};

#[test]
fn a_job_goes_once_its_result_stands_in_status_and_ten_newer_ones_do_too() {
    let jobs: Vec<_> = (0..13)
        .map(|second| ran(second, Some(RunOutcome::Succeeded), None))
        .collect();
    let first = merged(&[], &jobs, false, at(50));
    let names = |runs: &[Run]| runs.iter().filter_map(|run| run.job.clone()).collect::<Vec<_>>();
    assert_eq!(
        names(&first).first().map(String::as_str),
        Some("job-0012"),
        "the newest first"
    );
    assert_eq!(first.len(), RUNS_MAX);
    assert!(
        outlived(&[], &first, &jobs).is_empty(),
        "nothing goes before the status is written"
    );
    let second = merged(&first, &jobs, false, at(60));
    assert_eq!(second, first);
    let gone: Vec<&str> = outlived(&first, &second, &jobs)
        .iter()
        .map(|job| job.name.as_str())
        .collect();
    assert_eq!(gone, ["job-0000", "job-0001", "job-0002"]);
}

#[test]
fn a_run_whose_job_vanished_is_told_as_lost_and_what_was_told_stays() {
    let running = merged(&[], &[ran(1, None, None)], false, at(5));
    assert_eq!(running[0].outcome, None);
    let lost = merged(&running, &[], false, at(9));
    assert_eq!(lost[0].outcome, Some(RunOutcome::Failed));
    assert_eq!(
        lost[0].failure.as_ref().map(|why| why.class),
        Some(FailureClass::System)
    );
    let stopped = merged(&running, &[ran(1, None, None)], true, at(9));
    assert_eq!(stopped[0].outcome, Some(RunOutcome::Stopped));
    let failed_meanwhile = ran(1, Some(RunOutcome::Failed), Some(Persistence::Transient));
    assert_eq!(
        merged(&stopped, &[failed_meanwhile], false, at(12)),
        stopped,
        "it was told to stop, and that stands"
    );
}

#[test]
fn a_run_that_was_only_out_of_sight_is_told_as_it_is() {
    let running = merged(&[], &[ran(1, None, None)], false, at(5));
    let lost = merged(&running, &[], false, at(9));
    let back = merged(&lost, &[ran(1, Some(RunOutcome::Succeeded), None)], false, at(9));
    assert_eq!(back[0].outcome, Some(RunOutcome::Succeeded));
}

#[test]
fn what_a_stopped_run_had_done_is_added_once_it_is_known() {
    let counts = RunCounts {
        rows_sent: 3,
        ..RunCounts::default()
    };
    let mut runs = merged(
        &[],
        &[ran(1, None, None), ran(2, Some(RunOutcome::Failed), None)],
        true,
        at(9),
    );
    let last_words = BTreeMap::from(["job-0001", "job-0002"].map(|job| (job.to_owned(), counts)));
    complete(&mut runs, &last_words);
    assert_eq!((runs[1].counts, runs[0].counts), (Some(counts), None));
}
