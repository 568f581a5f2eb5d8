//! The node, really started: needs Linux and root, and minutes when the operator must be compiled. `make test-node`

#![allow(clippy::unwrap_used, reason = "a test may end at what it does not expect")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

use local_cluster::node::images::{containerfile, import, of_program};
use local_cluster::node::record::Record;
use local_cluster::places::Places;
use local_cluster::programs::KUBECTL;

/// A cluster of its own for one test; stopped also when the test fails.
struct Cluster {
    places: Places,
}

impl Cluster {
    fn new(name: &str) -> Self {
        let local = std::env::temp_dir().join(format!("local-cluster-{name}-{}", std::process::id()));
        Self {
            places: Places::of(Places::here().clone_root(), &local),
        }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local-cluster"));
        command.arg(verb).env("LOCAL_CLUSTER", self.places.local());
        command
    }

    fn run(&self, verb: &str) {
        must(self.command(verb).output().unwrap(), verb);
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(self.places.programs().join("kubectl"));
        command
            .env("KUBECONFIG", self.places.kubeconfig())
            .args(arguments);
        must(command.output().unwrap(), &format!("kubectl {arguments:?}"))
    }

    fn record(&self) -> Record {
        Record::read(&self.places.record()).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.command("down").output();
        let _ = fs::remove_dir_all(self.places.local());
    }
}

fn must(output: Output, what: &str) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn eventually(what: &str, happened: impl FnMut() -> bool) {
    within(Duration::from_mins(1), what, happened);
}

fn within(patience: Duration, what: &str, mut happened: impl FnMut() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(
            started.elapsed() < patience,
            "did not happen within {patience:?}: {what}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// What a node could leave on a machine.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    processes: BTreeSet<String>,
    mounts: BTreeSet<String>,
    interfaces: BTreeSet<String>,
    rules: BTreeSet<String>,
    control_groups: BTreeSet<String>,
    folders: BTreeSet<String>,
    kernel_settings: BTreeSet<String>,
}

/// Looks at the machine, apart from what nodes with other numbers may have there at the same time.
fn traces(cluster: &Cluster, number: u8) -> Traces {
    let of_another =
        |name: &String| name.contains("local-cluster") && !name.ends_with(&format!("local-cluster{number}"));
    let local = cluster.places.local().to_string_lossy().into_owned();
    let command_lines = entries("/proc")
        .into_iter()
        .filter_map(|process| fs::read_to_string(process.join("cmdline")).ok());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let settings = [
        "net/ipv4/ip_forward",
        "vm/overcommit_memory",
        "kernel/panic",
        "kernel/panic_on_oops",
    ];
    Traces {
        processes: command_lines.filter(|line| line.contains(&local)).collect(),
        mounts: mounts.lines().map(str::to_owned).collect(),
        interfaces: names("/sys/class/net")
            .into_iter()
            .filter(|name| !of_another(name))
            .collect(),
        rules: Command::new("nft")
            .args(["list", "tables"])
            .output()
            .map(|output| {
                String::from_utf8_lossy(&output.stdout)
                    .lines()
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default(),
        control_groups: entries("/sys/fs/cgroup")
            .into_iter()
            .flat_map(|hierarchy| names(&hierarchy.to_string_lossy()))
            .filter(|name| !of_another(name))
            .collect(),
        folders: ["/run", "/etc", "/opt"].into_iter().flat_map(names).collect(),
        kernel_settings: settings
            .map(|name| fs::read_to_string(Path::new("/proc/sys").join(name)).unwrap())
            .into(),
    }
}

/// What is on the machine once packages are installed and programs built, as the first `up` of all does: what they leave
/// is none of the node's. The tests run side by side, so none looks while that goes on.
fn traces_before(cluster: &Cluster) -> Traces {
    static READY: Once = Once::new();
    READY.call_once(|| {
        cluster.run("up");
        cluster.run("down");
    });
    traces(cluster, 0)
}

fn entries(folder: &str) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

fn names(folder: &str) -> Vec<String> {
    let folders = entries(folder).into_iter();
    folders
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect()
}

/// Asks the API server, by its name instead of its address, for what a Secret says.
const ASK: &str = r"
apiVersion: batch/v1
kind: Job
metadata:
  name: ask
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: ask
          image: IMAGE
          args: [get, --raw=$(WHAT)]
          env:
            - {name: KUBERNETES_SERVICE_HOST, value: kubernetes.default.svc}
            - {name: WHAT, valueFrom: {secretKeyRef: {name: question, key: what}}}
";

/// A pod that reads a Secret, reaches a service by its name, and whose output can be read.
fn a_pod_runs(cluster: &Cluster) {
    let image = of_program(
        &cluster.places,
        "kubectl",
        &KUBECTL.path().unwrap(),
        &containerfile("kubectl"),
    )
    .unwrap();
    import(&cluster.record(), &image, &image.reference()).unwrap();
    cluster.kubectl(&[
        "create",
        "secret",
        "generic",
        "question",
        "--from-literal=what=/version",
    ]);
    let job = cluster.places.state().join("job.yaml");
    fs::write(&job, ASK.replace("IMAGE", &image.reference())).unwrap();
    cluster.kubectl(&["apply", "-f", &job.to_string_lossy()]);
    eventually("the job ends", || {
        cluster
            .kubectl(&["get", "job/ask", "-o", "jsonpath={.status.conditions[*].type}"])
            .contains("Complete")
    });
    assert!(cluster.kubectl(&["logs", "job/ask"]).contains("gitVersion"));
}

#[test]
#[ignore = "needs Linux and root: make test-node"]
fn a_node_runs_pods_goes_on_and_leaves_nothing() {
    let cluster = Cluster::new("whole");
    let before = traces_before(&cluster);

    cluster.run("up");
    let record = cluster.record();
    assert_ne!(
        traces(&cluster, record.number),
        before,
        "traces of a node are seen"
    );
    a_pod_runs(&cluster);
    cluster.run("up");
    assert_eq!(cluster.record(), record, "a second up keeps the node");

    cluster.run("down");
    assert_eq!(traces(&cluster, record.number), before);
}

#[test]
#[ignore = "needs Linux and root: make test-node"]
fn an_up_that_is_killed_can_be_gone_on_with_or_cleaned_up() {
    let cluster = Cluster::new("killed");
    let before = traces_before(&cluster);
    let mut number = 0;
    for then in ["down", "up"] {
        let mut up = cluster.command("up").spawn().unwrap();
        within(Duration::from_mins(2), "a node is started", || {
            cluster.places.record().exists()
        });
        up.kill().unwrap();
        up.wait().unwrap();
        number = cluster.record().number;
        cluster.run(then);
    }
    cluster.kubectl(&[
        "get",
        "deployment",
        "--namespace=connection-operator",
        "connection-operator",
    ]);

    cluster.run("down");
    assert_eq!(traces(&cluster, number), before);
}
