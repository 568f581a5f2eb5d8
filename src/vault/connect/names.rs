//! How names are looked up.

use super::{Outage, Reach, SendError, allowed};
use async_trait::async_trait;
use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType, getaddrinfo};
use hyper_util::client::legacy::connect::dns::Name;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use thiserror::Error;
use tower::Service;

/// Looks names up.
#[async_trait]
pub trait Names: Send + Sync {
    /// All addresses of a host.
    ///
    /// # Errors
    /// When there are none, or nobody answers.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NameFault>;
}

/// A name leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// No host has it.
    NoSuchName,
    /// Nobody answers who knows.
    NoAnswer,
}

/// As the system does it: by its hosts file and its resolver.
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NameFault> {
        let host = host.to_owned();
        let found = tokio::task::spawn_blocking(move || {
            let hints = AddrInfoHints {
                socktype: SockType::Stream.into(),
                ..AddrInfoHints::default()
            };
            getaddrinfo(Some(&host), None, Some(hints))
        });
        match found.await {
            Ok(Ok(found)) => Ok(found.flatten().map(|info| info.sockaddr.ip()).collect()),
            Ok(Err(error)) => Err(match error.kind() {
                LookupErrorKind::NoName | LookupErrorKind::NoData => NameFault::NoSuchName,
                _ => NameFault::NoAnswer,
            }),
            Err(_) => Err(NameFault::NoAnswer),
        }
    }
}

/// The HTTP client's view of [`Names`], which shows it only addresses that are allowed.
#[derive(Clone)]
pub(super) struct Resolver {
    pub names: Arc<dyn Names>,
    pub reach: Arc<Reach>,
}

/// A name that isn't connected to.
#[derive(Debug, Error)]
#[error("the name can't be connected to")]
pub(super) struct Refused(pub SendError);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Refused>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { names, reach } = self.clone();
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await.map_err(|fault| match fault {
                NameFault::NoSuchName => SendError::NoSuchHost,
                NameFault::NoAnswer => Outage::NoName.into(),
            });
            let addresses = found.and_then(|found| allowed(found, &reach)).map_err(Refused)?;
            let sockets: Vec<SocketAddr> = addresses.into_iter().map(|address| (address, 0).into()).collect();
            Ok(sockets.into_iter())
        })
    }
}
