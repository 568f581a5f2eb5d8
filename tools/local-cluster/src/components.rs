//! How the three processes of a control plane are started: the same for tests and for a node.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::certificates::{Authority, IdentityFiles, token_signer};
use crate::kubeconfig::kubeconfig;
use crate::processes::Launch;
use crate::programs::{ETCD, KUBE_APISERVER, KUBE_CONTROLLER_MANAGER};

/// The range of the services' addresses.
pub const SERVICE_RANGE: &str = "10.96.0.0/16";
/// The API server's own address in that range.
pub const SERVICE_OF_API_SERVER: &str = "10.96.0.1";

/// Where a control plane lives, and by what names it is reached.
#[derive(Debug)]
pub struct Site {
    /// Holds everything it writes.
    pub directory: PathBuf,
    /// Where the API server listens.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Signs for everyone.
    pub authority: Authority,
    etcd_port: u16,
    etcd_peer_port: u16,
    files: Files,
}

#[derive(Debug)]
struct Files {
    authority: IdentityFiles,
    server: IdentityFiles,
    kubelet_client: IdentityFiles,
    tokens: IdentityFiles,
}

impl Site {
    /// Picks ports, makes certificates and writes them into the folder.
    ///
    /// # Errors
    /// When the folder cannot be written to or the address is not this machine's.
    pub fn prepare(directory: &Path, address: IpAddr) -> Result<Self, Error> {
        let authority = Authority::new()?;
        let folder = directory.join("pki");
        fs::create_dir_all(&folder).map_err(Error::file("make", &folder))?;
        let own_address = address.to_string();
        let names = [
            own_address.as_str(),
            "127.0.0.1",
            "localhost",
            SERVICE_OF_API_SERVER,
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ];
        let files = Files {
            authority: authority.identity().write(&folder, "ca")?,
            server: authority
                .server("kube-apiserver", &names)?
                .write(&folder, "apiserver")?,
            kubelet_client: authority
                .client("kube-apiserver", Some("system:masters"))?
                .write(&folder, "apiserver-kubelet-client")?,
            tokens: token_signer()?.write(&folder, "service-accounts")?,
        };
        Ok(Self {
            directory: directory.to_path_buf(),
            address,
            port: free_port(address)?,
            authority,
            etcd_port: free_port(Ipv4Addr::LOCALHOST.into())?,
            etcd_peer_port: free_port(Ipv4Addr::LOCALHOST.into())?,
            files,
        })
    }

    /// The API server's address as a URL.
    #[must_use]
    pub fn server(&self) -> String {
        format!("https://{}:{}", self.address, self.port)
    }

    /// The certificate by which all others are checked.
    #[must_use]
    pub fn authority_file(&self) -> &Path {
        &self.files.authority.certificate
    }

    /// A kubeconfig for a user and the group the user is in.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn kubeconfig_for(&self, user: &str, group: Option<&str>) -> Result<String, Error> {
        let identity = self.authority.client(user, group)?;
        Ok(kubeconfig(
            &self.server(),
            &self.authority.identity().certificate,
            user,
            &identity,
        ))
    }

    /// etcd. Its data needs not outlive the machine, so it never waits for the disk.
    ///
    /// # Errors
    /// When the program cannot be had.
    pub fn etcd(&self) -> Result<Launch, Error> {
        let client = format!("http://127.0.0.1:{}", self.etcd_port);
        let peer = format!("http://127.0.0.1:{}", self.etcd_peer_port);
        Ok(Launch {
            name: "etcd",
            program: ETCD.path()?,
            arguments: vec![
                flag("data-dir", self.directory.join("etcd").display()),
                flag("listen-client-urls", &client),
                flag("advertise-client-urls", &client),
                flag("listen-peer-urls", &peer),
                flag("initial-advertise-peer-urls", &peer),
                flag("initial-cluster", format!("default={peer}")),
                "--unsafe-no-fsync".to_owned(),
                flag("log-level", "warn"),
            ],
        })
    }

    /// The API server.
    ///
    /// # Errors
    /// When the program cannot be had.
    pub fn api_server(&self) -> Result<Launch, Error> {
        let files = &self.files;
        let mut arguments = vec![
            flag("etcd-servers", format!("http://127.0.0.1:{}", self.etcd_port)),
            flag("bind-address", self.address),
            flag("advertise-address", self.address),
            flag("secure-port", self.port),
            flag("tls-cert-file", files.server.certificate.display()),
            flag("tls-private-key-file", files.server.key.display()),
            flag("client-ca-file", files.authority.certificate.display()),
            flag("authorization-mode", "Node,RBAC"),
            flag("service-cluster-ip-range", SERVICE_RANGE),
            flag("service-account-issuer", "https://kubernetes.default.svc"),
            flag("service-account-key-file", files.tokens.certificate.display()),
            flag("service-account-signing-key-file", files.tokens.key.display()),
            flag(
                "kubelet-certificate-authority",
                files.authority.certificate.display(),
            ),
            flag(
                "kubelet-client-certificate",
                files.kubelet_client.certificate.display(),
            ),
            flag("kubelet-client-key", files.kubelet_client.key.display()),
            flag("kubelet-preferred-address-types", "InternalIP"),
            flag("allow-privileged", true),
            flag("profiling", false),
            // Priority and fairness stays on; only its seats are for a cluster that a machine has for itself.
            flag("max-requests-inflight", 2000),
            flag("max-mutating-requests-inflight", 1000),
        ];
        if self.address.is_loopback() {
            // A service cannot point to loopback; without this the server would try, and complain, for ever.
            arguments.push(flag("endpoint-reconciler-type", "none"));
        }
        Ok(Launch {
            name: "kube-apiserver",
            program: KUBE_APISERVER.path()?,
            arguments,
        })
    }

    /// The controller manager, with every controller that is on by default.
    ///
    /// # Errors
    /// When the program cannot be had or the kubeconfig cannot be written.
    pub fn controller_manager(&self) -> Result<Launch, Error> {
        let files = &self.files;
        let kubeconfig =
            self.write_kubeconfig("controller-manager", "system:kube-controller-manager", None)?;
        Ok(Launch {
            name: "kube-controller-manager",
            program: KUBE_CONTROLLER_MANAGER.path()?,
            arguments: vec![
                flag("kubeconfig", kubeconfig.display()),
                flag("use-service-account-credentials", true),
                flag("service-account-private-key-file", files.tokens.key.display()),
                flag("root-ca-file", files.authority.certificate.display()),
                flag("cluster-signing-cert-file", files.authority.certificate.display()),
                flag("cluster-signing-key-file", files.authority.key.display()),
                flag("leader-elect", false),
                flag("secure-port", 0),
                // One cluster on one machine: nobody is served by waiting between requests.
                flag("kube-api-qps", 500),
                flag("kube-api-burst", 1000),
            ],
        })
    }

    /// Writes a kubeconfig for a component and says where it is.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn write_kubeconfig(&self, name: &str, user: &str, group: Option<&str>) -> Result<PathBuf, Error> {
        let path = self.directory.join(format!("{name}.kubeconfig"));
        crate::certificates::write_private(&path, &self.kubeconfig_for(user, group)?)?;
        Ok(path)
    }
}

/// A command-line flag with its value.
pub fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}

/// The ports that this process has picked: between its being picked and its being used a port looks free to others.
static PICKED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that is free at this moment, and stays so: none of those that the system gives to outgoing connections.
fn free_port(address: IpAddr) -> Result<u16, Error> {
    let mut found = Err(ErrorKind::AddrInUse.into());
    for port in std::iter::repeat_with(|| 10_000 + random() % 20_000).take(100) {
        // Whole at any time, so that a thread which died with it is of no concern.
        if !PICKED.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
            continue;
        }
        found = TcpListener::bind((address, port)).map(|_| port);
        if found.is_ok() {
            break;
        }
    }
    found.map_err(Error::file(
        "find a free port on",
        &PathBuf::from(address.to_string()),
    ))
}

fn random() -> u16 {
    let [first, second, ..] = RandomState::new().build_hasher().finish().to_be_bytes();
    u16::from_be_bytes([first, second])
}
