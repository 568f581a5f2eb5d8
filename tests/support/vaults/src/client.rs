//! A small https client that trusts one authority: for setting up the real server, and for the tests of the stand-ins.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::Error;

/// Asks one server.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    host: String,
    config: Arc<ClientConfig>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON; null if it isn't.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header that is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// Calls the server at this address by this name, and trusts this authority alone.
    ///
    /// # Errors
    /// When the authority isn't one.
    pub fn new(address: SocketAddr, host: &str, ca_pem: &str) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(ca_pem)? {
            roots
                .add(certificate)
                .map_err(Error::machine("trust an authority"))?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::machine("choose versions of TLS"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            address,
            host: host.to_owned(),
            config: Arc::new(config),
        })
    }

    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// When the server isn't there, isn't trusted, or cuts the connection.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Reply, Error> {
        let stream = TcpStream::connect(self.address)
            .await
            .map_err(Error::machine("connect"))?;
        let name =
            ServerName::try_from(self.host.clone()).map_err(Error::machine("read the server's name"))?;
        let stream = TlsConnector::from(Arc::clone(&self.config))
            .connect(name, stream)
            .await
            .map_err(Error::machine("trust the server"))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(Error::machine("speak http"))?;
        let driving = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", format!("{}:{}", self.host, self.address.port()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(Error::machine("write a request"))?;
        let reply = sender
            .send_request(request)
            .await
            .map_err(Error::machine("get an answer"))?;
        let (parts, body) = reply.into_parts();
        let body = body
            .collect()
            .await
            .map_err(Error::machine("read the answer"))?
            .to_bytes();
        driving.abort();
        Ok(Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }

    /// Reads what is at a path.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Reply, Error> {
        self.send("GET", path, headers, String::new()).await
    }
}

/// The certificates of a PEM text.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|why| Error::Machine {
            what: "read a certificate",
            why: format!("{why:?}"),
        })
}
