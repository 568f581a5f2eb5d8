//! The whole way to a vault: the API server makes out a token of the run account, the vault judges it by the cluster's word or
//! its keys, and what the vault then says stands in status.

use crate::support::azure::{Application, PASSWORD, azure, login};
use crate::support::manifests::{sftp, with};
use crate::support::vault::{self, SECRET_ID, in_vault, link_by_account, listed, policy, start_trusting};
use crate::support::{Conditioned, PATIENCE, World};
use connection_operator::api::{Condition, ConditionType, Connection, KeyVault};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use vault_stand_in::hashicorp::{Capability, Vault};

impl World {
    /// Links a vault with consent, and waits until its secrets can be chosen.
    async fn linked(&self, link: Value, secrets: &[&str]) {
        self.apply(link).await;
        self.consent_to_vault("company-vault").await;
        self.until_ready_says::<KeyVault>("company-vault", "Ready").await;
        self.until_listed(secrets).await;
    }

    /// Waits until these secrets can be chosen.
    async fn until_listed(&self, secrets: &[&str]) {
        self.until::<KeyVault>("company-vault", "its secrets are listed", |vault| {
            listed(vault) == secrets
        })
        .await;
    }

    /// Waits until the connection's secrets are told of by this reason.
    async fn until_resolution(&self, reason: &str) -> Condition {
        self.until_says::<Connection>("partner", ConditionType::SecretsResolved, reason)
            .await
    }
}

/// A connection whose password is in the vault.
fn vaulted(secret: &str) -> Value {
    with(sftp("partner"), &in_vault(&json!({"secret": secret})))
}

#[tokio::test]
async fn vault_takes_the_run_account_of_the_namespace_by_either_method() {
    let world = World::furnished().await;
    let vault = start_trusting(&world).await;
    world.apply(vault::login(&vault, SECRET_ID)).await;
    for method in ["kubernetes", "jwt"] {
        vault.forget_arrivals();
        world
            .linked(
                link_by_account("company-vault", &vault, method),
                &["crm", "team/sftp"],
            )
            .await;
        world.connect(vaulted("team/sftp")).await;
        signed_in(&vault).await;
        world.until_resolution("AllResolved").await;
        assert_eq!(world.password().await.version.as_deref(), Some("2"), "{method}");
        vault.edit(|data| {
            let policy = data.policies.get_mut("connections").expect("the policy");
            policy.insert("kv/metadata/team/sftp".to_owned(), vec![Capability::Deny]);
        });
        let told = world.until_resolution("AccessDenied").await;
        let lacks = format!(
            "the role connections at auth/{method} (run account of namespace {}) lacks the capability read on \
             kv/metadata/team/sftp",
            world.namespace
        );
        assert!(told.message.contains(&lacks), "{}", told.message);
        world
            .until_ready_says::<Connection>("partner", "AccessDenied")
            .await;
        vault.edit(|data| data.policies = [("connections".to_owned(), policy())].into());
        world.until_ready_says::<Connection>("partner", "Ready").await;
    }
}

/// Waits until somebody has signed in.
async fn signed_in(vault: &Vault) {
    let started = Instant::now();
    while vault.count("login") == 0 {
        assert!(started.elapsed() < PATIENCE, "nobody signs in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn vault_takes_no_run_account_of_another_namespace() {
    let (world, stranger) = (World::furnished().await, World::furnished().await);
    let vault = start_trusting(&world).await;
    stranger.apply(vault::login(&vault, SECRET_ID)).await;
    for method in ["kubernetes", "jwt"] {
        stranger
            .apply(link_by_account("company-vault", &vault, method))
            .await;
        stranger.consent_to_vault("company-vault").await;
        let identity = format!("auth/{method} (run account of namespace {})", stranger.namespace);
        let told = stranger
            .until::<KeyVault>("company-vault", "it isn't taken", |vault| {
                let told = vault.condition(ConditionType::Ready);
                told.is_some_and(|told| {
                    told.reason == "CredentialRejected" && told.message.contains(&identity)
                })
            })
            .await;
        assert_eq!(told.status.expect("a status").secrets, [], "{method}");
    }
    assert!(vault.count("login") > 1, "both were tried");
}

#[tokio::test]
async fn azure_takes_the_run_account_of_the_namespace_and_a_password() {
    let world = World::furnished().await;
    let application = Application::trusting(&world.issuer().await, &world.namespace);
    let newest = Some("11112222333344445555666677778888");
    world
        .linked(application.link("company-vault"), &["crm", "sftp"])
        .await;
    world.connect(vaulted("sftp")).await;
    assert_eq!(world.password().await.version.as_deref(), newest);
    let workload = format!(
        "{} (workload identity of namespace {})",
        application.called(),
        world.namespace
    );
    taken_away_and_given_back(&world, &application, &workload).await;

    world.apply(login(PASSWORD)).await;
    world.apply(application.link_by_password("company-vault")).await;
    taken_away_and_given_back(&world, &application, &application.called()).await;
    application.edit(|identity| identity.client_secret = Some("canary-other".to_owned()));
    world.apply(login("canary-guess")).await;
    let told = world
        .until_ready_says::<KeyVault>("company-vault", "CredentialRejected")
        .await;
    assert!(
        told.message.contains(&application.called()) && !told.message.contains("canary"),
        "{}",
        told.message
    );
    world.apply(login("canary-other")).await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
}

async fn taken_away_and_given_back(world: &World, application: &Application, identity: &str) {
    let mut rights = Vec::new();
    application.edit(|now| std::mem::swap(&mut now.rights, &mut rights));
    // Until the operator has seen a link that was just changed, it tells of the identity before.
    let lacks = format!("{identity} may not look at this secret: give it the role Key Vault Secrets User");
    world
        .until::<Connection>("partner", &lacks, |connection| {
            let told = connection.condition(ConditionType::Ready);
            told.is_some_and(|told| told.reason == "AccessDenied" && told.message.contains(&lacks))
        })
        .await;
    // Given back for the one secret alone, that is enough.
    application.edit(|now| {
        now.rights = rights;
        now.only = Some(vec!["sftp".to_owned()]);
    });
    world.until_ready_says::<Connection>("partner", "Ready").await;
    let told = world
        .until_says::<KeyVault>("company-vault", ConditionType::Reachable, "SecretsNotListed")
        .await;
    let lacks = format!("{identity} may not list secrets: give it the role Key Vault Secrets User");
    assert!(told.message.contains(&lacks), "{}", told.message);
    application.edit(|now| now.only = None);
    world.until_listed(&["crm", "sftp"]).await;
    world.until_ready_says::<KeyVault>("company-vault", "Ready").await;
}

#[tokio::test]
async fn azure_takes_no_run_account_of_another_namespace() {
    let (world, stranger) = (World::furnished().await, World::furnished().await);
    let application = Application::trusting(&world.issuer().await, &world.namespace);
    stranger.apply(application.link("company-vault")).await;
    stranger.consent_to_vault("company-vault").await;
    let told = stranger
        .until_ready_says::<KeyVault>("company-vault", "CredentialRejected")
        .await;
    assert!(
        told.message.contains("doesn't trust the run account"),
        "{}",
        told.message
    );
    assert!(azure().count("token") > 0, "it was asked");
}
