//! The cluster's word on a token of a service account.

use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::json;

use crate::client::Client;

/// Whom Vault asks about a token: `kubernetes_host`, `kubernetes_ca_cert` and `token_reviewer_jwt` of
/// developer.hashicorp.com/vault/api-docs/auth/kubernetes#configure-method
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reviewer {
    /// The API server, by its address: `10.244.0.1:6443`.
    pub api_server: SocketAddr,
    /// The authority of its certificate, as PEM.
    pub ca: String,
    /// The token of an account that may review tokens.
    pub token: String,
}

/// A token that is to be reviewed.
pub(crate) struct Review {
    pub reviewer: Reviewer,
    pub token: String,
    pub audience: Option<String>,
}

impl Review {
    /// Whether the cluster says that the token is good, for that audience if one is asked for.
    /// kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1
    pub async fn good(self) -> bool {
        let audiences: Vec<&String> = self.audience.iter().collect();
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "spec": {"token": self.token, "audiences": audiences},
        });
        let Reviewer {
            api_server,
            ca,
            token,
        } = &self.reviewer;
        let Ok(client) = Client::new(*api_server, &api_server.ip().to_string(), ca) else {
            return false;
        };
        let headers = [
            ("authorization", format!("Bearer {token}")),
            ("content-type", "application/json".to_owned()),
        ];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let path = "/apis/authentication.k8s.io/v1/tokenreviews";
        let answer = client.send("POST", path, &headers, body.to_string()).await;
        let Ok(answer) = answer.map(|answer| answer.json()) else {
            return false;
        };
        let status = &answer["status"];
        let is_for = |audience: &String| {
            let taken = status["audiences"].as_array();
            taken.is_some_and(|taken| taken.iter().any(|one| one == audience))
        };
        status["authenticated"] == true && self.audience.as_ref().is_none_or(is_for)
    }
}
