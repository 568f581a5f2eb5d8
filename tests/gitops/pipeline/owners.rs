//! Several write the same objects: pipelines, people, the operator and the API server. Each has fields of its own.

use super::actor::Actor;
use super::repository::{CONNECTION, EXPORT, Repository};
use crate::support::World;
use connection_operator::api::{Connection, Export};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Api;
use kube::api::{DynamicObject, ListParams};
use kube::discovery::ApiResource;
use serde_json::Value;

/// Every object of the namespace that the pipelines and the operator write, whole: managed fields, resource versions.
async fn everything(world: &World) -> Vec<Value> {
    let of_ours = connection_operator::api::custom_resource_definitions()
        .into_iter()
        .filter_map(|definition| {
            let names = definition.spec.names;
            let resource = ApiResource {
                group: "connections.dev".to_owned(),
                version: "v1alpha1".to_owned(),
                api_version: "connections.dev/v1alpha1".to_owned(),
                kind: names.kind,
                plural: names.plural,
            };
            (definition.spec.scope == "Namespaced").then_some(resource)
        });
    let resources = of_ours.chain([
        ApiResource::erase::<Role>(&()),
        ApiResource::erase::<RoleBinding>(&()),
        ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&()),
        ApiResource::erase::<k8s_openapi::api::events::v1::Event>(&()),
    ]);
    let mut all = Vec::new();
    for resource in resources {
        let api: Api<DynamicObject> = Api::namespaced_with(world.client.clone(), &world.namespace, &resource);
        let listed = api.list(&ListParams::default()).await.expect("a list");
        all.extend(
            listed
                .items
                .iter()
                .map(|object| serde_json::to_value(object).expect("JSON")),
        );
    }
    all
}

#[tokio::test]
async fn nothing_flaps_however_often_the_pipelines_sync() {
    let (repository, administrators, contributors) = Repository::applied().await;
    let before = everything(&repository.world).await;
    assert!(before.len() > 8, "there is something to look at");
    for _ in 0..6 {
        administrators.sync().is_clean();
        contributors.sync().is_clean();
        let after = everything(&repository.world).await;
        assert_eq!(after.len(), before.len());
        for (after, before) in after.iter().zip(&before) {
            assert_eq!(after, before);
        }
    }
}

/// How the connection stands, without what it is known by inside.
async fn connection(world: &World) -> Connection {
    let found = world.api::<Connection>().get("sftp-partner").await;
    found.expect("it is there")
}

#[tokio::test]
async fn what_a_person_changes_besides_git_stays_and_nobody_fights() {
    let (repository, administrators, contributors) = Repository::applied().await;
    let world = &repository.world;
    let ada = Actor::person(world, "ada");
    let suspend = r#"{"spec": {"suspend": true}}"#;
    ada.kubectl(&[
        "patch",
        "connection",
        "sftp-partner",
        "--type=merge",
        "--patch",
        suspend,
    ])
    .is_clean();
    ada.kubectl(&["label", "connection", "sftp-partner", "example.com/team=partners"])
        .is_clean();
    world
        .until_ready_says::<Connection>("sftp-partner", "Suspended")
        .await;
    world
        .until_inactive::<Export>("nightly-customers", "Suspended")
        .await;
    let before = everything(world).await;
    for _ in 0..3 {
        administrators.sync().is_clean();
        contributors.sync().is_clean();
        assert_eq!(everything(world).await, before);
    }
}

#[tokio::test]
async fn what_a_person_changes_of_gits_own_is_told_or_taken_back_once() {
    let (repository, administrators, _) = Repository::applied().await;
    let world = &repository.world;
    let ada = Actor::person(world, "ada");
    let renamed = r#"{"spec": {"displayName": "Ada's own"}}"#;
    let rename = [
        "patch",
        "connection",
        "sftp-partner",
        "--type=merge",
        "--patch",
        renamed,
    ];
    ada.kubectl(&rename).is_clean();
    for _ in 0..2 {
        administrators
            .sync()
            .is_refused(&["conflict with \"kubectl-patch\"", ".spec.displayName"]);
        assert_eq!(connection(world).await.spec.display_name, "Ada's own");
    }
    administrators.sync_with(&["--force-conflicts"]).is_clean();
    assert_eq!(connection(world).await.spec.display_name, "Nightly partner drop");
    world.until_active::<Export>("nightly-customers").await;
    let before = everything(world).await;
    for _ in 0..3 {
        administrators.sync().is_clean();
        assert_eq!(everything(world).await, before);
    }
}

#[tokio::test]
async fn an_unshared_connection_leaves_the_contributors_syncs_clean_until_they_change_something() {
    let (repository, administrators, contributors) = Repository::applied().await;
    let world = &repository.world;
    repository.edit(CONNECTION, "exports: Contributors", "exports: Administrators");
    repository.commit("Keep it for administrators");
    administrators.sync().is_clean();
    contributors.actor.until_may_not_use("sftp-partner");
    for _ in 0..2 {
        contributors.sync().is_clean();
    }
    world.until_active::<Export>("nightly-customers").await;

    repository.edit(EXPORT, "0 2 * * *", "0 3 * * *");
    repository.commit("Send it later");
    contributors.sync().is_refused(&[
        "this export is on the connection sftp-partner, which is not shared with you, or not any more",
    ]);

    repository.edit(CONNECTION, "exports: Administrators", "exports: Contributors");
    repository.commit("Share it again");
    administrators.sync().is_clean();
    contributors.actor.until_may_use("sftp-partner");
    contributors.sync().is_clean();
}
