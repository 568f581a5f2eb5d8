//! The operator, installed by its chart.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Error;
use crate::places::Places;
use crate::processes::run;
use crate::products::Images;
use crate::programs::{HELM, KUBECTL};
use crate::progress::step;
use crate::readiness::wait_until;

/// The name of the program, of its image, of its chart, of its release and of its namespace.
pub const NAME: &str = "connection-operator";

/// The connectors that this project's image of them holds.
const CONNECTORS: &str = r#"connectors=["azure-blob", "s3", "sftp"]"#;

/// The names by which the cluster finds the images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The operator's, as repository and tag.
    pub operator: (String, String),
    /// The connector's.
    pub connector: String,
}

impl Names {
    /// As the images themselves say.
    #[must_use]
    pub fn of(images: &Images) -> Self {
        Self {
            operator: (images.operator.repository.clone(), images.operator.tag.clone()),
            connector: images.connector.reference(),
        }
    }
}

/// Installs the operator, or brings it to these images, with these values (`name=JSON`), and waits until it is ready.
///
/// # Errors
/// When helm says that it isn't.
pub fn install(places: &Places, kubeconfig: &Path, names: &Names, values: &[String]) -> Result<(), Error> {
    step("the operator installed and ready", Duration::from_secs(4), || {
        let mut helm = Command::new(HELM.path()?);
        helm.env("KUBECONFIG", kubeconfig)
            .args(["upgrade", "--install", NAME])
            .arg(places.clone_root().join("charts").join(NAME))
            .args([
                "--namespace",
                NAME,
                "--create-namespace",
                "--wait",
                "--timeout",
                "2m",
            ])
            .args([
                "--set-string",
                &format!(
                    "image.repository={},image.tag={},connector.image={}",
                    names.operator.0, names.operator.1, names.connector
                ),
                "--set-json",
                CONNECTORS,
            ]);
        for value in values {
            helm.args(["--set-json", value]);
        }
        run(&mut helm).map(drop).map_err(|error| Error::NotHere {
            missing: error.to_string(),
            next: format!(
                "see `{}/kubectl --kubeconfig {} -n {NAME} describe pods`",
                places.programs().display(),
                kubeconfig.display()
            ),
        })
    })?;
    await_admission(places, kubeconfig)
}

/// Waits until objects of our kinds can be made. Where the API server has just got to know a kind, it refuses them for a
/// moment, until its mutating policies know the kind too.
fn await_admission(places: &Places, kubeconfig: &Path) -> Result<(), Error> {
    step("objects of its kinds admitted", Duration::ZERO, || {
        let manifest = places.state().join("probe.yaml");
        fs::write(&manifest, PROBE).map_err(Error::file("write", &manifest))?;
        let kubectl = KUBECTL.path()?;
        wait_until(
            "objects of the operator's kinds being admitted",
            PATIENCE,
            &places.logs(),
            || {
                let mut create = Command::new(&kubectl);
                create.env("KUBECONFIG", kubeconfig);
                create.args(["create", "--dry-run=server", "--namespace", NAME, "--filename"]);
                Ok(run(create.arg(&manifest)).is_ok())
            },
        )
    })
}

/// A dataset that is never made.
pub const PROBE: &str = concat!(
    "apiVersion: connections.dev/v1alpha1\nkind: Dataset\nmetadata: {name: probe}\n",
    "spec: {location: {url: \"s3://probe/probe\"}, format: {type: Parquet}}\n",
);

/// How long the API server may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Removes the operator's release.
///
/// # Errors
/// When helm can't.
pub fn uninstall(kubeconfig: &Path) -> Result<(), Error> {
    let mut helm = Command::new(HELM.path()?);
    helm.env("KUBECONFIG", kubeconfig).args([
        "uninstall",
        NAME,
        "--namespace",
        NAME,
        "--ignore-not-found",
        "--wait",
    ]);
    run(&mut helm).map(drop)
}
