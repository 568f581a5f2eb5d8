//! A real API server with the operator on it, and a namespace for each test.

pub mod manifests;
pub mod operator;
mod world;

pub use world::{Active, Conditioned, Kind, PATIENCE, World};

use connection_operator::api::custom_resource_definitions;
use connection_operator::process::settings::LogFormat;
use connection_operator::process::{Settings, run};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, Config, ResourceExt};
use local_cluster::{ControlPlane, Options};
use std::sync::OnceLock;
use std::thread;

/// What the connectors of the catalog are called.
pub const CONNECTORS: &str = "sftp,object-storage,audience-api";

static SHARED: OnceLock<ControlPlane> = OnceLock::new();

/// The control plane of this test run, with the operator running on it.
pub fn shared() -> &'static ControlPlane {
    SHARED.get_or_init(|| {
        let control_plane = ControlPlane::start(Options::default()).expect("the control plane starts");
        let kubeconfig = control_plane.kubeconfig().to_owned();
        let (installed, wait) = std::sync::mpsc::channel();
        // The operator lives as long as the process; its runtime is its own, as in production.
        thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let client = client(&kubeconfig).await;
                install_definitions(&client).await;
                installed.send(()).expect("the test waits");
                run(client, settings(), std::future::pending())
                    .await
                    .expect("the operator runs");
            });
        });
        wait.recv().expect("the definitions are installed");
        control_plane
    })
}

/// The operator's settings in tests: free ports, all connectors.
pub fn settings() -> Settings {
    Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        concurrency: 16,
        connectors: CONNECTORS.to_owned(),
        catalog: true,
        events_per_second: 100,
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

/// Installs our definitions and waits until the API server serves them.
pub async fn install_definitions(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in custom_resource_definitions() {
        let name = definition.name_any();
        let applied = api
            .patch(
                &name,
                &PatchParams::apply("tests").force(),
                &Patch::Apply(&definition),
            )
            .await;
        applied.unwrap_or_else(|error| panic!("{name} is accepted: {error}"));
        await_condition(api.clone(), &name, is_crd_established())
            .await
            .expect("the definition is established");
    }
}
