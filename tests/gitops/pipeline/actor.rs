//! People and pipelines at work with `kubectl`, each by a credential of their own.

use crate::support::{PATIENCE, World, shared};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Pause between two looks at something that can only be looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// Somebody with a credential.
pub struct Actor {
    kubeconfig: PathBuf,
    namespace: String,
}

/// What a command came to.
pub struct Answer {
    pub clean: bool,
    /// All that it printed.
    pub said: String,
}

impl Answer {
    pub fn of(output: &Output) -> Self {
        let [said, complained] =
            [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        Self {
            clean: output.status.success(),
            said: said + &complained,
        }
    }

    /// It went through.
    #[track_caller]
    pub fn is_clean(&self) {
        assert!(self.clean, "{}", self.said);
    }

    /// It was refused, in these words.
    #[track_caller]
    pub fn is_refused(&self, words: &[&str]) {
        assert!(!self.clean, "it goes through: {}", self.said);
        for word in words {
            assert!(self.said.contains(word), "nothing says {word:?}: {}", self.said);
        }
    }
}

impl Actor {
    /// Somebody with a certificate.
    pub fn person(world: &World, name: &str) -> Self {
        let kubeconfig = shared().kubeconfig_for(name, None).expect("a certificate");
        Self::with(world, name, &kubeconfig)
    }

    /// A service account of the namespace `marketing`, with a token.
    pub fn account(world: &World, name: &str) -> Self {
        let kubeconfig = shared()
            .kubeconfig_for_account("marketing", name)
            .expect("a token");
        Self::with(world, name, &kubeconfig)
    }

    fn with(world: &World, name: &str, kubeconfig: &str) -> Self {
        let file = format!("{}-{name}.kubeconfig", world.namespace);
        let path = shared().directory().join(file);
        std::fs::write(&path, kubeconfig).expect("it can be written");
        Self {
            kubeconfig: path,
            namespace: world.namespace.clone(),
        }
    }

    /// `kubectl` by this credential, ready for arguments.
    pub fn command(&self) -> Command {
        let mut kubectl = shared().kubectl();
        kubectl.arg("--kubeconfig").arg(&self.kubeconfig);
        kubectl
    }

    pub fn kubectl(&self, arguments: &[&str]) -> Answer {
        let mut kubectl = self.command();
        kubectl.args(["--namespace", &self.namespace]).args(arguments);
        Answer::of(&kubectl.output().expect("kubectl runs"))
    }

    /// A line of a shell, in which `kubectl` acts by this credential.
    pub fn shell(&self, line: &str) -> Answer {
        let kubectl = shared().kubectl();
        let program = Path::new(kubectl.get_program());
        let folder = program.parent().expect("a folder").display();
        let path = std::env::var("PATH").unwrap_or_default();
        let ran = Command::new("bash")
            .args(["-euo", "pipefail", "-c", line])
            .env("PATH", format!("{folder}:{path}"))
            .env("KUBECONFIG", &self.kubeconfig)
            .output();
        Answer::of(&ran.expect("bash runs"))
    }

    /// Waits until this one may use the connection.
    pub fn until_may_use(&self, connection: &str) {
        self.until(connection, true);
    }

    /// Waits until this one may no longer use the connection.
    pub fn until_may_not_use(&self, connection: &str) {
        self.until(connection, false);
    }

    fn until(&self, connection: &str, expected: bool) {
        let started = Instant::now();
        let ask = ["auth", "can-i", "use", &format!("connections/{connection}")];
        while self.kubectl(&ask).clean != expected {
            assert!(
                started.elapsed() < PATIENCE,
                "can use {connection}: never {expected}"
            );
            std::thread::sleep(PAUSE);
        }
    }
}
