//! A real API server with the chart's definitions and policies, and on it what one run needs. The operator itself isn't there:
//! the connector asks nobody but the API server.

use super::sshd::{PASSWORD, Sshd, USER};
use connection_operator::api::connection_type::ConnectionTypeSpec;
use connection_operator::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION, RUN_ACCOUNT};
use connection_operator::api::{Connection, ConnectionType, KeyVault};
use connection_operator::connection_type::catalog::connection_types;
use connection_operator::governance::consent::{Subject, required, required_of_vault};
use connection_operator::governance::run_account;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt};
use local_cluster::kubeconfig::with_token;
use local_cluster::{ControlPlane, Options};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::OnceLock;
use tokio::sync::OnceCell;

/// What the chart is installed with.
const VALUES: [&str; 1] = [
    r#"{"connectors": ["s3", "sftp"], "connector": {"image": "registry.example/connector:test"}, "keyVaults": {"hosts": ["localhost"]}}"#,
];

static SHARED: OnceLock<ControlPlane> = OnceLock::new();
static TYPES: OnceCell<()> = OnceCell::const_new();

/// The control plane of this test run.
pub fn shared() -> &'static ControlPlane {
    SHARED.get_or_init(|| {
        let control_plane = ControlPlane::start(Options::default()).expect("the control plane starts");
        control_plane
            .install_chart(&VALUES)
            .expect("the chart is installed");
        control_plane
    })
}

/// A namespace of its own, with the account of its runs.
pub struct World {
    admin: Client,
    operator: Client,
    /// The namespace.
    pub namespace: String,
}

impl World {
    /// A new one, in which runs may read connections.
    pub async fn new() -> Self {
        let world = Self::without_rights().await;
        let metadata = run_account::meta(&world.namespace);
        let role = json!({
            "metadata": metadata,
            "rules": [{"apiGroups": ["connections.dev"], "resources": ["connections", "keyvaults"], "verbs": ["get"]}],
        });
        let binding = json!({
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": RUN_ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": RUN_ACCOUNT, "namespace": world.namespace}],
        });
        world
            .made::<Role>(&serde_json::from_value(role).expect("a role"))
            .await;
        world
            .made::<RoleBinding>(&serde_json::from_value(binding).expect("a binding"))
            .await;
        world
    }

    /// A new one, in which the account of runs has no rights yet.
    pub async fn without_rights() -> Self {
        let kubeconfigs = tokio::task::spawn_blocking(|| {
            let shared = shared();
            (
                shared.kubeconfig().to_owned(),
                shared.kubeconfig_for_operator().expect("a token"),
            )
        });
        let (admin, operator) = kubeconfigs.await.expect("started");
        let (admin, operator) = (client(&admin).await, client(&operator).await);
        TYPES.get_or_init(|| bring_types(&admin)).await;
        let namespaces: Api<Namespace> = Api::all(admin.clone());
        let wanted =
            serde_json::from_value(json!({"metadata": {"generateName": "test-"}})).expect("a namespace");
        let made = namespaces.create(&PostParams::default(), &wanted).await;
        let namespace = made.expect("a namespace").name_any();
        let world = Self {
            admin,
            operator,
            namespace,
        };
        world.made(&run_account::account(&world.namespace)).await;
        world
    }

    /// Lets the operator make what only it may.
    async fn made<K>(&self, object: &K)
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
        K: Clone + std::fmt::Debug + serde::de::DeserializeOwned + serde::Serialize,
    {
        let api: Api<K> = Api::namespaced(self.operator.clone(), &self.namespace);
        api.create(&PostParams::default(), object)
            .await
            .expect("the operator may make it");
    }

    /// A kubeconfig by which a run asks the API server at this address, as the account of runs.
    pub async fn kubeconfig(&self, address: SocketAddr) -> String {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.operator.clone(), &self.namespace);
        let mut wanted = TokenRequest::default();
        wanted.spec.expiration_seconds = Some(600); // as in a run's pod
        let token = accounts
            .create_token_request(RUN_ACCOUNT, &PostParams::default(), &wanted)
            .await;
        let token = token.expect("the operator may").status.expect("a token").token;
        with_token(
            &format!("https://{address}"),
            &shared().authority(),
            RUN_ACCOUNT,
            &token,
        )
    }

    fn connections(&self) -> Api<Connection> {
        Api::namespaced(self.admin.clone(), &self.namespace)
    }

    /// Makes the connection `partner` to the folder `/in` of this server, known by its key, and consents to it.
    pub async fn connect(&self, server: &Sshd, address: SocketAddr) -> Connection {
        let parameters = json!({
            "hostname": address.ip().to_string(), "port": address.port().to_string(), "folder": "/in",
            "hostKey": server.fingerprint("ed25519"),
        });
        self.connect_as("sftp-export", parameters, ["username", "password"])
            .await
    }

    /// Makes the connection `partner` of this type, with these parameters and secrets, and consents to it.
    pub async fn connect_as(&self, type_: &str, parameters: Value, secrets: [&str; 2]) -> Connection {
        let secrets: Value = secrets
            .map(|key| {
                (
                    key.to_owned(),
                    json!({"secretKeyRef": {"name": "partner", "key": key}}),
                )
            })
            .into_iter()
            .collect();
        let wanted = json!({
            "apiVersion": "connections.dev/v1alpha1", "kind": "Connection",
            "metadata": {"name": "partner", "namespace": self.namespace},
            "spec": {"displayName": "Nightly drop", "type": type_, "parameters": parameters, "secrets": secrets},
        });
        let wanted: Connection = serde_json::from_value(wanted).expect("a connection");
        let made = self.connections().create(&PostParams::default(), &wanted).await;
        made.expect("it is accepted");
        self.consent().await
    }

    /// Links the key vault `company-vault` by this spec, and consents to it.
    pub async fn link(&self, spec: Value) -> KeyVault {
        let mut link = KeyVault::new("company-vault", serde_json::from_value(spec).expect("a link"));
        let subject = Subject {
            kind: "KeyVault",
            namespace: &self.namespace,
            name: "company-vault",
        };
        let digest = required_of_vault(subject, &link.spec).current;
        link.annotations_mut().extend([
            (
                CONSENTED_BY_ANNOTATION.to_owned(),
                format!("given {digest} admin"),
            ),
            (CONSENT_ANNOTATION.to_owned(), digest),
        ]);
        let made = self.links().create(&PostParams::default(), &link).await;
        made.expect("it is accepted")
    }

    /// Changes the key vault, as its administrator.
    pub async fn change_link(&self, change: Value) -> KeyVault {
        let (params, change) = (PatchParams::default(), Patch::Merge(change));
        let changed = self.links().patch("company-vault", &params, &change).await;
        changed.expect("the change is accepted")
    }

    fn links(&self) -> Api<KeyVault> {
        Api::namespaced(self.admin.clone(), &self.namespace)
    }

    /// Consents to what the connection says now.
    pub async fn consent(&self) -> Connection {
        let connection = self.connections().get("partner").await.expect("it is there");
        let digest = self.digest(&connection);
        let stamp = format!("given {digest} admin");
        self.change(json!({"metadata": {"annotations": {
            CONSENT_ANNOTATION: digest, CONSENTED_BY_ANNOTATION: stamp,
        }}}))
        .await
    }

    /// What consent to this connection says.
    pub fn digest(&self, connection: &Connection) -> String {
        let subject = Subject {
            kind: "Connection",
            namespace: &self.namespace,
            name: "partner",
        };
        required(
            subject,
            &connection.spec,
            &type_of(connection.spec.type_.as_str()),
        )
        .current
    }

    /// The change by which consent is withdrawn.
    pub fn withdrawal(&self, connection: &Connection) -> Value {
        let stamp = format!("withdrawn {} admin", self.digest(connection));
        json!({"metadata": {"annotations": {CONSENT_ANNOTATION: null, CONSENTED_BY_ANNOTATION: stamp}}})
    }

    /// Changes the connection, as its administrator.
    pub async fn change(&self, change: Value) -> Connection {
        let params = PatchParams::default();
        let changed = self
            .connections()
            .patch("partner", &params, &Patch::Merge(change))
            .await;
        changed.expect("the change is accepted")
    }

    /// Deletes the connection.
    pub async fn disconnect(&self) {
        let deleted = self
            .connections()
            .delete("partner", &DeleteParams::default())
            .await;
        deleted.expect("the deletion is accepted");
    }
}

/// What the credentials of the connection are.
pub fn credentials() -> Vec<(&'static str, String)> {
    vec![("username", USER.to_owned()), ("password", PASSWORD.to_owned())]
}

/// The type of SFTP exports that comes with the operator.
pub fn sftp_type() -> ConnectionTypeSpec {
    type_of("sftp-export")
}

/// The type of this name that comes with the operator.
pub fn type_of(name: &str) -> ConnectionTypeSpec {
    in_catalog(name).spec
}

fn in_catalog(name: &str) -> ConnectionType {
    let mut types = connection_types().expect("the catalog").into_iter();
    types
        .find(|type_| type_.name_any() == name)
        .expect("it is in the catalog")
}

async fn bring_types(admin: &Client) {
    let types: Api<ConnectionType> = Api::all(admin.clone());
    for name in ["sftp-export", "sftp-import", "s3"] {
        let made = types.create(&PostParams::default(), &in_catalog(name)).await;
        made.expect("it is accepted");
    }
}

async fn client(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("a config")).expect("a client")
}
