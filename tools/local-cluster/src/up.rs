//! `up` and `down` for a node on this machine.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Error;
use crate::cache::cache_directory;
use crate::node::images::{containerfile, import, of_program};
use crate::node::network::Link;
use crate::node::record::Record;
use crate::node::{NAME, containers, dns, enclosure};
use crate::operator::{self, Names};
use crate::places::Places;
use crate::processes::run;
use crate::products::{self, Images, static_program};
use crate::programs::{self, COREDNS, CTR, KUBECTL};
use crate::progress::step;
use crate::readiness::wait_until;
use crate::requirements;
use crate::run_directory::locked;
use crate::values;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_mins(2);
const SHORT: Duration = Duration::ZERO;

/// Starts a node with the operator on it, or brings a running one up to date.
///
/// # Errors
/// Says what is missing or went wrong, and what to do.
pub fn up(places: &Places) -> Result<(), Error> {
    let started = Instant::now();
    requirements::check_machine()?;
    places.make()?;
    let _turn = turn(places)?;
    provide()?;

    let record = running_node(places)?;
    let products = products::images(places)?;
    let dns = images(places, &record, &products)?;
    wait_for_node(places, &record)?;
    serve_names(places, &dns)?;
    let names = Names::of(&products);
    operator::install(places, &places.kubeconfig(), &names, &values(places, &record)?)?;

    println!("up after {} s; to use it:", started.elapsed().as_secs());
    println!(
        "  export KUBECONFIG={} PATH={}:$PATH",
        places.kubeconfig().display(),
        places.programs().display()
    );
    Ok(())
}

/// What differs from the chart's own values: vaults of examples and of this machine may be linked too, and are looked at
/// more often, so that the demo needn't wait for a minute to see a new version.
fn values(places: &Places, record: &Record) -> Result<[String; 2], Error> {
    let chart = values::defaults(places)?;
    let mut hosts = chart["keyVaults"]["hosts"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let machine = Link::of(record.number).machine().to_string();
    hosts.extend([Value::from(".example.com"), Value::from(machine)]);
    Ok([
        format!("keyVaults.hosts={}", Value::from(hosts)),
        "keyVaults.intervalSeconds=10".to_owned(),
    ])
}

/// Stops the node and removes what it left. Logs stay.
///
/// # Errors
/// When something stays that should go.
pub fn down(places: &Places) -> Result<(), Error> {
    if !places.record().exists() {
        println!("no node was started here, so there is none to stop");
        return Ok(());
    }
    requirements::check_machine()?;
    let _turn = turn(places)?;
    step("the node stopped and removed", SHORT, || {
        enclosure::stop(places)?;
        places.forget_tools()
    })
}

/// Waits until nobody else changes this cluster.
fn turn(places: &Places) -> Result<File, Error> {
    let lock = places.lock();
    if File::open(&lock).is_ok_and(|held| held.try_lock().is_err()) {
        println!("  … another up or down is at work here; waiting for it");
    }
    locked(&lock)
}

/// Has every program there, from packages and from source.
fn provide() -> Result<(), Error> {
    // Two at once would take the lists of packages from each other.
    let cache = cache_directory();
    fs::create_dir_all(&cache).map_err(Error::file("make", &cache))?;
    let turn = locked(&cache.join("packages.lock"))?;
    let packages = requirements::missing_packages();
    if !packages.is_empty() {
        let what = format!("Debian packages installed: {}", packages.join(", "));
        step(&what, Duration::from_secs(20), || {
            requirements::install(&packages)
        })?;
    }
    drop(turn);
    step(
        "programs of the cluster",
        programs::expected(&programs::ALL),
        || {
            programs::ALL
                .iter()
                .try_for_each(|program| program.path().map(drop))
        },
    )
}

fn running_node(places: &Places) -> Result<Record, Error> {
    let versions = versions()?;
    if let Some(record) = enclosure::running(places) {
        if record.versions == versions {
            return Ok(record);
        }
        let (runs, wanted) = (record.versions, versions);
        return Err(Error::NotHere {
            missing: format!("the node that runs is of {runs}, wanted is {wanted}"),
            next: "stop it first: `make down`".to_owned(),
        });
    }
    step("a new node", SHORT, || {
        // An earlier one may have been killed, by a restart of the machine for instance.
        enclosure::stop(places)?;
        places.make()?;
        clear(&places.logs())?;
        enclosure::start(places, &versions)
    })
}

fn versions() -> Result<String, Error> {
    let mut editions = programs::ALL
        .iter()
        .map(programs::Program::edition)
        .collect::<Result<Vec<_>, _>>()?;
    editions.dedup();
    Ok(editions.join(" "))
}

fn clear(folder: &Path) -> Result<(), Error> {
    fs::remove_dir_all(folder)
        .and_then(|()| fs::create_dir_all(folder))
        .map_err(Error::file("clear", folder))
}

/// Brings all images into the node and says the name of the DNS server's.
fn images(places: &Places, record: &Record, products: &Images) -> Result<String, Error> {
    step("images in the node", Duration::from_secs(4), || {
        let pause = static_program(places, "pause")?;
        let pause = of_program(places, "pause", &pause, &containerfile("pause"))?;
        let dns = of_program(
            places,
            COREDNS.name,
            &COREDNS.path()?,
            &containerfile(COREDNS.name),
        )?;
        let ctr = CTR.path()?;
        wait_until("an answer of containerd", PATIENCE, &places.logs(), || {
            enclosure::expect_alive(record, &places.logs())?;
            Ok(run(enclosure::command(record, &ctr).arg("version")).is_ok())
        })?;
        import(record, &pause, containers::PAUSE_IMAGE)?;
        import(record, &dns, &dns.reference())?;
        for product in [&products.operator, &products.connector] {
            import(record, product, &product.reference())?;
        }
        Ok(dns.reference())
    })
}

fn wait_for_node(places: &Places, record: &Record) -> Result<(), Error> {
    let expected = if places.kubeconfig().exists() {
        SHORT
    } else {
        Duration::from_secs(8)
    };
    step("the node ready", expected, || {
        let inside = places.run().join("local-cluster/admin.kubeconfig");
        let kubectl = KUBECTL.path()?;
        wait_until("the node being ready", PATIENCE, &places.logs(), || {
            enclosure::expect_alive(record, &places.logs())?;
            let condition = r#"--output=jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;
            let mut asked = Command::new(&kubectl);
            asked
                .env("KUBECONFIG", &inside)
                .args(["get", "node", NAME, condition]);
            Ok(run(&mut asked).is_ok_and(|answer| answer == "True"))
        })?;
        places.provide_tools()?;
        fs::copy(&inside, places.kubeconfig())
            .map(drop)
            .map_err(Error::file("copy", &inside))
    })
}

fn serve_names(places: &Places, image: &str) -> Result<(), Error> {
    step("names of services answered", SHORT, || {
        let file = places.state().join("dns.yaml");
        fs::write(&file, dns::manifest(image)?).map_err(Error::file("write", &file))?;
        run(kubectl(places)?
            .args(["apply", "--server-side", "--filename"])
            .arg(&file))?;
        let rollout = [
            "rollout",
            "status",
            "deployment/coredns",
            "--namespace=kube-system",
            "--timeout=60s",
        ];
        run(kubectl(places)?.args(rollout)).map(drop)
    })
}

fn kubectl(places: &Places) -> Result<Command, Error> {
    let mut command = Command::new(KUBECTL.path()?);
    command.env("KUBECONFIG", places.kubeconfig());
    Ok(command)
}
