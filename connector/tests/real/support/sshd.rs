//! OpenSSH's server, with one account of its own that the machine doesn't know: in a mount namespace, where it sees other
//! files of accounts.

use super::{PATIENCE, PAUSE};
use local_cluster::processes::{Launch, Tied, run};
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The account.
pub const USER: &str = "acme";
/// Its password, which must never be seen again.
pub const PASSWORD: &str = "canary-password";
/// The passphrase of its key `locked`.
pub const PASSPHRASE: &str = "canary-passphrase";
/// The password as it stands on the server: `openssl passwd -6 -salt connections canary-password`.
const PASSWORD_HASH: &str =
    "$6$connections$eGaK6DTWiHCIXIrIDKWLOa6oSG6mPSHWRwiSevlee9GdDiS01pQex5Fgv9rQoKQfy0hChmhi7Os/tlODjc3Ao0";
/// The account's number.
const UID: u32 = 54321;
/// The sorts of keys that the server and the account have.
pub const KEYS: [&str; 3] = ["ed25519", "ecdsa", "rsa"];

/// How one server differs from the others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Differences<'a> {
    /// Lines of its configuration that go before its own.
    pub configuration: &'a str,
    /// What is done before it starts, in its mount namespace: the account's root is `/srv`.
    pub before: &'a str,
}

/// A running server. It ends when this value is dropped, and with the process.
pub struct Sshd {
    process: Tied,
    folder: TempDir,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Sshd {
    /// Starts one, whose account may write to `/in`, and not to `/closed`.
    pub fn start() -> Self {
        Self::with(Differences::default())
    }

    /// Starts one that differs.
    pub fn with(differences: Differences<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it can be entered");
        furnish(folder.path());
        let started = Instant::now();
        loop {
            // Another program may take the port between its choice and its use.
            if let Some((process, address)) = launch(folder.path(), differences) {
                return Self {
                    process,
                    folder,
                    address,
                };
            }
            assert!(
                started.elapsed() < PATIENCE,
                "the server never starts: {}",
                log(folder.path())
            );
        }
    }

    /// The files of the account's folder `/in`.
    pub fn inside(&self) -> PathBuf {
        self.folder.path().join("root/in")
    }

    /// The same, where the folder is mounted before the server starts.
    pub fn inside_namespace(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root/srv/in", self.process.id()))
    }

    /// The names in the account's folder `/in`, in order.
    pub fn names(&self) -> Vec<String> {
        names(&self.inside())
    }

    /// The private key of this sort of the account; `locked` has a passphrase, `other` isn't the account's.
    pub fn key(&self, sort: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("user_{sort}"))).expect("a key")
    }

    /// The fingerprint of the server's key of this sort.
    pub fn fingerprint(&self, sort: &str) -> String {
        let file = self.folder.path().join(format!("host_{sort}.pub"));
        let told = run(Command::new("ssh-keygen").arg("-lf").arg(file)).expect("ssh-keygen runs");
        told.split_whitespace().nth(1).expect("a fingerprint").to_owned()
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        log(self.folder.path())
    }
}

/// The names in a folder, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("sshd.log")).unwrap_or_default()
}

/// Files of accounts, keys, and folders.
fn furnish(folder: &Path) {
    assert!(
        nix_is_root(),
        "these tests start OpenSSH's server with an account of its own, which needs Linux and root: sudo make test"
    );
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/openssh-server");
    run(&mut Command::new(tool)).expect("OpenSSH is there");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("written");
    write(
        "passwd",
        &format!(
            "root:x:0:0::/root:/bin/sh\nsshd:x:102:65534::/run/sshd:/usr/sbin/nologin\n\
             {USER}:x:{UID}:{UID}::/in:/usr/sbin/nologin\n"
        ),
    );
    write(
        "shadow",
        &format!("root:*:19000:0:99999:7:::\n{USER}:{PASSWORD_HASH}:19000:0:99999:7:::\n"),
    );
    write(
        "pam",
        "auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
    );
    let generate = |file: &str, sort: &str, passphrase: &str| {
        let mut command = Command::new("ssh-keygen");
        command
            .args(["-q", "-t", sort, "-N", passphrase, "-f"])
            .arg(folder.join(file));
        if sort == "rsa" {
            command.args(["-b", "2048"]);
        }
        run(&mut command).expect("a key");
    };
    for sort in KEYS {
        generate(&format!("host_{sort}"), sort, "");
        generate(&format!("user_{sort}"), sort, "");
    }
    generate("user_locked", "ed25519", PASSPHRASE);
    generate("user_other", "ed25519", "");
    let public = |sort: &str| fs::read_to_string(folder.join(format!("user_{sort}.pub"))).expect("a key");
    let accepted: String = KEYS.into_iter().chain(["locked"]).map(public).collect();
    write("authorized_keys", &accepted);
    for name in ["root", "root/in", "root/closed"] {
        let made = folder.join(name);
        fs::create_dir(&made).expect("made");
        fs::set_permissions(&made, fs::Permissions::from_mode(0o755)).expect("allowed");
    }
    chown(folder.join("root/in"), Some(UID), Some(UID)).expect("given away");
}

fn nix_is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// Starts the server on a free port; none if it ends at once.
fn launch(folder: &Path, differences: Differences<'_>) -> Option<(Tied, SocketAddr)> {
    let address = free_address();
    let place = folder.display();
    let keys = KEYS.map(|sort| format!("HostKey {place}/host_{sort}\n")).concat();
    let configuration = format!(
        "{}\nListenAddress {address}\n{keys}PidFile none\nUsePAM no\nPasswordAuthentication yes\n\
         KbdInteractiveAuthentication no\nAuthorizedKeysFile {place}/authorized_keys\nStrictModes no\n\
         Subsystem sftp internal-sftp\nChrootDirectory /srv\nAllowUsers {USER}\nLogLevel VERBOSE\n",
        differences.configuration
    );
    fs::write(folder.join("sshd_config"), configuration).expect("written");
    let script = format!(
        "set -e\nmkdir -p /run/sshd\nmount --bind {place}/passwd /etc/passwd\nmount --bind {place}/shadow /etc/shadow\n\
         mount --bind {place}/pam /etc/pam.d/sshd\nmount --bind {place}/root /srv\n{}\n\
         exec /usr/sbin/sshd -D -e -f {place}/sshd_config\n",
        differences.before
    );
    let launch = Launch {
        name: "sshd",
        program: "unshare".into(),
        arguments: ["--mount", "--propagation", "private", "sh", "-c", &script]
            .map(str::to_owned)
            .to_vec(),
    };
    let mut process = launch.tied(folder).expect("it can be started");
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if process.alive().is_err() {
            return None;
        }
        if greets(address) {
            return Some((process, address));
        }
        std::thread::sleep(PAUSE);
    }
    None
}

/// An address on which nobody listened a moment ago.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}

fn greets(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let mut greeting = [0; 4];
    let waits = stream.set_read_timeout(Some(Duration::from_secs(5)));
    waits.is_ok() && stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-"
}
