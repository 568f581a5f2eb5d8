//! Kubeconfigs: how a client finds the API server and shows who it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::certificates::Identity;

/// A kubeconfig that carries everything in itself. It is JSON, thus also YAML.
#[must_use]
pub fn kubeconfig(server: &str, authority_certificate: &str, user: &str, identity: &Identity) -> String {
    let credentials = json!({
        "client-certificate-data": STANDARD.encode(&identity.certificate),
        "client-key-data": STANDARD.encode(&identity.key),
    });
    with_credentials(server, authority_certificate, user, &credentials)
}

/// The same for somebody who shows a token.
#[must_use]
pub fn with_token(server: &str, authority_certificate: &str, user: &str, token: &str) -> String {
    with_credentials(server, authority_certificate, user, &json!({"token": token}))
}

fn with_credentials(server: &str, authority_certificate: &str, user: &str, credentials: &Value) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "local-cluster",
        "clusters": [{
            "name": "local-cluster",
            "cluster": {
                "server": server,
                "certificate-authority-data": STANDARD.encode(authority_certificate),
            },
        }],
        "users": [{
            "name": user,
            "user": credentials,
        }],
        "contexts": [{
            "name": "local-cluster",
            "context": { "cluster": "local-cluster", "user": user },
        }],
    })
    .to_string()
}
