//! Credentials that stay in a vault: the run reads them there when it begins. The vault is a stand-in; the SFTP server is
//! OpenSSH's.

use super::runs::api_server;
use super::support::cluster::World;
use super::support::run::{Ended, Pod, customers, plan};
use super::support::sshd::{PASSWORD, Sshd, USER};
use connection_operator::api::KeyVault;
use connection_operator::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use connection_operator::api::run::{FailureClass, Persistence};
use connection_operator::governance::runs::vaults::folder;
use kube::ResourceExt;
use serde_json::{Value, json};
use vault_stand_in::hashicorp::{Capability, Data, Kv, Login, Method, Mount, Secret, Vault, Version};

const SECRET_ID: &str = "canary-secret-id";

/// A vault with the account's password.
fn vault() -> Vault {
    let held = Secret {
        // As whoever writes it from a file has it: with a line end that isn't part of it.
        versions: vec![Version::of(&[
            ("password", &format!("{PASSWORD}\n")),
            ("other", "canary-other"),
        ])],
        ..Secret::default()
    };
    let mount = Mount {
        version: Kv::Two,
        secrets: [("team/sftp".to_owned(), held)].into(),
    };
    let login = Login {
        mount: "approle".to_owned(),
        method: Method::AppRole {
            role_id: "role".to_owned(),
            secret_id: SECRET_ID.to_owned(),
        },
        policies: vec!["connections".to_owned()],
        ttl: 3600,
        renewable: true,
    };
    let policy = [("kv/data/*".to_owned(), vec![Capability::Read])];
    Vault::start(Data {
        mounts: [("kv".to_owned(), mount)].into(),
        policies: [("connections".to_owned(), policy.into())].into(),
        logins: vec![login],
        ..Data::default()
    })
    .expect("a stand-in")
}

/// A run whose password is in a vault.
struct Vaulted {
    world: World,
    server: Sshd,
    vault: Vault,
    pod: Pod,
}

impl Vaulted {
    async fn new() -> Self {
        let (world, server, vault) = (World::new().await, Sshd::start(), vault());
        let reference = |key: &str| json!({"name": "vault-login", "key": key});
        let link = world
            .link(json!({"vault": {
                "address": vault.url(), "mount": "kv", "caBundleRef": reference("ca.crt"),
                "auth": {"appRole": {"roleId": "role", "secretIdRef": reference("secret-id")}},
            }}))
            .await;
        world.connect(&server, server.address).await;
        let in_vault = json!({"name": "company-vault", "secret": "team/sftp", "key": "password"});
        let moved =
            json!({"spec": {"secrets": {"password": {"secretKeyRef": null, "keyVaultRef": in_vault}}}});
        world.change(moved).await;
        let connection = world.consent().await;
        let plan = plan(&world.namespace, &world.digest(&connection), json!([customers()]));
        let username = [("username", USER.to_owned())];
        let mut pod = Pod::new(&plan, &username, &world.kubeconfig(api_server()).await);
        pod.vault_ranges = "127.0.0.0/8,::1";
        pod.write("volumes/lake/customers.csv", b"id\n1\n");
        let this = Self {
            world,
            server,
            vault,
            pod,
        };
        this.mounts(&link, SECRET_ID);
        this
    }

    /// Mounts what signs in to the vault by this link.
    fn mounts(&self, link: &KeyVault, secret_id: &str) {
        let folder = folder("company-vault", &link.spec);
        for (number, value) in [secret_id, &self.vault.ca_pem].into_iter().enumerate() {
            self.pod
                .write(&format!("vaults/{folder}/{number}"), value.as_bytes());
        }
    }

    /// Runs it; nothing of the vault, nor of a credential, is told.
    async fn ended(&self) -> Ended {
        let ended = self.pod.start().ended().await;
        let url = self.vault.url();
        for private in [PASSWORD, SECRET_ID, "canary", "team/sftp", "company-vault", &url] {
            for (what, told) in [("the result", &ended.text), ("the log", &ended.log)] {
                assert!(!told.contains(private), "{private} in {what}: {told}");
            }
        }
        ended
    }

    /// Runs it, and expects it to send nothing, for a reason that may pass.
    async fn fails(&self, case: &str, message: &str) {
        let ended = self.ended().await;
        assert_eq!(ended.code, Some(10), "{case}: {} {}", ended.text, ended.log);
        let failure = ended.result().failure.expect("it says why");
        assert_eq!(
            (failure.class, failure.persistence),
            (FailureClass::Destination, Persistence::Transient),
            "{case}"
        );
        assert!(
            failure.message.starts_with(message),
            "{case}: {}",
            failure.message
        );
        assert_eq!(self.server.names(), [""; 0], "{case}");
    }
}

const NOT_AS_LINKED: &str =
    "The credential password of the connection can't be taken from its key vault as that is linked now";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_its_credentials_from_the_vault() {
    let run = Vaulted::new().await;
    let ended = run.ended().await;
    assert_eq!(ended.code, Some(0), "{} {}", ended.text, ended.log);
    assert_eq!(run.server.names(), ["customers.csv"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_gives_no_credential_ends_the_run_before_anything_is_opened() {
    let run = Vaulted::new().await;
    let link = run.world.change_link(json!({})).await;
    run.mounts(&link, "canary-wrong");
    let message = "The key vault doesn't give the credential password of the connection (CredentialRejected)";
    run.fails("another secret of the role", message).await;
    run.mounts(&link, SECRET_ID);

    run.vault.edit(|data| data.policies.clear());
    let message = "The key vault doesn't give the credential password of the connection (AccessDenied)";
    run.fails("no right to read it", message).await;

    run.vault.down();
    let message = "The key vault doesn't give the credential password of the connection (VaultUnavailable)";
    run.fails("a vault that is away", message).await;
    assert!(!run.server.log().contains("Accepted"), "{}", run.server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_is_not_asked_unless_its_link_and_the_installation_allow_it() {
    let mut run = Vaulted::new().await;
    let allowing = |patterns: Value| json!({"spec": {"allowedSecrets": patterns}});
    let link = run.world.change_link(allowing(json!(["crm/*"]))).await;
    run.fails(
        "a link that has changed since its credentials were mounted",
        NOT_AS_LINKED,
    )
    .await;
    run.mounts(&link, SECRET_ID);
    run.fails("a secret that it doesn't lend", NOT_AS_LINKED).await;
    let link = run.world.change_link(allowing(Value::Null)).await;

    let digest = link.annotations()[CONSENT_ANNOTATION].clone();
    let stamp = format!("withdrawn {digest} admin");
    let withdrawal =
        json!({"metadata": {"annotations": {CONSENT_ANNOTATION: null, CONSENTED_BY_ANNOTATION: stamp}}});
    run.world.change_link(withdrawal).await;
    run.fails("without consent to it", NOT_AS_LINKED).await;
    let stamp = format!("given {digest} admin");
    let consent =
        json!({"metadata": {"annotations": {CONSENT_ANNOTATION: digest, CONSENTED_BY_ANNOTATION: stamp}}});
    run.world.change_link(consent).await;

    run.pod.vault_ranges = "10.0.0.0/8";
    let message = "The key vault doesn't give the credential password of the connection (AddressNotAllowed)";
    run.fails("a vault inside of a network that isn't listed", message)
        .await;
    assert_eq!(
        run.vault.counts().len(),
        0,
        "it was never asked: {:?}",
        run.vault.counts()
    );

    run.pod.vault_ranges = "127.0.0.0/8,::1";
    assert_eq!(run.ended().await.code, Some(0), "else all is well");
}
