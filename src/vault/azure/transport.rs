//! The operator's transport, as Azure's clients take one.

use super::super::address::VaultUrl;
use super::super::connect::{Answer, SendError, Transport};
use super::super::fault::Outage;
use async_trait::async_trait;
use azure_core::cloud::CustomConfiguration;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::request::Body;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, Transport as Given,
};
use bytes::Bytes;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Sends to the vault and to where it is signed in.
pub(super) struct ToVault(pub Arc<Transport>);

impl fmt::Debug for ToVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToVault")
    }
}

#[async_trait]
impl HttpClient for ToVault {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let request = outgoing(request)?;
        let answer = self.0.send(request).await.map_err(carried)?;
        Ok(incoming(answer))
    }
}

/// How Azure's clients are to work: over that transport, without retries of their own, signing in at `authority`.
pub(super) fn options(client: impl HttpClient + 'static, authority: &VaultUrl) -> ClientOptions {
    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = authority.to_string();
    ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Given::new(Arc::new(client))),
        cloud: Some(Arc::new(cloud.into())),
        ..ClientOptions::default()
    }
}

/// An error of ours on its way through Azure's client, which doesn't try again for one of this kind.
pub(super) fn carried(error: SendError) -> azure_core::Error {
    azure_core::Error::new(ErrorKind::Other, error)
}

pub(super) fn outgoing(request: &Request) -> azure_core::Result<http::Request<Bytes>> {
    let unfit = |_| carried(Outage::Garbage.into());
    let Body::Bytes(body) = request.body() else {
        return Err(carried(Outage::Garbage.into()));
    };
    let method = request.method().as_str();
    let mut builder = http::Request::builder()
        .method(method)
        .uri(request.url().as_str());
    for (name, value) in request.headers().iter() {
        let mut value =
            http::HeaderValue::from_str(value.as_str()).map_err(|_| carried(Outage::Garbage.into()))?;
        value.set_sensitive(name.as_str().eq_ignore_ascii_case("authorization"));
        builder = builder.header(name.as_str(), value);
    }
    builder.body(body.clone()).map_err(unfit)
}

pub(super) fn incoming(answer: Answer) -> AsyncRawResponse {
    let headers = answer.headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?.to_owned();
        Some((
            HeaderName::from(name.as_str().to_owned()),
            HeaderValue::from(value),
        ))
    });
    let headers: HashMap<HeaderName, HeaderValue> = headers.collect();
    let status = answer.status.as_u16().into();
    AsyncRawResponse::from_bytes(status, Headers::from(headers), Bytes::from_owner(answer.body))
}
