//! `doctor`: whether the operator is there and well, and what in this namespace isn't; each finding with its remedy.

mod findings;
#[cfg(test)]
mod tests;

use crate::api::names::GROUP;
use crate::api::{Condition, Connection, Dataset, Enrichment, Export, KeyVault};
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError, Kept, Selection};
use crate::plugin::exit::{Exit, Failure};
use crate::plugin::screen::Tone;
use crate::plugin::screen::width::wrapped;
use findings::{Finding, Grade, Operator, Rests, Seen, findings};
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::core::PartialObjectMeta;
use kube::{Api, Resource, ResourceExt};
use std::fmt::Write as _;

/// Nothing is chosen: it looks at all that it may.
#[derive(Clone, Debug, clap::Args)]
pub struct Doctor {}

/// What somebody may want to do here: a verb, and on what.
const RIGHTS: [(&str, &str); 5] = [
    ("list", "connections"),
    ("list", "sharedconnections"),
    ("create", "connections"),
    ("consent", "connections"),
    ("create", "exports"),
];

/// Looks, and tells.
///
/// # Errors
/// If the cluster doesn't answer.
pub async fn run(_: Doctor, session: &Session) -> Result<Exit, Failure> {
    let cluster = session.cluster().await?;
    let seen = seen(&cluster).await?;
    let found = findings(&seen);
    let mut page = String::new();
    for finding in &found {
        page.push_str(&line(finding, session));
    }
    session.show(&page);
    let wrong = found
        .iter()
        .filter(|finding| finding.grade == Grade::Wrong)
        .count();
    if wrong == 0 {
        return Ok(Exit::Done);
    }
    let need = if wrong == 1 { "needs" } else { "need" };
    session.note(&format!("{wrong} of these {need} somebody to act."));
    Ok(Exit::Not)
}

fn line(finding: &Finding, session: &Session) -> String {
    let (mark, tone) = match finding.grade {
        Grade::Well => ("✓", Tone::Good),
        Grade::Wrong => ("✗", Tone::Bad),
        Grade::Unknown => ("?", Tone::Faint),
    };
    let room = session.screen.width.map(|width| width.saturating_sub(2).max(20));
    let mut start = format!("{} ", tone.paint(mark, session.screen.colour));
    let mut text = String::new();
    for line in wrapped(&format!("{} {}", finding.what, finding.remedy), room) {
        let _ = writeln!(text, "{start}{line}"); // writing to a String can't fail
        "  ".clone_into(&mut start);
    }
    text
}

async fn seen(cluster: &Cluster) -> Result<Seen, Failure> {
    let kubernetes = cluster.answer(cluster.client.apiserver_version()).await?;
    let kinds = cluster
        .answer(
            cluster
                .client
                .list_api_group_resources(&format!("{GROUP}/v1alpha1")),
        )
        .await;
    let kinds = match kinds {
        Ok(kinds) => kinds.resources.into_iter().map(|kind| kind.name).collect(),
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut seen = Seen {
        kubernetes: kubernetes.git_version,
        namespace: cluster.namespace.clone(),
        kinds,
        ..Seen::default()
    };
    if seen.kinds.is_empty() {
        return Ok(seen); // there is nothing else to look at
    }
    seen.policies = names::<ValidatingAdmissionPolicy>(cluster).await?;
    seen.bindings = names::<ValidatingAdmissionPolicyBinding>(cluster).await?;
    seen.operators = operators(cluster).await?;
    seen.objects = objects(cluster).await?;
    for (verb, resource) in RIGHTS {
        seen.rights
            .push((verb, resource, may(cluster, verb, resource).await?));
    }
    Ok(seen)
}

/// What isn't theirs to see is absent.
fn unless_forbidden<T>(answer: Result<T, ClusterError>) -> Result<Option<T>, ClusterError> {
    match answer {
        Err(error) if error.is_forbidden() => Ok(None),
        answer => answer.map(Some),
    }
}

async fn names<K>(cluster: &Cluster) -> Result<Option<Vec<String>>, ClusterError>
where
    K: Clone + Resource<DynamicType = ()>,
{
    let found = cluster.metadata::<K>(&Selection::default()).await;
    let found = unless_forbidden(found)?;
    Ok(found.map(|all| all.iter().map(PartialObjectMeta::name_any).collect()))
}

async fn operators(cluster: &Cluster) -> Result<Option<Vec<Operator>>, ClusterError> {
    let selection = Selection {
        labels: Some("app.kubernetes.io/name=connection-operator".to_owned()),
        ..Selection::default()
    };
    let found = unless_forbidden(cluster.list::<Deployment, Deployment>(&selection).await)?;
    Ok(found.map(|all| {
        let operators = all.iter().map(|deployment| Operator {
            place: format!(
                "{}/{}",
                deployment.namespace().unwrap_or_default(),
                deployment.name_any()
            ),
            version: deployment
                .labels()
                .get("app.kubernetes.io/version")
                .cloned()
                .unwrap_or_default(),
            ready: deployment
                .status
                .as_ref()
                .and_then(|status| status.ready_replicas)
                .unwrap_or(0),
        });
        operators.collect()
    }))
}

/// All of a namespace that waits, or that nobody has looked at.
async fn objects(cluster: &Cluster) -> Result<Vec<Rests>, ClusterError> {
    let mut found = rests::<Connection>(cluster, |it| {
        it.status
            .as_ref()
            .map(|status| (status.observed_generation, &*status.conditions))
    })
    .await?;
    let vaults = rests::<KeyVault>(cluster, |it| {
        it.status
            .as_ref()
            .map(|status| (status.observed_generation, &*status.conditions))
    });
    found.extend(vaults.await?);
    let datasets = rests::<Dataset>(cluster, |it| {
        it.status
            .as_ref()
            .map(|status| (status.observed_generation, &*status.conditions))
    });
    found.extend(datasets.await?);
    let exports = rests::<Export>(cluster, |it| {
        it.status
            .as_ref()
            .map(|status| (status.observed_generation, &*status.conditions))
    });
    found.extend(exports.await?);
    let enrichments = rests::<Enrichment>(cluster, |it| {
        it.status
            .as_ref()
            .map(|status| (status.observed_generation, &*status.conditions))
    });
    found.extend(enrichments.await?);
    Ok(found)
}

async fn rests<K: Kept>(
    cluster: &Cluster,
    status: impl Fn(&K) -> Option<(Option<i64>, &[Condition])>,
) -> Result<Vec<Rests>, ClusterError> {
    let here = cluster.here();
    let found = unless_forbidden(cluster.list::<K, K>(&here).await)?;
    let found = found.iter().flatten();
    Ok(found
        .map(|object| Rests::of(&K::kind(&()), object.meta(), status(object)))
        .collect())
}

async fn may(cluster: &Cluster, verb: &str, resource: &str) -> Result<bool, ClusterError> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                group: Some(GROUP.to_owned()),
                resource: Some(resource.to_owned()),
                namespace: Some(cluster.namespace.clone()),
                verb: Some(verb.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let manner = PostParams::default();
    let answer = cluster.answer(reviews.create(&manner, &review)).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}
