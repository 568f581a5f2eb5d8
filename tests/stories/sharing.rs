//! A connection is shared with the contributors of its namespace, and with nobody else.

use crate::support::manifests::{export, sftp, sftp_import, with};
use crate::support::{Conditioned, Kind, PATIENCE, World, shared};
use connection_operator::api::{
    Condition, ConditionStatus, ConditionType, Connection, Export, SharedConnection,
};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, Role, RoleBinding};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, PropagationPolicy};
use kube::runtime::wait::await_condition;
use kube::{Api, Resource};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CONTRIBUTORS: &str = "contributors";
const PAUSE: Duration = Duration::from_millis(20);

impl Conditioned for SharedConnection {
    fn conditions(&self) -> &[Condition] {
        let status = self.status.as_ref();
        status.map(|status| &*status.conditions).unwrap_or_default()
    }
}

pub(super) fn user(name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name})
}

fn group(name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name})
}

pub(super) fn contributors(kind: &str, name: &str, subjects: &[Value]) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "connections-contributor"},
        "subjects": subjects,
    })
}

/// The connection of the stories, shared.
pub(super) fn shared_sftp(name: &str) -> Value {
    with(
        sftp(name),
        &json!({"spec": {"access": {"exports": "Contributors"}}}),
    )
}

/// The answer to `kubectl auth can-i use connections/<connection> --as <user>`.
async fn can_use(world: &World, user: &str, groups: &[&str], connection: &str) -> bool {
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(user.to_owned()),
            groups: Some(groups.iter().map(|group| (*group).to_owned()).collect()),
            resource_attributes: Some(ResourceAttributes {
                group: Some("connections.dev".to_owned()),
                resource: Some("connections".to_owned()),
                name: Some(connection.to_owned()),
                namespace: Some(world.namespace.clone()),
                verb: Some("use".to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let reviews: Api<SubjectAccessReview> = Api::all(world.client.clone());
    let answer = reviews.create(&PostParams::default(), &review).await;
    answer
        .expect("an answer")
        .status
        .is_some_and(|status| status.allowed)
}

pub(super) async fn until_can_use(world: &World, user: &str, connection: &str, expected: bool) {
    let started = Instant::now();
    while can_use(world, user, &[], connection).await != expected {
        assert!(
            started.elapsed() < PATIENCE,
            "{user}, {connection}: never {expected}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

async fn share(world: &World, name: &str, with: &str) {
    let change = json!({"spec": {"access": {"exports": with}}});
    world.merge::<Connection>(name, change).await;
}

/// Nothing of what was kept for a connection is left.
async fn until_private(world: &World, name: &str) {
    let grant = format!("connections-use-{name}");
    world.until_gone::<RoleBinding>(&grant).await;
    world.until_gone::<Role>(&grant).await;
    world.until_gone::<SharedConnection>(name).await;
}

#[tokio::test]
async fn contributors_use_a_connection_while_it_is_shared_and_exports_outlive_that() {
    let world = World::furnished().await;
    world
        .apply(contributors("RoleBinding", CONTRIBUTORS, &[user("carol")]))
        .await;
    world.connect(sftp("partner")).await;
    assert!(!can_use(&world, "carol", &[], "partner").await, "it's private");

    share(&world, "partner", "Contributors").await;
    until_can_use(&world, "carol", "partner", true).await;
    assert!(!can_use(&world, "carol", &[], "other").await, "this one only");
    assert!(
        !can_use(&world, "mallory", &[], "partner").await,
        "contributors only"
    );
    world
        .until::<SharedConnection>("partner", "it's listed", |_| true)
        .await;
    world.apply(export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;

    share(&world, "partner", "Administrators").await;
    until_can_use(&world, "carol", "partner", false).await;
    until_private(&world, "partner").await;
    world.until_active::<Export>("nightly").await;

    share(&world, "partner", "Contributors").await;
    until_can_use(&world, "carol", "partner", true).await;
}

#[tokio::test]
async fn whoever_becomes_a_contributor_or_ceases_to_be_one_is_followed() {
    let world = World::furnished().await;
    world.apply(shared_sftp("partner")).await;
    world
        .until::<SharedConnection>("partner", "it's shared with nobody", |_| true)
        .await;
    let bind = |subjects: &[Value]| contributors("RoleBinding", CONTRIBUTORS, subjects);
    world.apply(bind(&[user("carol")])).await;
    until_can_use(&world, "carol", "partner", true).await;
    world.apply(bind(&[user("dave"), user("erin")])).await;
    until_can_use(&world, "erin", "partner", true).await;
    until_can_use(&world, "carol", "partner", false).await;
    world.delete::<RoleBinding>(CONTRIBUTORS).await;
    until_can_use(&world, "dave", "partner", false).await;
}

/// On a cluster where nobody looks at who may use what in all namespaces at the same time.
#[tokio::test]
async fn whoever_becomes_a_contributor_everywhere_or_ceases_to_be_one_is_followed() {
    let world = World::unrefused().await.furnish().await;
    world.apply(shared_sftp("partner")).await;
    let everywhere = format!("{}-contributors", world.namespace);
    let frank = format!("frank-of-{}", world.namespace);
    let bindings: Api<ClusterRoleBinding> = Api::all(world.client.clone());
    let binding = contributors("ClusterRoleBinding", &everywhere, &[user(&frank)]);
    let binding = serde_json::from_value(binding).expect("a binding");
    let made = bindings.create(&PostParams::default(), &binding).await;
    made.expect("it is made");
    until_can_use(&world, &frank, "partner", true).await;
    let gone = bindings.delete(&everywhere, &DeleteParams::default()).await;
    gone.expect("it is deleted");
    until_can_use(&world, &frank, "partner", false).await;
}

#[tokio::test]
async fn a_binding_that_names_everybody_lets_nobody_in_but_the_people_beside() {
    let world = World::furnished().await;
    world.apply(shared_sftp("partner")).await;
    let everybody = [group("system:authenticated"), user("carol"), group("crm")];
    world
        .apply(contributors("RoleBinding", CONTRIBUTORS, &everybody))
        .await;
    until_can_use(&world, "carol", "partner", true).await;
    assert!(can_use(&world, "grace", &["system:authenticated", "crm"], "partner").await);
    assert!(!can_use(&world, "mallory", &["system:authenticated"], "partner").await);

    let told = event::<RoleBinding>(&world, CONTRIBUTORS, "ContributorRefused").await;
    assert_eq!(
        (told.type_.as_deref(), told.note.as_deref()),
        (
            Some("Warning"),
            Some(
                "No connection is shared with \"system:authenticated\": Kubernetes itself decides who that is, so \
                 everyone would be let in. Name a group of people in this binding instead."
            )
        )
    );
}

/// Waits for an event about an object.
async fn event<K: Resource<DynamicType = ()>>(world: &World, name: &str, reason: &str) -> Event {
    let events: Api<Event> = world.api();
    let started = Instant::now();
    loop {
        let all = events
            .list(&kube::api::ListParams::default())
            .await
            .expect("a list");
        let found = all.items.into_iter().find(|event| {
            let about = event.regarding.as_ref();
            event.reason.as_deref() == Some(reason)
                && about.is_some_and(|about| {
                    about.kind.as_deref() == Some(&*K::kind(&())) && about.name.as_deref() == Some(name)
                })
        });
        if let Some(found) = found {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{name} is never told of: {reason}");
        tokio::time::sleep(PAUSE).await;
    }
}

#[tokio::test]
async fn connections_for_enrichments_are_open_to_all_contributors() {
    let world = World::furnished().await;
    world
        .apply(contributors("RoleBinding", CONTRIBUTORS, &[user("carol")]))
        .await;
    let private = json!({"spec": {"access": {"exports": "Administrators"}}});
    world.apply(with(sftp_import("provider"), &private)).await;
    until_can_use(&world, "carol", "provider", true).await;
}

#[tokio::test]
async fn a_contributor_sees_name_type_and_readiness_and_nothing_else() {
    let world = World::unrefused().await.furnish().await;
    let told = async |reason: &str| {
        let ready = world
            .until_ready_says::<SharedConnection>("partner", reason)
            .await;
        (ready.status, ready.message)
    };
    let waits = "Nothing on it runs until an administrator of the namespace acts, who can see why. All goes on by \
                 itself then.";
    world.apply(shared_sftp("partner")).await;
    assert_eq!(
        told("WaitsForAdministrator").await,
        (ConditionStatus::False, waits.to_owned())
    );
    world.consent("partner").await;
    let ready = (ConditionStatus::True, "It can be used.".to_owned());
    assert_eq!(told("Ready").await, ready);

    let seen = world
        .api::<SharedConnection>()
        .get("partner")
        .await
        .expect("it's there");
    assert_eq!(
        serde_json::to_value(&seen.spec).expect("it can be written"),
        json!({"displayName": "partner", "type": "sftp-export", "usedFor": "Export"})
    );
    let whole = serde_json::to_string(&seen).expect("it can be written");
    for private in ["sftp.partner.example", "/in", "username", "password", "22"] {
        assert!(!whole.contains(&format!("\"{private}\"")), "{private}: {whole}");
    }
    let conditions: Vec<&str> = seen.conditions().iter().map(|told| &*told.type_).collect();
    assert_eq!(conditions, ["Ready"]);

    world
        .merge::<Connection>("partner", json!({"spec": {"suspend": true}}))
        .await;
    assert_eq!(told("Suspended").await.0, ConditionStatus::False);
    world
        .merge::<Connection>(
            "partner",
            json!({"spec": {"suspend": false, "displayName": "Drop"}}),
        )
        .await;
    assert_eq!(told("Ready").await, ready);
    let renamed = |seen: &SharedConnection| seen.spec.display_name == "Drop";
    world
        .until::<SharedConnection>("partner", "it has the new name", renamed)
        .await;

    world.apply(export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    world.delete::<Connection>("partner").await;
    assert_eq!(told("BeingRemoved").await.0, ConditionStatus::False);
    world.delete::<Export>("nightly").await;
    world.until_gone::<Connection>("partner").await;
    until_private(&world, "partner").await;
}

#[tokio::test]
async fn a_connection_that_leaves_its_dependents_behind_leaves_nobody_a_right() {
    let world = World::furnished().await;
    world.apply(shared_sftp("partner")).await;
    world
        .until::<SharedConnection>("partner", "it's shared", |_| true)
        .await;
    let orphan = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Orphan),
        ..DeleteParams::default()
    };
    let deleted = world.api::<Connection>().delete("partner", &orphan).await;
    deleted.expect("the deletion is accepted");
    world.until_gone::<Connection>("partner").await;
    until_private(&world, "partner").await;
}

/// Whatever the mightiest of all tries with what the operator keeps is refused.
async fn refused<K: Kind>(world: &World, name: &str, manifest: Value) {
    let api = world.api::<K>();
    let mut object: K = serde_json::from_value(manifest).expect("an object");
    object.meta_mut().name = Some(name.to_owned());
    let label = Patch::Merge(json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "me"}}}));
    let answers = [
        ("create", api.create(&PostParams::default(), &object).await.err()),
        (
            "patch",
            api.patch(name, &PatchParams::default(), &label).await.err(),
        ),
    ];
    for (what, answer) in answers {
        let answer = answer.expect("it is refused").to_string();
        assert!(
            answer.contains("the operator keeps this for a shared connection"),
            "{what} {name}: {answer}"
        );
    }
}

#[tokio::test]
async fn what_the_operator_keeps_is_forged_or_changed_by_nobody_and_what_is_deleted_comes_back() {
    let world = World::furnished().await;
    world.apply(shared_sftp("partner")).await;
    world
        .until::<SharedConnection>("partner", "it's shared", |_| true)
        .await;
    let grant = "connections-use-partner";
    let forged = json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "SharedConnection", "metadata": {},
        "spec": {"displayName": "Forged", "type": "sftp-export", "usedFor": "Export"},
    });
    refused::<SharedConnection>(&world, "partner", forged).await;
    refused::<Role>(&world, grant, json!({"rules": []})).await;
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": grant});
    let binding = json!({"roleRef": role, "subjects": [user("mallory")]});
    refused::<RoleBinding>(&world, grant, binding).await;

    let shared = world.api::<SharedConnection>();
    let kept = shared.delete("partner", &DeleteParams::default()).await;
    let kept = kept.expect_err("it is refused").to_string();
    assert!(
        kept.contains("the operator keeps this for a shared connection"),
        "{kept}"
    );
    // A right may be taken away by whoever may take away Roles; the operator grants it again.
    let bindings = world.api::<RoleBinding>();
    let before = bindings.get(grant).await.expect("it is there").metadata.uid;
    let deleted = bindings.delete(grant, &DeleteParams::default()).await;
    deleted.expect("it is allowed");
    let anew = |binding: &RoleBinding| binding.metadata.uid != before;
    world.until::<RoleBinding>(grant, "it is there again", anew).await;
}

#[tokio::test]
async fn two_shared_connections_of_one_display_name_are_told_of_until_one_is_renamed() {
    let world = World::furnished().await;
    let called = json!({"spec": {"displayName": "Partner drop"}});
    for name in ["first", "second"] {
        world.apply(with(shared_sftp(name), &called)).await;
    }
    let valid = async |name: &str, reason: &str| {
        let told = |connection: &Connection| {
            let valid = connection.condition(ConditionType::Valid);
            valid.is_some_and(|valid| valid.reason == reason)
        };
        let connection = world.until::<Connection>(name, reason, told).await;
        connection
            .condition(ConditionType::Valid)
            .expect("just seen")
            .clone()
    };
    let first = valid("first", "DisplayNameTaken").await;
    assert_eq!(first.status, ConditionStatus::True);
    assert!(
        first.message.contains("of the same display name: second."),
        "{}",
        first.message
    );
    valid("second", "DisplayNameTaken").await;
    event::<Connection>(&world, "first", "DisplayNameTaken").await;

    world
        .merge::<Connection>("second", json!({"spec": {"displayName": "Another drop"}}))
        .await;
    valid("first", "AsDeclared").await;
    valid("second", "AsDeclared").await;
}

/// What kubectl's user sees of a real contributor's rights.
#[tokio::test]
async fn a_contributor_reads_shared_connections_and_no_connection() {
    let world = World::furnished().await;
    world
        .apply(contributors("RoleBinding", CONTRIBUTORS, &[user("carol")]))
        .await;
    world.apply(shared_sftp("partner")).await;
    until_can_use(&world, "carol", "partner", true).await;
    let kubeconfig = shared().kubeconfig_for("carol", None).expect("a certificate");
    let carol = crate::support::client(&kubeconfig).await;
    let seen: Api<SharedConnection> = Api::namespaced(carol.clone(), &world.namespace);
    let found = tokio::time::timeout(
        PATIENCE,
        await_condition(seen, "partner", |seen: Option<&SharedConnection>| seen.is_some()),
    );
    found.await.expect("in time").expect("she may watch them");
    let hidden: Api<Connection> = Api::namespaced(carol, &world.namespace);
    let answer = hidden.get("partner").await.expect_err("she may not").to_string();
    assert!(answer.contains("forbidden"), "{answer}");
}
