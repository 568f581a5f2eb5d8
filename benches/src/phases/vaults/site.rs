//! An API server with the chart, vaults, and connections on them.

use crate::Outcome;
use crate::account::{Token, client};
use crate::operator::{Operator, Setup, program};
use crate::phases::governed;
use crate::world::{TYPE, make_all, sftp_export};
use connection_operator::api::names::CONSENT_ANNOTATION;
use connection_operator::api::{ConditionType, Connection, ConnectionType, KeyVault};
use connection_operator::governance::consent::{self, Subject};
use futures::{TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, ResourceExt};
use local_cluster::{ControlPlane, Options};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::pin::pin;
use std::time::{Duration, Instant};
use vault_stand_in::hashicorp::{Capability, Data, Kv, Login, Method, Mount, Secret as Held, Vault, Version};

const PATIENCE: Duration = Duration::from_mins(3);
const SECRET_ID: &str = "not-a-real-one";
const KEY_VAULT: &str = "company-vault";
/// What each value in the vaults begins with, so that it can be searched for.
pub const CANARY: &str = "canary-of-the-bench-";

/// The API server.
pub struct Site {
    _control_plane: ControlPlane,
    admin: Client,
    setup: Setup,
    type_: ConnectionType,
}

/// A vault, and the namespaces that are linked to it.
pub struct Linked {
    pub vault: Vault,
    admin: Client,
    type_: ConnectionType,
    namespaces: Vec<String>,
}

impl Site {
    pub async fn start() -> Outcome<Self> {
        let control_plane = tokio::task::spawn_blocking(|| governed(Options::default())).await??;
        let admin = client(control_plane.kubeconfig()).await?;
        let token = Token::new(&control_plane).await?;
        let kubeconfig = control_plane.directory().join("operator.kubeconfig");
        std::fs::write(&kubeconfig, &token.kubeconfig)?;
        let type_ = Api::all(admin.clone())
            .create(&PostParams::default(), &sftp_export()?)
            .await?;
        let setup = Setup {
            program: program()?,
            kubeconfig,
            logs: control_plane.directory().to_path_buf(),
        };
        Ok(Self {
            _control_plane: control_plane,
            admin,
            setup,
            type_,
        })
    }

    /// The operator, which may ask vaults on this machine.
    pub async fn operator(&self, flags: &[&str]) -> Outcome<Operator> {
        let flags = [&["--vault-hosts=localhost,127.0.0.1"], flags].concat();
        Operator::start(&self.setup, &flags).await
    }
}

impl Linked {
    /// A vault with so many secrets, and a link to it in each namespace, without consent.
    pub async fn make(site: &Site, name: &str, namespaces: &[&str], secrets: usize) -> Outcome<Self> {
        println!("   a vault with {secrets} secrets");
        let vault = Vault::start(data(secrets))?;
        let linked = Self {
            vault,
            admin: site.admin.clone(),
            type_: site.type_.clone(),
            namespaces: namespaces.iter().map(ToString::to_string).collect(),
        };
        for namespace in &linked.namespaces {
            linked
                .prepare(namespace)
                .await
                .map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(linked)
    }

    async fn prepare(&self, namespace: &str) -> Outcome<()> {
        let params = PostParams::default();
        let wanted: Namespace = object(json!({"metadata": {"name": namespace}}))?;
        Api::all(self.admin.clone()).create(&params, &wanted).await?;
        let login: Secret = object(json!({
            "metadata": {"name": "vault-login"},
            "stringData": {"secret-id": SECRET_ID, "ca.crt": self.vault.ca_pem, "username": "acme"},
        }))?;
        Api::namespaced(self.admin.clone(), namespace)
            .create(&params, &login)
            .await?;
        let reference = |key: &str| json!({"name": "vault-login", "key": key});
        let link: KeyVault = object(json!({
            "apiVersion": "connections.dev/v1alpha1", "kind": "KeyVault", "metadata": {"name": KEY_VAULT},
            "spec": {"vault": {
                "address": self.vault.url(), "mount": "kv", "caBundleRef": reference("ca.crt"),
                "auth": {"appRole": {"roleId": "role", "secretIdRef": reference("secret-id")}},
            }},
        }))?;
        Api::namespaced(self.admin.clone(), namespace)
            .create(&params, &link)
            .await?;
        Ok(())
    }

    /// Agrees to link the vault, in every namespace.
    pub async fn consent(&self) -> Outcome<()> {
        for namespace in &self.namespaces {
            let api: Api<KeyVault> = Api::namespaced(self.admin.clone(), namespace);
            let subject = Subject {
                kind: "KeyVault",
                namespace,
                name: KEY_VAULT,
            };
            let spec = api.get(KEY_VAULT).await?.spec;
            let digest = consent::required_of_vault(subject, &spec).current;
            let annotation = json!({"metadata": {"annotations": {CONSENT_ANNOTATION: digest}}});
            api.patch(KEY_VAULT, &PatchParams::default(), &Patch::Merge(annotation))
                .await?;
        }
        Ok(())
    }

    /// Makes connections, spread over the namespaces, each on the secret of that number.
    pub async fn connect(&self, connections: usize, secret: impl Fn(usize) -> usize) -> Outcome<()> {
        let each = (0..connections).map(|number| self.connection(number, secret(number)));
        make_all(&self.admin, each).await?;
        Ok(())
    }

    /// Makes a connection on a secret that nobody has looked at; how long it takes until it's Ready, in milliseconds.
    pub async fn time_of_new(&self, secret: usize) -> Outcome<f64> {
        let connection = self.connection(10_000 + secret, secret)?;
        let (namespace, name) = (connection.namespace().unwrap_or_default(), connection.name_any());
        let api: Api<Connection> = Api::namespaced(self.admin.clone(), &namespace);
        let started = Instant::now();
        api.create(&PostParams::default(), &connection).await?;
        let ready = await_condition(api, &name, |seen: Option<&Connection>| {
            seen.is_some_and(|seen| told(seen) == Some("Ready"))
        });
        tokio::time::timeout(PATIENCE, ready).await??;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    }

    /// Waits until so many connections give this reason at Ready.
    pub async fn until_told(&self, count: usize, reason: &str) -> Outcome<()> {
        let mut told_so: HashSet<String> = HashSet::new();
        let until = async {
            let streams = self.namespaces.iter().map(|namespace| {
                let api: Api<Connection> = Api::namespaced(self.admin.clone(), namespace);
                Box::pin(watcher(api, watcher::Config::default()))
            });
            let mut events = pin!(stream::select_all(streams));
            while told_so.len() < count {
                let event = events.try_next().await?;
                if let Some(Event::Apply(seen) | Event::InitApply(seen)) = event
                    && told(&seen) == Some(reason)
                {
                    told_so.insert(format!(
                        "{}/{}",
                        seen.namespace().unwrap_or_default(),
                        seen.name_any()
                    ));
                }
            }
            Ok::<(), watcher::Error>(())
        };
        let in_time = tokio::time::timeout(PATIENCE, until).await;
        in_time.map_err(|_| format!("not all {count} connections are {reason} within {PATIENCE:?}"))??;
        Ok(())
    }

    fn connection(&self, number: usize, secret: usize) -> Outcome<Connection> {
        let namespace = &self.namespaces[number % self.namespaces.len()];
        let mut connection: Connection = object(json!({
            "apiVersion": "connections.dev/v1alpha1", "kind": "Connection",
            "metadata": {"namespace": namespace, "name": format!("partner-{number:05}")},
            "spec": {
                "displayName": format!("Partner {number}, weekly drop"), "type": TYPE,
                "parameters": {"hostname": format!("sftp-{number}.{namespace}.example"), "folder": "/in"},
                "secrets": {
                    "username": {"secretKeyRef": {"name": "vault-login", "key": "username"}},
                    "password": {"keyVaultRef": {"name": KEY_VAULT, "secret": secret_name(secret), "key": "password"}},
                },
            },
        }))?;
        let name = connection.name_any();
        let subject = Subject {
            kind: "Connection",
            namespace,
            name: &name,
        };
        let digest = consent::required(subject, &connection.spec, &self.type_.spec).current;
        connection
            .annotations_mut()
            .insert(CONSENT_ANNOTATION.to_owned(), digest);
        Ok(connection)
    }
}

/// What Ready gives as its reason.
fn told(connection: &Connection) -> Option<&str> {
    let conditions = &connection.status.as_ref()?.conditions;
    let ready = ConditionType::Ready.to_string();
    let found = conditions.iter().find(|condition| condition.type_ == ready)?;
    Some(found.reason.as_str())
}

fn secret_name(number: usize) -> String {
    format!("team/partner-{number:04}")
}

fn data(secrets: usize) -> Data {
    let held = |number: usize| Held {
        versions: vec![Version::of(&[("password", &format!("{CANARY}{number}"))])],
        ..Held::default()
    };
    let mount = Mount {
        version: Kv::Two,
        secrets: (0..secrets)
            .map(|number| (secret_name(number), held(number)))
            .collect(),
    };
    let may = vec![Capability::Read, Capability::List];
    let policy = ["kv/data/*", "kv/metadata/*", "kv/metadata"].map(|path| (path.to_owned(), may.clone()));
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
    Data {
        mounts: [("kv".to_owned(), mount)].into(),
        policies: [("connections".to_owned(), policy.into())].into(),
        logins: vec![login],
        ..Data::default()
    }
}

/// A count as the number of a row.
#[expect(clippy::cast_precision_loss, reason = "a count is far below 2^52")]
pub fn whole(count: usize) -> f64 {
    count as f64
}

fn object<K: DeserializeOwned>(value: Value) -> Outcome<K> {
    Ok(serde_json::from_value(value)?)
}
