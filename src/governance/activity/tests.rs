#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::*;
use crate::api::dataset::Role;
use crate::api::{Condition, ConditionStatus};
use crate::fixtures::{Visit, absent, at, condition, dataset, firmographics, sftp_partner, visit};
use crate::governance::conditions::find;
use crate::governance::datasets::Purpose;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

fn export() -> Visit {
    visit(UsedFor::Export).over(&sftp_partner().consented().visited())
}

fn enrichment() -> Visit {
    visit(UsedFor::Enrichment)
        .over(&firmographics().consented().visited())
        .choosing("fileName", "companies.csv")
        .using(output("results").used("spec.output", Purpose::Write(Role::Output)))
}

fn output(name: &str) -> crate::fixtures::DatasetBuilder {
    dataset(name).of_role(Role::Output).visited()
}

fn ready(visit: &Visit) -> (Option<State>, ConditionStatus, String) {
    let status = decide(&visit.facts()).status;
    let ready = find(&status.conditions, ConditionType::Ready).expect("Ready is always there");
    (status.state, ready.status, ready.reason.clone())
}

#[test]
fn the_first_judgement_waits_for_that_of_what_is_named() {
    let visited = Visit {
        before: decide(&export().facts()).status,
        ..visit(UsedFor::Export).over(&sftp_partner())
    };
    let rows = [
        ("everything was judged", export(), false),
        (
            "a connection is new",
            visit(UsedFor::Export).over(&sftp_partner()),
            true,
        ),
        (
            "a dataset is new",
            export().using(dataset("more").used("spec.payload", Purpose::Read)),
            true,
        ),
        ("this one was judged before, so it must follow", visited, false),
        ("it names no connection", visit(UsedFor::Export), false),
    ];
    for (case, visit, expected) in rows {
        assert_eq!(too_early(&visit.facts()), expected, "{case}");
    }
}

#[test]
fn the_first_visit_tells_everything() {
    use ConditionStatus::{False, True, Unknown};
    let mut decision = decide(&export().every("30 2 * * *").facts());
    let made = std::mem::take(&mut decision.effects);
    assert_eq!(made.len(), 1, "its CronJob, of which the tests of runs tell");
    let next: jiff::Timestamp = "2023-11-15T02:30:00Z".parse().expect("a time");
    let told = |type_, status, reason, message: &str| Condition {
        observed_generation: Some(1),
        last_transition_time: Time(at(200)),
        message: message.to_owned(),
        ..condition(type_, status, reason)
    };
    let expected = Decision {
        hold: Hold::Keep,
        effects: Vec::new(),
        status: ExportStatus {
            observed_generation: Some(1),
            conditions: vec![
                told(
                    ConditionType::Ready,
                    True,
                    Reason::Ready,
                    "It has all that it needs. It runs when its time comes, and on request.",
                ),
                told(
                    ConditionType::Reconciling,
                    False,
                    Reason::Settled,
                    "The operator has nothing left to do.",
                ),
                told(
                    ConditionType::Stalled,
                    False,
                    Reason::Settled,
                    "No person has to act on it.",
                ),
                told(
                    ConditionType::Attached,
                    True,
                    Reason::ConnectionUsable,
                    "The connection sftp-partner can be used.",
                ),
                told(
                    ConditionType::Valid,
                    True,
                    Reason::AsDeclared,
                    "What it says fits the type of its connection.",
                ),
                told(
                    ConditionType::Scheduled,
                    True,
                    Reason::ScheduleAccepted,
                    "The schedule \"30 2 * * *\" in Etc/UTC can be kept.",
                ),
                told(
                    ConditionType::LastRunSucceeded,
                    Unknown,
                    Reason::NeverRan,
                    "It has not run yet.",
                ),
            ],
            state: Some(State::Active),
            connection: Some("sftp-partner".to_owned()),
            type_: Some("sftp-export".to_owned()),
            last_run: None,
            runs: Vec::new(),
            next_run_at: Some(Time(next)),
            last_request: None,
            last_dry_run: None,
        },
        announcements: vec![crate::governance::decision::Announcement {
            warning: false,
            reason: Reason::Ready,
        }],
        recheck: Some(next.duration_since(at(200)) + jiff::SignedDuration::from_secs(2)),
    };
    assert_eq!(decision, expected);
}

#[test]
fn what_runs_is_active_and_nothing_else_is() {
    use ConditionStatus::{False, True};
    use State::{Active, Inactive};
    let waiting = sftp_partner().visited();
    let resting = sftp_partner().consented().suspended().visited();
    let going = sftp_partner().consented().visited().being_removed();
    let taken = |mut visit: Visit| {
        visit.uses[1].taken_by = Some("enrichment other".to_owned());
        visit
    };
    let lacking = |mut visit: Visit| {
        visit.connection = ConnectionSeen::Absent("partner".to_owned());
        visit
    };
    let rows: Vec<(&str, Visit, State, ConditionStatus, Reason)> = vec![
        ("manual", export(), Active, True, Reason::Ready),
        (
            "scheduled",
            export().every("0 6 * * *"),
            Active,
            True,
            Reason::Ready,
        ),
        ("an enrichment", enrichment(), Active, True, Reason::Ready),
        (
            "suspended",
            export().suspended(),
            Inactive,
            True,
            Reason::Suspended,
        ),
        (
            "on a suspended connection",
            export().over(&resting),
            Inactive,
            True,
            Reason::Suspended,
        ),
        (
            "detached",
            visit(UsedFor::Export),
            Inactive,
            True,
            Reason::Detached,
        ),
        (
            "deactivated",
            visit(UsedFor::Enrichment),
            Inactive,
            True,
            Reason::Detached,
        ),
        (
            "detached and suspended",
            visit(UsedFor::Export).suspended(),
            Inactive,
            True,
            Reason::Detached,
        ),
        (
            "on a connection without consent",
            export().over(&waiting),
            Inactive,
            False,
            Reason::ConnectionNotReady,
        ),
        (
            "on a connection that goes",
            export().over(&going),
            Inactive,
            False,
            Reason::ConnectionBeingRemoved,
        ),
        (
            "on a connection that isn't there",
            lacking(export()),
            Inactive,
            False,
            Reason::ConnectionNotFound,
        ),
        (
            "over the wrong kind",
            export().over(&firmographics().consented().visited()),
            Inactive,
            False,
            Reason::TypeMismatch,
        ),
        (
            "that no connector runs",
            export().without_connectors(),
            Inactive,
            False,
            Reason::NoConnector,
        ),
        (
            "with a wrong parameter",
            export().choosing("compression", "Zip"),
            Inactive,
            False,
            Reason::ParametersInvalid,
        ),
        (
            "with a wrong schedule",
            export().every("@daily"),
            Inactive,
            False,
            Reason::ScheduleInvalid,
        ),
        (
            "without its dataset",
            export().using(absent("spec.payload", "orders", Purpose::Read)),
            Inactive,
            False,
            Reason::DatasetNotFound,
        ),
        (
            "with a dataset that isn't ready",
            export().using(dataset("orders").used("spec.payload", Purpose::Read)),
            Inactive,
            False,
            Reason::DatasetNotReady,
        ),
        (
            "with a dataset of the wrong role",
            export().using(output("o").used("spec.rejects", Purpose::Write(Role::Rejects))),
            Inactive,
            False,
            Reason::DatasetIneligible,
        ),
        (
            "with another's output",
            taken(enrichment()),
            Inactive,
            False,
            Reason::OutputTaken,
        ),
        (
            "being removed",
            export().being_removed(),
            Inactive,
            False,
            Reason::BeingRemoved,
        ),
        (
            "an enrichment that is being removed",
            enrichment().being_removed(),
            Inactive,
            False,
            Reason::BeingRemoved,
        ),
    ];
    for (case, visit, state, status, reason) in rows {
        assert_eq!(ready(&visit), (Some(state), status, reason.to_string()), "{case}");
    }
}

#[test]
fn the_cause_that_a_person_must_act_on_first_is_told() {
    let waiting = sftp_partner().visited();
    let rows = [
        (
            "a mistake before rest",
            export().suspended().every("@daily"),
            Reason::ScheduleInvalid,
        ),
        (
            "a mistake even when detached",
            visit(UsedFor::Export).every("@daily"),
            Reason::ScheduleInvalid,
        ),
        (
            "rest before waiting",
            export().over(&waiting).suspended(),
            Reason::Suspended,
        ),
        (
            "rest before a missing dataset",
            visit(UsedFor::Export).using(absent("spec.payload", "orders", Purpose::Read)),
            Reason::Detached,
        ),
        (
            "a wrong parameter before a missing dataset",
            export()
                .choosing("compression", "Zip")
                .using(absent("spec.payload", "orders", Purpose::Read)),
            Reason::ParametersInvalid,
        ),
        (
            "the connection before the rest of what it waits for",
            export()
                .over(&waiting)
                .using(absent("spec.payload", "orders", Purpose::Read)),
            Reason::ConnectionNotReady,
        ),
        (
            "the wrong kind before its parameters",
            export()
                .over(&firmographics().consented().visited())
                .choosing("compression", "Zip"),
            Reason::TypeMismatch,
        ),
        (
            "removal before a mistake that nobody has to correct any more",
            export().every("@daily").being_removed(),
            Reason::BeingRemoved,
        ),
        (
            "removal before rest",
            visit(UsedFor::Export).suspended().being_removed(),
            Reason::BeingRemoved,
        ),
    ];
    for (case, visit, reason) in rows {
        assert_eq!(ready(&visit).2, reason.as_str(), "{case}");
    }
}

#[test]
fn one_that_somebody_holds_while_it_is_removed_says_so_and_what_else_it_is() {
    let there = decide(&export().facts()).status;
    let visit = Visit {
        before: there.clone(),
        ..export().being_removed()
    };
    let decision = decide(&visit.facts());
    let told = |type_| {
        let condition = find(&decision.status.conditions, type_).expect("it is there");
        (condition.status, &*condition.reason, &*condition.message)
    };
    let rows = [
        (
            ConditionType::Ready,
            ConditionStatus::False,
            "BeingRemoved",
            "It is being removed, so nothing of it runs, and goes once those who set the finalizers in metadata.finalizers \
             take them off.",
        ),
        (
            ConditionType::Reconciling,
            ConditionStatus::True,
            "WaitingForOthers",
            "It goes by itself once nobody holds it any more.",
        ),
        (
            ConditionType::Stalled,
            ConditionStatus::False,
            "Settled",
            "It goes on by itself; whether somebody has to bring what it waits for, Ready's message says.",
        ),
    ];
    for (type_, status, reason, message) in rows {
        assert_eq!(told(type_), (status, reason, message), "{type_}");
    }
    let rest = |status: &ExportStatus| status.conditions[3..].to_vec();
    assert_eq!(rest(&decision.status), rest(&there), "the rest is told as before");
    let news: Vec<Reason> = decision.announcements.iter().map(|news| news.reason).collect();
    assert_eq!(news, [Reason::BeingRemoved]);
}

#[test]
fn columns_show_the_connection_or_none() {
    let shown = |visit: Visit| {
        let status = decide(&visit.facts()).status;
        (status.connection, status.type_)
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(shown(export()), (text("sftp-partner"), text("sftp-export")));
    assert_eq!(shown(visit(UsedFor::Export)), (text("None"), None));
    let mut lacking = export();
    lacking.connection = ConnectionSeen::Absent("partner".to_owned());
    assert_eq!(shown(lacking), (text("partner"), None));
}

#[test]
fn news_is_told_once_and_only_of_changes() {
    let reasons = |visit: &Visit| -> Vec<(bool, Reason)> {
        let decision = decide(&visit.facts());
        decision
            .announcements
            .iter()
            .map(|news| (news.warning, news.reason))
            .collect()
    };
    let mut visit = export();
    assert_eq!(reasons(&visit), [(false, Reason::Ready)]);
    visit.before = decide(&visit.facts()).status;
    assert_eq!(reasons(&visit), []);
    let mut broken = visit.clone().every("@daily");
    assert_eq!(reasons(&broken), [(true, Reason::ScheduleInvalid)]);
    broken.before = decide(&broken.facts()).status;
    let otherwise = broken.clone().every("@hourly");
    assert_eq!(reasons(&otherwise), [], "other words, the same state");
    assert_eq!(reasons(&broken.suspended()), [], "a mistake still comes first");
}

#[test]
fn runs_are_kept() {
    let mut visit = export();
    visit.before.runs = vec![crate::api::export::Run {
        job: None,
        trigger: None,
        started_at: Time(at(1)),
        ended_at: Some(Time(at(2))),
        attempt: None,
        progress: None,
        outcome: None,
        counts: None,
        failure: None,
        basis: None,
    }];
    visit.before.last_run = visit.before.runs.first().cloned();
    let status = decide(&visit.facts()).status;
    assert_eq!(
        (status.runs, status.last_run),
        (visit.before.runs, visit.before.last_run)
    );
}

#[test]
fn on_a_type_that_contradicts_itself_what_is_active_goes_on_and_nothing_begins() {
    use crate::governance::connection_types::TypeSeen;
    use std::sync::Arc;
    let kept = |mut visit: Visit| {
        if let ConnectionSeen::Present { type_, .. } = &mut visit.connection {
            let before = type_.usable().expect("it fits together").clone();
            *type_ = TypeSeen::Kept(Arc::new(vec!["Somewhere.".to_owned()]), before);
        }
        visit
    };
    let visited = |visit: Visit| Visit {
        before: decide(&visit.facts()).status,
        ..visit
    };
    let resting = |visit: Visit| Visit {
        suspend: false,
        ..visited(visit.suspended())
    };
    let active = (Some(State::Active), ConditionStatus::True, "Ready".to_owned());
    let waits = (
        Some(State::Inactive),
        ConditionStatus::False,
        "TypeNotReady".to_owned(),
    );
    for (case, visit, expected) in [
        ("Active before", visited(export()), &active),
        ("made since", export(), &waits),
        ("an enrichment made since", enrichment(), &waits),
        ("it rested, and would begin again", resting(export()), &waits),
    ] {
        let visit = kept(visit);
        assert_eq!(ready(&visit), *expected, "{case}");
        assert_eq!(ready(&visited(visit)), *expected, "{case}, at the next visit");
    }
    let status = decide(&kept(export()).facts()).status;
    let attached = find(&status.conditions, ConditionType::Attached).expect("it is always there");
    assert_eq!(
        attached.message,
        "What is Active on its connection goes on, and nothing begins there meanwhile. The connection type sftp-export \
         contradicts itself: whoever owns it must correct it. To see where: kubectl describe connectiontype sftp-export"
    );
}
