//! Asks the pods of runs how far they are: two numbers, straight from the pod, and nothing else is believed.

use crate::api::run::{PROGRESS_PATH, PROGRESS_PORT, RunProgress};
use http::Uri;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long a pod may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How large its answer may be, in bytes.
const ANSWER_MAX: usize = 1024;

/// Asks pods.
#[derive(Clone, Debug)]
pub struct Asker(Client<HttpConnector, Empty<&'static [u8]>>);

impl Default for Asker {
    fn default() -> Self {
        // Each pod is asked so seldom that no connection is worth keeping.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(HttpConnector::new());
        Self(client)
    }
}

impl Asker {
    /// How far the run in the pod at this address is; nothing if it doesn't say so in time.
    pub async fn ask(&self, pod: IpAddr) -> Option<RunProgress> {
        self.ask_at(SocketAddr::new(pod, PROGRESS_PORT)).await
    }

    async fn ask_at(&self, address: SocketAddr) -> Option<RunProgress> {
        let answer = tokio::time::timeout(PATIENCE, self.answer(address)).await;
        let progress: RunProgress = serde_json::from_slice(&answer.ok()??).ok()?;
        (progress.rows_read >= 0 && progress.rows_written >= 0).then_some(progress)
    }

    async fn answer(&self, address: SocketAddr) -> Option<Vec<u8>> {
        let uri = Uri::builder().scheme("http").authority(address.to_string());
        let uri = uri.path_and_query(PROGRESS_PATH).build().ok()?;
        let response = self.0.get(uri).await.ok()?;
        if response.status() != http::StatusCode::OK {
            return None;
        }
        let body = Limited::new(response.into_body(), ANSWER_MAX);
        Some(body.collect().await.ok()?.to_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;
    use std::net::Ipv4Addr;
    use tokio::net::TcpListener;

    async fn said(status: StatusCode, body: String) -> Option<RunProgress> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let answer = get(move || std::future::ready((status, body)));
        let serving = axum::serve(listener, Router::new().route(PROGRESS_PATH, answer));
        let server = tokio::spawn(serving.into_future());
        let said = Asker::default().ask_at(address).await;
        server.abort();
        said
    }

    #[tokio::test]
    async fn two_numbers_are_taken_and_nothing_else() {
        let far = RunProgress {
            rows_read: 7,
            rows_written: 5,
        };
        let flood = format!(
            r#"{{"rowsRead":7,"rowsWritten":5,"x":"{}"}}"#,
            "x".repeat(ANSWER_MAX)
        );
        let rows = [
            (StatusCode::OK, r#"{"rowsRead":7,"rowsWritten":5}"#, Some(far)),
            (StatusCode::OK, r#"{"rowsRead":-7,"rowsWritten":5}"#, None),
            (StatusCode::OK, r#"{"rowsRead":7}"#, None),
            (StatusCode::OK, "<html>", None),
            (StatusCode::OK, &flood, None),
            (StatusCode::FOUND, r#"{"rowsRead":7,"rowsWritten":5}"#, None),
        ];
        for (status, body, expected) in rows {
            assert_eq!(said(status, body.to_owned()).await, expected, "{status} {body}");
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_nothing_is_said() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        drop(listener);
        assert_eq!(Asker::default().ask_at(address).await, None);
    }
}
