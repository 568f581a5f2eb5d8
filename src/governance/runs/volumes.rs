//! What a run's pod finds: its plan, the credentials, what signs in to the API server and to key vaults, and the data.

use super::names::hash_of;
use super::workload::Making;
use super::{Work, names, vaults};
use crate::api::Connection;
use crate::api::run::{
    OUTPUT_DIRECTORY, PLAN_DIRECTORY, SECRETS_DIRECTORY, VAULTS_DIRECTORY, VOLUMES_DIRECTORY,
};
use crate::governance::datasets::Use;
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, ConfigMapVolumeSource, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath,
    ObjectFieldSelector, PersistentVolumeClaimVolumeSource, ProjectedVolumeSource, SecretProjection,
    ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};
use kube::ResourceExt;
use std::collections::BTreeSet;

/// How long the token of a run is valid, in seconds; the kubelet brings a new one in time.
const TOKEN_SECONDS: i64 = 600;
/// Where programs in pods look for the API server's token and certificate.
const TOKEN_DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The claims that the datasets are on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Of those that are read, in order.
    read: Vec<String>,
    /// Of the one that is written.
    written: Option<String>,
}

impl Claims {
    /// All of them, each once: what is read and written is one volume.
    fn all(&self) -> Vec<&String> {
        let written = self.written.iter().filter(|claim| !self.read.contains(claim));
        self.read.iter().chain(written).collect()
    }
}

/// The claims of the datasets that runs read and write.
#[must_use]
pub fn claims(uses: &[Use], work: Work<'_>) -> Claims {
    let claim = |used: &Use| {
        let volume = used.dataset.as_ref()?.spec.location.volume.as_ref()?;
        Some(volume.claim_name.to_string())
    };
    let read = uses.iter().filter(|used| work.reads(&used.name));
    let each: BTreeSet<String> = read.filter_map(claim).collect();
    Claims {
        read: each.into_iter().collect(),
        written: written(uses, work).and_then(claim),
    }
}

/// What runs write, as far as it's known: the dataset's name, a slash, and a hash of its place.
#[must_use]
pub fn output(uses: &[Use], work: Work<'_>) -> Option<String> {
    let dataset = written(uses, work)?.dataset.as_ref()?;
    let volume = dataset.spec.location.volume.as_ref();
    let place = volume.map(|volume| (volume.claim_name.to_string(), volume.path.as_str()));
    let (claim, path) = place.unwrap_or_default();
    let place = &hash_of(&[&claim, path])[..32];
    Some(format!("{}/{place}", dataset.name_any()))
}

/// The use by which runs write.
#[must_use]
pub fn written<'a>(uses: &'a [Use], work: Work<'_>) -> Option<&'a Use> {
    let mut uses = uses.iter();
    uses.find(|used| work.writes().is_some_and(|output| output.as_str() == used.name))
}

/// Where what is mounted: read-only, all but the place of the output. What an enrichment reads and what it writes may be of one
/// claim: that is mounted twice then, so that the input isn't changed by whatever reads it.
#[must_use]
pub fn mounts(making: Making<'_>, claims: &Claims) -> Vec<VolumeMount> {
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    let plan = [mount("plan", PLAN_DIRECTORY)];
    let secrets = (!making.dry_run).then(|| mount("secrets", SECRETS_DIRECTORY));
    let token = [mount("token", TOKEN_DIRECTORY)];
    let all = claims.all();
    let named = |claim: &String| {
        let number = all.iter().position(|other| *other == claim);
        volume_name(number.unwrap_or_default())
    };
    let read = claims.read.iter();
    let data = read.map(|claim| mount(&named(claim), &format!("{VOLUMES_DIRECTORY}/{claim}")));
    let output = claims.written.iter().map(|claim| VolumeMount {
        read_only: None,
        ..mount(&named(claim), OUTPUT_DIRECTORY)
    });
    let vaults = takes_from_a_vault(making).then(|| mount("vaults", VAULTS_DIRECTORY));
    let fixed = plan.into_iter().chain(secrets).chain(token);
    fixed.chain(data).chain(output).chain(vaults).collect()
}

fn volume_name(number: usize) -> String {
    format!("data-{number}")
}

/// What is mounted.
#[must_use]
pub fn volumes(making: Making<'_>, claims: &Claims) -> Vec<Volume> {
    let projected = |name: &str, sources| Volume {
        name: name.to_owned(),
        projected: Some(ProjectedVolumeSource {
            sources: Some(sources),
            default_mode: Some(0o440),
        }),
        ..Volume::default()
    };
    let plan = Volume {
        name: "plan".to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name: names::plan(&making.plan.hash),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    };
    let data = claims
        .all()
        .into_iter()
        .enumerate()
        .map(|(number, claim)| Volume {
            name: volume_name(number),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim.clone(),
                read_only: (claims.written.as_ref() != Some(claim)).then_some(true),
            }),
            ..Volume::default()
        });
    let secrets = (!making.dry_run).then(|| projected("secrets", secrets(making.connection)));
    let vaults = takes_from_a_vault(making).then(|| {
        let files = vaults::projections(making.connection, making.vaults, TOKEN_SECONDS);
        projected("vaults", files)
    });
    let token = [projected("token", token())];
    let fixed = [plan].into_iter().chain(secrets).chain(token);
    fixed.chain(data).chain(vaults).collect()
}

/// Whether a run goes to a key vault. What sends nothing signs in nowhere.
pub(super) fn takes_from_a_vault(making: Making<'_>) -> bool {
    !making.dry_run && vaults::takes_from_one(making.connection)
}

/// The very keys that the connection names, each called as the type calls it. Nothing else of the Secrets.
fn secrets(connection: &Connection) -> Vec<VolumeProjection> {
    let named = connection.spec.secrets.iter().filter_map(|(slot, source)| {
        let key = source.secret_key_ref.as_ref()?;
        Some(VolumeProjection {
            secret: Some(SecretProjection {
                name: key.name.to_string(),
                items: Some(vec![KeyToPath {
                    key: key.key.to_string(),
                    path: slot.clone(),
                    mode: None,
                }]),
                optional: Some(false),
            }),
            ..VolumeProjection::default()
        })
    });
    named.collect()
}

/// What a client in a pod needs to speak to the API server.
fn token() -> Vec<VolumeProjection> {
    vec![
        VolumeProjection {
            service_account_token: Some(ServiceAccountTokenProjection {
                audience: None, // the API server's own
                expiration_seconds: Some(TOKEN_SECONDS),
                path: "token".to_owned(),
            }),
            ..VolumeProjection::default()
        },
        VolumeProjection {
            config_map: Some(ConfigMapProjection {
                name: "kube-root-ca.crt".to_owned(),
                items: Some(vec![KeyToPath {
                    key: "ca.crt".to_owned(),
                    path: "ca.crt".to_owned(),
                    mode: None,
                }]),
                optional: None,
            }),
            ..VolumeProjection::default()
        },
        VolumeProjection {
            downward_api: Some(DownwardAPIProjection {
                items: Some(vec![DownwardAPIVolumeFile {
                    path: "namespace".to_owned(),
                    field_ref: Some(ObjectFieldSelector {
                        api_version: Some("v1".to_owned()),
                        field_path: "metadata.namespace".to_owned(),
                    }),
                    ..DownwardAPIVolumeFile::default()
                }]),
            }),
            ..VolumeProjection::default()
        },
    ]
}
