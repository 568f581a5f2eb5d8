//! The table of rights in `docs/access.md`, asked of the API server cell by cell.

use super::markdown::tables;
use crate::support::World;
use futures::StreamExt;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResourceList;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const READ: [&str; 3] = ["get", "list", "watch"];
const WRITE: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];
/// Verbs of single rights, which no word covers.
const SINGLE: [&str; 5] = ["use", "consent", "bind", "escalate", "impersonate"];
/// How many questions are asked at once.
const AT_ONCE: usize = 32;
const GROUP: &str = "connections.dev";

/// A resource, as the API server names it: with its group, and its subresource after a slash.
type ResourceName = (String, String);

/// The table: what each role may do with each resource.
struct Matrix {
    roles: Vec<String>,
    rows: Vec<(ResourceName, Vec<BTreeSet<&'static str>>)>,
}

fn matrix() -> Matrix {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/access.md");
    let page = std::fs::read_to_string(path).expect("it can be read");
    let tables = tables(&page);
    let table = tables
        .iter()
        .find(|table| table.header.first().is_some_and(|cell| cell == "API group"));
    let table = table.expect("the table of rights");
    let rows = table.rows.iter().map(|row| {
        let group = if row.cells[0] == "core" { "" } else { &row.cells[0] };
        let verbs = row.cells[2..].iter().map(|cell| verbs(row.line, cell));
        ((group.to_owned(), row.cells[1].clone()), verbs.collect())
    });
    Matrix {
        roles: table.header[2..].to_vec(),
        rows: rows.collect(),
    }
}

/// What a cell grants.
fn verbs(line: usize, cell: &str) -> BTreeSet<&'static str> {
    let words = cell.split(", ").filter(|word| *word != "–");
    let verbs = words.flat_map(|word| match word {
        "read" => READ.to_vec(),
        "write" => [READ.as_slice(), &WRITE].concat(),
        verb => {
            let known = SINGLE.iter().find(|single| **single == verb);
            vec![*known.unwrap_or_else(|| panic!("access.md:{line}: nothing explains {verb}"))]
        }
    });
    verbs.collect()
}

/// All resources of the groups of the table, and whether they are in namespaces.
async fn served(client: &Client, groups: &BTreeSet<String>) -> BTreeMap<ResourceName, bool> {
    let mut served = BTreeMap::new();
    for group in groups {
        let list: APIResourceList = if group.is_empty() {
            client.list_core_api_resources("v1").await.expect("a list")
        } else {
            let version = if group == GROUP { "v1alpha1" } else { "v1" };
            let group = format!("{group}/{version}");
            client.list_api_group_resources(&group).await.expect("a list")
        };
        let resources = list.resources.into_iter();
        served.extend(resources.map(|resource| ((group.clone(), resource.name), resource.namespaced)));
    }
    served
}

/// Somebody with one of the roles, and where they have it.
struct Holder {
    user: String,
    /// The namespace of the binding; none if it's for the whole cluster.
    namespace: Option<String>,
}

async fn bound(world: &World, role: &str) -> Holder {
    let user = format!("{role}-of-{}", world.namespace);
    let everywhere = role.starts_with("connections-catalog-");
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": if everywhere { "ClusterRoleBinding" } else { "RoleBinding" },
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    });
    if everywhere {
        let bindings: Api<ClusterRoleBinding> = Api::all(world.client.clone());
        let binding = serde_json::from_value(binding).expect("a binding");
        let made = bindings.create(&PostParams::default(), &binding).await;
        made.expect("it is made");
    } else {
        world.apply(binding).await;
    }
    Holder {
        user,
        namespace: (!everywhere).then(|| world.namespace.clone()),
    }
}

/// One question, and the answer that the table gives.
struct Question {
    user: String,
    verb: &'static str,
    resource: ResourceName,
    namespace: Option<String>,
    expected: bool,
}

impl Question {
    /// Says what is wrong, if the API server answers otherwise.
    async fn surprise(self, reviews: &Api<SubjectAccessReview>) -> Option<String> {
        let (group, name) = self.resource;
        let (resource, subresource) = name.split_once('/').unwrap_or((&name, ""));
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(self.user.clone()),
                resource_attributes: Some(ResourceAttributes {
                    group: Some(group.clone()),
                    resource: Some(resource.to_owned()),
                    subresource: Some(subresource.to_owned()),
                    namespace: self.namespace.clone(),
                    verb: Some(self.verb.to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let answer = reviews.create(&PostParams::default(), &review).await;
        let allowed = answer
            .expect("an answer")
            .status
            .is_some_and(|status| status.allowed);
        (allowed != self.expected).then(|| {
            let place = self.namespace.as_deref().unwrap_or("the cluster");
            format!(
                "{}: {} {group}/{name} in {place}: {allowed}",
                self.user, self.verb
            )
        })
    }
}

/// Every verb on this resource, for somebody with a role that should have these.
fn questions(
    holder: &Holder,
    resource: &ResourceName,
    namespaced: bool,
    granted: &BTreeSet<&'static str>,
    other: &str,
) -> Vec<Question> {
    let all = READ.iter().chain(&WRITE).chain(&SINGLE);
    let ask = |verb: &&'static str| {
        let question = |namespace: Option<&str>, expected| Question {
            user: holder.user.clone(),
            verb,
            resource: resource.clone(),
            namespace: namespace.filter(|_| namespaced).map(str::to_owned),
            expected,
        };
        let granted = granted.contains(*verb);
        let here = question(holder.namespace.as_deref().or(Some(other)), granted);
        // A role that is bound in one namespace gives nothing in another.
        let there = question(Some(other), granted && holder.namespace.is_none());
        [Some(here), namespaced.then_some(there)]
    };
    all.flat_map(ask).flatten().collect()
}

#[tokio::test]
async fn the_roles_give_what_the_table_says_and_nothing_else() {
    let (world, other) = (World::new().await, World::new().await);
    let matrix = matrix();
    let mut holders = Vec::new();
    for role in &matrix.roles {
        holders.push(bound(&world, role).await);
    }
    let groups = matrix.rows.iter().map(|((group, _), _)| group.clone());
    let served = served(&world.client, &groups.collect()).await;
    let reviews: Api<SubjectAccessReview> = Api::all(world.client.clone());
    let mut asked = Vec::new();
    for (resource, cells) in &matrix.rows {
        let namespaced = served.get(resource);
        let namespaced = *namespaced.unwrap_or_else(|| panic!("no API server serves {resource:?}"));
        assert_eq!(cells.len(), holders.len(), "a cell for each role: {resource:?}");
        for (holder, granted) in holders.iter().zip(cells) {
            asked.extend(questions(holder, resource, namespaced, granted, &other.namespace));
        }
    }
    let answers = futures::stream::iter(asked).map(|question| question.surprise(&reviews));
    let surprises: Vec<String> = answers
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(surprises.is_empty(), "{surprises:#?}");

    let ours = served.keys().filter(|(group, _)| group == GROUP);
    let rows: BTreeSet<&ResourceName> = matrix.rows.iter().map(|(resource, _)| resource).collect();
    let forgotten: Vec<_> = ours.filter(|resource| !rows.contains(resource)).collect();
    assert!(forgotten.is_empty(), "no row in docs/access.md: {forgotten:?}");
}
