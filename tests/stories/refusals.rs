//! What is in use isn't deleted: the API server refuses at once, and says who uses it and what to do.

use crate::support::World;
use crate::support::manifests::{enrichment, sftp, sftp_export, sftp_import};
use connection_operator::api::{Connection, ConnectionType, Dataset, Enrichment, Export};
use kube::Api;
use kube::api::{DeleteParams, ListParams};

/// What the API server answers to a deletion.
async fn refusal<K>(api: Api<K>, name: &str) -> String
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let refused = api
        .delete(name, &DeleteParams::default())
        .await
        .expect_err("it is refused");
    let kube::Error::Api(status) = refused else {
        panic!("no answer: {refused}")
    };
    assert_eq!(status.code, 403, "{}", status.message);
    let told = status.message.split_once("denied request: ");
    told.unwrap_or_else(|| panic!("another refusal: {}", status.message))
        .1
        .to_owned()
}

#[tokio::test]
async fn a_connection_in_use_is_not_deleted_and_its_users_are_named() {
    let world = World::furnished().await;
    let namespace = &world.namespace;
    world.connect(sftp("partner")).await;
    for i in 0..7 {
        world.apply(sftp_export(&format!("x{i}"), "partner")).await;
    }
    world.until_used_by::<Connection>("partner", 7).await;
    assert_eq!(
        refusal(world.api::<Connection>(), "partner").await,
        format!(
            "the connection partner is in use by 7 exports (x0, x1, x2, x3, x4 and 2 more), so it stays. That is \
             what the operator last saw: if it is over, see whether the operator runs. To detach the first and keep its configuration: kubectl patch export x0 -n {namespace} --type merge -p \
             '{{\"spec\":{{\"connectionRef\":null}}}}'. To remove it: kubectl delete export x0 -n {namespace}"
        )
    );
    let all = world
        .api::<Connection>()
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await;
    assert!(
        all.expect_err("not with others either")
            .to_string()
            .contains("in use by 7 exports")
    );
    let now = world
        .api::<Connection>()
        .get("partner")
        .await
        .expect("it is there");
    assert_eq!(now.metadata.deletion_timestamp, None, "nothing has begun");
}

#[tokio::test]
async fn a_dataset_in_use_is_not_deleted() {
    let world = World::furnished().await;
    let namespace = &world.namespace;
    world.connect(sftp_import("provider")).await;
    world
        .apply(crate::support::manifests::dataset("results", "Output"))
        .await;
    world.apply(enrichment("results", "provider")).await;
    world.until_active::<Enrichment>("results").await;
    world.until_used_by::<Dataset>("customers", 1).await;
    assert_eq!(
        refusal(world.api::<Dataset>(), "customers").await,
        format!(
            "the dataset customers is in use by 1 enrichment (results), so it stays. That is what the operator last \
             saw: if it is over, see whether the operator runs. Name another dataset in enrichment results, or remove it: kubectl delete enrichment results -n {namespace}"
        )
    );
}

#[tokio::test]
async fn a_type_in_use_is_not_deleted_and_nobody_is_named() {
    let world = World::furnished().await;
    let name = world.type_name("own");
    world
        .apply(crate::support::manifests::connection_type(&name))
        .await;
    world
        .connect(crate::support::manifests::plain_connection("own", &name))
        .await;
    let used = |type_: &ConnectionType| type_.status.as_ref().and_then(|status| status.in_use) == Some(true);
    world.until_type(&name, used).await;
    assert_eq!(
        refusal(world.types(), &name).await,
        format!(
            "connections of the type {name} exist, so it stays. To see them: kubectl get connections -A --field-selector \
             spec.type={name}"
        )
    );
}

#[tokio::test]
async fn the_definitions_of_our_kinds_are_not_deleted_while_the_chart_is_installed() {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
    let world = World::new().await;
    let definitions: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    assert_eq!(
        refusal(definitions, "exports.connections.dev").await,
        "every object of the kind Export would be lost with its definition. If that is what you want, first uninstall \
         the chart: helm uninstall connection-operator -n connection-operator"
    );
}

#[tokio::test]
async fn what_is_detached_no_longer_holds_its_connection() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    world
        .merge::<Export>("nightly", serde_json::json!({"spec": {"connectionRef": null}}))
        .await;
    world.until_unused::<Connection>("partner").await;
    world.delete::<Connection>("partner").await;
    world.until_gone::<Connection>("partner").await;
}
