//! A new consent counts while the policies that vouch for it are as the chart installed them.

use crate::support::manifests::sftp;
use crate::support::operator::{Operator, own_cluster};
use crate::support::{PATIENCE, VALUES, World, withdrawn};
use connection_operator::api::Connection;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use kube::core::{DynamicObject, GroupVersionKind};
use kube::discovery::ApiResource;
use kube::{Api, Client};
use local_cluster::Options;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Longer than the operator lets pass after a change of a policy, until it trusts that the API server goes by it.
const SETTLED: Duration = Duration::from_secs(7);

/// One way to weaken a policy: its sort and name, and a patch of its spec.
type Weakening = (&'static str, &'static str, &'static str, Value);

const VALIDATING: &str = "ValidatingAdmissionPolicy";

fn weakenings() -> Vec<Weakening> {
    let never = json!([{"name": "never", "expression": "request.userInfo.username != 'mallory'"}]);
    let elsewhere = json!({"matchLabels": {"guarded": "yes"}});
    let records = json!([{"apiGroups": ["connections.dev"], "apiVersions": ["*"], "resources": ["consentrecords"], "operations": ["UPDATE"]}]);
    vec![
        (
            VALIDATING,
            "consent.connections.dev",
            "/validations/2/expression",
            json!("true"),
        ),
        (
            VALIDATING,
            "consent.connections.dev",
            "/variables/1/expression",
            json!("''"),
        ),
        (VALIDATING, "status.connections.dev", "/matchConditions", never),
        (
            VALIDATING,
            "consent.connections.dev",
            "/matchConstraints/namespaceSelector",
            elsewhere,
        ),
        (
            VALIDATING,
            "records.connections.dev",
            "/matchConstraints/excludeResourceRules",
            records,
        ),
    ]
}

fn stamping() -> Weakening {
    let nothing = json!("[JSONPatch{op: 'test', path: '/kind', value: 'Connection'}]");
    (
        "MutatingAdmissionPolicy",
        "consent.connections.dev",
        "/mutations/0/jsonPatch/expression",
        nothing,
    )
}

fn policies(client: &Client, kind: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
    Api::all_with(client.clone(), &ApiResource::from_gvk(&kind))
}

async fn set(policies: &Api<DynamicObject>, name: &str, path: &str, value: Value) {
    let operations = json!([{"op": "add", "path": format!("/spec{path}"), "value": value}]);
    let change = Patch::<()>::Json(serde_json::from_value(operations).expect("a patch"));
    let patched = policies.patch(name, &PatchParams::default(), &change).await;
    patched.unwrap_or_else(|error| panic!("{name}{path} is taken: {error}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_comes_while_a_policy_is_weaker_than_installed_is_not_proven() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client.clone()).await.furnish().await;
    let _operator = Operator::govern(&control_plane).await;
    world.connect(sftp("as-installed")).await;

    let mutates = control_plane.mutates().expect("an answer");
    let weakenings = weakenings().into_iter().chain(mutates.then(stamping));
    for (number, (kind, name, path, value)) in weakenings.enumerate() {
        let policies = policies(&client, kind);
        let before = policies.get(name).await.expect("it is there").data["spec"].clone();
        set(&policies, name, path, value).await;
        let connection = format!("weakened-{number}");
        world.apply(sftp(&connection)).await;
        world.consent(&connection).await;
        world
            .until_ready_says::<Connection>(&connection, "ConsentUnproven")
            .await;
        set(&policies, name, "", before).await;
        if number == 0 {
            just_put_back(&world).await;
        }
    }
}

/// The API server may still go by what the policy said before.
async fn just_put_back(world: &World) {
    world.apply(sftp("put-back")).await;
    world.consent("put-back").await;
    world
        .until_ready_says::<Connection>("put-back", "ConsentUnproven")
        .await;
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let connection = world
            .api::<Connection>()
            .get("put-back")
            .await
            .expect("it's there");
        let digest = &connection.annotations()["connections.dev/consent"];
        world.merge::<Connection>("put-back", withdrawn(digest)).await;
        world
            .until_ready_says::<Connection>("put-back", "ConsentWithdrawn")
            .await;
        world.consent("put-back").await;
        let judged = |connection: &Connection| {
            let consent = connection
                .status
                .as_ref()
                .and_then(|status| status.consent.as_ref());
            consent.is_some_and(|consent| consent.given || consent.unproven.is_some())
        };
        let connection = world.until::<Connection>("put-back", "it's judged", judged).await;
        if connection
            .status
            .and_then(|status| status.consent)
            .is_some_and(|consent| consent.given)
        {
            return;
        }
    }
    panic!("a policy that was put back never vouches again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_policies_that_was_a_while_ago_costs_no_consent() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client.clone()).await.furnish().await;
    let _operator = Operator::govern(&control_plane).await;
    let (kind, name, path, value) = weakenings()[0].clone();
    let policies = policies(&client, kind);
    let before = policies.get(name).await.expect("it is there").data["spec"].clone();
    set(&policies, name, path, value).await;
    set(&policies, name, "", before).await;
    tokio::time::sleep(SETTLED).await; // nobody can see that they have settled
    world.connect(sftp("partner")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_values_of_the_chart_are_proven_as_well() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let values = [
        VALUES[0],
        r#"consent={"retentionDays":30}"#,
        r#"pipelines=["a<b>&\"c\"","pipeline"]"#,
    ];
    tokio::task::block_in_place(|| control_plane.install_chart(&values)).expect("the chart is upgraded");
    let world = World::on(client).await.furnish().await;
    let _operator = Operator::govern(&control_plane).await;
    world.connect(sftp("partner")).await;
}
