//! The programs of a cluster: each pinned in a Go module of its own under `tools/go`, built once and kept in the
//! user's cache by version.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::Error;
use crate::cache::cache_directory;
use crate::processes::run;
use crate::run_directory::locked;

/// One program that can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// The name of its file.
    pub name: &'static str,
    part: Part,
    package: &'static str,
    /// How long a first build takes on two cores.
    seconds: u32,
}

/// Programs that are pinned together: the folder under `tools/go` and the module that gives the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    folder: &'static str,
    module: &'static str,
    /// The variable that holds the version and isn't set by the source alone.
    version_variable: Option<&'static str>,
    /// Files of a program that is written here: what it is depends on them too.
    sources: &'static [&'static str],
    /// Build tags that leave out what isn't needed.
    tags: &'static str,
}

const ETCD_PART: Part = Part {
    folder: "etcd",
    module: "go.etcd.io/etcd/server/v3",
    version_variable: None,
    sources: &[],
    tags: "",
};
const KUBERNETES: Part = Part {
    folder: "kubernetes",
    module: "k8s.io/kubernetes",
    version_variable: Some("k8s.io/component-base/version.gitVersion"),
    sources: &[],
    tags: "",
};
/// The oldest Kubernetes that the chart is for.
const OLDEST_KUBERNETES: Part = Part {
    folder: "kubernetes-oldest",
    ..KUBERNETES
};
const CONTAINERD_PART: Part = Part {
    folder: "containerd",
    module: "github.com/containerd/containerd/v2",
    version_variable: Some("github.com/containerd/containerd/v2/version.Version"),
    sources: &[],
    tags: "",
};
const COREDNS_PART: Part = Part {
    folder: "coredns",
    module: "github.com/coredns/coredns",
    version_variable: None,
    sources: &[],
    tags: "",
};
const HELM_PART: Part = Part {
    folder: "helm",
    module: "helm.sh/helm/v4",
    version_variable: Some("helm.sh/helm/v4/internal/version.version"),
    sources: &[],
    tags: "",
};
const KSTATUS_PART: Part = Part {
    folder: "kstatus",
    module: "sigs.k8s.io/cli-utils",
    version_variable: None,
    sources: &["go.mod", "go.sum", "main.go"],
    tags: "",
};
const PROMETHEUS: Part = Part {
    folder: "prometheus",
    module: "github.com/prometheus/prometheus",
    version_variable: None,
    sources: &[],
    tags: "remove_all_sd", // the clients of all clouds: two thirds of the build
};

const fn program(name: &'static str, part: Part, package: &'static str, seconds: u32) -> Program {
    Program {
        name,
        part,
        package,
        seconds,
    }
}

/// The store of the API server.
pub const ETCD: Program = program("etcd", ETCD_PART, "go.etcd.io/etcd/server/v3", 60);
/// The API server.
pub const KUBE_APISERVER: Program = program(
    "kube-apiserver",
    KUBERNETES,
    "k8s.io/kubernetes/cmd/kube-apiserver",
    240,
);
/// The controllers that every Kubernetes has.
pub const KUBE_CONTROLLER_MANAGER: Program = program(
    "kube-controller-manager",
    KUBERNETES,
    "k8s.io/kubernetes/cmd/kube-controller-manager",
    60,
);
/// The command line of Kubernetes.
pub const KUBECTL: Program = program("kubectl", KUBERNETES, "k8s.io/kubernetes/cmd/kubectl", 30);
/// Decides which node runs a pod.
pub const KUBE_SCHEDULER: Program = program(
    "kube-scheduler",
    KUBERNETES,
    "k8s.io/kubernetes/cmd/kube-scheduler",
    30,
);
/// Runs the pods of a node.
pub const KUBELET: Program = program("kubelet", KUBERNETES, "k8s.io/kubernetes/cmd/kubelet", 60);
/// Makes services reachable.
pub const KUBE_PROXY: Program = program("kube-proxy", KUBERNETES, "k8s.io/kubernetes/cmd/kube-proxy", 20);
/// Runs containers.
pub const CONTAINERD: Program = program(
    "containerd",
    CONTAINERD_PART,
    "github.com/containerd/containerd/v2/cmd/containerd",
    80,
);
/// Stays beside each container.
pub const CONTAINERD_SHIM: Program = program(
    "containerd-shim-runc-v2",
    CONTAINERD_PART,
    "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
    10,
);
/// The command line of containerd.
pub const CTR: Program = program(
    "ctr",
    CONTAINERD_PART,
    "github.com/containerd/containerd/v2/cmd/ctr",
    10,
);
/// Answers names inside the cluster.
pub const COREDNS: Program = program("coredns", COREDNS_PART, "github.com/coredns/coredns", 90);
/// Installs charts.
pub const HELM: Program = program("helm", HELM_PART, "helm.sh/helm/v4/cmd/helm", 90);
/// Says what GitOps tools make of an object, by the library that they use.
pub const KSTATUS: Program = program("kstatus", KSTATUS_PART, ".", 20);

/// Checks alerts and evaluates queries. No node needs it.
pub const PROMTOOL: Program = program(
    "promtool",
    PROMETHEUS,
    "github.com/prometheus/prometheus/cmd/promtool",
    60,
);
/// What tests need of the oldest Kubernetes that the chart is for.
pub const OLDEST: [Program; 2] = [
    Program {
        part: OLDEST_KUBERNETES,
        ..KUBE_APISERVER
    },
    Program {
        part: OLDEST_KUBERNETES,
        ..KUBE_CONTROLLER_MANAGER
    },
];

impl Program {
    /// Its path: from the folder that `KUBEBUILDER_ASSETS` names if it is there, else from the cache, built if need be.
    ///
    /// # Errors
    /// When it must be built and cannot be.
    pub fn path(&self) -> Result<PathBuf, Error> {
        if let Some(given) = env::var_os("KUBEBUILDER_ASSETS") {
            let path = Path::new(&given).join(self.name);
            if path.is_file() {
                return Ok(path);
            }
        }
        let folder = cache_directory().join("bin").join(self.edition()?);
        let path = folder.join(self.name);
        if path.is_file() {
            return Ok(path);
        }
        fs::create_dir_all(&folder).map_err(Error::file("make", &folder))?;
        let _building = locked(&folder.join(format!(".{}.lock", self.name)))?;
        if !path.is_file() {
            self.build(&path)?;
        }
        Ok(path)
    }

    /// The pinned version, without the leading `v`.
    ///
    /// # Errors
    /// When the part's go.mod does not pin it.
    pub fn version(&self) -> Result<String, Error> {
        let file = self.part.directory().join("go.mod");
        let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
        required_version(&text, self.part.module)
            .map(str::to_owned)
            .ok_or(Error::Unpinned {
                file,
                module: self.part.module,
            })
    }

    /// The part that it belongs to, with its version, and with a hash of its source if that is written here.
    ///
    /// # Errors
    /// When the part's go.mod does not pin it, or its source can't be read.
    pub fn edition(&self) -> Result<String, Error> {
        Ok(format!(
            "{}-{}{}",
            self.part.folder,
            self.version()?,
            self.part.source_hash()?
        ))
    }

    /// How long it will take to have it.
    fn expected(&self) -> Duration {
        let cached = self
            .edition()
            .map(|edition| cache_directory().join("bin").join(edition).join(self.name));
        if cached.is_ok_and(|path| path.is_file()) {
            return Duration::ZERO;
        }
        Duration::from_secs(self.seconds.into())
    }

    fn build(&self, path: &Path) -> Result<(), Error> {
        let version = self.version()?;
        say(&format!(
            "building {} {version}, once; takes about {} s on two cores",
            self.name, self.seconds
        ));
        let started = Instant::now();
        let unfinished = path.with_file_name(format!(".{}.unfinished", self.name));
        run(Command::new("go")
            .arg("build")
            .args(["-mod=readonly", "-buildvcs=false", "-trimpath"])
            .args(["-tags", self.part.tags])
            .args(["-ldflags", &self.part.linker_flags(&version)])
            .arg("-o")
            .arg(&unfinished)
            .arg(self.package)
            .current_dir(self.part.directory())
            // What a person has set for own work must not change what is built; a newer Go is fetched if the part asks.
            .envs([
                ("CGO_ENABLED", "0"),
                ("GOFLAGS", ""),
                ("GOWORK", "off"),
                ("GOTOOLCHAIN", "auto"),
            ])
            .stdin(Stdio::null()))?;
        fs::rename(&unfinished, path).map_err(Error::file("put in place", path))?;
        say(&format!(
            "built {} in {} s",
            self.name,
            started.elapsed().as_secs()
        ));
        Ok(())
    }
}

/// The definitions of Prometheus Operator's kinds, in the pinned version.
///
/// # Errors
/// When they cannot be fetched.
pub fn prometheus_operator_definitions() -> Result<PathBuf, Error> {
    let module = "github.com/prometheus-operator/prometheus-operator";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../go/prometheus-operator");
    let mut download = Command::new("go");
    download
        .args(["mod", "download", "-json", module])
        .current_dir(&folder);
    let told = run(download.envs([("GOFLAGS", ""), ("GOWORK", "off")]))?;
    let told: Option<serde_json::Value> = serde_json::from_str(&told).ok();
    let unpacked = told.as_ref().and_then(|told| told["Dir"].as_str());
    let unpacked = unpacked.ok_or_else(|| Error::Unpinned {
        file: folder.join("go.mod"),
        module,
    })?;
    Ok(Path::new(unpacked).join("example/prometheus-operator-crd"))
}

/// Written past the capture of tests, whose first run would seem to hang otherwise.
fn say(line: &str) {
    // Nobody is there to read it if it fails.
    let _ = writeln!(io::stderr(), "{line}");
}

/// How long it will take to have all of these.
#[must_use]
pub fn expected(programs: &[Program]) -> Duration {
    programs.iter().map(Program::expected).sum()
}

/// Every program of a node.
pub const ALL: [Program; 12] = [
    ETCD,
    KUBE_APISERVER,
    KUBE_CONTROLLER_MANAGER,
    KUBECTL,
    KUBE_SCHEDULER,
    KUBELET,
    KUBE_PROXY,
    CONTAINERD,
    CONTAINERD_SHIM,
    CTR,
    COREDNS,
    HELM,
];

impl Part {
    fn directory(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../go")
            .join(self.folder)
    }

    /// A suffix that changes with the source, empty for what is only pinned here.
    fn source_hash(&self) -> Result<String, Error> {
        let mut content = Sha256::new();
        for name in self.sources {
            let file = self.directory().join(name);
            content.update(fs::read(&file).map_err(Error::file("read", &file))?);
        }
        let digest = content.finalize();
        let start = digest.first_chunk().filter(|_| !self.sources.is_empty());
        Ok(start.map_or_else(String::new, |start| {
            format!("-{:08x}", u32::from_be_bytes(*start))
        }))
    }

    fn linker_flags(&self, version: &str) -> String {
        match self.version_variable {
            Some(variable) => format!("-s -w -X {variable}=v{version}"),
            None => "-s -w".to_owned(),
        }
    }
}

fn required_version<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word == "require");
        (words.next()? == module)
            .then(|| words.next())??
            .strip_prefix('v')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_is_pinned() {
        for program in ALL.iter().chain(&OLDEST).chain([&KSTATUS, &PROMTOOL]) {
            let version = program.version().unwrap();
            assert!(
                version.starts_with(|first: char| first.is_ascii_digit()),
                "{}: {version}",
                program.name
            );
        }
    }

    #[test]
    fn a_program_written_here_is_built_anew_when_its_source_changes() {
        let pinned = KUBECTL.edition().unwrap();
        assert_eq!(pinned, format!("kubernetes-{}", KUBECTL.version().unwrap()));
        let own = KSTATUS.edition().unwrap();
        let hash = own.rsplit('-').next().unwrap();
        assert!(
            hash.len() == 8 && own.contains(&KSTATUS.version().unwrap()),
            "{own}"
        );
    }

    #[test]
    fn a_version_is_read_from_a_line_or_a_block() {
        assert_eq!(
            required_version("module m\n\nrequire a.b/c v1.2.3\n", "a.b/c"),
            Some("1.2.3")
        );
        assert_eq!(
            required_version("require (\n\ta.b/c v1.2.3 // indirect\n)\n", "a.b/c"),
            Some("1.2.3")
        );
        assert_eq!(
            required_version("tool a.b/c/cmd\nrequire a.b/d v1.0.0\n", "a.b/c"),
            None
        );
    }
}
