//! What names, paths and versions may be, by each provider's rule.

use thiserror::Error;

/// A name that a vault can't hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Of a secret in Azure.
    #[error("a secret in Azure is named by 1 to 127 letters, digits and dashes")]
    AzureSecret,
    /// Of a version in Azure.
    #[error(
        "a version in Azure is 32 digits from 0 to f, as the portal shows it; leave it away for the newest"
    )]
    AzureVersion,
    /// Azure's secrets have no keys.
    #[error("a secret in Azure is one value and has no keys: leave the key away")]
    AzureKey,
    /// Of a tenant.
    #[error("a tenant is the directory's ID, such as 7b795fb9-09d3-42f4-a494-38864f99ba3c, or its domain")]
    Tenant,
    /// Of an application.
    #[error("a client ID is the application's ID, such as 7b795fb9-09d3-42f4-a494-38864f99ba3c")]
    ClientId,
    /// Of a secret in Vault.
    #[error(
        "a secret in Vault is a path below the mount, such as team/sftp: letters, digits, dots, dashes and underscores between single slashes"
    )]
    VaultSecret,
    /// Of a version in Vault.
    #[error("a version in Vault is a number from 1; leave it away for the newest")]
    VaultVersion,
    /// The older engine keeps none.
    #[error("version 1 of Vault's key-value engine keeps no versions: leave the version away")]
    NoVersions,
    /// Of the API server itself, by the names that clusters give it.
    #[error(
        "such an audience is the API server's own, or Azure's: whoever runs the Vault could act there as the run account, so choose another, such as vault"
    )]
    Audience,
    /// Of a mount, a namespace or a role.
    #[error(
        "a mount or namespace is a path, such as kv or team/kv: letters, digits, dots, dashes and underscores between single slashes"
    )]
    Path,
}

/// The name of a secret in Azure Key Vault.
///
/// # Errors
/// When it isn't one.
pub fn azure_secret(name: &str) -> Result<(), NameError> {
    let fits =
        (1..=127).contains(&name.len()) && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    fits.then_some(()).ok_or(NameError::AzureSecret)
}

/// A version of a secret in Azure Key Vault.
///
/// # Errors
/// When it isn't one.
pub fn azure_version(version: &str) -> Result<(), NameError> {
    let fits = version.len() == 32 && version.bytes().all(|c| c.is_ascii_hexdigit());
    fits.then_some(()).ok_or(NameError::AzureVersion)
}

/// A tenant of Azure: its ID or its domain. The names that stand for any tenant are none.
///
/// # Errors
/// When it isn't one.
pub fn tenant(text: &str) -> Result<(), NameError> {
    let is_domain = text.contains('.') && super::is_host_name(text);
    (is_guid(text) || is_domain)
        .then_some(())
        .ok_or(NameError::Tenant)
}

/// An application of Azure.
///
/// # Errors
/// When it isn't one.
pub fn client_id(text: &str) -> Result<(), NameError> {
    is_guid(text).then_some(()).ok_or(NameError::ClientId)
}

/// A secret's path below the mount of Vault's key-value engine.
///
/// # Errors
/// When it isn't one.
pub fn vault_secret(text: &str) -> Result<(), NameError> {
    is_path(text, 512).then_some(()).ok_or(NameError::VaultSecret)
}

/// A version of a secret in Vault.
///
/// # Errors
/// When it isn't one.
pub fn vault_version(version: &str) -> Result<(), NameError> {
    let fits = version.len() <= 10 && !version.starts_with('0') && version.parse::<u64>().is_ok();
    let digits = version.bytes().all(|c| c.is_ascii_digit());
    (fits && digits).then_some(()).ok_or(NameError::VaultVersion)
}

/// A mount, a namespace or a role of Vault.
///
/// # Errors
/// When it isn't one.
pub fn path(text: &str) -> Result<(), NameError> {
    is_path(text, 255).then_some(()).ok_or(NameError::Path)
}

/// For whom a token may be made out that is shown to a Vault: for nobody who would let its bearer in as the run account.
/// What an API server calls itself beside these is compared where tokens are made.
///
/// # Errors
/// When it's the API server, as clusters call it, or Azure.
pub fn audience(text: &str) -> Result<(), NameError> {
    let lower = text.to_ascii_lowercase();
    let host = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let host = host.split([':', '/']).next().unwrap_or_default();
    let of_cluster = matches!(
        host,
        "kubernetes" | "kubernetes.default" | "kubernetes.default.svc" | "kubernetes.svc.default"
    ) || host.starts_with("kubernetes.default.svc.");
    let barred = of_cluster || lower.starts_with("api://");
    (!barred).then_some(()).ok_or(NameError::Audience)
}

/// Names between single slashes. Those that step up or stay would be resolved on the way to the vault.
fn is_path(text: &str, max: usize) -> bool {
    let is_name = |name: &str| {
        !matches!(name, "" | "." | "..")
            && name
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_'))
    };
    text.len() <= max && text.split('/').all(is_name)
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|c| c.is_ascii_hexdigit()))
}
