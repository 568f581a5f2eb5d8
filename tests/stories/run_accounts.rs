//! The account by which a namespace signs in to vaults: kept while a key vault needs it, and nobody else's.

use crate::support::manifests::{secret, vault_by_run_account, with};
use crate::support::operator::Operator;
use crate::support::{Conditioned, Kind, PATIENCE, VALUES, World, client, shared, unbind};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connection_operator::api::{Condition, ConditionStatus, ConditionType, KeyVault};
use connection_operator::process::ClusterRunTokens;
use connection_operator::vault::run_tokens::{NoRunToken, RunTokens};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use local_cluster::{ControlPlane, Options};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What the account, its Role and its binding are called.
const ACCOUNT: &str = "connections-run";
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until all of it is there.
pub async fn until_kept(world: &World) {
    world
        .until::<ServiceAccount>(ACCOUNT, "it is made", |_| true)
        .await;
    world.until::<Role>(ACCOUNT, "it is made", |_| true).await;
    world.until::<RoleBinding>(ACCOUNT, "it is made", |_| true).await;
}

/// Waits until nothing of it is left.
pub async fn until_none(world: &World) {
    world.until_gone::<ServiceAccount>(ACCOUNT).await;
    world.until_gone::<Role>(ACCOUNT).await;
    world.until_gone::<RoleBinding>(ACCOUNT).await;
}

/// Waits until the key vault says this of the account.
pub async fn until_account(world: &World, vault: &str, reason: &str) -> Condition {
    let account = |vault: &KeyVault| vault.condition(ConditionType::RunAccountReady).cloned();
    let says = |vault: &KeyVault| account(vault).is_some_and(|account| account.reason == reason);
    let vault = world.until::<KeyVault>(vault, reason, says).await;
    account(&vault).expect("just seen")
}

/// The same vault by a credential of its own.
fn by_token() -> Value {
    json!({"spec": {"vault": {"auth": {"kubernetes": null, "token": {"secretRef": {"name": "login", "key": "token"}}}}}})
}

/// What the cluster's operator may.
async fn operators(world: &World) -> World {
    let kubeconfig = tokio::task::spawn_blocking(|| shared().kubeconfig_for_operator().expect("a token"));
    World {
        client: client(&kubeconfig.await.expect("a token")).await,
        namespace: world.namespace.clone(),
    }
}

#[tokio::test]
async fn it_is_there_while_a_key_vault_signs_in_by_it() {
    let world = World::new().await;
    world.apply(secret("login", &[("token", "not-a-real-one")])).await;
    world
        .apply(with(vault_by_run_account("secretive"), &by_token()))
        .await;
    until_account(&world, "secretive", "RunAccountNotNeeded").await;
    let none = world.api::<ServiceAccount>().get_opt(ACCOUNT).await;
    assert!(none.expect("an answer").is_none(), "nobody needs it");

    world.apply(vault_by_run_account("one")).await;
    let told = until_account(&world, "one", "RunAccountKept").await;
    assert_eq!(told.status, ConditionStatus::True);
    assert_eq!(
        told.message,
        "It signs in by the ServiceAccount connections-run, which the operator keeps."
    );
    until_kept(&world).await;
    let account = world
        .api::<ServiceAccount>()
        .get(ACCOUNT)
        .await
        .expect("it is there");
    assert_eq!(account.automount_service_account_token, Some(false));
    assert_eq!(
        account.labels()["app.kubernetes.io/managed-by"],
        "connection-operator"
    );

    world.apply(vault_by_run_account("two")).await;
    until_account(&world, "two", "RunAccountKept").await;
    world.delete::<KeyVault>("one").await;
    world.until_gone::<KeyVault>("one").await;
    world.merge::<KeyVault>("two", by_token()).await;
    until_none(&world).await;
    until_account(&world, "two", "RunAccountNotNeeded").await;

    world.apply(vault_by_run_account("three")).await;
    until_account(&world, "three", "RunAccountKept").await;
    until_kept(&world).await;
    world.delete::<KeyVault>("three").await;
    until_none(&world).await;
}

#[tokio::test]
async fn a_second_key_vault_writes_nothing_of_it() {
    let world = World::new().await;
    world.apply(vault_by_run_account("one")).await;
    until_kept(&world).await;
    let versions = async || {
        let account = world
            .api::<ServiceAccount>()
            .get(ACCOUNT)
            .await
            .expect("it is there");
        let role = world.api::<Role>().get(ACCOUNT).await.expect("it is there");
        let binding = world
            .api::<RoleBinding>()
            .get(ACCOUNT)
            .await
            .expect("it is there");
        [
            account.resource_version(),
            role.resource_version(),
            binding.resource_version(),
        ]
    };
    let before = versions().await;
    world.apply(vault_by_run_account("two")).await;
    until_account(&world, "two", "RunAccountKept").await;
    world.delete::<KeyVault>("one").await;
    world.until_gone::<KeyVault>("one").await;
    world.apply(vault_by_run_account("three")).await;
    until_account(&world, "three", "RunAccountKept").await;
    assert_eq!(versions().await, before);
}

#[tokio::test]
async fn it_reads_the_connections_and_key_vaults_of_its_namespace_and_may_nothing_else() {
    let (world, other) = (World::new().await, World::new().await);
    world.apply(vault_by_run_account("vault")).await;
    until_kept(&world).await;
    let rows = [
        ("get", "connections.dev", "connections", &world, true),
        ("list", "connections.dev", "connections", &world, false),
        ("watch", "connections.dev", "connections", &world, false),
        ("use", "connections.dev", "connections", &world, false),
        ("get", "connections.dev", "connections", &other, false),
        ("get", "connections.dev", "keyvaults", &world, true),
        ("list", "connections.dev", "keyvaults", &world, false),
        ("use", "connections.dev", "keyvaults", &world, false),
        ("get", "connections.dev", "exports", &world, false),
        ("get", "", "secrets", &world, false),
        ("create", "", "serviceaccounts/token", &world, false),
    ];
    let reviews: Api<SubjectAccessReview> = Api::all(world.client.clone());
    for (verb, group, resource, place, expected) in rows {
        let (name, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(format!("system:serviceaccount:{}:{ACCOUNT}", world.namespace)),
                resource_attributes: Some(ResourceAttributes {
                    group: Some(group.to_owned()),
                    resource: Some(name.to_owned()),
                    subresource: Some(subresource.to_owned()),
                    namespace: Some(place.namespace.clone()),
                    verb: Some(verb.to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        // The API server knows of a Role a moment after it was made.
        let started = Instant::now();
        loop {
            let answer = reviews.create(&PostParams::default(), &review).await;
            let allowed = answer
                .expect("an answer")
                .status
                .is_some_and(|status| status.allowed);
            if allowed == expected {
                break;
            }
            assert!(
                started.elapsed() < PATIENCE && expected,
                "{verb} {resource}: {allowed}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// What the API server says of a token that is shown to this audience.
async fn reviewed(client: &Client, token: &str, audience: &str) -> TokenReviewStatus {
    let review = TokenReview {
        spec: TokenReviewSpec {
            token: Some(token.to_owned()),
            audiences: Some(vec![audience.to_owned()]),
        },
        ..TokenReview::default()
    };
    let reviews: Api<TokenReview> = Api::all(client.clone());
    let answer = reviews.create(&PostParams::default(), &review).await;
    answer.expect("an answer").status.expect("a judgement")
}

#[tokio::test]
async fn its_token_is_for_one_audience_and_ten_minutes() {
    let (world, other) = (World::new().await, World::new().await);
    world.apply(vault_by_run_account("vault")).await;
    until_kept(&world).await;
    let tokens = ClusterRunTokens::new(operators(&world).await.client);
    let token = tokens.token(&world.namespace, "api://AzureADTokenExchange").await;
    let token = token.expect("a token");

    let good = reviewed(&world.client, token.expose(), "api://AzureADTokenExchange").await;
    assert_eq!(good.authenticated, Some(true), "{good:?}");
    let user = good.user.and_then(|user| user.username);
    let expected = format!("system:serviceaccount:{}:connections-run", world.namespace);
    assert_eq!(user.as_deref(), Some(expected.as_str()));
    for elsewhere in ["vault", "https://kubernetes.default.svc"] {
        let bad = reviewed(&world.client, token.expose(), elsewhere).await;
        assert_ne!(bad.authenticated, Some(true), "for {elsewhere}");
    }
    let claims = token.expose().split('.').nth(1).expect("claims");
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON");
    let valid_for = claims["exp"].as_i64().expect("an end") - claims["iat"].as_i64().expect("a beginning");
    assert_eq!(valid_for, 600);

    let none = tokens.token(&other.namespace, "vault").await.err();
    assert_eq!(none, Some(NoRunToken::NoAccount));
    let admins = ClusterRunTokens::new(world.client.clone());
    let none = admins.token(&world.namespace, "vault").await.err();
    assert_eq!(none, Some(NoRunToken::Forbidden), "a cluster administrator's");
}

/// Deletes it as whoever has the operator's token might.
async fn deleted_by_the_operator<K: Kind>(world: &World, operators: &World) {
    let before = world.api::<K>().get(ACCOUNT).await.expect("it is there").uid();
    let deleted = operators
        .api::<K>()
        .delete(ACCOUNT, &DeleteParams::default())
        .await;
    deleted.expect("the operator may");
    world
        .until::<K>(ACCOUNT, "it is made anew", |now| now.uid() != before)
        .await;
    until_kept(world).await;
}

#[tokio::test]
async fn what_is_taken_away_is_made_again() {
    let world = World::new().await;
    world.apply(vault_by_run_account("vault")).await;
    until_kept(&world).await;
    let operators = operators(&world).await;
    deleted_by_the_operator::<Role>(&world, &operators).await;
    deleted_by_the_operator::<RoleBinding>(&world, &operators).await;
    deleted_by_the_operator::<ServiceAccount>(&world, &operators).await;
    // What belonged to the account before isn't collected, as it belongs to the new one by then.
    let account = world
        .api::<ServiceAccount>()
        .get(ACCOUNT)
        .await
        .expect("it is there");
    let belongs = |owners: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference]| {
        owners.len() == 1 && Some(&owners[0].uid) == account.metadata.uid.as_ref()
    };
    world
        .until::<Role>(ACCOUNT, "it belongs to the account", |role| {
            belongs(role.owner_references())
        })
        .await;
    world
        .until::<RoleBinding>(ACCOUNT, "it belongs to the account", |binding| {
            belongs(binding.owner_references())
        })
        .await;
    until_account(&world, "vault", "RunAccountKept").await;
}

#[tokio::test]
async fn a_namespace_goes_with_its_run_account() {
    let world = World::new().await;
    world.apply(vault_by_run_account("vault")).await;
    until_kept(&world).await;
    world.end().await;
}

/// A cluster where somebody had such an account before the chart came.
async fn foreseen() -> (ControlPlane, World) {
    let start = || ControlPlane::start(Options::default()).expect("the control plane starts");
    let control_plane = tokio::task::spawn_blocking(start).await.expect("started");
    let world = World::on(client(control_plane.kubeconfig()).await).await;
    let named = json!({"name": ACCOUNT});
    let rbac = "rbac.authorization.k8s.io/v1";
    let pods = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
    for theirs in [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named}),
        json!({"apiVersion": rbac, "kind": "Role", "metadata": named, "rules": pods}),
    ] {
        world.apply(theirs).await;
    }
    control_plane
        .install_chart(&VALUES)
        .expect("the chart is installed");
    (control_plane, world)
}

async fn edit<K: Kind>(world: &World, change: Value) {
    let api = world.api::<K>();
    let patched = api
        .patch(ACCOUNT, &PatchParams::default(), &Patch::Merge(change))
        .await;
    patched.expect("it is taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_is_never_taken_over_and_ours_is_put_right() {
    let (control_plane, world) = foreseen().await;
    let _operator = Operator::govern(&control_plane).await;
    world.apply(vault_by_run_account("vault")).await;
    let told = until_account(&world, "vault", "RunAccountTaken").await;
    assert_eq!(
        told.message,
        format!(
            "It signs in by the ServiceAccount connections-run that the operator keeps, and namespace {0} has a \
             ServiceAccount and a Role of that name that somebody else made; the operator takes over nothing of others. Give \
             what uses it another name, end the pods that run as it, and then: kubectl delete \
             serviceaccount/connections-run role/connections-run -n {0}. The operator then makes its own.",
            world.namespace
        )
    );
    let theirs = world.api::<Role>().get(ACCOUNT).await.expect("it is there");
    assert_eq!(
        theirs.rules.expect("rules")[0].resources,
        Some(vec!["pods".to_owned()])
    );
    edit::<ServiceAccount>(&world, json!({"metadata": {"labels": {"team": "crm"}}})).await;
    let ours = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "connection-operator"}}});
    let api = world.api::<ServiceAccount>();
    let forged = api
        .patch(ACCOUNT, &PatchParams::default(), &Patch::Merge(ours))
        .await;
    let said = forged.expect_err("nobody makes it the operator's").to_string();
    assert!(
        said.contains("the name connections-run is the operator's"),
        "{said}"
    );

    world.delete::<ServiceAccount>(ACCOUNT).await;
    world.delete::<Role>(ACCOUNT).await;
    until_account(&world, "vault", "RunAccountKept").await;
    until_kept(&world).await;

    let namespace = format!("--namespace={}", world.namespace);
    let refused = ["annotate", "serviceaccount", ACCOUNT, "a=b", &namespace];
    unbind(&control_plane, &["run-account.connections.dev"], &refused);
    edit::<ServiceAccount>(
        &world,
        json!({"automountServiceAccountToken": true, "secrets": [{"name": "theirs"}]}),
    )
    .await;
    let right = |account: &ServiceAccount| {
        account.automount_service_account_token == Some(false) && account.secrets.is_none()
    };
    world
        .until::<ServiceAccount>(ACCOUNT, "it is put right", right)
        .await;
    let everything = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    edit::<Role>(&world, json!({"rules": everything})).await;
    let right = |role: &Role| {
        let rules = role.rules.as_deref().unwrap_or_default();
        rules.len() == 1 && rules[0].verbs == ["get"]
    };
    world.until::<Role>(ACCOUNT, "it is put right", right).await;
    let others = json!([{"kind": "ServiceAccount", "name": "default", "namespace": world.namespace}]);
    edit::<RoleBinding>(&world, json!({"subjects": others})).await;
    let right = |binding: &RoleBinding| {
        let subjects = binding.subjects.as_deref().unwrap_or_default();
        subjects.len() == 1 && subjects[0].name == ACCOUNT
    };
    world
        .until::<RoleBinding>(ACCOUNT, "it is put right", right)
        .await;
}
