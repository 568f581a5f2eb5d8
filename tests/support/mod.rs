//! A real API server with the operator on it, and a namespace for each test.

pub mod azure;
pub mod kubelet;
pub mod malformed;
pub mod manifests;
pub mod operator;
pub mod terminal;
pub mod vault;
mod world;

pub use world::{Active, Conditioned, Kind, PATIENCE, World, given, withdrawn};

use connection_operator::governance::vaults::address::NodeIdentities;
use connection_operator::process::settings::LogFormat;
use connection_operator::process::{Settings, run_on};
use connection_operator::vault::reach::Reach;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use local_cluster::{ControlPlane, Options};
use serde_json::Value;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// What the connectors of the catalog are called.
pub const CONNECTORS: &str = "sftp,s3,azure-blob,object-storage,audience-api";

/// The image that runs are run by, as the chart has it too. No node fetches it: the tests play the kubelet.
pub const CONNECTOR_IMAGE: &str = "registry.example/connector:test";

static SHARED: OnceLock<ControlPlane> = OnceLock::new();
static UNREFUSED: OnceLock<ControlPlane> = OnceLock::new();

/// All users who are pipelines.
pub const PIPELINES: &str = "pipeline\nsystem:serviceaccount:marketing:administrators-pipeline";
/// What the chart is installed with on every control plane. The vaults that may be linked are stand-ins, and names that nobody
/// has.
pub const VALUES: [&str; 1] = [r#"{
    "connectors": ["sftp", "s3", "azure-blob", "object-storage", "audience-api"], "connector": {"image": "registry.example/connector:test"},
    "pipelines": ["pipeline", "system:serviceaccount:marketing:administrators-pipeline"],
    "keyVaults": {"hosts": ["localhost", ".vault.localhost", "127.0.0.1", ".example", ".example.com", ".vault.azure.net"]}
}"#];

/// The control plane of this test run, with the chart installed and the operator running on it by its own account.
pub fn shared() -> &'static ControlPlane {
    SHARED.get_or_init(|| governed(installed(Options::default())))
}

/// Another one, on which the deletion of what is in use isn't refused, so that the finalizer alone holds it: as where
/// a race, or somebody who removes policies, has let a deletion through.
pub fn unrefused() -> &'static ControlPlane {
    UNREFUSED.get_or_init(|| {
        let control_plane = installed(Options::default());
        allow_deletions(&control_plane);
        governed(control_plane)
    })
}

/// Starts the operator in this process, for as long as that lives; its runtime is its own, as in production.
fn governed(control_plane: ControlPlane) -> ControlPlane {
    let kubeconfig = control_plane.kubeconfig_for_operator().expect("a token");
    let settings = Settings {
        mutating_policies: control_plane.mutates().expect("an answer"),
        policy_digests: control_plane.policy_digests().expect("an answer"),
        ..settings()
    };
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let client = client(&kubeconfig).await;
            let network = azure::network(&settings.vault_hosts);
            run_on(client, settings, network, std::future::pending())
                .await
                .expect("the operator runs");
        });
    });
    control_plane
}

/// Takes the policies off that refuse deletions, and waits until the API server has noticed: all at once, so that one
/// of them can be asked.
fn allow_deletions(control_plane: &ControlPlane) {
    let policies = [
        "removal.connections.dev",
        "types-in-use.connections.dev",
        "type-finalizers.connections.dev",
        "definitions.connections.dev",
    ];
    unbind(
        control_plane,
        &policies,
        &["delete", "crd", "datasets.connections.dev"],
    );
}

/// Takes policies off, and waits until the API server has noticed, and lets this through.
pub fn unbind(control_plane: &ControlPlane, policies: &[&str], refused: &[&str]) {
    let mut delete = control_plane.kubectl();
    delete.args(["delete", "validatingadmissionpolicybinding"]);
    assert!(delete.args(policies).status().expect("kubectl runs").success());
    let started = Instant::now();
    let mut ask = control_plane.kubectl();
    ask.args(refused).arg("--dry-run=server");
    while !ask.output().expect("kubectl runs").status.success() {
        assert!(started.elapsed() < PATIENCE, "the policies are never taken off");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A new control plane with the chart installed.
pub fn installed(options: Options) -> ControlPlane {
    let control_plane = ControlPlane::start(options).expect("the control plane starts");
    control_plane
        .install_chart(&VALUES)
        .expect("the chart is installed");
    control_plane
}

/// The operator's settings in tests: free ports, all connectors.
pub fn settings() -> Settings {
    Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        concurrency: 16,
        connectors: CONNECTORS.to_owned(),
        connector_image: CONNECTOR_IMAGE.to_owned(),
        connector_pull_policy: "IfNotPresent".to_owned(),
        connector_resources: k8s_openapi::api::core::v1::ResourceRequirements::default(),
        connector_deadline_seconds: 3600,
        pipelines: PIPELINES.to_owned(),
        mutating_policies: true,
        policy_digests: String::new(),
        consent_retention_days: None,
        catalog: true,
        catalog_include: String::new(),
        catalog_exclude: String::new(),
        namespaces: String::new(),
        events_per_second: 100,
        vault_hosts: vault_hosts(),
        vault_node_identities: NodeIdentities::default(),
        vault_interval_seconds: 1,
        vault_requests_per_10_seconds: 1000,
        lease_namespace: None,
        lease_name: "connection-operator".to_owned(),
        lease_seconds: 15,
        pod_name: None,
        log_format: LogFormat::Text,
        log: "warn".to_owned(),
    }
}

/// A client by the text of a kubeconfig.
pub async fn client(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .expect("a config");
    Client::try_from(config).expect("a client")
}

/// The vaults that may be linked, as the chart has them.
fn vault_hosts() -> Reach {
    let values: Value = serde_json::from_str(VALUES[0]).expect("JSON");
    let hosts = values["keyVaults"]["hosts"].as_array().expect("a list");
    Reach::parse(hosts.iter().filter_map(Value::as_str)).expect("hosts")
}
