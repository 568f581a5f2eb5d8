//! Consent to a key vault. The notice stands here and nowhere else.
//!
//! The digest has the head of a connection's, with the provider (`azureKeyVault` or `vault`) for the type, and one group:
//! the address without a slash at its end; the tenant or the mount; the Vault namespace, empty if absent.

use super::{Canonical, Required, Subject, VERSION};
use crate::api::KeyVaultSpec;
use crate::governance::message::quoted;

/// What the administrator agrees to who links a vault, and its version.
pub const NOTICE_VERSION: &str = "1";
/// Its statements: who reads what, what that means, who answers for it, and how to stop it.
pub const NOTICE: &str = "The operator asks this vault about its secrets, as the identity that the key vault names, and \
    runs of this namespace read the values of those that connections name. The values are sent to the destinations of these \
    connections, and no copy is kept in the cluster. You answer for the identity and its rights in the vault, and for who \
    may use the key vault. To stop it: take this consent back, or the identity's rights.";

/// The digest that a key vault needs.
#[must_use]
pub fn required_of_vault(subject: Subject<'_>, spec: &KeyVaultSpec) -> Required {
    let place = place(spec);
    let mut text = Canonical::default();
    for part in [
        VERSION,
        subject.kind,
        subject.namespace,
        subject.name,
        spec.provider(),
    ] {
        text.string(part);
    }
    text.group(&place.map(|(_, value)| value));
    let told = place.into_iter().filter(|(_, value)| !value.is_empty());
    Required {
        current: text.digest(),
        previous: None,
        destination: told
            .map(|(what, value)| format!("{what} {}", quoted(value)))
            .collect(),
        hosts: Vec::new(),
        notice_versions: (NOTICE_VERSION.to_owned(), None),
    }
}

/// Where the vault is, in words and values.
#[must_use]
pub fn place(spec: &KeyVaultSpec) -> [(&'static str, &str); 3] {
    let address = ("address", spec.address());
    match (&spec.azure_key_vault, &spec.vault) {
        (Some(azure), _) => [address, ("tenant", &azure.tenant_id), ("namespace", "")],
        (None, Some(vault)) => {
            let namespace = vault.namespace.as_ref().map_or("", |path| &path.0);
            [address, ("mount", &vault.mount.0), ("namespace", namespace)]
        }
        (None, None) => [address, ("mount", ""), ("namespace", "")],
    }
}
