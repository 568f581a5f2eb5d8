//! What the tests run against.

pub mod azurite;
pub mod cluster;
pub mod proxy;
pub mod run;
pub mod sshd;
pub mod versitygw;

use local_cluster::processes::Tied;
use std::future::Future;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long anything may take before a test fails. Nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Pause between two looks at something that can only be looked at.
pub const PAUSE: Duration = Duration::from_millis(20);

/// Waits until something is so.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "it never came to be: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// A server's process once somebody listens at the address; nothing if it ends before, as another may have taken the port.
fn listening(mut process: Tied, address: SocketAddr) -> Option<Tied> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE * 10 {
        if process.alive().is_err() {
            return None;
        }
        if TcpStream::connect(address).is_ok() {
            return Some(process);
        }
        std::thread::sleep(PAUSE);
    }
    None
}
