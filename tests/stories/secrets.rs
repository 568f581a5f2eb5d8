//! Secrets that come, go and change under the connections that refer to them.

use crate::support::World;
use crate::support::manifests::{export, partner_secret, secret, sftp, with};
use connection_operator::api::{Connection, Export};
use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::ResourceExt;
use serde_json::json;

#[tokio::test]
async fn a_connection_waits_for_its_secret_and_stops_when_it_is_taken_away() {
    let world = World::furnished().await;
    world.delete::<Secret>("partner").await;
    world.apply(sftp("partner")).await;
    world.apply(export("nightly", "partner")).await;
    world.consent("partner").await;
    let told = world
        .until_ready_says::<Connection>("partner", "SecretNotFound")
        .await;
    let missing = |slot: &str| {
        format!(
            "spec.secrets.{slot} names the Secret partner, which doesn't exist in namespace {}: create it with the \
             key {slot}.",
            world.namespace
        )
    };
    assert_eq!(told.message, [missing("password"), missing("username")].join(" "));

    world.apply(partner_secret()).await;
    world.until_active::<Export>("nightly").await;
    world.delete::<Secret>("partner").await;
    world
        .until_ready_says::<Connection>("partner", "SecretNotFound")
        .await;
    world
        .until_inactive::<Export>("nightly", "ConnectionNotReady")
        .await;
    world.apply(partner_secret()).await;
    world.until_active::<Export>("nightly").await;
}

#[tokio::test]
async fn a_secret_must_hold_the_very_key_and_something_in_it() {
    let world = World::new().await;
    world.apply(secret("partner", &[("username", "acme")])).await;
    world.apply(sftp("partner")).await;
    world.consent("partner").await;
    let told = world
        .until_ready_says::<Connection>("partner", "KeyNotFound")
        .await;
    assert_eq!(
        told.message,
        "spec.secrets.password names the key password, which Secret partner doesn't have: add it, or name another."
    );

    world
        .merge::<Secret>("partner", json!({"stringData": {"password": ""}}))
        .await;
    let told = world.until_ready_says::<Connection>("partner", "KeyEmpty").await;
    assert_eq!(
        told.message,
        "spec.secrets.password names the key password of Secret partner, which is empty: put the value there."
    );

    world
        .merge::<Secret>("partner", json!({"stringData": {"password": "not-a-real-one"}}))
        .await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
}

#[tokio::test]
async fn a_credential_of_the_cluster_itself_is_never_sent_away() {
    let world = World::furnished().await;
    // Without its account, such a Secret would be taken away again.
    world
        .until::<ServiceAccount>("default", "it is there", |_| true)
        .await;
    let token = json!({
        "type": "kubernetes.io/service-account-token",
        "metadata": {"annotations": {"kubernetes.io/service-account.name": "default"}},
    });
    world.apply(with(secret("token", &[]), &token)).await;
    let leak =
        json!({"spec": {"secrets": {"password": {"secretKeyRef": {"name": "token", "key": "token"}}}}});
    world.apply(with(sftp("partner"), &leak)).await;
    world.consent("partner").await;
    let told = world
        .until_ready_says::<Connection>("partner", "SecretNotAllowed")
        .await;
    assert_eq!(
        told.message,
        "spec.secrets.password names the Secret token of type kubernetes.io/service-account-token, which holds a credential of the cluster itself: name another."
    );
}

#[tokio::test]
async fn a_rotated_secret_shows_its_new_version_and_disturbs_nothing() {
    let world = World::furnished().await;
    world.connect(sftp("partner")).await;
    world
        .merge::<Secret>("partner", json!({"stringData": {"password": "another-one"}}))
        .await;
    let version = world
        .api::<Secret>()
        .get("partner")
        .await
        .expect("it is there")
        .resource_version();
    let connection = world
        .until::<Connection>("partner", "the new version", |connection| {
            let secrets = connection.status.iter().flat_map(|status| &status.secrets);
            secrets.into_iter().all(|secret| secret.version == version)
        })
        .await;
    let sources: Vec<String> = connection
        .status
        .into_iter()
        .flat_map(|status| status.secrets)
        .map(|secret| format!("{}: {}", secret.name, secret.source))
        .collect();
    assert_eq!(
        sources,
        [
            "password: Secret partner, key password",
            "username: Secret partner, key username"
        ]
    );
    world.until_ready_says::<Connection>("partner", "Ready").await;
}

#[tokio::test]
async fn a_key_vault_is_asked_for_until_one_can_be_linked() {
    let world = World::furnished().await;
    let vault = json!({"spec": {"secrets": {"password": {
        "secretKeyRef": null, "keyVaultRef": {"name": "company-vault", "secret": "partner-password"},
    }}}});
    world.apply(with(sftp("partner"), &vault)).await;
    world.consent("partner").await;
    let told = world
        .until_ready_says::<Connection>("partner", "VaultNotFound")
        .await;
    assert_eq!(
        told.message,
        format!(
            "spec.secrets.password names the key vault company-vault, which doesn't exist in namespace {namespace}: link it, or name another. To see those there are: kubectl get keyvaults -n {namespace}",
            namespace = world.namespace
        )
    );
}
