//! What is well, what is wrong, what can't be told, and what to do about it.

use crate::api::names::{
    CONSENT_POLICY, FINALIZER_POLICY, GROUP, RECORDS_POLICY, RUN_ACCOUNT_POLICY, STATUS_POLICY,
};
use crate::api::{Condition, ConditionStatus, ConditionType, Reason};
use crate::governance::conditions;
use crate::governance::message::{bounded, listed};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// The kinds that this program speaks of.
const KINDS: [&str; 8] = [
    "connections",
    "connectiontypes",
    "consentrecords",
    "datasets",
    "enrichments",
    "exports",
    "keyvaults",
    "sharedconnections",
];

/// The policies that no installation is without.
const POLICIES: [&str; 5] = [
    CONSENT_POLICY,
    FINALIZER_POLICY,
    RECORDS_POLICY,
    RUN_ACCOUNT_POLICY,
    STATUS_POLICY,
];

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// In order.
    Well,
    /// Somebody must act.
    Wrong,
    /// It can't be told.
    Unknown,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub grade: Grade,
    /// What was found.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// An operator's Deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// Its namespace and name.
    pub place: String,
    /// Its version.
    pub version: String,
    /// How many of its pods are ready.
    pub ready: i32,
}

/// One object, as far as it waits for something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rests {
    /// Such as `connection/partner`.
    pub called: String,
    /// Whether the operator hasn't looked at its newest change.
    pub unseen: bool,
    /// Whether it's being removed, and by what it's held.
    pub held: Option<String>,
    /// Why it isn't ready, in one word.
    pub reason: Option<String>,
}

impl Rests {
    /// What its metadata and status say.
    #[must_use]
    pub fn of(kind: &str, meta: &ObjectMeta, status: Option<(Option<i64>, &[Condition])>) -> Self {
        let (observed, judged) = status.unwrap_or_default();
        let ready = conditions::find(judged, ConditionType::Ready);
        let deleting = conditions::find(judged, ConditionType::Deleting);
        let held = meta.deletion_timestamp.is_some().then(|| {
            deleting.map_or_else(
                || "nobody says by what".to_owned(),
                |deleting| deleting.reason.clone(),
            )
        });
        Self {
            called: format!(
                "{}/{}",
                kind.to_lowercase(),
                meta.name.as_deref().unwrap_or_default()
            ),
            unseen: observed < meta.generation,
            held,
            reason: ready
                .filter(|ready| ready.status == ConditionStatus::False)
                .map(|ready| ready.reason.clone()),
        }
    }

    fn is_unhealthy_vault(&self) -> bool {
        self.called.starts_with("keyvault/") && self.reason.is_some()
    }

    fn awaits_consent(&self) -> bool {
        let consent = [
            Reason::ConsentRequired,
            Reason::ConsentStale,
            Reason::ConsentWithdrawn,
            Reason::ConsentUnproven,
        ];
        let reason = self.reason.as_deref();
        reason.is_some_and(|reason| consent.iter().any(|one| one.as_str() == reason))
    }
}

/// All that was seen; what isn't theirs to see is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The version of the API server.
    pub kubernetes: String,
    /// The namespace that was looked at.
    pub namespace: String,
    /// The kinds of our group, by their plurals.
    pub kinds: Vec<String>,
    /// The admission policies.
    pub policies: Option<Vec<String>>,
    /// Their bindings.
    pub bindings: Option<Vec<String>>,
    /// The operators.
    pub operators: Option<Vec<Operator>>,
    /// The objects of the namespace.
    pub objects: Vec<Rests>,
    /// Verb, resource, and whether they may.
    pub rights: Vec<(&'static str, &'static str, bool)>,
}

/// The diagnosis.
#[must_use]
pub fn findings(seen: &Seen) -> Vec<Finding> {
    let mut found = vec![kinds(seen)];
    if seen.kinds.is_empty() {
        return found;
    }
    found.push(policies(seen));
    found.push(operators(seen));
    found.extend(objects(seen));
    found.push(rights(seen));
    found
}

fn well(what: impl Into<String>) -> Finding {
    Finding {
        grade: Grade::Well,
        what: what.into(),
        remedy: String::new(),
    }
}

fn wrong(what: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding {
        grade: Grade::Wrong,
        what: what.into(),
        remedy: remedy.into(),
    }
}

fn unknown(what: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding {
        grade: Grade::Unknown,
        what: what.into(),
        remedy: remedy.into(),
    }
}

fn kinds(seen: &Seen) -> Finding {
    let missing: Vec<&str> = KINDS
        .into_iter()
        .filter(|kind| !seen.kinds.iter().any(|served| served == kind))
        .collect();
    match missing.len() {
        0 => well(format!(
            "The cluster ({}) knows all kinds of {GROUP}.",
            seen.kubernetes
        )),
        _ if seen.kinds.is_empty() => wrong(
            format!(
                "The cluster ({}) knows no kind of {GROUP}: the operator isn't installed.",
                seen.kubernetes
            ),
            "Whoever runs the cluster installs its Helm chart.",
        ),
        _ => wrong(
            format!(
                "The cluster lacks {} of {GROUP}: the operator is older than this program.",
                listed(&missing)
            ),
            "Whoever runs the cluster upgrades its Helm chart; until then commands about these fail.",
        ),
    }
}

fn policies(seen: &Seen) -> Finding {
    let (Some(policies), Some(bindings)) = (&seen.policies, &seen.bindings) else {
        return unknown(
            "Whether the admission policies are there isn't yours to see.",
            "A cluster administrator can: kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings",
        );
    };
    let ours = |names: &[String]| -> Vec<String> {
        names
            .iter()
            .filter(|name| name.ends_with(&format!(".{GROUP}")))
            .cloned()
            .collect()
    };
    let (policies, bindings) = (ours(policies), ours(bindings));
    let demanded = POLICIES.iter().map(|name| (*name).to_owned());
    let mut missing: Vec<String> = demanded
        .filter(|name| !policies.contains(name))
        .chain(policies.iter().filter(|name| !bindings.contains(name)).cloned())
        .collect();
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        return well(format!(
            "{} admission policies are there, each with its binding.",
            policies.len()
        ));
    }
    wrong(
        format!(
            "Admission policies are missing, or their bindings: {}.",
            listed(&missing)
        ),
        "Until they are back nobody's consent counts. Whoever runs the cluster applies the Helm chart again.",
    )
}

fn operators(seen: &Seen) -> Finding {
    let Some(operators) = &seen.operators else {
        return unknown(
            "Whether the operator runs isn't yours to see.",
            "A cluster administrator can: kubectl get deployments -A -l app.kubernetes.io/name=connection-operator",
        );
    };
    let running: Vec<String> = operators
        .iter()
        .filter(|operator| operator.ready > 0)
        .map(|operator| bounded(format!("{} (version {})", operator.place, operator.version)))
        .collect();
    match (operators.as_slice(), running.as_slice()) {
        ([], _) => unknown(
            "There is no Deployment of the operator in this cluster.",
            "It may run somewhere else; if not, whoever runs the cluster installs its Helm chart.",
        ),
        (_, []) => wrong(
            format!("The operator {} has no pod that is ready.", operators[0].place),
            "Nothing is looked at before. Whoever runs the cluster can see why: kubectl describe pods in its namespace.",
        ),
        (_, running) => well(format!("The operator runs: {}.", listed(running))),
    }
}

fn objects(seen: &Seen) -> Vec<Finding> {
    let mut found: Vec<Finding> = unseen(seen).into_iter().collect();
    found.extend(held(seen));
    found.extend(vaults(seen));
    found.extend(awaiting(seen));
    if found.is_empty() {
        let namespace = &seen.namespace;
        found.push(well(match seen.objects.len() {
            0 => format!("There is nothing that you may see in the namespace {namespace}."),
            1 => format!("The one object of the namespace {namespace} isn't stuck."),
            count => format!("Nothing is stuck among {count} objects of the namespace {namespace}."),
        }));
    }
    found
}

/// Those for which something holds, as a message lists them.
fn those(seen: &Seen, holds: impl Fn(&Rests) -> bool) -> Option<String> {
    let those = seen.objects.iter().filter(|one| holds(one));
    let names: Vec<&str> = those.map(|one| one.called.as_str()).collect();
    (!names.is_empty()).then(|| listed(&names))
}

fn unseen(seen: &Seen) -> Option<Finding> {
    let unseen = those(seen, |one| one.unseen)?;
    Some(wrong(
        format!("The operator hasn't looked at the newest change of {unseen}."),
        "If that stays so, it doesn't run, or doesn't watch this namespace (its value namespaces).",
    ))
}

fn held(seen: &Seen) -> impl Iterator<Item = Finding> + '_ {
    seen.objects.iter().filter_map(|one| {
        let why = one.held.as_deref()?;
        Some(wrong(
            format!("{} is being removed, and waits ({why}).", one.called),
            match one.called.strip_prefix("connection/") {
                Some(name) => format!("To see its users, and let them go: kubectl connections remove {name}"),
                None => format!(
                    "To see what holds it: kubectl describe {} -n {}",
                    one.called, seen.namespace
                ),
            },
        ))
    })
}

fn vaults(seen: &Seen) -> impl Iterator<Item = Finding> + '_ {
    let vaults = seen
        .objects
        .iter()
        .filter(|one| one.is_unhealthy_vault() && !one.awaits_consent());
    vaults.map(|vault| {
        wrong(
            format!(
                "{} isn't ready ({}).",
                vault.called,
                vault.reason.as_deref().unwrap_or_default()
            ),
            format!(
                "To see why, and what to do: kubectl describe {} -n {}",
                vault.called, seen.namespace
            ),
        )
    })
}

fn awaiting(seen: &Seen) -> Option<Finding> {
    let awaiting = those(seen, Rests::awaits_consent)?;
    Some(wrong(
        format!("Somebody has to consent: {awaiting}."),
        "To read the notice, and agree: kubectl connections consent NAME",
    ))
}

fn rights(seen: &Seen) -> Finding {
    let may: Vec<String> = seen
        .rights
        .iter()
        .filter(|(.., allowed)| *allowed)
        .map(|(verb, resource, _)| format!("{verb} {resource}"))
        .collect();
    if may.is_empty() {
        return unknown(
            format!(
                "You may do nothing with connections in the namespace {}.",
                seen.namespace
            ),
            "Ask whoever administers it to bind you to connections-contributor, connections-auditor or connections-admin.",
        );
    }
    well(format!("You may {} here.", may.join(", ")))
}
