//! The run account's token for a vault, as the kubelet mounts it.

use crate::credentials::mounted;
use async_trait::async_trait;
use connection_operator::cluster::run_tokens::is_of_api_server;
use connection_operator::vault::run_tokens::{NoRunToken, RunTokens};
use connection_operator::vault::value::SecretText;
use std::path::PathBuf;

/// A token in a file.
pub struct MountedToken(PathBuf);

impl MountedToken {
    /// The one that stands there.
    pub const fn new(file: PathBuf) -> Self {
        Self(file)
    }
}

#[async_trait]
impl RunTokens for MountedToken {
    /// Read anew each time, as the kubelet renews it.
    async fn token(&self, _: &str, audience: &str) -> Result<SecretText, NoRunToken> {
        let token = mounted(&self.0, "token").map_err(|_| NoRunToken::NoAnswer)?;
        let token = token.ok_or(NoRunToken::NoAccount)?;
        if is_of_api_server(audience, token.expose()) {
            return Err(NoRunToken::ForTheCluster);
        }
        Ok(token)
    }
}
