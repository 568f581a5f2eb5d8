//! What a run signs in to key vaults with: credentials and tokens, mounted where the connector looks for them.

use super::names::hash;
use crate::api::reference::SecretKeyRef;
use crate::api::run::VAULT_TOKEN_FILE;
use crate::api::{Connection, KeyVaultSpec};
use crate::governance::vaults::{KeyVaults, address, in_vault};
use k8s_openapi::api::core::v1::{
    KeyToPath, SecretProjection, ServiceAccountTokenProjection, VolumeProjection,
};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// Whether a connection takes a credential from a key vault.
#[must_use]
pub fn takes_from_one(connection: &Connection) -> bool {
    connection
        .spec
        .secrets
        .values()
        .any(|source| in_vault(source).is_some())
}

/// Whether one of the key vaults that a connection takes credentials from is asked by the identity of the node, which runs
/// don't have.
#[must_use]
pub fn by_node(connection: &Connection, vaults: &KeyVaults) -> bool {
    named(connection).into_iter().any(|name| {
        let azure = vaults
            .get(name)
            .and_then(|vault| vault.spec.azure_key_vault.as_ref());
        azure.is_some_and(|azure| azure.auth.managed_identity.is_some())
    })
}

/// The files of all key vaults that the connection takes credentials from, a folder for each: the very keys that its
/// credentials are under, and a token for the vault alone where it is asked as the run account.
#[must_use]
pub fn projections(connection: &Connection, vaults: &KeyVaults, token_seconds: i64) -> Vec<VolumeProjection> {
    let linked = named(connection).into_iter();
    let linked = linked.filter_map(|name| Some((name, vaults.get(name)?)));
    let each = linked.flat_map(|(name, vault)| {
        let folder = folder(name, &vault.spec);
        let token_path = format!("{folder}/{VAULT_TOKEN_FILE}");
        let credentials = vault.spec.credentials().into_iter();
        let credentials = credentials.enumerate();
        let credentials =
            credentials.map(move |(number, (_, key))| credential(key, format!("{folder}/{number}")));
        let audience = address::audience(&vault.spec);
        let token = audience.map(|audience| token(audience, token_path, token_seconds));
        credentials.chain(token)
    });
    each.collect()
}

/// What the folder of a key vault is called, as its link is: credentials that are mounted for one link are never shown to
/// where it leads after a change, and that there is a folder says that the installation allows the link. Whoever may see pods
/// doesn't learn the vault from it.
#[must_use]
pub fn folder(name: &str, link: &KeyVaultSpec) -> String {
    let link = serde_json::to_vec(&(name, link)).unwrap_or_default();
    hash(&link).chars().take(32).collect()
}

fn named(connection: &Connection) -> BTreeSet<&str> {
    let sources = connection.spec.secrets.values();
    sources
        .filter_map(|source| Some(in_vault(source)?.name.as_str()))
        .collect()
}

fn credential(key: &SecretKeyRef, path: String) -> VolumeProjection {
    VolumeProjection {
        secret: Some(SecretProjection {
            name: key.name.to_string(),
            items: Some(vec![KeyToPath {
                key: key.key.to_string(),
                path,
                mode: None,
            }]),
            optional: Some(false),
        }),
        ..VolumeProjection::default()
    }
}

fn token(audience: String, path: String, seconds: i64) -> VolumeProjection {
    VolumeProjection {
        service_account_token: Some(ServiceAccountTokenProjection {
            audience: Some(audience),
            expiration_seconds: Some(seconds),
            path,
        }),
        ..VolumeProjection::default()
    }
}
