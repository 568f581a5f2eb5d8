//! Every literal by which objects of this product are found again: finalizers, annotations, field managers.

/// The API group of every kind.
pub const GROUP: &str = "connections.dev";
/// The category that lists all kinds at once: `kubectl get connections-dev`.
pub const CATEGORY: &str = "connections-dev";

/// Holds an object in place while something still uses it.
pub const IN_USE_FINALIZER: &str = "connections.dev/in-use";
/// Agreement to one notice for one destination: the digest that `status.consent.required` shows.
pub const CONSENT_ANNOTATION: &str = "connections.dev/consent";
/// Who gave or withdrew consent, as the API server knows them: the stamp.
pub const CONSENTED_BY_ANNOTATION: &str = "connections.dev/consented-by";
/// The person in whose name a pipeline consents.
pub const CONSENT_PERSON_ANNOTATION: &str = "connections.dev/consent-person";

/// The ClusterRole of those who make exports and enrichments.
pub const CONTRIBUTOR_ROLE: &str = "connections-contributor";
/// The Role and RoleBinding that grant `use` on one connection are called so, with its name after it.
pub const USE_ROLE_PREFIX: &str = "connections-use-";
/// The ServiceAccount by which a namespace signs in to vaults, its Role and the binding of both are called so.
pub const RUN_ACCOUNT: &str = "connections-run";
/// Marks what runs are made of: CronJobs, Jobs, their pods, and plans. Its value is the kind that runs.
pub const RUN_LABEL: &str = "connections.dev/run";
/// The name of the export or enrichment that runs; a label's value may be too short for it.
pub const RUN_OF_ANNOTATION: &str = "connections.dev/run-of";
/// The uid of that: what is made again under its name has runs of its own.
pub const RUN_OF_UID_ANNOTATION: &str = "connections.dev/run-of-uid";
/// The hash of a run's plan, by which its ConfigMap is called.
pub const RUN_PLAN_ANNOTATION: &str = "connections.dev/run-plan";
/// On a CronJob, the plans before that, each with the time it was replaced at: a Job may just have been made by it.
pub const RUN_PLAN_BEFORE_ANNOTATION: &str = "connections.dev/run-plan-before";
/// A hash of what a run began with: the versions of the spec, the connection and its secrets.
pub const RUN_BASIS_ANNOTATION: &str = "connections.dev/run-basis";
/// What the run of an enrichment writes: the dataset's name, and a hash of its place.
pub const RUN_OUTPUT_ANNOTATION: &str = "connections.dev/run-output";
/// A hash of what the operator applied last.
pub const RUN_FORM_ANNOTATION: &str = "connections.dev/run-form";
/// Asks for a run now: the time of asking, as RFC 3339. On a Job, the request that it answers.
pub const RUN_REQUESTED_ANNOTATION: &str = "connections.dev/run-requested-at";
/// Asks for a dry run now, as the one for a run does. On a Job, the request that it answers.
pub const DRY_RUN_REQUESTED_ANNOTATION: &str = "connections.dev/dry-run-requested-at";
/// What runs are made of is called so, with a hash after it: policies know a run's pod by it where they see its name alone.
pub const RUN_NAME_PREFIX: &str = "connections-run-";
/// The name of the one container of a run.
pub const RUN_CONTAINER: &str = "connector";
/// Marks what the operator keeps.
pub const MANAGED_BY_LABEL: (&str, &str) = ("app.kubernetes.io/managed-by", "connection-operator");
/// The release of the chart that an object belongs to.
pub const RELEASE_LABEL: &str = "app.kubernetes.io/instance";
/// The namespace of that release, as Helm writes it.
pub const HELM_NAMESPACE_ANNOTATION: &str = "meta.helm.sh/release-namespace";
/// The policy by which the stamp beside a consent is true. Each policy has a binding of the same name.
pub const CONSENT_POLICY: &str = "consent.connections.dev";
/// The policy by which what may be in use is held from the first moment.
pub const FINALIZER_POLICY: &str = "finalizer.connections.dev";
/// The policy that keeps what runs are made of from everybody else.
pub const RUN_POLICY: &str = "runs.connections.dev";
/// The policy by which run accounts are the operator's.
pub const RUN_ACCOUNT_POLICY: &str = "run-account.connections.dev";
/// The policy by which decisions on record are the operator's.
pub const RECORDS_POLICY: &str = "records.connections.dev";
/// The policy by which status is the operator's.
pub const STATUS_POLICY: &str = "status.connections.dev";

/// Who writes the fields that the controllers own.
pub const FIELD_MANAGER: &str = "connection-operator";
/// Who owns the connection types that come with the operator.
pub const CATALOG_FIELD_MANAGER: &str = "connection-operator-catalog";
/// Who marks connection types that the operator no longer brings.
pub const DEPRECATION_FIELD_MANAGER: &str = "connection-operator-deprecation";
/// Whoever only has a manifest tried.
pub const TRIAL_FIELD_MANAGER: &str = "connection-operator-trial";
/// Whoever uses `kubectl connections`.
pub const PLUGIN_FIELD_MANAGER: &str = "kubectl-connections";
/// The controller's name in events.
pub const EVENT_REPORTER: &str = "connection-operator";
