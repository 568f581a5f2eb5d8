//! Versity's S3 gateway: buckets are folders, and objects are files.

use super::sshd::free_address;
use super::{PATIENCE, listening};
use local_cluster::certificates::Authority;
use local_cluster::processes::{Launch, Tied};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tempfile::TempDir;

/// The ID of its access key.
pub const KEY_ID: &str = "canary-key-id";
/// The secret of the same key, which must never be seen again.
pub const SECRET_KEY: &str = "canary-secret-key";
/// Its bucket.
pub const BUCKET: &str = "exports";

/// A running server. It ends when this value is dropped, and with the process.
pub struct Versitygw {
    process: Option<Tied>,
    folder: TempDir,
    /// Where it listens.
    pub address: SocketAddr,
    /// The authority that signed its certificate, in PEM.
    pub authority: String,
}

impl Versitygw {
    /// Starts one with an empty bucket.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (authority, identity) = {
            let authority = Authority::new().expect("an authority");
            let identity = authority.server("store", &["127.0.0.1", "localhost"]);
            (authority.identity().certificate, identity.expect("a certificate"))
        };
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        write("certificate", &identity.certificate);
        write("key", &identity.key);
        for name in ["root", "root/exports", "attributes"] {
            fs::create_dir(folder.path().join(name)).expect("made");
        }
        let started = Instant::now();
        loop {
            // Another program may take the port between its choice and its use.
            if let Some((process, address)) = launch(folder.path()) {
                return Self {
                    process: Some(process),
                    folder,
                    address,
                    authority,
                };
            }
            assert!(started.elapsed() < PATIENCE, "the server never starts");
        }
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Where an object of the bucket is.
    pub fn object(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(BUCKET).join(name)
    }

    /// The names of the objects in the bucket, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        below(&self.object(""), "", &mut |name| {
            if !name.starts_with(".sgwtmp/") {
                names.push(name);
            }
        });
        names.sort();
        names
    }

    /// How many parts of unfinished objects it keeps.
    pub fn unfinished(&self) -> usize {
        let mut parts = 0;
        let place = self.object(".sgwtmp/multipart");
        if place.exists() {
            below(&place, "", &mut |_| parts += 1);
        }
        parts
    }

    /// What it keeps beside an object, by name.
    pub fn attribute(&self, object: &str, name: &str) -> String {
        let place = self.folder.path().join("attributes").join(BUCKET);
        let mut found = None;
        below(&place, "", &mut |file| {
            if file.starts_with(object) && file.ends_with(name) {
                found = Some(file);
            }
        });
        fs::read_to_string(place.join(found.expect("it is kept"))).expect("text")
    }
}

/// Calls something with the name of each file below a folder.
fn below(folder: &Path, prefix: &str, with: &mut impl FnMut(String)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            below(&entry.path(), &format!("{name}/"), with);
        } else {
            with(name);
        }
    }
}

/// Starts the server on a free port; none if it ends at once.
fn launch(folder: &Path) -> Option<(Tied, SocketAddr)> {
    let address = free_address();
    let place = |name: &str| folder.join(name).display().to_string();
    let launch = Launch {
        name: "versitygw",
        program: Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/s3-server"),
        arguments: [
            &format!("--port={address}"),
            &format!("--access={KEY_ID}"),
            &format!("--secret={SECRET_KEY}"),
            &format!("--cert={}", place("certificate")),
            &format!("--key={}", place("key")),
            "--quiet",
            "posix",
            &format!("--sidecar={}", place("attributes")),
            &place("root"),
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    let process = launch.tied(folder).expect("it can be started");
    Some((listening(process, address)?, address))
}
