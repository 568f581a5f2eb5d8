//! A way to a server that can be cut, frozen or made slow.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// The way to one server.
pub struct Proxy {
    /// Where it begins.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    frozen: AtomicBool,
    /// Bytes a second, of what goes to the server; 0 for as many as there are.
    rate: AtomicU64,
    /// After how many bytes to the server every connection is cut; 0 for never.
    cut: AtomicU64,
    /// How many went to the server.
    passed: AtomicU64,
}

impl Proxy {
    /// To this server.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        });
        Self { address, state }
    }

    /// From now on nothing passes, and nobody is told.
    pub fn freeze(&self) {
        self.state.frozen.store(true, Ordering::Relaxed);
    }

    /// So many bytes a second pass to the server.
    pub fn slow(&self, rate: u64) {
        self.state.rate.store(rate, Ordering::Relaxed);
    }

    /// Connections break once so many bytes in all have passed to the server.
    pub fn cut_after(&self, bytes: u64) {
        self.state.cut.store(bytes, Ordering::Relaxed);
    }

    /// How many bytes have passed to the server.
    pub fn passed(&self) -> u64 {
        self.state.passed.load(Ordering::Relaxed)
    }
}

async fn pass(client: TcpStream, server: SocketAddr, state: Arc<State>) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = copy(from_client, to_server, &state, true) => {}
        () = copy(from_server, to_client, &state, false) => {}
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    state: &State,
    counts: bool,
) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let Ok(read) = from.read(&mut buffer).await else {
            return;
        };
        if read == 0 {
            return;
        }
        while state.frozen.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(50)).await;
        }
        let mut passing = read;
        if counts {
            let (rate, cut) = (
                state.rate.load(Ordering::Relaxed),
                state.cut.load(Ordering::Relaxed),
            );
            if let Some(pause) = (read as u64 * 1000).checked_div(rate) {
                sleep(Duration::from_millis(pause)).await;
            }
            let before = state.passed.fetch_add(read as u64, Ordering::Relaxed);
            if cut > 0 && before + read as u64 > cut {
                passing = usize::try_from(cut.saturating_sub(before)).unwrap_or_default();
            }
        }
        if to.write_all(&buffer[..passing]).await.is_err() || passing < read {
            return;
        }
    }
}
