//! An Azure key vault that answers: one stand-in for all tests of a run, and the network in which operators find it.

use super::manifests::secret;
use super::vault::Issuer;
use async_trait::async_trait;
use connection_operator::vault::address::VaultUrl;
use connection_operator::vault::connect::{Cloud, NameFault, Names, Network, SystemNames};
use connection_operator::vault::reach::Reach;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};
use vault_stand_in::azure::{Azure, Data, Federated, Identity, PermissionModel, Right, Secret, Version};

/// The tenant of the vault.
const TENANT: &str = "11111111-1111-4111-8111-111111111111";
/// What stands before the dot of no vault but the stand-in's.
const SUFFIX: &str = ".vault.localhost";
/// The password of every application that has one.
pub const PASSWORD: &str = "canary-client-secret";

static AZURE: OnceLock<Azure> = OnceLock::new();

/// The vault, which holds `crm` and `sftp`.
pub fn azure() -> &'static Azure {
    AZURE.get_or_init(|| {
        let versions = [
            ("0123456789abcdef0123456789abcdef", 1),
            ("11112222333344445555666677778888", 2),
        ];
        let versions = versions.map(|(id, day)| Version {
            created: jiff::Timestamp::from_second(1_700_000_000 + day * 86_400).expect("a time"),
            ..Version::new(id, "canary-azure")
        });
        let held = Secret {
            deleted: false,
            versions: versions.into(),
        };
        let data = Data {
            vault: "contoso".to_owned(),
            tenant: TENANT.to_owned(),
            permission_model: PermissionModel::default(),
            identities: Vec::new(),
            secrets: ["crm", "sftp"].map(|name| (name.to_owned(), held.clone())).into(),
            page_size: 25,
            token_seconds: 3599,
            names: Vec::new(),
        };
        Azure::start(data).expect("a stand-in")
    })
}

/// How the operators of tests reach vaults: those that are linked with no authority of their own are the stand-in's, and its
/// name leads to loopback.
pub fn network(reach: &Reach) -> Network {
    let authority = VaultUrl::parse(&azure().authority(), reach).expect("an address");
    Network::new(reach.clone())
        .with_names(Arc::new(Loopback))
        .with_authorities(&azure().ca_pem)
        .with_cloud(Cloud {
            suffix: SUFFIX.to_owned(),
            authority,
        })
}

struct Loopback;

#[async_trait]
impl Names for Loopback {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NameFault> {
        if host.ends_with(SUFFIX) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into()]);
        }
        SystemNames.addresses(host).await
    }
}

/// An application that one test has for itself.
pub struct Application(String);

impl Application {
    /// By which the run account of this namespace signs in, and whoever has its password.
    pub fn trusting(issuer: &Issuer, namespace: &str) -> Self {
        let id = format!("22222222-2222-4222-8222-{:012x}", fastrand::u64(..1 << 48));
        let identity = Identity {
            client_id: id.clone(),
            client_secret: Some(PASSWORD.to_owned()),
            federated: Some(Federated {
                issuer: issuer.name.clone(),
                subject: format!("system:serviceaccount:{namespace}:connections-run"),
                audience: "api://AzureADTokenExchange".to_owned(),
                keys: Some(issuer.keys.clone()),
            }),
            rights: vec![Right::Get, Right::List],
            ..Identity::default()
        };
        azure().edit(|data| data.identities.push(identity));
        Self(id)
    }

    /// Changes what it may.
    pub fn edit(&self, change: impl FnOnce(&mut Identity)) {
        azure().edit(|data| {
            let mut identities = data.identities.iter_mut();
            change(
                identities
                    .find(|identity| identity.client_id == self.0)
                    .expect("the application"),
            );
        });
    }

    /// The link to the vault, by the run account.
    pub fn link(&self, name: &str) -> Value {
        link_by(name, &json!({"workloadIdentity": {"clientId": self.0}}))
    }

    /// The same by the password in the Secret [`login`].
    pub fn link_by_password(&self, name: &str) -> Value {
        let reference = json!({"name": "azure-login", "key": "clientSecret"});
        link_by(
            name,
            &json!({"clientSecret": {"clientId": self.0, "secretRef": reference}}),
        )
    }

    /// How messages call it.
    pub fn called(&self) -> String {
        format!("the application {}", self.0)
    }
}

fn link_by(name: &str, auth: &Value) -> Value {
    json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "KeyVault", "metadata": {"name": name},
        "spec": {"azureKeyVault": {"vaultUrl": azure().url(), "tenantId": TENANT, "auth": auth}},
    })
}

/// The Secret that holds a password.
pub fn login(password: &str) -> Value {
    secret("azure-login", &[("clientSecret", password)])
}
