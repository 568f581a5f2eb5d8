//! The one way out: HTTPS to the store's own host, and an answer that is read whole.
//!
//! The library that speaks S3 and Azure gets this in place of its own, so that nothing it does leads elsewhere, and so that
//! every failure is one of ours before it is logged or passed on.

use super::answer::refusal;
use super::fault::ObjectsFault;
use super::settings::HTTPS;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody,
    HttpService,
};
use rustls::ClientConfig;
use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long one address may take to be reached.
const REACH_MAX: Duration = Duration::from_secs(10);
/// How long nothing may move: no byte of a request leaves, and none of an answer comes.
const STILL_MAX: Duration = Duration::from_mins(1);
/// The same where an object is completed: the store puts all of its parts together before it answers.
const COMPLETING_MAX: Duration = Duration::from_mins(10);
/// The largest answer, in bytes.
const ANSWER_MAX: usize = 4 << 20;

type Resolved = std::vec::IntoIter<SocketAddr>;

/// The way to one host.
#[derive(Clone, Debug)]
pub struct Transport {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Moving>,
    host: Arc<str>,
    port: u16,
}

impl Transport {
    /// To this host and port, by these rules of TLS. If `address` is given, the host is there, whatever its name says.
    pub fn new(tls: ClientConfig, (host, port): (&str, u16), address: Option<SocketAddr>) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver { address });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(REACH_MAX));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .build(https);
        Self {
            client,
            host: host.into(),
            port,
        }
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// Also when the answer is anything but success.
    pub async fn exchange(&self, request: HttpRequest) -> Result<http::Response<Bytes>, ObjectsFault> {
        let uri = request.uri();
        let ours = uri.scheme_str() == Some("https")
            && uri
                .host()
                .is_some_and(|host| host.eq_ignore_ascii_case(&self.host))
            && uri.port_u16().unwrap_or(HTTPS) == self.port;
        if !ours {
            return Err(ObjectsFault::Elsewhere);
        }
        let (moved, still_max) = (Moved::new(), still_max(&request));
        let request = request.map(|body| Moving {
            body,
            moved: moved.clone(),
        });
        tokio::select! {
            answer = self.answered(request, &moved) => answer,
            () = moved.still(still_max) => Err(ObjectsFault::Broken),
        }
    }

    async fn answered(
        &self,
        request: Request<Moving>,
        moved: &Moved,
    ) -> Result<http::Response<Bytes>, ObjectsFault> {
        let answer = self.client.request(request).await;
        let (head, body) = answer.map_err(|error| cause(&error))?.into_parts();
        // A store that isn't ready yet may send spaces, to keep the way open.
        let body = body.map_frame(|frame| {
            moved.now();
            frame
        });
        let body = Limited::new(body, ANSWER_MAX).collect().await;
        let body = body.map_err(|_| ObjectsFault::Broken)?.to_bytes();
        if head.status.is_success() {
            Ok(http::Response::from_parts(head, body))
        } else {
            Err(refusal(head.status, &body))
        }
    }
}

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.exchange(request).await;
        let answer = answer.map_err(|fault| HttpError::new(kind(fault), fault))?;
        Ok(answer.map(HttpResponseBody::from))
    }
}

impl object_store::client::HttpConnector for Transport {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

/// How long nothing may move while this is asked.
fn still_max<B>(request: &Request<B>) -> Duration {
    let query = request.uri().query().unwrap_or_default();
    let completes = match *request.method() {
        Method::POST => query.contains("uploadId="),
        Method::PUT => query.contains("comp=blocklist"),
        _ => false,
    };
    if completes { COMPLETING_MAX } else { STILL_MAX }
}

/// Whether the library tries again by itself.
fn kind(fault: ObjectsFault) -> HttpErrorKind {
    match fault {
        ObjectsFault::HostUnknown | ObjectsFault::NotReached => HttpErrorKind::Connect,
        ObjectsFault::Throttled | ObjectsFault::Refused => HttpErrorKind::Request, // it wasn't done
        ObjectsFault::Broken => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    }
}

/// What lies behind an error of the HTTP client.
fn cause(error: &hyper_util::client::legacy::Error) -> ObjectsFault {
    let mut link: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = link {
        if let Some(fault) = error.downcast_ref().and_then(inside) {
            return fault;
        }
        link = error.source();
    }
    if error.is_connect() {
        ObjectsFault::NotReached
    } else {
        ObjectsFault::Broken
    }
}

/// What stands inside of an error of the connection, perhaps several deep, where `source` doesn't lead.
fn inside(error: &io::Error) -> Option<ObjectsFault> {
    let inner = error.get_ref()?;
    if let Some(fault) = inner.downcast_ref() {
        return Some(*fault);
    }
    match inner.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(_)) => Some(ObjectsFault::NotTrusted),
        Some(_) => Some(ObjectsFault::NotHttps),
        None => inside(inner.downcast_ref()?),
    }
}

/// Where a host is.
#[derive(Clone, Debug)]
struct Resolver {
    address: Option<SocketAddr>,
}

impl tower::Service<Name> for Resolver {
    type Response = Resolved;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Resolved>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let address = self.address;
        Box::pin(async move {
            if let Some(address) = address {
                return Ok(vec![address].into_iter());
            }
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|_| io::Error::other(ObjectsFault::HostUnknown))?;
            Ok(found.collect::<Vec<_>>().into_iter())
        })
    }
}

/// When something last moved.
#[derive(Clone, Debug)]
struct Moved(Arc<Mutex<Instant>>);

impl Moved {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends once nothing has moved for so long.
    async fn still(&self, long: Duration) {
        loop {
            let until = self.last() + long;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

/// A request's body that tells when some of it leaves.
struct Moving {
    body: HttpRequestBody,
    moved: Moved,
}

impl http_body::Body for Moving {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, HttpError>>> {
        self.moved.now();
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connection_operator::vault::connect::tls_config;

    fn asked(method: Method, url: &str) -> HttpRequest {
        let request = Request::builder().method(method).uri(url);
        request.body(HttpRequestBody::empty()).expect("a request")
    }

    #[tokio::test]
    async fn nobody_is_asked_but_the_stores_own_host() {
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        let tls = tls_config(None).expect("the system's");
        let transport = Transport::new(tls, ("store.example", 8443), Some(nobody));
        let rows = [
            (
                "the store",
                "https://store.example:8443/b?uploads",
                ObjectsFault::NotReached,
            ),
            (
                "in capitals",
                "https://STORE.example:8443/b",
                ObjectsFault::NotReached,
            ),
            (
                "unencrypted",
                "http://store.example:8443/b",
                ObjectsFault::Elsewhere,
            ),
            ("another port", "https://store.example/b", ObjectsFault::Elsewhere),
            (
                "another host",
                "https://other.example:8443/b",
                ObjectsFault::Elsewhere,
            ),
            (
                "below it",
                "https://b.store.example:8443/",
                ObjectsFault::Elsewhere,
            ),
            (
                "metadata",
                "https://169.254.169.254:8443/",
                ObjectsFault::Elsewhere,
            ),
        ];
        for (case, url, expected) in rows {
            let told = transport.exchange(asked(Method::GET, url)).await.map(drop);
            assert_eq!(told, Err(expected), "{case}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_still_moves_is_waited_for() {
        let moved = Moved::new();
        let began = Instant::now();
        let moving = async {
            for _ in 0..3 {
                tokio::time::sleep(STILL_MAX / 2).await;
                moved.now();
            }
        };
        tokio::join!(moving, moved.still(STILL_MAX));
        assert_eq!(began.elapsed().as_secs(), STILL_MAX.as_secs() * 5 / 2);
    }

    #[test]
    fn completing_an_object_may_take_longer() {
        let rows = [
            (Method::POST, "https://s/b/o?uploadId=1", COMPLETING_MAX),
            (Method::PUT, "https://s/b/o?comp=blocklist", COMPLETING_MAX),
            (Method::PUT, "https://s/b/o?partNumber=1&uploadId=1", STILL_MAX),
            (Method::PUT, "https://s/b/o?comp=block&blockid=1", STILL_MAX),
            (Method::POST, "https://s/b/o?uploads", STILL_MAX),
        ];
        for (method, url, expected) in rows {
            assert_eq!(still_max(&asked(method, url)), expected, "{url}");
        }
    }
}
