//! How the connection is read.

use connection_operator::api::Connection;
use kube::Api;
use std::future::Future;
use thiserror::Error;

/// The question wasn't answered. Why is told to nobody: it would name the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no answer")]
pub struct NoAnswer;

/// Reads the connection of the run.
pub trait Reads: Clone + Send + Sync + 'static {
    /// The connection as it is now; none if there is none.
    fn connection(&self) -> impl Future<Output = Result<Option<Connection>, NoAnswer>> + Send;
}

/// From the API server.
#[derive(Clone)]
pub struct FromApiServer {
    connections: Api<Connection>,
    name: String,
}

impl FromApiServer {
    /// This one of these.
    #[must_use]
    pub fn new(connections: Api<Connection>, name: &str) -> Self {
        Self {
            connections,
            name: name.to_owned(),
        }
    }
}

impl Reads for FromApiServer {
    async fn connection(&self) -> Result<Option<Connection>, NoAnswer> {
        // A refusal is no answer: rights may be on their way, and say nothing of consent.
        self.connections.get_opt(&self.name).await.map_err(|_| NoAnswer)
    }
}
