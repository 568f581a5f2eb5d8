//! Kubeconfigs: how a client finds the API server and shows who it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::certificates::Identity;

/// A kubeconfig that carries everything in itself. It is JSON, thus also YAML.
#[must_use]
pub fn kubeconfig(server: &str, authority_certificate: &str, user: &str, identity: &Identity) -> String {
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
            "user": {
                "client-certificate-data": STANDARD.encode(&identity.certificate),
                "client-key-data": STANDARD.encode(&identity.key),
            },
        }],
        "contexts": [{
            "name": "local-cluster",
            "context": { "cluster": "local-cluster", "user": user },
        }],
    })
    .to_string()
}
