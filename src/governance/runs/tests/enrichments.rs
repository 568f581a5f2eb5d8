//! Runs of enrichments: what holds for exports holds for them, and what they read and write is mounted.

use super::{Visit, changed, ran, requested, steps};
use crate::api::connection_type::UsedFor;
use crate::api::dataset::Role;
use crate::api::run::{Persistence, Plan, RunCounts, RunOutcome};
use crate::api::{ConditionType, Reason};
use crate::fixtures::{dataset, firmographics, visit};
use crate::governance::activity;
use crate::governance::conditions::find;
use crate::governance::datasets::Purpose;
use crate::governance::datasets::place::PlaceTaken;
use crate::governance::decision::Effect;
use crate::governance::kept::Seen;
use crate::governance::runs::results::Ended;
use crate::governance::runs::steps::RunStep;
use crate::governance::runs::verdict;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use std::sync::Arc;

fn enrichment() -> Visit {
    written_to("marketing-data")
}

/// One whose output is on this claim, and its input on `marketing-data`.
fn written_to(claim: &str) -> Visit {
    let mut output = dataset("results").of_role(Role::Output).visited();
    let volume = output.0.spec.location.volume.as_mut().expect("a volume");
    volume.claim_name = claim.into();
    visit(UsedFor::Enrichment)
        .over(&firmographics().consented().visited())
        .choosing("fileName", "companies.csv")
        .using(output.used("spec.output", Purpose::Write(Role::Output)))
        .every("30 2 * * *")
}

/// The plan and the CronJob that it wants.
fn scheduled(visit: &Visit) -> (Plan, Value) {
    let decision = activity::decide(&visit.facts());
    let found = decision.effects.iter().find_map(|effect| match effect {
        Effect::Run(step) => match &**step {
            RunStep::Schedule {
                plan: Some(plan),
                cron_job,
                ..
            } => Some((plan.clone(), cron_job.clone())),
            _ => None,
        },
        _ => None,
    });
    let (plan, cron_job) = found.expect("it is scheduled");
    let text = &plan.data.expect("data")["plan.json"];
    let plan = serde_json::from_str(text).expect("a plan");
    (plan, serde_json::to_value(&*cron_job).expect("JSON"))
}

/// A claim, and whether it is read-only.
type Volume = (String, bool);
/// A volume, where it is mounted, and whether read-only.
type Mount = (String, String, bool);

/// The volumes of claims, and where they are mounted.
fn volumes(cron_job: &Value) -> (Vec<Volume>, Vec<Mount>) {
    let pod = &cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let data = |object: &&Value| text(&object["name"]).starts_with("data-");
    let volumes = pod["volumes"].as_array().expect("volumes").iter().filter(data);
    let volumes = volumes.map(|volume| {
        let claim = &volume["persistentVolumeClaim"];
        (text(&claim["claimName"]), claim["readOnly"] == json!(true))
    });
    let mounts = pod["containers"][0]["volumeMounts"].as_array().expect("mounts");
    let mounts = mounts.iter().filter(data).map(|mount| {
        let read_only = mount["readOnly"] == json!(true);
        (text(&mount["name"]), text(&mount["mountPath"]), read_only)
    });
    (volumes.collect(), mounts.collect())
}

#[test]
fn its_plan_says_what_it_reads_and_writes_and_an_exports_plan_says_no_more_than_before() {
    let visit = changed(enrichment(), |visit| {
        visit.runs.input.where_ = Some("a > 1".to_owned());
    });
    let (plan, cron_job) = scheduled(&visit);
    assert_eq!((plan.used_for, plan.payload.len()), (UsedFor::Enrichment, 0));
    let planned = plan.enrichment.expect("it is one");
    assert_eq!(planned.input.dataset.as_str(), "customers");
    assert_eq!(planned.input.where_.as_deref(), Some("a > 1"));
    assert_eq!(planned.mapping["website"].as_str(), "web_address");
    assert_eq!(planned.output.dataset.as_str(), "results");
    assert_eq!(
        planned.output.location.volume.expect("a volume").path,
        "results/current.csv"
    );
    let owner = &cron_job["metadata"]["ownerReferences"][0];
    assert_eq!(
        (&owner["kind"], &owner["name"]),
        (&json!("Enrichment"), &json!("nightly"))
    );
    assert_eq!(
        cron_job["metadata"]["labels"]["connections.dev/run"],
        "Enrichment"
    );
    let template = &cron_job["spec"]["jobTemplate"]["spec"]["template"]["metadata"];
    assert_eq!(template["labels"]["connections.dev/run"], "Enrichment");

    let export = super::export().every("30 2 * * *");
    let (plan, other) = scheduled(&export);
    let text = serde_json::to_string(&plan).expect("JSON");
    assert!(!text.contains("enrichment"), "{text}");
    assert_ne!(
        other["metadata"]["name"], cron_job["metadata"]["name"],
        "of one name"
    );
}

#[test]
fn what_is_read_is_mounted_for_reading_and_only_the_place_of_the_output_for_writing() {
    let mount =
        |name: &str, path: &str, read_only| (name.to_owned(), format!("/run/connections/{path}"), read_only);
    let claim = |name: &str, read_only| (name.to_owned(), read_only);
    let rows = [
        (
            "one claim for both is one volume, mounted twice",
            "marketing-data",
            vec![claim("marketing-data", false)],
            vec![
                mount("data-0", "volumes/marketing-data", true),
                mount("data-0", "output", false),
            ],
        ),
        (
            "a claim of its own",
            "a-results",
            vec![claim("marketing-data", true), claim("a-results", false)],
            vec![
                mount("data-0", "volumes/marketing-data", true),
                mount("data-1", "output", false),
            ],
        ),
    ];
    for (case, output, expected_volumes, expected_mounts) in rows {
        let (_, cron_job) = scheduled(&written_to(output));
        assert_eq!(volumes(&cron_job), (expected_volumes, expected_mounts), "{case}");
    }
}

#[test]
fn it_is_scheduled_requested_held_and_stopped_as_an_export_is() {
    let settled = |mut visit: Visit| {
        let decision = activity::decide(&visit.facts());
        let mut made = decision.effects.iter().filter_map(|effect| match effect {
            Effect::Run(step) => match &**step {
                RunStep::Schedule { cron_job, .. } => Some((**cron_job).clone()),
                _ => None,
            },
            _ => None,
        });
        visit.runs.cron_job = made
            .next()
            .map_or(Seen::Absent, |made| Seen::Present(Arc::new(made)));
        drop(made);
        visit.before = decision.status;
        visit
    };
    let daily = || settled(enrichment());
    let manual = |mut visit: Visit| {
        visit.schedule = None;
        visit
    };
    let withdrawn = || {
        changed(daily().over(&firmographics().visited()), |visit| {
            visit.runs.jobs = vec![ran(10, None, None)];
        })
    };
    let failed = || {
        changed(daily(), |visit| {
            let mut job = ran(10, Some(RunOutcome::Failed), Some(Persistence::Permanent));
            let connection = firmographics().consented().visited();
            job.basis = Some(verdict::basis(Some(1), &connection.0, &visit.uses));
            visit.runs.jobs = vec![job];
        })
    };
    let rows: Vec<(&str, Visit, Vec<&str>)> = vec![
        ("failed for good", failed(), vec!["resting schedule"]),
        ("manual", manual(enrichment()), vec![]),
        ("scheduled anew", enrichment(), vec!["plan and schedule"]),
        ("scheduled already", daily(), vec![]),
        ("requested", requested(manual(enrichment())), vec!["start 54"]),
        ("suspended", daily().suspended(), vec!["suspend"]),
        (
            "consent withdrawn under a run",
            withdrawn(),
            vec!["suspend", "stop job-0010"],
        ),
    ];
    for (case, visit, expected) in rows {
        assert_eq!(steps(&activity::decide(&visit.facts())), expected, "{case}");
    }
}

#[test]
fn a_run_ends_whose_output_was_given_another_place() {
    let visit = enrichment();
    let (_, cron_job) = scheduled(&visit);
    let made = &cron_job["spec"]["jobTemplate"]["metadata"]["annotations"]["connections.dev/run-output"];
    let running = |visit: Visit, output: Option<&str>| {
        changed(visit, |visit| {
            let mut job = ran(10, None, None);
            job.output = output.map(str::to_owned);
            visit.runs.jobs = vec![job];
        })
    };
    let stops = |visit: &Visit| {
        let told = steps(&activity::decide(&visit.facts()));
        told.contains(&"stop job-0010".to_owned())
    };
    let made = made.as_str().expect("it stands there");
    assert!(
        !stops(&running(enrichment(), Some(made))),
        "it writes there still"
    );
    assert!(
        stops(&running(written_to("other"), Some(made))),
        "it would write elsewhere"
    );
    assert!(
        !stops(&running(enrichment(), None)),
        "where an older one writes isn't known"
    );
    let gone = changed(running(enrichment(), Some(made)), |visit| {
        for used in &mut visit.uses {
            used.dataset = None;
        }
    });
    assert!(!stops(&gone), "what isn't there says nothing");
    let another = changed(gone, |visit| visit.runs.output.dataset = "others".into());
    assert!(stops(&another), "another output, wherever that lies");
    for case in ["it is another's", "it lies among what is read", "it is only read"] {
        let lost = changed(running(enrichment(), Some(made)), |visit| {
            let written = visit.uses.iter_mut().find(|used| used.name == "results");
            let used = written.expect("it is written");
            match case {
                "it is another's" => used.taken_by = Some("enrichment other".to_owned()),
                "it is only read" => used.dataset = Some(Arc::new(dataset("results").visited().0)),
                _ => used.place_taken = Some(PlaceTaken::Read("folder".to_owned())),
            }
        });
        assert!(stops(&lost), "{case}");
    }
}

#[test]
fn what_it_did_is_told_in_its_own_words() {
    let visit = changed(enrichment(), |visit| {
        let mut job = ran(100, Some(RunOutcome::Succeeded), None);
        job.ended = Some(Ended {
            estimate: Vec::new(),
            at: Time(crate::fixtures::at(101)),
            outcome: RunOutcome::Succeeded,
            counts: Some(RunCounts {
                rows_read: 120,
                rows_enriched: Some(100),
                rows_not_matched: Some(20),
                bytes: 4096,
                ..RunCounts::default()
            }),
            failure: None,
        });
        visit.runs.jobs = vec![job];
    });
    let status = activity::decide(&visit.facts()).status;
    let told = find(&status.conditions, ConditionType::LastRunSucceeded).expect("it is told");
    assert_eq!(told.reason, Reason::RunSucceeded.as_str());
    assert_eq!(
        told.message,
        "The newest run ended well: 120 rows read, 100 enriched, 20 not matched."
    );
}

#[test]
fn what_the_connector_lacks_for_it_is_told() {
    let elsewhere = changed(enrichment(), |visit| {
        let dataset = visit.uses[1].dataset.as_mut().expect("there");
        let location = &mut Arc::make_mut(dataset).spec.location;
        location.volume = None;
        location.url = Some("s3://lake/results".to_owned());
    });
    let unmapped = changed(enrichment(), |visit| visit.runs.input.mapping.clear());
    let by_another = changed(enrichment(), |visit| {
        use crate::governance::attachment::ConnectionSeen;
        use crate::governance::connection_types::TypeSeen;
        use crate::governance::parameters::CompiledType;
        let ConnectionSeen::Present { type_, .. } = &mut visit.connection else {
            return;
        };
        let mut spec = type_.usable().expect("it fits together").spec.clone();
        spec.connector = Some("s3".into());
        let compiled = CompiledType::compile("sftp-import", &spec).expect("it is sound");
        *type_ = TypeSeen::Usable(Arc::new(compiled));
    });
    let rows = [
        (
            elsewhere,
            "The dataset results isn't on a volume, and this version's connector reads and writes volumes only",
        ),
        (unmapped, "spec.input.mapping is empty"),
        (
            by_another,
            "The type sftp-import names the connector s3, which runs no enrichments in this version",
        ),
    ];
    for (visit, expected) in rows {
        let told = super::valid(&visit);
        assert!(told.starts_with(expected), "{told}");
    }
}
