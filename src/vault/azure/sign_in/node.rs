//! The node's own identity: the one request that goes to a metadata address, unencrypted as Azure has it, and nowhere else.
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use super::super::super::connect::{Answer, SendError, Wiped};
use super::super::super::fault::Outage;
use super::super::transport::{carried, incoming, outgoing};
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// Where a node asks who it is.
const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// How long the node may take, tries included.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How large its answer may be.
const BODY_MAX: usize = 64 * 1024;

/// Sends to the node's metadata service.
pub(super) struct ToNode(Client<HttpConnector, Full<Bytes>>);

impl ToNode {
    pub fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(Duration::from_secs(1)));
        Self(Client::builder(hyper_util::rt::TokioExecutor::new()).build(tcp))
    }

    async fn exchange(&self, request: http::Request<Bytes>) -> Result<Answer, SendError> {
        let response = self
            .0
            .request(request.map(Full::new))
            .await
            .map_err(|_| Outage::NoConnection)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, BODY_MAX)
            .collect()
            .await
            .map_err(|_| Outage::Garbage)?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: Wiped(Zeroizing::new(body.to_bytes().to_vec())),
        })
    }
}

impl fmt::Debug for ToNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToNode")
    }
}

#[async_trait]
impl HttpClient for ToNode {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if request.url().as_str().split('?').next() != Some(METADATA) {
            return Err(carried(SendError::NotAllowed));
        }
        let exchange = self.exchange(outgoing(request)?);
        let answer = tokio::time::timeout(TIMEOUT, exchange).await;
        let answer = answer
            .map_err(|_| carried(Outage::Slow.into()))?
            .map_err(carried)?;
        Ok(incoming(answer))
    }
}
