//! The run account of a namespace, as far as vaults need it: a token that says who it is, for somebody who trusts the
//! cluster. The cluster's side implements it.

use super::value::SecretText;
use async_trait::async_trait;
use thiserror::Error;

/// Gives tokens of run accounts.
#[async_trait]
pub trait RunTokens: Send + Sync {
    /// A token of the namespace's run account, made out for `audience` only, valid for ten minutes or so.
    ///
    /// # Errors
    /// When the cluster gives none.
    async fn token(&self, namespace: &str, audience: &str) -> Result<SecretText, NoRunToken>;
}

/// The cluster gives no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoRunToken {
    /// The namespace has no run account.
    #[error("the namespace has no run account yet. The operator makes it.")]
    NoAccount,
    /// By rights or by a policy.
    #[error(
        "the cluster forbids the operator a token of the namespace's run account. Check that the chart's rights and policies are as it installs them."
    )]
    Forbidden,
    /// Who is shown it could act in the cluster with it.
    #[error(
        "a token for that audience would let its bearer act in the cluster as the namespace's run account, so none is made. Choose another audience."
    )]
    ForTheCluster,
    /// The API server has trouble of its own.
    #[error("the cluster gives no token of the namespace's run account. Check the operator's log.")]
    NoAnswer,
}

/// A cluster that has no run accounts.
pub struct NoRunAccounts;

#[async_trait]
impl RunTokens for NoRunAccounts {
    async fn token(&self, _: &str, _: &str) -> Result<SecretText, NoRunToken> {
        Err(NoRunToken::NoAccount)
    }
}
