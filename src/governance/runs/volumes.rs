//! What a run's pod finds: its plan, the credentials, what signs in to the API server and to key vaults, and the data.

use super::workload::Making;
use super::{names, vaults};
use crate::api::Connection;
use crate::api::export::PayloadItem;
use crate::api::run::{PLAN_DIRECTORY, SECRETS_DIRECTORY, VAULTS_DIRECTORY, VOLUMES_DIRECTORY};
use crate::governance::datasets::Use;
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, ConfigMapVolumeSource, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath,
    ObjectFieldSelector, PersistentVolumeClaimVolumeSource, ProjectedVolumeSource, SecretProjection,
    ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};
use std::collections::BTreeSet;

/// How long the token of a run is valid, in seconds; the kubelet brings a new one in time.
const TOKEN_SECONDS: i64 = 600;
/// Where programs in pods look for the API server's token and certificate.
const TOKEN_DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The claims of the datasets that are sent, in order.
#[must_use]
pub fn claims(uses: &[Use], payload: &[PayloadItem]) -> Vec<String> {
    let sent = |used: &&Use| payload.iter().any(|item| item.dataset.as_str() == used.name);
    let named = uses.iter().filter(sent).filter_map(|used| {
        let volume = used.dataset.as_ref()?.spec.location.volume.as_ref()?;
        Some(volume.claim_name.to_string())
    });
    let each: BTreeSet<String> = named.collect();
    each.into_iter().collect()
}

/// Where what is mounted, read-only.
#[must_use]
pub fn mounts(making: Making<'_>, claims: &[String]) -> Vec<VolumeMount> {
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    let plan = [mount("plan", PLAN_DIRECTORY)];
    let secrets = (!making.dry_run).then(|| mount("secrets", SECRETS_DIRECTORY));
    let token = [mount("token", TOKEN_DIRECTORY)];
    let data = claims
        .iter()
        .enumerate()
        .map(|(number, claim)| mount(&format!("data-{number}"), &format!("{VOLUMES_DIRECTORY}/{claim}")));
    let vaults = takes_from_a_vault(making).then(|| mount("vaults", VAULTS_DIRECTORY));
    let fixed = plan.into_iter().chain(secrets).chain(token);
    fixed.chain(data).chain(vaults).collect()
}

/// What is mounted.
#[must_use]
pub fn volumes(making: Making<'_>, claims: &[String]) -> Vec<Volume> {
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
    let data = claims.iter().enumerate().map(|(number, claim)| Volume {
        name: format!("data-{number}"),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: claim.clone(),
            read_only: Some(true),
        }),
        ..Volume::default()
    });
    let secrets = (!making.dry_run).then(|| projected("secrets", secrets(making.connection)));
    let token = [projected("token", token())];
    let vaults = takes_from_a_vault(making).then(|| {
        let files = vaults::projections(making.connection, making.vaults, TOKEN_SECONDS);
        projected("vaults", files)
    });
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
