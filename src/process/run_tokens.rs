//! What vaults need of the cluster, by the cluster's own means.

use crate::cluster::run_tokens::{self, TokenError};
use crate::vault::run_tokens::{NoRunToken, RunTokens};
use crate::vault::value::SecretText;
use async_trait::async_trait;
use kube::Client;

/// The run accounts of this client's cluster.
pub struct ClusterRunTokens(Client);

impl ClusterRunTokens {
    /// Asks by this client.
    #[must_use]
    pub const fn new(client: Client) -> Self {
        Self(client)
    }
}

#[async_trait]
impl RunTokens for ClusterRunTokens {
    async fn token(&self, namespace: &str, audience: &str) -> Result<SecretText, NoRunToken> {
        let token = run_tokens::token(&self.0, namespace, audience).await;
        token.map(SecretText::from).map_err(|error| {
            let why = &error as &dyn std::error::Error;
            tracing::warn!(namespace, audience, error = why, "no token of the run account");
            match error {
                TokenError::NoAccount { .. } => NoRunToken::NoAccount,
                TokenError::Forbidden { .. } => NoRunToken::Forbidden,
                TokenError::ForTheCluster { .. } => NoRunToken::ForTheCluster,
                TokenError::Unanswered { .. } | TokenError::Empty { .. } => NoRunToken::NoAnswer,
            }
        })
    }
}
