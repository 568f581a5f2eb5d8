//! A vault that answers: a stand-in, and the link to it.

use super::manifests::secret;
use serde_json::{Value, json};
use vault_stand_in::hashicorp::{
    Capability, Data, Kv, Login, Method, Mount, Policy, Secret as Held, Vault, Version,
};

/// What the vault accepts the link by.
pub const SECRET_ID: &str = "canary-secret-id";

/// What whoever signs in may do: list, and look at everything.
pub fn policy() -> Policy {
    let read = vec![Capability::Read, Capability::List];
    ["kv/data/*", "kv/metadata/*", "kv/metadata"]
        .map(|path| (path.to_owned(), read.clone()))
        .into()
}

/// One that holds `crm` and `team/sftp`, each in two versions.
pub fn start() -> Vault {
    let held = Held {
        versions: vec![
            Version::of(&[("password", "canary-old")]),
            Version::of(&[("password", "canary-new"), ("user", "canary-user")]),
        ],
        ..Held::default()
    };
    let secrets = ["team/sftp", "crm"].map(|name| (name.to_owned(), held.clone()));
    let mount = Mount {
        version: Kv::Two,
        secrets: secrets.into(),
    };
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
    let data = Data {
        mounts: [("kv".to_owned(), mount)].into(),
        policies: [("connections".to_owned(), policy())].into(),
        logins: vec![login],
        ..Data::default()
    };
    Vault::start(data).expect("a stand-in")
}

/// The Secret that the link refers to.
pub fn login(vault: &Vault, secret_id: &str) -> Value {
    secret(
        "vault-login",
        &[("secret-id", secret_id), ("ca.crt", &vault.ca_pem)],
    )
}

/// The link to it.
pub fn link(name: &str, vault: &Vault) -> Value {
    let reference = |key: &str| json!({"name": "vault-login", "key": key});
    json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "KeyVault", "metadata": {"name": name},
        "spec": {"vault": {
            "address": vault.url(), "mount": "kv", "caBundleRef": reference("ca.crt"),
            "auth": {"appRole": {"roleId": "role", "secretIdRef": reference("secret-id")}},
        }},
    })
}
