//! The command line: `local-cluster up`, `local-cluster down`.

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use local_cluster::node::inside;
use local_cluster::places::Places;
use local_cluster::{ControlPlane, Error, Options, existing, products, programs, up, values};

const USAGE: &str = "\
usage: local-cluster <command>

  up              start a node on this machine with the operator on it, or bring it up to date
  down            stop it and remove what it left
  path <program>  have a pinned program, such as helm, and print where it is
  image <folder>  build the images and put them there, as OCI archives
  values          print the page of the chart's values
  oldest          have the oldest Kubernetes that the chart is for, and print its folder, for KUBEBUILDER_ASSETS
  control-plane   run a control plane until this is stopped; prints the path of its kubeconfig

CLUSTER=existing makes up and down use the cluster of the current kubeconfig instead.
LOCAL_CLUSTER names the folder of the node, if it isn't to be .local; each has its own.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let existing_cluster = env::var("CLUSTER").is_ok_and(|cluster| cluster == "existing");
    let places = Places::here();
    let done = match (arguments.as_slice(), existing_cluster) {
        (["up"], false) => up::up(&places),
        (["up"], true) => existing::up(&places),
        (["down"], false) => up::down(&places),
        (["down"], true) => existing::down(&places),
        (["path", program], _) => path(program),
        (["image", folder], _) => products::release(&places, Path::new(folder)),
        (["values"], _) => values::page(&places).map(|page| print!("{page}")),
        (["oldest"], _) => oldest(),
        (["control-plane"], _) => control_plane(),
        // Said by `up` to itself, inside the node.
        (["node", local], _) => inside::run(&Places::of(places.clone_root(), Path::new(local))),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-cluster: {error}");
            ExitCode::FAILURE
        }
    }
}

fn path(name: &str) -> Result<(), Error> {
    let program = programs::ALL
        .iter()
        .chain([&programs::PROMTOOL])
        .find(|program| program.name == name)
        .ok_or_else(|| Error::NotHere {
            missing: format!("there is no pinned program {name}"),
            next: format!(
                "choose one of {}",
                programs::ALL.map(|program| program.name).join(", ")
            ),
        })?;
    println!("{}", program.path()?.display());
    Ok(())
}

fn oldest() -> Result<(), Error> {
    let paths = programs::OLDEST.iter().map(programs::Program::path);
    let paths = paths.collect::<Result<Vec<_>, _>>()?;
    if let Some(folder) = paths.first().and_then(|path| path.parent()) {
        println!("{}", folder.display());
    }
    Ok(())
}

/// Ends by a signal; the kernel ends its parts with it, the next run removes its folder.
fn control_plane() -> Result<(), Error> {
    let running = ControlPlane::start(Options::default())?;
    println!("{}", running.kubeconfig_path().display());
    loop {
        thread::park();
    }
}
