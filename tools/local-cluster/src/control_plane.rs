//! A control plane for tests: three processes that end with the test, and a folder that goes with them.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Error;
use crate::components::{Site, flag};
use crate::processes::Tied;
use crate::programs::KUBECTL;
use crate::readiness::wait_until;
use crate::run_directory::RunDirectory;

const PATIENCE: Duration = Duration::from_secs(90);

/// What a control plane may have besides what it always has.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Log every request's metadata, see [`ControlPlane::audit_log`].
    pub audit: bool,
    /// Further flags of the API server, as `--name=value`.
    pub api_server_flags: Vec<String>,
}

/// A running control plane. It ends when this value is dropped, and with the process, however that ends.
#[derive(Debug)]
pub struct ControlPlane {
    // In this order they are dropped: first those that use the next.
    components: Vec<Tied>,
    site: Site,
    admin: String,
    kubectl: PathBuf,
    directory: RunDirectory,
}

impl ControlPlane {
    /// Starts one and waits until the API server is ready. Blocks: seconds with programs in the cache,
    /// minutes when they must be built.
    ///
    /// # Errors
    /// When a program cannot be had, ends at once, or isn't ready in time.
    pub fn start(options: Options) -> Result<Self, Error> {
        let directory = RunDirectory::create()?;
        let site = Site::prepare(directory.path(), Ipv4Addr::LOCALHOST.into())?;
        let admin = site.kubeconfig_for("admin", Some("system:masters"))?;
        site.write_kubeconfig("admin", "admin", Some("system:masters"))?;
        let kubectl = KUBECTL.path()?;
        let mut started = Self {
            components: Vec::new(),
            site,
            admin,
            kubectl,
            directory,
        };
        started.launch(options)?;
        Ok(started)
    }

    fn launch(&mut self, options: Options) -> Result<(), Error> {
        let logs = self.site.directory.clone();
        let mut api_server = self.site.api_server()?;
        if options.audit {
            api_server.arguments.extend(self.audit_flags()?);
        }
        api_server.arguments.extend(options.api_server_flags);

        self.components.push(self.site.etcd()?.tied(&logs)?);
        self.components.push(api_server.tied(&logs)?);
        self.await_answer("/readyz")?;
        // The controller manager gives up on an API server that isn't there yet, so it comes last.
        self.components.push(self.site.controller_manager()?.tied(&logs)?);
        self.await_answer("/api/v1/namespaces/default")?;
        self.components.reverse();
        Ok(())
    }

    fn audit_flags(&self) -> Result<Vec<String>, Error> {
        let policy = self.site.directory.join("audit-policy.yaml");
        let text = concat!(
            "apiVersion: audit.k8s.io/v1\n",
            "kind: Policy\n",
            "omitStages: [RequestReceived]\n",
            "rules:\n",
            "  - level: Metadata\n",
        );
        std::fs::write(&policy, text).map_err(Error::file("write", &policy))?;
        Ok(vec![
            flag("audit-policy-file", policy.display()),
            flag("audit-log-path", self.audit_log().display()),
            // In MB; so that it stays one file.
            flag("audit-log-maxsize", 100_000),
        ])
    }

    fn await_answer(&mut self, path: &str) -> Result<(), Error> {
        let kubectl = self.kubectl.clone();
        let kubeconfig = self.kubeconfig_path();
        let logs = self.site.directory.clone();
        wait_until(
            &format!("an answer of the API server to {path}"),
            PATIENCE,
            &logs,
            || {
                for component in &mut self.components {
                    component.alive()?;
                }
                let mut asked = Command::new(&kubectl);
                asked
                    .env("KUBECONFIG", &kubeconfig)
                    .args(["get", "--raw", path])
                    .stdin(Stdio::null());
                Ok(asked
                    .output()
                    .map_err(Error::unrunnable("kubectl"))?
                    .status
                    .success())
            },
        )
    }

    /// A kubeconfig for an administrator, as text.
    #[must_use]
    pub fn kubeconfig(&self) -> &str {
        &self.admin
    }

    /// The administrator's kubeconfig as a file.
    #[must_use]
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.site.directory.join("admin.kubeconfig")
    }

    /// A kubeconfig for a user and the group the user is in, as text. It is for RBAC to say what they may do.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn kubeconfig_for(&self, user: &str, group: Option<&str>) -> Result<String, Error> {
        self.site.kubeconfig_for(user, group)
    }

    /// `kubectl` as an administrator, ready for arguments.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.arg(flag("kubeconfig", self.kubeconfig_path().display()));
        command
    }

    /// The API server's URL.
    #[must_use]
    pub fn server(&self) -> String {
        self.site.server()
    }

    /// The certificate by which all others are checked, as PEM.
    #[must_use]
    pub fn authority(&self) -> String {
        self.site.authority.identity().certificate
    }

    /// One JSON object a line, one line a finished request, if [`Options::audit`] was asked for.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.site.directory.join("audit.log")
    }

    /// Holds data, certificates and logs (`<component>.log`).
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Stops it. Dropping does the same.
    pub fn stop(self) {}
}
