//! The command line: `local-cluster control-plane`.

use std::process::ExitCode;
use std::thread;

use local_cluster::{ControlPlane, Error, Options};

const USAGE: &str = "\
usage: local-cluster <command>

  control-plane  run a control plane until this is stopped; prints the path of its kubeconfig";

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("control-plane") => control_plane().map(|()| ExitCode::SUCCESS),
        _ => Ok(usage()),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("local-cluster: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

/// Ends by a signal; the kernel ends its parts with it, the next run removes its folder.
fn control_plane() -> Result<(), Error> {
    let running = ControlPlane::start(Options::default())?;
    println!("{}", running.kubeconfig_path().display());
    loop {
        thread::park();
    }
}
