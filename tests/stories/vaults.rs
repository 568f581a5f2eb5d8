//! Vaults that answer, and what becomes of what names secrets in them. The vault is a stand-in.

use crate::support::manifests::{dataset, export, partner_secret, sftp, vault_by_run_account, with};
use crate::support::operator::{Operator, own_cluster};
use crate::support::vault::{SECRET_ID, in_vault, link, listed, login, password, policy, start};
use crate::support::{Conditioned, PATIENCE, VALUES, World, withdrawn};
use base64::Engine;
use connection_operator::api::{Condition, ConditionType, Connection, Dataset, Export, KeyVault};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::ResourceExt;
use kube::api::ListParams;
use kube::runtime::wait::await_condition;
use local_cluster::Options;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use vault_stand_in::Fault;
use vault_stand_in::hashicorp::{Capability, Data, Deletion, Method, Secret as Held, Vault, Version};

/// What begins so must be seen nowhere.
const CANARY: &str = "canary-";

fn sftp_in(data: &mut Data) -> &mut Held {
    let mount = data.mounts.get_mut("kv").expect("the mount");
    mount.secrets.entry("team/sftp".to_owned()).or_default()
}

fn newest(data: &mut Data) -> &mut Version {
    sftp_in(data).versions.last_mut().expect("a version")
}

fn key_vault(vault: &Vault) -> Value {
    link("company-vault", vault)
}

/// A connection whose password is in the vault.
fn vaulted(named: &Value) -> Value {
    with(sftp("partner"), &in_vault(named))
}

impl World {
    /// Links the vault with consent, and makes a connection whose password is there.
    async fn connected(vault: &Vault) -> Self {
        let world = Self::furnished().await;
        world.link(vault).await;
        world.connect(vaulted(&json!({}))).await;
        world
    }
}

#[tokio::test]
async fn a_vault_is_asked_once_it_is_agreed_to_and_its_secrets_can_be_chosen_and_used() {
    let vault = start();
    let world = World::furnished().await;
    world.apply(login(&vault, SECRET_ID)).await;
    world.apply(key_vault(&vault)).await;
    world.apply(vaulted(&json!({}))).await;
    world.consent("partner").await;
    world
        .until_ready_says::<KeyVault>("company-vault", "ConsentRequired")
        .await;
    world
        .until_ready_says::<Connection>("partner", "VaultNotReady")
        .await;
    assert_eq!(vault.counts().len(), 0, "nobody asks before that");

    world.consent_to_vault("company-vault").await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
    let linked = world
        .until::<KeyVault>("company-vault", "its secrets are listed", |vault| {
            !listed(vault).is_empty()
        })
        .await;
    assert_eq!(listed(&linked), ["crm", "team/sftp"]);
    let reachable = linked.condition(ConditionType::Reachable).expect("it is told");
    assert_eq!(reachable.reason, "VaultAnswers");
    let password = world.password().await;
    assert_eq!(password.source, "KeyVault company-vault, secret team/sftp");
    assert_eq!(password.version.as_deref(), Some("2"));
    assert!(password.since.is_some() && password.unconfirmed_since.is_none());

    let lake = json!({"spec": {"credentials": {"key": {"keyVaultRef": {"name": "company-vault", "secret": "crm"}}}}});
    world.apply(with(dataset("lake", "Source"), &lake)).await;
    world.until_ready_says::<Dataset>("lake", "Ready").await;
}

/// What goes wrong with one secret, how it is told, and how it passes.
type Row = (&'static str, Value, fn(&mut Data), &'static str, fn(&mut Data));

#[tokio::test]
async fn what_is_wrong_with_a_secret_is_told_by_its_reason_and_passes_by_itself() {
    let vault = start();
    let world = World::connected(&vault).await;
    let denied: fn(&mut Data) = |data| {
        let policy = data.policies.get_mut("connections").expect("the policy");
        policy.insert("kv/metadata/team/sftp".to_owned(), vec![Capability::Deny]);
    };
    let rows: [Row; 6] = [
        (
            "deleted",
            json!({}),
            |data| newest(data).gone = Deletion::Deleted,
            "SecretNotFound",
            |data| newest(data).gone = Deletion::No,
        ),
        (
            "gone",
            json!({}),
            |data| {
                drop(
                    data.mounts
                        .get_mut("kv")
                        .expect("the mount")
                        .secrets
                        .remove("team/sftp"),
                );
            },
            "SecretNotFound",
            |data| sftp_in(data).versions = vec![Version::of(&[("password", "canary-new")]); 2],
        ),
        (
            "without its key",
            json!({"key": "password"}),
            |data| drop(newest(data).data.remove("password")),
            "KeyNotFound",
            |data| {
                drop(
                    newest(data)
                        .data
                        .insert("password".to_owned(), json!("canary-new")),
                );
            },
        ),
        (
            "pinned to a version that is destroyed",
            json!({"version": "1"}),
            |data| sftp_in(data).versions[0].gone = Deletion::Destroyed,
            "VersionNotFound",
            |data| sftp_in(data).versions[0].gone = Deletion::No,
        ),
        ("not to be read", json!({}), denied, "AccessDenied", |data| {
            data.policies = [("connections".to_owned(), policy())].into();
        }),
        (
            "named before it is there",
            json!({"secret": "team/other"}),
            |_| {},
            "SecretNotFound",
            |data| {
                drop(data.mounts.get_mut("kv").expect("the mount").secrets.insert(
                    "team/other".to_owned(),
                    Held {
                        versions: vec![Version::of(&[("password", "canary-other")])],
                        ..Held::default()
                    },
                ));
            },
        ),
    ];
    for (case, named, wrong, reason, right) in rows {
        println!("{case}");
        vault.edit(wrong);
        world.apply(vaulted(&named)).await;
        let told = world.until_ready_says::<Connection>("partner", reason).await;
        assert!(
            told.message
                .starts_with("spec.secrets.password can't be used by the key vault company-vault. "),
            "{case}: {}",
            told.message
        );
        assert_eq!(world.password().await.version, None, "{case}");
        vault.edit(right);
        world.until_ready_says::<Connection>("partner", "Ready").await;
    }
}

#[tokio::test]
async fn a_right_that_is_taken_away_stops_what_needs_it_until_it_is_given_back() {
    let vault = start();
    let world = World::connected(&vault).await;
    vault.edit(|data| data.policies.clear());
    let told = world
        .until_ready_says::<Connection>("partner", "AccessDenied")
        .await;
    let lacks = "the AppRole at auth/approle lacks the capability read on kv/metadata/team/sftp";
    assert!(told.message.contains(lacks), "{}", told.message);
    world
        .until_says::<KeyVault>("company-vault", ConditionType::Reachable, "SecretsNotListed")
        .await;
    vault.edit(|data| data.policies = [("connections".to_owned(), policy())].into());
    world.until_ready_says::<Connection>("partner", "Ready").await;
    world
        .until::<KeyVault>("company-vault", "its secrets are listed", |vault| {
            !listed(vault).is_empty()
        })
        .await;
}

#[tokio::test]
async fn a_right_on_one_secret_is_enough_to_use_it() {
    let vault = start();
    vault.edit(|data| {
        let read = ("kv/metadata/team/sftp".to_owned(), vec![Capability::Read]);
        data.policies = [("connections".to_owned(), [read].into())].into();
    });
    let world = World::connected(&vault).await;
    let told = world
        .until_says::<KeyVault>("company-vault", ConditionType::Reachable, "SecretsNotListed")
        .await;
    assert!(
        told.message.contains("lacks the capability list on kv/metadata/"),
        "{}",
        told.message
    );
    assert_eq!(world.password().await.version.as_deref(), Some("2"));
    world.apply(vaulted(&json!({"secret": "crm"}))).await;
    world
        .until_ready_says::<Connection>("partner", "AccessDenied")
        .await;
    // An outage finds no names to keep, and still stops nobody.
    world.apply(vaulted(&json!({}))).await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
    vault.down();
    world
        .until_says::<KeyVault>("company-vault", ConditionType::Reachable, "VaultUnavailable")
        .await;
    world
        .until_says::<Connection>("partner", ConditionType::SecretsResolved, "VaultUnavailable")
        .await;
    world.until_ready_says::<KeyVault>("company-vault", "Ready").await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
}

#[tokio::test]
async fn an_outage_stops_nobody_and_says_since_when() {
    let vault = start();
    let world = World::connected(&vault).await;
    world.apply(export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    let before = world.api::<Export>().get("nightly").await.expect("it is there");
    vault.down();
    let told = world
        .until_says::<Connection>("partner", ConditionType::SecretsResolved, "VaultUnavailable")
        .await;
    let since = world.password().await.unconfirmed_since.expect("it is told");
    assert!(
        told.message
            .ends_with(&format!("It has been so since {}.", since.0)),
        "{}",
        told.message
    );
    let connection = world.until_ready_says::<Connection>("partner", "Ready").await;
    assert!(
        connection.message.contains("can't be used at the moment"),
        "{}",
        connection.message
    );
    world
        .until_says::<KeyVault>("company-vault", ConditionType::Reachable, "VaultUnavailable")
        .await;
    let linked = world
        .api::<KeyVault>()
        .get("company-vault")
        .await
        .expect("it is there");
    assert_eq!(
        linked.condition(ConditionType::Ready).expect("it is told").reason,
        "Ready"
    );
    assert_eq!(listed(&linked), ["crm", "team/sftp"], "what was listed stands");
    vault.up();
    world
        .until_says::<Connection>("partner", ConditionType::SecretsResolved, "AllResolved")
        .await;
    assert!(world.password().await.unconfirmed_since.is_none());
    let after = world.api::<Export>().get("nightly").await.expect("it is there");
    assert_eq!(
        after.resource_version(),
        before.resource_version(),
        "the export never heard of it"
    );
}

#[tokio::test]
async fn a_new_version_shows_and_is_told_of() {
    let vault = start();
    let world = World::connected(&vault).await;
    vault.edit(|data| {
        sftp_in(data)
            .versions
            .push(Version::of(&[("password", "canary-newer")]));
    });
    world
        .until::<Connection>("partner", "the new version", |connection| {
            password(connection).version.as_deref() == Some("3")
        })
        .await;
    let event = world.event("SecretRotated").await;
    let about = event.regarding.expect("it is about something");
    assert_eq!(
        (about.kind.as_deref(), about.name.as_deref()),
        (Some("Connection"), Some("partner"))
    );
    assert_eq!(event.type_.as_deref(), Some("Normal"));
}

#[tokio::test]
async fn an_end_is_told_fourteen_days_ahead() {
    let vault = start();
    let world = World::connected(&vault).await;
    let days = |days: i64| jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    let ends = days(10);
    vault.edit(|data| newest(data).deletion_time = Some(ends));
    let told = world
        .until_says::<Connection>("partner", ConditionType::SecretsResolved, "SecretExpiresSoon")
        .await;
    assert_eq!(
        told.message,
        format!(
            "spec.secrets.password can be used until {}: give the secret team/sftp a new version in the key vault \
             company-vault before.",
            ends.strftime("%Y-%m-%d")
        )
    );
    let ready = world.until_ready_says::<Connection>("partner", "Ready").await;
    assert!(ready.message.ends_with(&told.message), "{}", ready.message);
    assert_eq!(
        world.event("SecretExpiresSoon").await.type_.as_deref(),
        Some("Warning")
    );
    vault.edit(|data| newest(data).deletion_time = Some(days(15)));
    world
        .until_says::<Connection>("partner", ConditionType::SecretsResolved, "AllResolved")
        .await;
}

impl World {
    /// Waits for an event of this reason.
    async fn event(&self, reason: &str) -> Event {
        let started = Instant::now();
        loop {
            let events = self
                .api::<Event>()
                .list(&ListParams::default())
                .await
                .expect("a list");
            let found = events
                .into_iter()
                .find(|event| event.reason.as_deref() == Some(reason));
            if let Some(event) = found {
                return event;
            }
            assert!(started.elapsed() < PATIENCE, "never told: {reason}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn without_consent_nothing_is_asked_any_more() {
    let (vault, other) = (start(), start());
    let world = World::connected(&vault).await;
    let elsewhere = World::furnished().await;
    elsewhere.link(&other).await;
    let digest = world
        .api::<KeyVault>()
        .get("company-vault")
        .await
        .expect("it is there")
        .status
        .and_then(|status| status.consent?.required)
        .expect("it is told");
    world.merge::<KeyVault>("company-vault", withdrawn(&digest)).await;
    let linked = world
        .until::<KeyVault>("company-vault", "withdrawn", |vault| {
            let ready = vault.condition(ConditionType::Ready);
            ready.is_some_and(|ready| ready.reason == "ConsentWithdrawn" || ready.reason == "ConsentRequired")
        })
        .await;
    assert_eq!(listed(&linked), [""; 0]);
    world
        .until_ready_says::<Connection>("partner", "VaultNotReady")
        .await;
    // What was under way when consent was taken back is answered within an interval of the other vault.
    tick(&other).await;
    vault.forget_arrivals();
    tick(&other).await;
    tick(&other).await;
    assert_eq!(vault.arrivals().len(), 0, "nobody asks the one");
}

/// Waits until a vault was asked anew by those who follow it.
async fn tick(vault: &Vault) {
    let (started, before) = (Instant::now(), vault.arrivals().len());
    while vault.arrivals().len() < before + 2 {
        assert!(started.elapsed() < PATIENCE, "it is never asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn only_allowed_secrets_are_listed_and_named() {
    let vault = start();
    let world = World::connected(&vault).await;
    world
        .merge::<KeyVault>("company-vault", json!({"spec": {"allowedSecrets": ["crm"]}}))
        .await;
    let told = world
        .until_ready_says::<Connection>("partner", "SecretNotAllowed")
        .await;
    assert!(
        told.message.contains("which allows only crm:"),
        "{}",
        told.message
    );
    world
        .until::<KeyVault>("company-vault", "what is allowed is listed", |vault| {
            listed(vault) == ["crm"]
        })
        .await;
    world
        .merge::<KeyVault>("company-vault", json!({"spec": {"allowedSecrets": ["team/*"]}}))
        .await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
}

#[tokio::test]
async fn one_namespace_gets_nothing_by_the_vault_of_another() {
    let vault = start();
    let world = World::connected(&vault).await;
    let stranger = World::furnished().await;
    stranger.apply(vaulted(&json!({}))).await;
    stranger.consent("partner").await;
    stranger
        .until_ready_says::<Connection>("partner", "VaultNotFound")
        .await;
    stranger.apply(login(&vault, "a-guess")).await;
    stranger.apply(key_vault(&vault)).await;
    stranger.consent_to_vault("company-vault").await;
    let told = stranger
        .until_ready_says::<KeyVault>("company-vault", "CredentialRejected")
        .await;
    assert!(!told.message.contains("guess"), "{}", told.message);
    stranger
        .until_ready_says::<Connection>("partner", "VaultNotReady")
        .await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
}

#[tokio::test]
async fn what_cannot_be_used_of_a_link_is_told_with_the_next_step() {
    let vault = start();
    let world = World::furnished().await;
    world.apply(login(&vault, SECRET_ID)).await;
    let metadata = json!({"spec": {"vault": {"address": "https://169.254.169.254"}}});
    world.apply(with(key_vault(&vault), &metadata)).await;
    let told = world
        .until_ready_says::<KeyVault>("company-vault", "AddressNotAllowed")
        .await;
    assert!(
        told.message
            .starts_with("spec.vault.address must name a host instead of the address 169.254.169.254"),
        "{}",
        told.message
    );
    world.apply(key_vault(&vault)).await;
    world
        .merge::<Secret>("vault-login", json!({"stringData": {"ca.crt": "no certificate"}}))
        .await;
    world.consent_to_vault("company-vault").await;
    let told = world
        .until_ready_says::<KeyVault>("company-vault", "CaBundleInvalid")
        .await;
    assert_eq!(
        told.message,
        "spec.vault.caBundleRef names the key ca.crt of Secret vault-login, which holds no certificate in PEM, which begins \
         with -----BEGIN CERTIFICATE-----: put the authorities that sign the vault's certificate there, in PEM."
    );
    assert_eq!(vault.counts().len(), 0, "it isn't asked so");
    // A line break at the end, as files have it, is no part of a credential.
    world.apply(login(&vault, &format!("{SECRET_ID}\n"))).await;
    world.until_ready_says::<KeyVault>("company-vault", "Ready").await;
}

#[tokio::test]
async fn a_credential_of_the_key_vault_can_be_rotated_while_connections_use_it() {
    let vault = start();
    let world = World::connected(&vault).await;
    vault.edit(|data| {
        data.logins[0].method = Method::AppRole {
            role_id: "role".to_owned(),
            secret_id: "canary-rotated".to_owned(),
        };
    });
    vault.advance(Duration::from_hours(2));
    world
        .until_ready_says::<KeyVault>("company-vault", "CredentialRejected")
        .await;
    world
        .until_ready_says::<Connection>("partner", "VaultNotReady")
        .await;
    world
        .merge::<Secret>(
            "vault-login",
            json!({"stringData": {"secret-id": "canary-rotated"}}),
        )
        .await;
    world.until_ready_says::<KeyVault>("company-vault", "Ready").await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
}

/// The settings of an operator that asks stand-ins often.
const OFTEN: [(&str, &str); 2] = [
    ("VAULT_HOSTS", "localhost,127.0.0.1"),
    ("VAULT_INTERVAL_SECONDS", "1"),
];

#[tokio::test]
async fn a_new_operator_in_an_outage_changes_nothing_and_tells_no_value_anywhere() {
    let vault = start();
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await.furnish().await;
    let log = control_plane.directory().join("operator.log");
    let chatty = [OFTEN[0], OFTEN[1], ("LOG", "trace")];
    let operator = Operator::start_logging(&control_plane, &chatty, &log);
    operator.until_ready().await;
    world.link(&vault).await;
    world.connect(vaulted(&json!({"key": "password"}))).await;

    vault.fault(Fault::ServerError(500));
    world
        .until_says::<Connection>("partner", ConditionType::SecretsResolved, "VaultUnavailable")
        .await;
    world
        .until_says::<KeyVault>("company-vault", ConditionType::Reachable, "VaultUnavailable")
        .await;
    let metrics = operator.metrics();
    operator.kill();
    let before = standing(&world).await;
    vault.forget_arrivals();
    let operator = Operator::start_logging(&control_plane, &chatty, &log);
    operator.until_ready().await;
    for _ in 0..3 {
        tick(&vault).await;
    }
    assert_eq!(standing(&world).await, before, "nothing was written");

    vault.heal();
    world
        .until_says::<Connection>("partner", ConditionType::SecretsResolved, "AllResolved")
        .await;
    world
        .until_says::<KeyVault>("company-vault", ConditionType::Reachable, "VaultAnswers")
        .await;
    assert_ready_since(&world, &before).await;
    let metrics = metrics + &operator.metrics();
    assert!(!metrics.contains(CANARY), "in metrics");
    assert!(!metrics.contains("team/sftp"), "no name of a secret in metrics");
    let log = std::fs::read_to_string(&log).expect("a log");
    assert!(log.contains("hyper"), "libraries were heard");
    let told: Vec<&str> = log.lines().filter(|line| line.contains(CANARY)).collect();
    assert!(told.is_empty(), "{told:#?}");
    nothing_of_it_in_objects(&control_plane, &world);
    nothing_of_it_in_files_of_etcd(&control_plane);
}

/// The connection and the key vault as they stand, with their versions.
async fn standing(world: &World) -> (Connection, KeyVault) {
    let connection = world.api::<Connection>().get("partner").await;
    let vault = world.api::<KeyVault>().get("company-vault").await;
    (connection.expect("it is there"), vault.expect("it is there"))
}

/// Neither has ceased to be Ready in between.
async fn assert_ready_since(world: &World, before: &(Connection, KeyVault)) {
    let after = standing(world).await;
    let ready = |conditions: Option<&Condition>| conditions.expect("it is told").last_transition_time.clone();
    let type_ = ConditionType::Ready;
    assert_eq!(ready(after.0.condition(type_)), ready(before.0.condition(type_)));
    assert_eq!(ready(after.1.condition(type_)), ready(before.1.condition(type_)));
}

/// No value of the vault's secrets, in whatever was an object once, or was only on its way to be one. What stands in a Secret is
/// found, as etcd keeps that as it is, so the search can be relied on.
fn nothing_of_it_in_files_of_etcd(control_plane: &local_cluster::ControlPlane) {
    let mut files = Vec::new();
    let mut folders = vec![control_plane.directory().join("etcd")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((std::fs::read(&path).expect("a file"), path));
            }
        }
    }
    let holding = |text: &str| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let form = regex::bytes::Regex::new(&format!("{text}|{encoded}")).expect("plain letters");
        let held = files.iter().filter(|(bytes, _)| form.is_match(bytes));
        held.map(|(_, path)| path.as_path()).collect::<Vec<_>>()
    };
    for value in ["canary-old", "canary-new", "canary-user"] {
        assert_eq!(holding(value), Vec::<&std::path::Path>::new(), "{value}");
    }
    let known = holding(SECRET_ID);
    assert!(known.iter().any(|path| path.ends_with("snap/db")), "{known:?}");
    assert!(
        known
            .iter()
            .any(|path| path.extension().is_some_and(|kind| kind == "wal")),
        "{known:?}"
    );
}

/// No object of any kind but the Secret itself holds a value.
fn nothing_of_it_in_objects(control_plane: &local_cluster::ControlPlane, world: &World) {
    let mut kinds = control_plane.kubectl();
    kinds.args(["api-resources", "--verbs=list", "--namespaced", "--output=name"]);
    let kinds = String::from_utf8(kinds.output().expect("kubectl runs").stdout).expect("text");
    let kinds: Vec<&str> = kinds.lines().filter(|kind| *kind != "secrets").collect();
    assert!(kinds.contains(&"connections.connections.dev") && kinds.contains(&"events"));
    let mut get = control_plane.kubectl();
    get.args([
        "get",
        &kinds.join(","),
        "--namespace",
        &world.namespace,
        "--output=json",
    ]);
    let got = get.output().expect("kubectl runs");
    assert!(got.status.success(), "{}", String::from_utf8_lossy(&got.stderr));
    let objects = String::from_utf8(got.stdout).expect("text");
    assert!(objects.contains("company-vault"), "the key vault is among them");
    let told: Vec<&str> = objects.lines().filter(|line| line.contains(CANARY)).collect();
    assert!(told.is_empty(), "{told:#?}");
    let mut secrets = control_plane.kubectl();
    secrets.args(["get", "secrets", "--namespace", &world.namespace, "--output=name"]);
    let secrets = String::from_utf8(secrets.output().expect("kubectl runs").stdout).expect("text");
    assert_eq!(
        secrets, "secret/partner\nsecret/vault-login\n",
        "nor was a Secret made"
    );
}

#[tokio::test]
async fn a_connection_moves_into_the_vault_and_back() {
    let vault = start();
    let world = World::furnished().await;
    world.link(&vault).await;
    world.connect(sftp("partner")).await;
    world.apply(vaulted(&json!({}))).await;
    world
        .until::<Connection>("partner", "the vault's version", |connection| {
            password(connection).version.as_deref() == Some("2")
        })
        .await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
    world.apply(partner_secret()).await;
    world.apply(sftp("partner")).await;
    world
        .until::<Connection>("partner", "the Secret's version", |connection| {
            password(connection).source == "Secret partner, key password"
        })
        .await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
    world.delete::<Connection>("partner").await;
    world.until_gone::<Connection>("partner").await;
    world.delete::<KeyVault>("company-vault").await;
    let gone = await_condition(
        world.api::<KeyVault>(),
        "company-vault",
        |vault: Option<&KeyVault>| vault.is_none(),
    );
    let gone = tokio::time::timeout(PATIENCE, gone).await;
    gone.expect("in time").expect("the watch works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_can_be_changed_and_removed_when_its_host_is_not_allowed_any_more() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await;
    world.apply(vault_by_run_account("linked")).await;
    let narrow = [
        VALUES[0],
        r#"keyVaults.hosts=[".vault.azure.net", "10.1.0.0/16"]"#,
    ];
    tokio::task::block_in_place(|| control_plane.install_chart(&narrow)).expect("the chart is upgraded");
    let started = Instant::now();
    let mut attempts = 0;
    let said = loop {
        // One that was taken before the policy was seen keeps its host from then on, so each try is of another link.
        attempts += 1;
        let another = vault_by_run_account(&format!("another-{attempts}"));
        match world.try_apply(&another).await {
            Err(refused) => break refused.to_string(),
            Ok(_) => assert!(started.elapsed() < PATIENCE, "it is never refused"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(
        said.contains(
            "the vault vault.company.example is none that this installation lets anybody link (*.vault.azure.net): correct \
             the address, or have whoever installs the operator add the host to the value keyVaults.hosts of its chart"
        ),
        "{said}"
    );
    let change = |address: &str, role: &str| {
        with(
            vault_by_run_account("linked"),
            &json!({"spec": {"vault": {"address": address, "auth": {"kubernetes": {"role": role}}}}}),
        )
    };
    world
        .apply(change("https://vault.company.example", "another"))
        .await;
    let moved = world
        .try_apply(&change("https://other.company.example", "another"))
        .await;
    assert!(moved.is_err(), "nor does it lead elsewhere");
    world.apply(change("https://10.1.0.1:8200", "another")).await;
    world.delete::<KeyVault>("linked").await;
}
