//! A git repository laid out as the example, and the pipelines that sync it.

use super::actor::{Actor, Answer};
use crate::support::{World, shared};
use connection_operator::api::{Connection, Dataset, Export, SharedConnection};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/gitops");
/// The page that pipelines are told on.
pub const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gitops/README.md");

/// The account of the administrators' pipeline, as Kubernetes names it.
pub const ADMINISTRATORS: &str = "system:serviceaccount:marketing:administrators-pipeline";
/// The file of the connection in the example.
pub const CONNECTION: &str = "connections/sftp-partner.yaml";
/// The file of the export in the example.
pub const EXPORT: &str = "exports/nightly.yaml";

/// Whether the API server writes stamps; else manifests state them.
pub fn stamped() -> bool {
    shared().mutates().expect("an answer")
}

/// A repository with a namespace of its own.
pub struct Repository {
    pub world: World,
    /// What people work in.
    directory: PathBuf,
}

impl Repository {
    /// One that holds the example, and a namespace with what the example wants to find there; ada is an administrator.
    pub async fn new() -> Self {
        let world = World::new().await;
        prepare(&world).await;
        let repository = Self {
            directory: shared().directory().join(format!("{}.git", world.namespace)),
            world,
        };
        std::fs::create_dir(&repository.directory).expect("a folder");
        git(
            &repository.directory,
            &["init", "--quiet", "--initial-branch=main"],
        );
        for file in [CONNECTION, "connections/customers.yaml", EXPORT] {
            let text = std::fs::read_to_string(Path::new(EXAMPLE).join(file)).expect("it can be read");
            repository.write(file, &text.replace("marketing", &repository.world.namespace));
        }
        repository.agree();
        repository.commit("Begin");
        repository
    }

    /// The same, applied by both pipelines, those of connections and of exports, until all that follows has come.
    pub async fn applied() -> (Self, Pipeline, Pipeline) {
        let repository = Self::new().await;
        let (administrators, contributors) = (repository.administrators(), repository.contributors());
        administrators.sync().is_clean();
        contributors.actor.until_may_use("sftp-partner");
        contributors.sync().is_clean();
        let world = &repository.world;
        world.until_active::<Export>("nightly-customers").await;
        world.until_used_by::<Connection>("sftp-partner", 1).await;
        world.until_used_by::<Dataset>("customers", 1).await;
        world
            .until_ready_says::<SharedConnection>("sftp-partner", "Ready")
            .await;
        (repository, administrators, contributors)
    }

    /// The pipeline of the folder `connections/`.
    pub fn administrators(&self) -> Pipeline {
        self.pipeline("administrators", "connections")
    }

    /// The pipeline of the folder `exports/`.
    pub fn contributors(&self) -> Pipeline {
        self.pipeline("contributors", "exports")
    }

    fn pipeline(&self, role: &'static str, folder: &'static str) -> Pipeline {
        let checkout = self.directory.with_extension(role);
        let [from, to] = [&self.directory, &checkout].map(|path| path.to_string_lossy().into_owned());
        git(&self.directory, &["clone", "--quiet", &from, &to]);
        Pipeline {
            actor: Actor::account(&self.world, &format!("{role}-pipeline")),
            checkout,
            command: command(&self.world.namespace, role, folder),
        }
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.directory.join(file)).expect("it can be read")
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.directory.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("it can be written");
    }

    /// Changes one text of a file that is in it once.
    pub fn edit(&self, file: &str, before: &str, after: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(before).count(), 1, "{file} says {before:?} once");
        self.write(file, &text.replace(before, after));
    }

    pub fn remove(&self, file: &str) {
        std::fs::remove_file(self.directory.join(file)).expect("it is there");
    }

    /// Puts the digest into the connection's manifest that the command of the docs prints, and returns it.
    pub fn agree(&self) -> String {
        let told = Command::new(env!("CARGO_BIN_EXE_connection-operator"))
            .args(["consent", "--filename"])
            .arg(self.directory.join(CONNECTION))
            .output();
        let told = String::from_utf8(told.expect("it runs").stdout).expect("text");
        let line = told.trim_end().lines().last().expect("a line").trim();
        let digest = line.strip_prefix("connections.dev/consent: ").expect("a digest");
        let stamp = if stamped() {
            String::new()
        } else {
            format!("    connections.dev/consented-by: given {digest} {ADMINISTRATORS}\n")
        };
        self.disagree();
        let agreed = format!("  annotations:\n    {line}\n{stamp}");
        self.edit(CONNECTION, "  annotations:\n", &agreed);
        digest.to_owned()
    }

    /// Takes consent out of the connection's manifest.
    pub fn disagree(&self) {
        let manifest = self.read(CONNECTION);
        let agrees = |line: &&str| {
            let line = line.trim_start();
            line.starts_with("connections.dev/consent: ")
                || line.starts_with("connections.dev/consented-by: ")
        };
        let mut kept: Vec<&str> = manifest.lines().filter(|line| !agrees(line)).collect();
        kept.push("");
        self.write(CONNECTION, &kept.join("\n"));
    }

    pub fn commit(&self, message: &str) {
        git(&self.directory, &["add", "--all"]);
        git(&self.directory, &["commit", "--quiet", "--message", message]);
    }

    /// Takes the newest commit back.
    pub fn revert(&self) {
        git(&self.directory, &["revert", "--no-edit", "HEAD"]);
    }
}

/// A job that applies one folder of the repository.
pub struct Pipeline {
    pub actor: Actor,
    checkout: PathBuf,
    command: Vec<String>,
}

impl Pipeline {
    /// Fetches what is on the main branch and applies it, as the docs say.
    pub fn sync(&self) -> Answer {
        self.sync_with(&[])
    }

    /// The same with further arguments.
    pub fn sync_with(&self, further: &[&str]) -> Answer {
        git(&self.checkout, &["pull", "--quiet", "--ff-only"]);
        let mut kubectl = self.actor.command();
        kubectl
            .current_dir(&self.checkout)
            .env("KUBECTL_APPLYSET", "true")
            .args(&self.command)
            .args(further);
        Answer::of(&kubectl.output().expect("kubectl runs"))
    }
}

/// The arguments of the command in the docs, which stands there for the administrators.
fn command(namespace: &str, role: &str, folder: &str) -> Vec<String> {
    let docs = std::fs::read_to_string(DOCS).expect("it can be read");
    let (_, after) = docs
        .split_once("KUBECTL_APPLYSET=true kubectl ")
        .expect("a command");
    let (command, _) = after.split_once("```").expect("an end");
    let words = command.split_whitespace().filter(|word| *word != "\\");
    let ours = words.map(|word| {
        let word = word
            .replace("administrators", role)
            .replace("connections", folder);
        word.replace("marketing", namespace)
    });
    ours.collect()
}

/// What platform engineers do once: the accounts in a namespace that all tests share, as the operator's installation
/// lists the pipeline by its whole name, and bound in the test's own.
async fn prepare(world: &World) {
    let marketing = World {
        client: world.client.clone(),
        namespace: "marketing".to_owned(),
    };
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "marketing"}});
    marketing.apply(namespace).await;
    for file in ["access/pipelines.yaml", "access/applysets.yaml"] {
        let text = std::fs::read_to_string(Path::new(EXAMPLE).join(file)).expect("it can be read");
        let manifests: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
        for mut manifest in manifests {
            if manifest["kind"] == "ServiceAccount" {
                marketing.apply(manifest).await;
            } else {
                manifest["metadata"]["namespace"] = world.namespace.clone().into();
                world.apply(manifest).await;
            }
        }
    }
    let credentials = [("username", "acme"), ("password", "not-a-real-one")];
    world
        .apply(crate::support::manifests::secret("sftp-partner", &credentials))
        .await;
    world
        .apply(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "administrators"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "connections-admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ada"}],
        }))
        .await;
}

/// Runs git there, whatever the machine has set up for it.
fn git(directory: &Path, arguments: &[&str]) {
    let ran = Command::new("git")
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
        .args(arguments)
        .output();
    let answer = Answer::of(&ran.expect("git runs"));
    assert!(answer.clean, "git {arguments:?}: {}", answer.said);
}
