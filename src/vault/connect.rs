//! The one transport to vaults. Both providers' clients are given it, so that nothing they do gets around its rules:
//!
//! - https only, to the hosts of one vault only, and redirects are answers like any other, never followed;
//! - names are looked up here, and only addresses that the installation's [`Reach`] allows are connected to;
//! - certificates are checked against the system's authorities or the ones that the vault's link gives;
//! - an answer takes no longer, and is no larger, than a vault's ever is;
//! - the vault's pace is kept to, and its wish for fewer requests is heard.
//!
//! What can't be wiped: TLS and HTTP read into buffers of their own before the answer is put together here. They are
//! freed when the answer is complete, but not overwritten.

use super::address::{VaultUrl, literal};
use super::budget::{Admission, Moment, Pace, Urgency};
use super::counts::Counts;
use super::fault::{Asking, Fault, Missing, Outage};
use super::reach::Reach;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;
use zeroize::Zeroizing;

mod names;
mod network;
mod trust;

pub use names::{NameFault, Names, SystemNames};
pub use network::{Cloud, Network};
pub use trust::{CaBundleError, check_ca_bundle, config as tls_config};

use names::{Refused, Resolver};

/// How long and how large an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// From sending to the last byte.
    pub timeout: Duration,
    /// In bytes.
    pub body: usize,
}

/// Most pieces that an answer may come in, as each takes room of its own.
const FRAMES_MAX: usize = 16 * 1024;

/// Time since the process began to look at vaults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    pub fn new() -> Self {
        Self(Instant::now())
    }

    pub fn now(self) -> Moment {
        self.0.elapsed()
    }
}

/// The pace of one vault, shared by all who ask it.
#[derive(Clone)]
pub(super) struct Gate {
    pub pace: Arc<Mutex<Pace>>,
    /// The pace of who asks, where a vault may limit one of those who ask: then only that one pauses, and all go slower.
    pub own: Option<Arc<Mutex<Pace>>>,
    pub clock: Clock,
    pub counts: Arc<Counts>,
}

tokio::task_local! {
    /// Whether somebody waits for what this task asks.
    pub(super) static URGENCY: Urgency;
}

impl Gate {
    /// Waits for leave to send one request.
    async fn admit(&self) -> Result<(), SendError> {
        let urgency = URGENCY.try_with(|urgency| *urgency).unwrap_or(Urgency::Check);
        for pace in self.own.iter().chain([&self.pace]) {
            loop {
                let admission = locked(pace).ask(urgency, self.clock.now());
                match admission {
                    Admission::Go => break,
                    Admission::Wait(rest) => tokio::time::sleep(rest).await,
                    Admission::Paused(_) => return Err(SendError::Paused),
                }
            }
        }
        Ok(())
    }

    /// How long the vault wants no request of who asks here.
    pub fn paused(&self) -> Option<Duration> {
        locked(self.narrowest()).paused(self.clock.now())
    }

    fn throttled(&self, retry_after: Option<Duration>) {
        let now = self.clock.now();
        locked(self.narrowest()).throttled(retry_after, now, fastrand::f64());
        if self.own.is_some() {
            locked(&self.pace).slower(now);
        }
    }

    /// The pace that a vault's wish for fewer requests is about.
    fn narrowest(&self) -> &Mutex<Pace> {
        self.own.as_ref().unwrap_or(&self.pace)
    }
}

fn locked(pace: &Mutex<Pace>) -> std::sync::MutexGuard<'_, Pace> {
    pace.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum SendError {
    /// No host has that name.
    #[error("no host has that name")]
    NoSuchHost,
    /// The host's addresses aren't allowed, or the request goes to another host.
    #[error("the address isn't allowed")]
    NotAllowed,
    /// The vault is left alone because it wanted fewer requests.
    #[error("the vault wants no request now")]
    Paused,
    /// The vault is away.
    #[error(transparent)]
    Away(#[from] Outage),
}

impl SendError {
    /// What that means for who asked a vault.
    pub fn fault(self, asking: &Asking) -> Fault {
        match self {
            Self::NoSuchHost => asking.missing(Missing::Host),
            Self::NotAllowed => asking.not_allowed(),
            Self::Paused => asking.throttled(),
            Self::Away(why) => asking.away(why),
        }
    }
}

/// An answer, whose body is overwritten when it's let go.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Wiped,
}

/// Bytes that are overwritten when they're let go.
pub(super) struct Wiped(pub Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The way to one vault, and to where it is signed in.
pub(super) struct Transport {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    reach: Arc<Reach>,
    vault: VaultUrl,
    others: Vec<VaultUrl>,
    bounds: Bounds,
    pub gate: Gate,
}

impl Transport {
    /// To `vault` and to `others`, nowhere else.
    pub fn new(
        network: &Network,
        vault: &VaultUrl,
        others: Vec<VaultUrl>,
        ca_bundle: Option<&str>,
        bounds: Bounds,
        gate: Gate,
    ) -> Result<Self, CaBundleError> {
        let mut tcp = HttpConnector::new_with_resolver(Resolver {
            names: Arc::clone(&network.names),
            reach: Arc::clone(&network.reach),
        });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(bounds.timeout));
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(trust::config(ca_bundle.or(network.authorities.as_deref()))?)
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(hyper_util::rt::TokioExecutor::new())
            .pool_timer(hyper_util::rt::TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(https);
        Ok(Self {
            client,
            reach: Arc::clone(&network.reach),
            vault: vault.clone(),
            others,
            bounds,
            gate,
        })
    }

    /// Sends one request and reads the whole answer.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Answer, SendError> {
        let to_vault = self.judge(&request)?;
        if to_vault {
            self.gate.admit().await?;
        }
        self.gate.counts.request();
        let exchange = self.exchange(request);
        let answer = tokio::time::timeout(self.bounds.timeout, exchange).await;
        let answer = answer.map_err(|_| Outage::Slow)??;
        let retry_after = retry_after(&answer.headers);
        let unwell = answer.status == StatusCode::SERVICE_UNAVAILABLE && retry_after.is_some();
        if to_vault && (answer.status == StatusCode::TOO_MANY_REQUESTS || unwell) {
            self.gate.throttled(retry_after);
        }
        if answer.status.is_redirection() {
            return Err(Outage::Redirect.into());
        }
        Ok(answer)
    }

    /// Whether a request goes to the vault itself, or else to where it is signed in. Others don't go out.
    fn judge(&self, request: &Request<Bytes>) -> Result<bool, SendError> {
        let uri = request.uri();
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(443);
        let is = |url: &VaultUrl| url.host().eq_ignore_ascii_case(host) && url.port() == port;
        if uri.scheme_str() != Some("https") || !(is(&self.vault) || self.others.iter().any(is)) {
            return Err(SendError::NotAllowed);
        }
        // An address in place of a name isn't looked up, so it is judged here.
        match literal(host) {
            Some(address) if !self.reach.lists(address) => Err(SendError::NotAllowed),
            _ => Ok(is(&self.vault)),
        }
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, SendError> {
        let response = self
            .client
            .request(request.map(Full::new))
            .await
            .map_err(|error| cause(&error))?;
        let (head, mut body) = response.into_parts();
        let mut frames: Vec<Bytes> = Vec::new();
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Outage::Broken)?;
            let Ok(data) = frame.into_data() else { continue };
            length += data.len();
            if length > self.bounds.body || frames.len() == FRAMES_MAX {
                return Err(Outage::TooLarge.into());
            }
            frames.push(data);
        }
        // In one piece, so that no smaller buffer with a part of it is left behind.
        let mut whole = Zeroizing::new(Vec::with_capacity(length));
        for frame in &frames {
            whole.extend_from_slice(frame);
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: Wiped(whole),
        })
    }
}

/// How long the vault asks to be left alone, in seconds or until a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let rest = date.duration_since(jiff::Timestamp::now());
    Some(Duration::try_from(rest).unwrap_or_default())
}

/// What lies behind an error of the HTTP client.
fn cause(error: &hyper_util::client::legacy::Error) -> SendError {
    let mut link: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = link {
        if let Some(Refused(reason)) = error.downcast_ref() {
            return *reason;
        }
        if let Some(error) = error.downcast_ref()
            && let Some(why) = broken_off(error)
        {
            return why.into();
        }
        link = error.source();
    }
    let why = if error.is_connect() {
        Outage::NoConnection
    } else {
        Outage::Broken
    };
    why.into()
}

/// What lies behind an error of the connection, if that can be told. TLS stands inside of it, perhaps several deep, where
/// `source` doesn't lead.
fn broken_off(error: &std::io::Error) -> Option<Outage> {
    if error.kind() == std::io::ErrorKind::TimedOut {
        return Some(Outage::Slow);
    }
    let inner = error.get_ref()?;
    match inner.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(_)) => Some(Outage::Untrusted),
        Some(_) => Some(Outage::Broken),
        None => broken_off(inner.downcast_ref()?),
    }
}

/// Addresses that may be connected to, of those that a name leads to.
fn allowed(addresses: Vec<IpAddr>, reach: &Reach) -> Result<Vec<IpAddr>, SendError> {
    let allowed: Vec<IpAddr> = addresses
        .into_iter()
        .filter(|address| reach.allows_address(*address))
        .collect();
    if allowed.is_empty() {
        return Err(SendError::NotAllowed);
    }
    Ok(allowed)
}

#[cfg(test)]
mod tests;
