//! The namespaces that the attempts happen in, and the people with their own credentials.

use super::markdown::tables;
use super::words::Words;
use crate::stories::run_accounts::until_kept;
use crate::support::{PATIENCE, World, client, shared};
use connection_operator::api::consent_record::ConsentDecision;
use connection_operator::api::names::RUN_PLAN_ANNOTATION;
use connection_operator::api::{Connection, ConsentRecord, Enrichment, Export, KeyVault, SharedConnection};
use connection_operator::governance::runs::names;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::ResourceExt;
use kube::api::ListParams;
use local_cluster::programs::KUBECTL;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The page that says who people are, what they try, and what the words in it mean.
pub fn page() -> String {
    read("attempts.md")
}

fn read(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/access");
    std::fs::read_to_string(folder.join(file)).expect("it can be read")
}

/// Pause between two looks at something that can only be looked at.
pub const PAUSE: Duration = Duration::from_millis(50);

/// Connections that ana consents to.
const CONSENTED: [&str; 7] = [
    "private",
    "shared",
    "unshared",
    "fixed",
    "provider",
    "couriered",
    "withdrawn",
];
/// Connections that contributors see.
const SHARED: [&str; 4] = ["shared", "fixed", "provider", "broken"];

/// Somebody with credentials.
pub struct Person {
    /// Whom the API server takes them for.
    pub user: String,
    kubeconfig: PathBuf,
}

/// Everything that the attempts need.
pub struct Scene {
    pub world: World,
    pub people: BTreeMap<String, Person>,
    pub words: Words,
    /// Whether the API server itself writes the stamp beside a consent.
    pub stamps: bool,
    folder: PathBuf,
}

impl Scene {
    /// Makes it, and waits until the operator has judged it.
    pub async fn set() -> Self {
        let (world, other) = (World::new().await, World::new().await);
        let folder = shared().directory().join(format!("access-{}", world.namespace));
        std::fs::create_dir(&folder).expect("a folder");
        let mut words = Words::of(&page(), folder.clone());
        words.fix("ns", &world.namespace);
        words.fix("other", &other.namespace);
        let mut scene = Self {
            world,
            people: BTreeMap::new(),
            words,
            stamps: false,
            folder,
        };
        scene.sign_in("root", "admin", shared().kubeconfig());
        let served = scene.kubectl(
            "root",
            "kubectl api-resources --api-group admissionregistration.k8s.io -o name",
        );
        scene.stamps = String::from_utf8_lossy(&served.stdout).contains("mutatingadmissionpolicies");
        let manifests = scene.folder.join("scene.yaml");
        std::fs::write(&manifests, scene.words.spoken(&read("scene.yaml"))).expect("it can be written");
        let applied = format!("kubectl apply --server-side -f {}", manifests.display());
        let answer = scene.kubectl("root", &applied);
        assert!(answer.status.success(), "{answer:?}");
        scene.welcome();
        scene.settle().await;
        scene.learn().await;
        scene
    }

    /// Gives everybody on the page their credentials.
    fn welcome(&mut self) {
        let tables = tables(&page());
        let people = tables.iter().find(|table| table.heading == "People");
        for row in &people.expect("a table of people").rows {
            let (who, how) = (&row.cells[0], self.words.spoken(&row.cells[1]));
            if let Some((namespace, account)) = how
                .strip_prefix("a token of ")
                .and_then(|name| name.split_once('/'))
            {
                let kubeconfig = shared().kubeconfig_for_account(namespace, account);
                let user = format!("system:serviceaccount:{namespace}:{account}");
                self.sign_in(who, &user, &kubeconfig.expect("a token"));
            } else if how == "a certificate" {
                let kubeconfig = shared().kubeconfig_for(who, None);
                self.sign_in(who, who, &kubeconfig.expect("a certificate"));
            } else {
                assert!(self.people.contains_key(who), "nobody knows how {who} signs in");
            }
        }
    }

    fn sign_in(&mut self, who: &str, user: &str, kubeconfig: &str) {
        let mut kubeconfig: Value = serde_json::from_str(kubeconfig).expect("a kubeconfig");
        kubeconfig["contexts"][0]["context"]["namespace"] = json!(self.world.namespace);
        let path = self.folder.join(format!("{who}.kubeconfig"));
        std::fs::write(&path, kubeconfig.to_string()).expect("it can be written");
        let person = Person {
            user: user.to_owned(),
            kubeconfig: path,
        };
        self.people.insert(who.to_owned(), person);
    }

    /// Runs a line as it stands on the page.
    pub fn kubectl(&self, who: &str, line: &str) -> Output {
        let person = self
            .people
            .get(who)
            .unwrap_or_else(|| panic!("nobody is called {who}"));
        let mut words = shlex::split(line).expect("quotes in pairs").into_iter();
        assert_eq!(words.next().as_deref(), Some("kubectl"), "{line}");
        let mut kubectl = Command::new(KUBECTL.path().expect("kubectl"));
        kubectl.arg("--kubeconfig").arg(&person.kubeconfig).args(words);
        kubectl.env("KUBECACHEDIR", self.folder.join("cache"));
        kubectl.output().expect("kubectl runs")
    }

    /// Somebody's own view of the namespace.
    async fn seen_by(&self, who: &str) -> World {
        let kubeconfig = std::fs::read_to_string(&self.people[who].kubeconfig).expect("it was written");
        World {
            client: client(&kubeconfig).await,
            namespace: self.world.namespace.clone(),
        }
    }

    /// Consents, takes consent back, and ends the sharing of one connection, as the page says.
    async fn settle(&self) {
        let world = &self.world;
        for name in CONSENTED {
            self.consent("ana", name, None).await;
        }
        self.consent("administrators' pipeline", "entrusted", Some("bea"))
            .await;
        self.withdraw("ana", "withdrawn").await;
        self.unshare().await;
        for export in ["private-nightly", "nightly", "left-behind", "on-courier"] {
            world.until_active::<Export>(export).await;
        }
        world.until_active::<Enrichment>("companies").await;
        world
            .until_inactive::<Export>("on-broken", "ConnectionNotReady")
            .await;
        world.until_used_by::<Connection>("private", 1).await;
        until_kept(world).await;
        let used = |vault: &KeyVault| {
            let dependents = vault
                .status
                .as_ref()
                .and_then(|status| status.dependents.as_ref());
            dependents.is_some_and(|dependents| dependents.total == 1)
        };
        world.until::<KeyVault>("company-vault", "in use", used).await;
        for name in SHARED {
            self.until_can_use("carol", name, true).await;
        }
        self.until_can_use("otto", "theirs -n {other}", true).await;
    }

    /// Consents as somebody, with the stamp that is theirs on every cluster.
    async fn consent(&self, who: &str, name: &str, person: Option<&str>) {
        let required = |connection: &Connection| {
            let consent = connection.status.as_ref()?.consent.as_ref()?;
            consent.required.clone()
        };
        let asks = |connection: &Connection| required(connection).is_some();
        let connection = self
            .world
            .until::<Connection>(name, "it asks for consent", asks)
            .await;
        let digest = required(&connection).expect("just seen");
        let annotations = json!({
            "connections.dev/consent": digest,
            "connections.dev/consented-by": format!("given {digest} {}", self.people[who].user),
            "connections.dev/consent-person": person,
        });
        let author = self.seen_by(who).await;
        author
            .merge::<Connection>(name, json!({"metadata": {"annotations": annotations}}))
            .await;
        self.world.until_ready_says::<Connection>(name, "Ready").await;
    }

    async fn withdraw(&self, who: &str, name: &str) {
        let world = self.seen_by(who).await;
        let connection = world.api::<Connection>().get(name).await.expect("it's there");
        let digest = &connection.annotations()["connections.dev/consent"];
        let annotations = json!({
            "connections.dev/consent": null,
            "connections.dev/consented-by": format!("withdrawn {digest} {}", self.people[who].user),
        });
        world
            .merge::<Connection>(name, json!({"metadata": {"annotations": annotations}}))
            .await;
        world
            .until_ready_says::<Connection>(name, "ConsentWithdrawn")
            .await;
    }

    async fn unshare(&self) {
        let there = |_: &SharedConnection| true;
        self.world
            .until::<SharedConnection>("unshared", "it's shared", there)
            .await;
        let private = json!({"spec": {"access": {"exports": "Administrators"}}});
        self.world.merge::<Connection>("unshared", private).await;
        self.world.until_gone::<SharedConnection>("unshared").await;
        self.world
            .until_gone::<RoleBinding>("connections-use-unshared")
            .await;
        self.until_can_use("carol", "unshared", false).await;
    }

    async fn until_can_use(&self, who: &str, connection: &str, expected: bool) {
        let line = self
            .words
            .spoken(&format!("kubectl auth can-i use connections/{connection}"));
        let started = Instant::now();
        while self.kubectl(who, &line).status.success() != expected {
            assert!(started.elapsed() < PATIENCE, "{who}: {line}: never {expected}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lets the words stand for what the operator has made.
    async fn learn(&mut self) {
        let connections = self.world.api::<Connection>();
        let connections = connections.list(&ListParams::default()).await.expect("a list");
        for connection in connections.items {
            let name = connection.metadata.name.unwrap_or_default();
            let consent = connection.status.and_then(|status| status.consent);
            let digest = consent.and_then(|consent| consent.required).unwrap_or_default();
            self.words.fix(&format!("digest {name}"), &digest);
        }
        let records = self.world.api::<ConsentRecord>();
        let records = records.list(&ListParams::default()).await.expect("a list");
        let record = records.items.into_iter().find(|record| {
            let said = &record.spec;
            said.subject.name.as_str() == "private" && said.decision == ConsentDecision::Given
        });
        let record = record.expect("ana's consent is on record");
        self.words
            .fix("record", &record.metadata.name.unwrap_or_default());
        let name = names::cron_job("Export", "nightly");
        let cron_job = self.world.until::<CronJob>(&name, "it is made", |_| true).await;
        let plan = &cron_job.annotations()[RUN_PLAN_ANNOTATION];
        self.words.fix("plan", &names::plan(plan));
        self.words.fix("cron-job", &name);
    }
}
