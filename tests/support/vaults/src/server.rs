//! The server under both stand-ins: TLS, counters, faults, a clock of its own, and a switch.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc as answers;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::Error;
use crate::certificate::{Shown, show};
use crate::client::Client;
use crate::fault::{Fault, Planned, strike};
use crate::hashicorp::review::Review;
use crate::wire::{Answer, Ask};

/// A free port of loopback.
pub(crate) const FREE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A vendor's way to answer, over data that a test may change.
pub(crate) trait Vendor: Default + Send + 'static {
    /// What the vault holds.
    type Data: Send + 'static;
    /// Names the kind of request, for counters and faults.
    fn route(ask: &Ask) -> &'static str;
    /// What a third has to be asked before the answer, if anything.
    fn review(_: &Self::Data, _: &Ask) -> Option<Review> {
        None
    }
    /// Answers by the vendor's documentation.
    fn answer(&mut self, data: &Self::Data, ask: &Ask, now: Timestamp) -> Answer;
    /// The vendor's words for a fault that has words.
    fn fault(fault: &Fault, ask: &Ask) -> Answer;
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The kind of request, such as `secret` or `token`.
    pub route: &'static str,
    /// Its path; no query, so no secret.
    pub path: String,
    /// When it came.
    pub at: Instant,
}

/// A running stand-in. It stops when dropped.
#[allow(private_bounds, reason = "only this crate knows vendors")]
pub struct StandIn<V: Vendor> {
    /// Where it listens.
    pub address: SocketAddr,
    /// The authority that clients must trust, as PEM.
    pub ca_pem: String,
    shared: Arc<Shared<V>>,
    orders: mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<()>>,
}

struct Shared<V: Vendor> {
    state: Mutex<State<V>>,
}

struct State<V: Vendor> {
    vendor: V,
    data: V::Data,
    faults: Vec<Planned>,
    arrivals: Vec<Arrival>,
    ahead: SignedDuration,
}

enum Order {
    Down(answers::Sender<()>),
    Up(answers::Sender<()>),
    Stop,
}

#[allow(private_bounds, reason = "only this crate knows vendors")]
impl<V: Vendor> StandIn<V> {
    pub(crate) fn serve(data: V::Data, names: &[String], address: SocketAddr) -> Result<Self, Error> {
        let Shown { acceptor, ca_pem } = show(names)?;
        let listener = std::net::TcpListener::bind(address).map_err(Error::machine("listen"))?;
        listener.set_nonblocking(true).map_err(Error::machine("listen"))?;
        let address = listener.local_addr().map_err(Error::machine("listen"))?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(data)),
        });
        let (orders, told) = mpsc::unbounded_channel();
        // A runtime of its own, so that tests with and without one can start it, and a busy test doesn't slow it.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::machine("start a runtime"))?;
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("vault-stand-in".to_owned())
            .spawn(move || runtime.block_on(run(listener, address, acceptor, serving, told)))
            .map_err(Error::machine("start a thread"))?;
        Ok(Self {
            address,
            ca_pem,
            shared,
            orders,
            thread: Some(thread),
        })
    }

    /// A client that calls it by this name.
    ///
    /// # Errors
    /// When its certificate can't be read.
    pub fn client(&self, host: &str) -> Result<Client, Error> {
        Client::new(self.address, host, &self.ca_pem)
    }

    /// From now on every request meets this fault.
    pub fn fault(&self, fault: Fault) {
        self.plan(fault, None, None);
    }

    /// From now on requests on this route meet this fault.
    pub fn fault_on(&self, route: &str, fault: Fault) {
        self.plan(fault, Some(route), None);
    }

    /// The next so many requests on this route meet this fault.
    pub fn fault_next(&self, times: u32, route: &str, fault: Fault) {
        self.plan(fault, Some(route), Some(times));
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Changes what the vault holds or who may do what.
    pub fn edit<T>(&self, change: impl FnOnce(&mut V::Data) -> T) -> T {
        change(&mut self.state().data)
    }

    /// Moves the stand-in's clock on, and what it gave out expires.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state();
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        state.ahead = state.ahead.saturating_add(by);
    }

    /// How many requests came on a route.
    #[must_use]
    pub fn count(&self, route: &str) -> usize {
        self.state()
            .arrivals
            .iter()
            .filter(|arrival| arrival.route == route)
            .count()
    }

    /// How many requests came on each route.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for arrival in &self.state().arrivals {
            *counts.entry(arrival.route).or_default() += 1;
        }
        counts
    }

    /// All requests that came, in order.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.state().arrivals.clone()
    }

    /// Counts from zero again.
    pub fn forget_arrivals(&self) {
        self.state().arrivals.clear();
    }

    /// Stops listening and cuts what is open: connections are refused until [`Self::up`].
    pub fn down(&self) {
        self.order(Order::Down);
    }

    /// Listens again, on the same port.
    pub fn up(&self) {
        self.order(Order::Up);
    }

    fn plan(&self, fault: Fault, route: Option<&str>, times: Option<u32>) {
        let route = route.map(str::to_owned);
        self.state().faults.push(Planned { fault, route, times });
    }

    fn order(&self, order: impl FnOnce(answers::Sender<()>) -> Order) {
        let (done, wait) = answers::channel();
        if self.orders.send(order(done)).is_ok() {
            // An error means that the server is gone, which is down enough.
            let _ = wait.recv();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<V>> {
        self.shared.lock()
    }
}

impl<V: Vendor> Drop for StandIn<V> {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl<V: Vendor> std::fmt::Debug for StandIn<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StandIn")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl<V: Vendor> State<V> {
    fn new(data: V::Data) -> Self {
        Self {
            vendor: V::default(),
            data,
            faults: Vec::new(),
            arrivals: Vec::new(),
            ahead: SignedDuration::ZERO,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
            .saturating_add(self.ahead)
            .unwrap_or(Timestamp::MAX)
    }
}

impl<V: Vendor> Shared<V> {
    /// A test that failed while it held the lock has said so already.
    fn lock(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run<V: Vendor>(
    listener: std::net::TcpListener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    shared: Arc<Shared<V>>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut listener = TcpListener::from_std(listener).ok();
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Down(done)) => {
                    listener = None;
                    open.shutdown().await;
                    let _ = done.send(());
                }
                Some(Order::Up(done)) => {
                    if listener.is_none() {
                        listener = TcpListener::bind(address).await.ok();
                    }
                    let _ = done.send(());
                }
                Some(Order::Stop) | None => return,
            },
            Some(stream) = accept(listener.as_ref()) => {
                open.spawn(connection(stream, acceptor.clone(), Arc::clone(&shared)));
            }
            Some(_) = open.join_next() => {}
        }
    }
}

/// None when nobody listens; the other branches go on then.
async fn accept(listener: Option<&TcpListener>) -> Option<tokio::net::TcpStream> {
    listener?.accept().await.ok().map(|(stream, _)| stream)
}

async fn connection<V: Vendor>(stream: tokio::net::TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared<V>>) {
    let _ = stream.set_nodelay(true);
    // A client that doesn't trust the certificate goes away here, which is its right.
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(move |request| respond(Arc::clone(&shared), request));
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

type Reply = Response<BoxBody<Bytes, io::Error>>;

/// An error cuts the connection.
async fn respond<V: Vendor>(shared: Arc<Shared<V>>, request: Request<Incoming>) -> Result<Reply, io::Error> {
    let mut ask = read(request).await?;
    let review = V::review(&shared.lock().data, &ask);
    if let Some(review) = review {
        ask.reviewed = Some(review.good().await);
    }
    let (fault, answer) = {
        let mut state = shared.lock();
        let route = V::route(&ask);
        state.arrivals.push(Arrival {
            route,
            path: ask.path.clone(),
            at: Instant::now(),
        });
        let fault = strike(&mut state.faults, route);
        let now = state.now();
        let State { vendor, data, .. } = &mut *state;
        // A request that meets a fault has no effect, unless the fault is in the answer's way alone.
        let answer = match &fault {
            None | Some(Fault::Slow(_) | Fault::CutMidway) => vendor.answer(data, &ask, now),
            Some(fault) => V::fault(fault, &ask),
        };
        (fault, answer)
    };
    match fault {
        Some(Fault::Slow(by)) => tokio::time::sleep(by).await,
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Cut) => return Err(cut()),
        Some(Fault::CutMidway) => return half(&answer),
        Some(Fault::Garbage) => {
            return reply(
                200,
                &[("content-type", "application/json")],
                whole("{]\u{0}\u{7}<html>"),
            );
        }
        Some(Fault::Flood(size)) => {
            return reply(
                200,
                &[("content-type", "application/json")],
                Flood::new(size).boxed(),
            );
        }
        Some(Fault::Redirect(to)) => return reply(307, &[("location", &to)], whole("")),
        _ => {}
    }
    let body = answer.body.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut headers: Vec<(&str, &str)> = vec![("content-type", "application/json; charset=utf-8")];
    headers.extend(answer.headers.iter().map(|(name, value)| (*name, value.as_str())));
    reply(answer.status, &headers, whole(&body))
}

async fn read(request: Request<Incoming>) -> Result<Ask, io::Error> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    Ok(Ask {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts.headers,
        body: body.collect().await.map_err(io::Error::other)?.to_bytes(),
        reviewed: None,
    })
}

fn reply(status: u16, headers: &[(&str, &str)], body: BoxBody<Bytes, io::Error>) -> Result<Reply, io::Error> {
    let mut reply = Response::builder().status(status);
    for (name, value) in headers {
        reply = reply.header(*name, *value);
    }
    reply.body(body).map_err(io::Error::other)
}

/// Promises the whole answer and cuts after half of it.
fn half(answer: &Answer) -> Result<Reply, io::Error> {
    let body = answer.body.as_ref().map(ToString::to_string).unwrap_or_default();
    let length = body.len().to_string();
    let first = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
    reply(
        answer.status,
        &[("content-type", "application/json"), ("content-length", &length)],
        Half(Some(first)).boxed(),
    )
}

fn whole(text: &str) -> BoxBody<Bytes, io::Error> {
    Full::new(Bytes::copy_from_slice(text.as_bytes()))
        .map_err(|never: Infallible| match never {})
        .boxed()
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "cut on purpose")
}

/// The first half of an answer, then a cut.
struct Half(Option<Bytes>);

impl Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        std::task::Poll::Ready(Some(self.0.take().map(Frame::data).ok_or_else(cut)))
    }
}

/// A JSON string of many bytes, made as they are read, so that the flood fills the client's memory and not the test's.
struct Flood {
    left: u64,
    opened: bool,
}

impl Flood {
    const PIECE: &'static [u8] = &[b'x'; 16 * 1024];

    fn new(size: u64) -> Self {
        Self {
            left: size,
            opened: false,
        }
    }
}

impl Body for Flood {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = if !self.opened {
            self.opened = true;
            Bytes::from_static(b"{\"value\":\"")
        } else if self.left > 0 {
            let size = self.left.min(Self::PIECE.len() as u64);
            self.left -= size;
            Bytes::from_static(&Self::PIECE[..usize::try_from(size).unwrap_or_default()])
        } else {
            return std::task::Poll::Ready(None);
        };
        std::task::Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
