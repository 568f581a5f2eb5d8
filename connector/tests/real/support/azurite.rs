//! Azurite, Microsoft's emulator of Azure's Blob service, under the name that an account has in Azure.

use super::sshd::free_address;
use super::{PATIENCE, listening};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use connection_operator::vault::connect::tls_config;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use local_cluster::certificates::Authority;
use local_cluster::processes::{Launch, Tied};
use ring::hmac::{HMAC_SHA256, Key, sign};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tempfile::TempDir;

/// The account.
pub const ACCOUNT: &str = "contoso";
/// Its key, which must never be seen again.
pub const ACCOUNT_KEY: &str = "Y2FuYXJ5LWFjY291bnQta2V5LWNhbmFyeS1hY2NvdW50LWtleQ==";
/// Its host.
pub const HOST: &str = "contoso.blob.core.windows.net";
/// Its container.
pub const CONTAINER: &str = "exports";

/// A running server. It ends when this value is dropped, and with the process.
pub struct Azurite {
    process: Option<Tied>,
    _folder: TempDir,
    /// Where it listens.
    pub address: SocketAddr,
    /// The authority that signed its certificate, in PEM.
    pub authority: String,
}

impl Azurite {
    /// Starts one with an empty container.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new().expect("an authority");
        let identity = authority.server("store", &[HOST]).expect("a certificate");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        write("certificate", &identity.certificate);
        write("key", &identity.key);
        let started = Instant::now();
        let (process, address) = loop {
            // Another program may take the port between its choice and its use.
            if let Some(launched) = launch(folder.path()) {
                break launched;
            }
            assert!(started.elapsed() < PATIENCE, "the server never starts");
        };
        let server = Self {
            process: Some(process),
            _folder: folder,
            address,
            authority: authority.identity().certificate,
        };
        let made = server.ask("PUT", CONTAINER, &[("restype", "container")]);
        assert!(
            made.starts_with(b"HTTP/1.1 201"),
            "{}",
            String::from_utf8_lossy(&made)
        );
        server
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// The names of all blobs in the container, those that are begun and have no content yet included.
    pub fn names(&self) -> Vec<String> {
        let query = [
            ("comp", "list"),
            ("include", "uncommittedblobs"),
            ("restype", "container"),
        ];
        let answer = self.ask("GET", CONTAINER, &query);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let names = text.split("<Name>").skip(1);
        names
            .filter_map(|rest| Some(rest.split_once("</Name>")?.0.to_owned()))
            .collect()
    }

    /// The head and the content of a blob.
    pub fn blob(&self, name: &str) -> (String, Vec<u8>) {
        let answer = self.ask("GET", &format!("{CONTAINER}/{name}"), &[]);
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        (head, answer[end + 4..].to_vec())
    }

    /// Asks as the account does (https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
    fn ask(&self, method: &str, path: &str, query: &[(&str, &str)]) -> Vec<u8> {
        let date = DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&Timestamp::now())
            .expect("a date");
        let headers = format!("x-ms-date:{date}\nx-ms-version:2023-11-03\n");
        let resource: String = query
            .iter()
            .fold(format!("/{ACCOUNT}/{path}"), |all, (name, value)| {
                format!("{all}\n{name}:{value}")
            });
        let text = format!("{method}\n\n\n\n\n\n\n\n\n\n\n\n{headers}{resource}");
        let key = BASE64_STANDARD.decode(ACCOUNT_KEY).expect("Base64");
        let signature = BASE64_STANDARD.encode(sign(&Key::new(HMAC_SHA256, &key), text.as_bytes()));
        let query: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = format!(
            "{method} /{path}?{} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Length: 0\r\n\
             x-ms-date: {date}\r\nx-ms-version: 2023-11-03\r\nAuthorization: SharedKey {ACCOUNT}:{signature}\r\n\r\n",
            query.join("&")
        );
        let config = tls_config(Some(&self.authority)).expect("an authority");
        let name = ServerName::try_from(HOST).expect("a name");
        let tls = ClientConnection::new(Arc::new(config), name).expect("a connection");
        let stream = TcpStream::connect(self.address).expect("it listens");
        let mut stream = StreamOwned::new(tls, stream);
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer); // it may hang up without a word
        answer
    }
}

/// Starts the server on a free port; none if it ends at once.
fn launch(folder: &Path) -> Option<(Tied, SocketAddr)> {
    let address = free_address();
    let place = |name: &str| folder.join(name).display().to_string();
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/azurite");
    let launch = Launch {
        name: "azurite",
        program: "env".into(),
        arguments: [
            format!("AZURITE_ACCOUNTS={ACCOUNT}:{ACCOUNT_KEY}"),
            tool.display().to_string(),
            format!("--blobHost={}", address.ip()),
            format!("--blobPort={}", address.port()),
            format!("--cert={}", place("certificate")),
            format!("--key={}", place("key")),
            format!("--location={}", folder.display()),
            "--silent".to_owned(),
            "--disableTelemetry".to_owned(),
        ]
        .to_vec(),
    };
    let process = launch.tied(folder).expect("it can be started");
    Some((listening(process, address)?, address))
}
