use super::{after, changed, export, ran, steps};
use crate::api::Reason;
use crate::api::run::{Persistence, RunOutcome};
use crate::governance::activity;
use crate::governance::decision::Announcement;
use crate::governance::runs::news::newly_ended;
use std::collections::BTreeSet;

/// Runs that came by themselves while the operator was away; every ninth failed.
#[test]
fn each_of_a_thousand_runs_that_nobody_saw_is_told_once() {
    let mut visit = changed(after(export()), |visit| {
        visit.runs.jobs = (0..1000)
            .map(|second| match second % 9 {
                0 => ran(second, Some(RunOutcome::Failed), Some(Persistence::Transient)),
                _ => ran(second, Some(RunOutcome::Succeeded), None),
            })
            .collect();
    });
    let (mut told, mut heard, mut visits) = (Vec::new(), Vec::new(), 0);
    let left = loop {
        let decision = activity::decide(&visit.facts());
        let ended = newly_ended(&visit.before, &decision.status);
        let mut ended: Vec<String> = ended.filter_map(|run| run.job.clone()).collect();
        ended.reverse();
        told.extend(ended);
        heard.extend(decision.announcements.clone());
        if decision.status == visit.before {
            break decision;
        }
        assert_eq!(
            steps(&decision),
            Vec::<String>::new(),
            "nothing goes before all is told"
        );
        visit.before = decision.status;
        visits += 1;
    };
    let all: Vec<String> = (0..1000).map(|second| format!("job-{second:04}")).collect();
    assert_eq!((told, visits), (all, 100), "the oldest first, ten a visit");
    let count = |reason| heard.iter().filter(|news| news.reason == reason).count();
    assert_eq!(
        (count(Reason::RunSucceeded), count(Reason::RunFailedForNow)),
        (888, 112),
        "an event each"
    );
    let removed: BTreeSet<String> = steps(&left).into_iter().collect();
    assert_eq!(removed.len(), 990);
    assert!(removed.contains("remove job-0989") && !removed.contains("remove job-0990"));
}

/// What is told about the export is what the newest run says, not what was told on the way there.
#[test]
fn an_old_failure_for_good_does_not_hold_what_ran_well_since() {
    let connection = super::sftp_partner().consented().visited();
    let basis = super::verdict::basis(Some(1), &connection.0, &export().uses);
    let mut visit = changed(after(export()), |visit| {
        visit.runs.jobs = (0..40)
            .map(|second| {
                let failed = second == 9;
                let persistence = failed.then_some(Persistence::Permanent);
                let outcome = if failed {
                    RunOutcome::Failed
                } else {
                    RunOutcome::Succeeded
                };
                let mut job = ran(second, Some(outcome), persistence);
                job.basis = Some(basis.clone());
                job
            })
            .collect();
    });
    loop {
        let decision = activity::decide(&visit.facts());
        assert_eq!(decision.status.state, visit.before.state);
        let held = |news: &Announcement| news.reason == Reason::RunFailed;
        assert!(!decision.announcements.iter().any(held));
        if decision.status == visit.before {
            break;
        }
        visit.before = decision.status;
    }
}
