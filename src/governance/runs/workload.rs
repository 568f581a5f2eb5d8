//! The CronJob and Jobs of an export or enrichment: pods that may do nothing but what a run needs.

use super::names::{self, hash};
use super::{Connector, RunsFacts, plan, volumes};
use crate::api::export::Schedule;
use crate::api::names::{
    DRY_RUN_REQUESTED_ANNOTATION, MANAGED_BY_LABEL, RUN_ACCOUNT, RUN_BASIS_ANNOTATION, RUN_CONTAINER,
    RUN_FORM_ANNOTATION, RUN_LABEL, RUN_OF_ANNOTATION, RUN_OF_UID_ANNOTATION, RUN_OUTPUT_ANNOTATION,
    RUN_PLAN_ANNOTATION, RUN_PLAN_BEFORE_ANNOTATION, RUN_REQUESTED_ANNOTATION,
};
use crate::api::run::{EXIT_PERMANENT, EXIT_STOPPED};
use crate::api::{Connection, Export};
use crate::governance::datasets::Use;
use crate::governance::schedule;
use crate::governance::vaults::KeyVaults;
use k8s_openapi::api::batch::v1::{
    CronJob, CronJobSpec, Job, JobSpec, JobTemplateSpec, PodFailurePolicy,
    PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, PodSecurityContext, PodSpec, PodTemplateSpec, SeccompProfile, SecurityContext,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use std::collections::BTreeMap;

/// How late a scheduled run may begin, in seconds: time enough for another controller of CronJobs to take over. What goes on
/// rests for so long after a time that it missed, so it's shorter than the shortest schedule.
pub const STARTING_DEADLINE: i64 = 45;
/// How many Jobs Kubernetes keeps of each sort: the operator removes them itself, once their results are in status.
const HISTORY: i32 = 1000;
/// How often a failure that may pass is tried again, after pauses that double from ten seconds.
const RETRIES: i32 = 4;
/// How long a run that is told to stop may take to undo what it has begun, in seconds.
pub const GRACE: i64 = 10;
/// As whom the connector runs in its pod: nobody.
const USER: i64 = 65532;
/// What a run is made from, beside what is known of the export or enrichment.
#[derive(Clone, Copy, Debug)]
pub struct Making<'a> {
    /// What runs it.
    pub connector: &'a Connector,
    /// The connection, for the Secrets that it names.
    pub connection: &'a Connection,
    /// The key vaults that it names, for what signs in to them.
    pub vaults: &'a KeyVaults,
    /// The datasets, for the volumes that they are on.
    pub uses: &'a [Use],
    /// Its plan.
    pub plan: &'a plan::Written,
    /// The plans of its CronJob before, as that remembers them.
    pub plans_before: &'a str,
    /// A hash of what it begins with.
    pub basis: &'a str,
    /// Whether it only counts what a run would send. Then it gets no credential.
    pub dry_run: bool,
}

/// The metadata of what belongs to the runs of an export or enrichment. It goes with that.
#[must_use]
pub fn metadata(facts: &RunsFacts<'_>, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(facts.namespace.clone()),
        labels: Some(labels(facts)),
        annotations: Some(annotations(facts)),
        owner_references: Some(vec![OwnerReference {
            api_version: Export::api_version(&()).into_owned(), // one for all kinds
            kind: facts.kind(),
            name: facts.name.clone(),
            uid: facts.uid.clone(),
            controller: Some(true),
            block_owner_deletion: None,
        }]),
        ..ObjectMeta::default()
    }
}

fn labels(facts: &RunsFacts<'_>) -> BTreeMap<String, String> {
    let (managed_by, operator) = MANAGED_BY_LABEL;
    let run = (RUN_LABEL.to_owned(), facts.kind());
    BTreeMap::from([(managed_by.to_owned(), operator.to_owned()), run])
}

fn annotations(facts: &RunsFacts<'_>) -> BTreeMap<String, String> {
    BTreeMap::from([
        (RUN_OF_ANNOTATION.to_owned(), facts.name.clone()),
        (RUN_OF_UID_ANNOTATION.to_owned(), facts.uid.clone()),
    ])
}

/// The CronJob of what has a schedule.
#[must_use]
pub fn cron_job(facts: &RunsFacts<'_>, making: Making<'_>, schedule: &Schedule, suspend: bool) -> CronJob {
    let mut metadata = metadata(facts, names::cron_job(&facts.kind(), &facts.name));
    let template = ObjectMeta {
        labels: Some(labels(facts)),
        annotations: Some(of_run(facts, making)),
        ..ObjectMeta::default()
    };
    let spec = CronJobSpec {
        schedule: schedule.cron.clone(),
        time_zone: Some(schedule::zone(schedule).to_owned()),
        concurrency_policy: Some("Forbid".to_owned()),
        starting_deadline_seconds: Some(STARTING_DEADLINE),
        successful_jobs_history_limit: Some(HISTORY),
        failed_jobs_history_limit: Some(HISTORY),
        suspend: Some(suspend),
        job_template: JobTemplateSpec {
            metadata: Some(template),
            spec: Some(job_spec(facts, making)),
        },
    };
    let form = hash(&serde_json::to_vec(&(&metadata, &spec)).unwrap_or_default());
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert(RUN_PLAN_ANNOTATION.to_owned(), making.plan.hash.clone());
    annotations.insert(RUN_FORM_ANNOTATION.to_owned(), form);
    if !making.plans_before.is_empty() {
        annotations.insert(
            RUN_PLAN_BEFORE_ANNOTATION.to_owned(),
            making.plans_before.to_owned(),
        );
    }
    CronJob {
        metadata,
        spec: Some(spec),
        status: None,
    }
}

/// The Job that answers a request.
#[must_use]
pub fn job(facts: &RunsFacts<'_>, making: Making<'_>, request: &str) -> Job {
    let name = names::requested_job(&facts.kind(), (&facts.name, &facts.uid), request);
    answering(facts, making, name, (RUN_REQUESTED_ANNOTATION, request))
}

/// The Job that answers a request for a dry run.
#[must_use]
pub fn dry_run(facts: &RunsFacts<'_>, making: Making<'_>, request: &str) -> Job {
    let name = names::dry_run_job(&facts.kind(), (&facts.name, &facts.uid), request);
    let making = Making {
        dry_run: true,
        ..making
    };
    answering(facts, making, name, (DRY_RUN_REQUESTED_ANNOTATION, request))
}

fn answering(
    facts: &RunsFacts<'_>,
    making: Making<'_>,
    name: String,
    (annotation, request): (&str, &str),
) -> Job {
    let mut metadata = metadata(facts, name);
    let mut annotations = of_run(facts, making);
    annotations.insert(annotation.to_owned(), request.to_owned());
    metadata.annotations = Some(annotations);
    Job {
        metadata,
        spec: Some(job_spec(facts, making)),
        status: None,
    }
}

fn of_run(facts: &RunsFacts<'_>, making: Making<'_>) -> BTreeMap<String, String> {
    let mut all = annotations(facts);
    all.insert(RUN_PLAN_ANNOTATION.to_owned(), making.plan.hash.clone());
    all.insert(RUN_BASIS_ANNOTATION.to_owned(), making.basis.to_owned());
    let output = volumes::output(making.uses, facts.work);
    all.extend(output.map(|output| (RUN_OUTPUT_ANNOTATION.to_owned(), output)));
    all
}

/// A dry run's pod says that it is one, as no run waits for it.
fn of_pod(facts: &RunsFacts<'_>, making: Making<'_>) -> BTreeMap<String, String> {
    let mut all = annotations(facts);
    if making.dry_run {
        all.insert(DRY_RUN_REQUESTED_ANNOTATION.to_owned(), String::new());
    }
    all
}

fn job_spec(facts: &RunsFacts<'_>, making: Making<'_>) -> JobSpec {
    JobSpec {
        backoff_limit: Some(RETRIES),
        active_deadline_seconds: Some(making.connector.deadline_seconds),
        pod_failure_policy: Some(PodFailurePolicy {
            // The first that fits decides: whose node is drained is told to end, too, and begins anew elsewhere.
            rules: vec![
                PodFailurePolicyRule {
                    action: "Ignore".to_owned(),
                    on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
                        type_: "DisruptionTarget".to_owned(),
                        status: "True".to_owned(),
                    }]),
                    ..PodFailurePolicyRule::default()
                },
                at_exit(&[EXIT_PERMANENT, EXIT_STOPPED]),
            ],
        }),
        template: PodTemplateSpec {
            metadata: Some(ObjectMeta {
                labels: Some(labels(facts)),
                annotations: Some(of_pod(facts, making)),
                ..ObjectMeta::default()
            }),
            spec: Some(pod(facts, making)),
        },
        ..JobSpec::default()
    }
}

/// Ends the Job at these exit codes of the connector: trying again would change nothing.
fn at_exit(codes: &[u8]) -> PodFailurePolicyRule {
    PodFailurePolicyRule {
        action: "FailJob".to_owned(),
        on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
            container_name: Some(RUN_CONTAINER.to_owned()),
            operator: "In".to_owned(),
            values: codes.iter().map(|code| i32::from(*code)).collect(),
        }),
        ..PodFailurePolicyRule::default()
    }
}

fn pod(facts: &RunsFacts<'_>, making: Making<'_>) -> PodSpec {
    let claims = volumes::claims(making.uses, facts.work);
    let connector = making.connector;
    PodSpec {
        service_account_name: Some(RUN_ACCOUNT.to_owned()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        restart_policy: Some("Never".to_owned()),
        termination_grace_period_seconds: Some(GRACE),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(USER),
            run_as_group: Some(USER),
            fs_group: Some(USER),
            fs_group_change_policy: Some("OnRootMismatch".to_owned()),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                localhost_profile: None,
            }),
            ..PodSecurityContext::default()
        }),
        containers: vec![Container {
            name: RUN_CONTAINER.to_owned(),
            image: Some(connector.image.clone()),
            image_pull_policy: Some(connector.pull_policy.clone()),
            args: Some(arguments(making)),
            resources: Some(connector.resources.clone()),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                read_only_root_filesystem: Some(true),
                capabilities: Some(Capabilities {
                    drop: Some(vec!["ALL".to_owned()]),
                    add: None,
                }),
                ..SecurityContext::default()
            }),
            termination_message_policy: Some("File".to_owned()),
            volume_mounts: Some(volumes::mounts(making, &claims)),
            ..Container::default()
        }],
        volumes: Some(volumes::volumes(making, &claims)),
        ..PodSpec::default()
    }
}

fn arguments(making: Making<'_>) -> Vec<String> {
    let mut all = ["run", "--plan-sha256", &making.plan.hash]
        .map(str::to_owned)
        .to_vec();
    if making.dry_run {
        all.push("--dry-run".to_owned());
    }
    if volumes::takes_from_a_vault(making) {
        all.extend(["--vault-ranges".to_owned(), making.connector.vault_ranges.clone()]);
    }
    all
}

/// Whether this is when it runs.
#[must_use]
pub fn keeps(seen: &CronJobSpec, schedule: &Schedule) -> bool {
    seen.schedule == schedule.cron && seen.time_zone.as_deref() == Some(schedule::zone(schedule))
}

/// Whether a CronJob that is there is as it was applied last, and rests or doesn't as wanted.
#[must_use]
pub fn is_in_form(seen: &CronJob, wanted: &CronJob) -> bool {
    let form = |cron_job: &CronJob| {
        let annotations = cron_job.metadata.annotations.as_ref()?;
        annotations.get(RUN_FORM_ANNOTATION).cloned()
    };
    let plain = |cron_job: &CronJob| {
        cron_job
            .spec
            .as_ref()
            .map(|spec| (spec.suspend, spec.schedule.clone()))
    };
    form(seen) == form(wanted) && plain(seen) == plain(wanted)
}
