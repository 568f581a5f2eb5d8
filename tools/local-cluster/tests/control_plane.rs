//! The control plane for tests, really started.

#![allow(clippy::unwrap_used, reason = "a test may end at what it does not expect")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use local_cluster::{ControlPlane, Options};

fn kubectl(control_plane: &ControlPlane, arguments: &[&str]) -> String {
    let output = control_plane.kubectl().args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "did not happen within 30 s: {what}"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

/// How many processes there are whose command line names the folder.
fn processes_of(directory: &str) -> usize {
    let names_it = |entry: &std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(directory)
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(names_it)
        .count()
}

#[test]
fn a_control_plane_starts_serves_and_leaves_nothing() {
    let control_plane = ControlPlane::start(Options {
        audit: true,
        ..Options::default()
    })
    .unwrap_or_else(|e| panic!("{e}"));
    let directory = control_plane.directory().to_path_buf();

    kubectl(&control_plane, &["create", "namespace", "story"]);
    kubectl(
        &control_plane,
        &[
            "-n",
            "story",
            "create",
            "configmap",
            "note",
            "--from-literal=text=hello",
        ],
    );
    eventually("the controllers make a service account", || {
        kubectl(
            &control_plane,
            &["-n", "story", "get", "serviceaccounts", "-o", "name"],
        )
        .contains("default")
    });
    kubectl(&control_plane, &["delete", "namespace", "story"]); // waits until the controllers have emptied it

    let audited = std::fs::read_to_string(control_plane.audit_log()).unwrap();
    assert!(
        audited.contains(r#""verb":"create""#),
        "creations are in the audit log"
    );

    assert_eq!(processes_of(directory.to_str().unwrap()), 3);
    control_plane.stop();
    assert_eq!(processes_of(directory.to_str().unwrap()), 0);
    assert!(!directory.exists());
}

#[test]
fn people_have_no_rights_until_rbac_gives_some() {
    let control_plane = ControlPlane::start(Options::default()).unwrap_or_else(|e| panic!("{e}"));
    let kubeconfig = control_plane.directory().join("ana.kubeconfig");
    std::fs::write(
        &kubeconfig,
        control_plane.kubeconfig_for("ana", Some("marketing")).unwrap(),
    )
    .unwrap();
    let as_ana = |arguments: &[&str]| {
        let mut asked = Command::new(control_plane.kubectl().get_program());
        asked
            .env("KUBECONFIG", &kubeconfig)
            .args(arguments)
            .output()
            .unwrap()
    };

    let ana = as_ana(&["auth", "whoami", "-o", "json"]);
    let ana = String::from_utf8(ana.stdout).unwrap();
    assert!(
        ana.contains(r#""username": "ana""#) && ana.contains(r#""marketing""#),
        "{ana}"
    );

    assert!(!as_ana(&["get", "secrets"]).status.success());
    let binding = [
        "create",
        "clusterrolebinding",
        "marketing",
        "--clusterrole=edit",
        "--group=marketing",
    ];
    kubectl(&control_plane, &binding);
    eventually("ana may read secrets", || {
        as_ana(&["get", "secrets"]).status.success()
    });
}

#[test]
fn nothing_outlives_an_owner_that_is_killed() {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_local-cluster"))
        .arg("control-plane")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut kubeconfig = String::new();
    BufReader::new(owner.stdout.as_mut().unwrap())
        .read_line(&mut kubeconfig)
        .unwrap();
    let directory = Path::new(kubeconfig.trim()).parent().unwrap();
    assert_eq!(processes_of(directory.to_str().unwrap()), 3, "{kubeconfig}");

    owner.kill().unwrap(); // SIGKILL: it can clean up nothing
    owner.wait().unwrap();

    eventually("its children end", || {
        processes_of(directory.to_str().unwrap()) == 0
    });
    assert!(directory.exists());
    ControlPlane::start(Options::default())
        .unwrap_or_else(|e| panic!("{e}"))
        .stop();
    assert!(!directory.exists(), "the next start sweeps");
}
