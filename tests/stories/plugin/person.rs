//! Somebody at a command line.

use crate::support::terminal::Terminal;
use crate::support::{World, shared};
use connection_operator::api::names::GROUP;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Output, Stdio};
use tempfile::NamedTempFile;

/// The program that kubectl runs for `kubectl connections`.
const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-connections");

/// The usual width.
pub const WIDE: u16 = 120;
/// Who decides where data may go.
pub const ADMINISTRATOR: &[&str] = &["connections-admin"];

/// All but the secrets of a connection, by flags.
pub const ADD: [&str; 9] = [
    "add",
    "sftp-export",
    "partner",
    "--display-name",
    "Partner drop",
    "--set",
    "hostname=sftp.partner.example",
    "--set",
    "folder=/in",
];
/// The optional key of the server's host, by a flag.
pub const HOST_KEY: &str = "hostKey=SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";

/// The program in a terminal.
pub fn terminal(person: &Person, arguments: &[&str], columns: u16) -> Terminal {
    Terminal::running(&person.program(arguments), columns)
}

/// Somebody with a kubeconfig of their own, whose context is in the namespace of the story.
pub struct Person {
    kubeconfig: NamedTempFile,
    context: String,
}

/// What the program told.
#[derive(Debug)]
pub struct Told {
    /// Its exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Person {
    /// A user in the world's namespace, by the roles that are named.
    pub async fn with_roles(world: &World, user: &str, roles: &[&str]) -> Self {
        for role in roles {
            world
                .apply(json!({
                    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                    "metadata": {"name": format!("{user}-{role}")},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
                }))
                .await;
        }
        let kubeconfig = shared().kubeconfig_for(user, None).expect("a certificate");
        Self::by(world, &kubeconfig)
    }

    /// Whoever this kubeconfig names.
    pub fn by(world: &World, kubeconfig: &str) -> Self {
        let mut kubeconfig: Value = serde_json::from_str(kubeconfig).expect("a kubeconfig in JSON");
        for context in kubeconfig["contexts"].as_array_mut().expect("contexts") {
            context["context"]["namespace"] = json!(world.namespace);
        }
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(kubeconfig.to_string().as_bytes())
            .expect("it is written");
        Self {
            kubeconfig: file,
            context: kubeconfig["current-context"]
                .as_str()
                .expect("a context")
                .to_owned(),
        }
    }

    /// The context of their kubeconfig.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The administrator of the whole cluster.
    pub fn almighty(world: &World) -> Self {
        Self::by(world, shared().kubeconfig())
    }

    /// The program, ready to run without a terminal.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut program = Command::new(PROGRAM);
        program
            .args(arguments)
            .env("KUBECONFIG", self.kubeconfig.path())
            .stdin(Stdio::null());
        program
    }

    /// Runs it to its end.
    pub fn runs(&self, arguments: &[&str]) -> Told {
        Told::of(self.program(arguments).output().expect("it runs"))
    }

    /// Runs it to its end with something on its standard input.
    pub fn runs_with(&self, arguments: &[&str], input: &str) -> Told {
        let mut program = self.program(arguments);
        program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut running = program.spawn().expect("it runs");
        let mut to = running.stdin.take().expect("a pipe");
        to.write_all(input.as_bytes()).expect("it is read");
        drop(to);
        Told::of(running.wait_with_output().expect("it ends"))
    }

    /// Runs it, and expects it to do what it's for.
    pub fn does(&self, arguments: &[&str]) -> String {
        let told = self.runs(arguments);
        assert_eq!(told.code, Some(0), "{arguments:?}: {told:?}");
        told.out
    }

    /// Runs it, expects this exit code, nothing on standard output, and tells what it says.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let told = self.runs(arguments);
        assert_eq!(
            (told.code, &*told.out),
            (Some(code), ""),
            "{arguments:?}: {told:?}"
        );
        told.err
    }
}

impl Told {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// The words of each line, so that the widths of columns play no part.
pub fn words(table: &str) -> Vec<Vec<&str>> {
    table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect()
}

/// How `-o name` calls an object of ours.
pub fn named(kind: &str, name: &str) -> String {
    format!("{kind}.{GROUP}/{name}\n")
}
