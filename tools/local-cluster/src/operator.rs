//! The operator itself: built, put into an image, installed by its chart.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::Error;
use crate::node::images::{Image, of_program};
use crate::places::Places;
use crate::processes::run;
use crate::programs::{HELM, KUBECTL};
use crate::progress::step;
use crate::readiness::wait_until;

/// The name of the program, of its image, of its chart, of its release and of its namespace.
pub const NAME: &str = "connection-operator";

/// What exports are run by here. The image isn't built yet: what is due waits for it.
pub const CONNECTORS: [&str; 2] = [
    r#"connectors=["sftp","object-storage","audience-api"]"#,
    r#"connector.image="localhost/connection-connector:none""#,
];

/// Builds the operator's image.
///
/// # Errors
/// When it doesn't compile, or no image can be made of it.
pub fn image(places: &Places) -> Result<Image, Error> {
    step("the operator's image", expected(places), || {
        let program = static_program(places, NAME)?;
        let file = places.clone_root().join("Containerfile");
        let containerfile = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
        of_program(places, NAME, &program, &containerfile)
    })
}

/// Puts the operator's image into a folder, named by its version.
///
/// # Errors
/// When it can't be built, or the folder can't be written.
pub fn release(places: &Places, folder: &Path) -> Result<(), Error> {
    let image = image(places)?;
    fs::create_dir_all(folder).map_err(Error::file("make", folder))?;
    let archive = folder.join(format!("{NAME}-{}.tar", env!("CARGO_PKG_VERSION")));
    fs::copy(&image.archive, &archive).map_err(Error::file("write", &archive))?;
    println!("{}", archive.display());
    Ok(())
}

/// How long the build will take: of everything, of the operator alone, or of nothing.
fn expected(places: &Places) -> Duration {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let Some(built) = changed(&program_file(places, NAME)) else {
        return Duration::from_mins(5);
    };
    let sources = newest(&places.clone_root().join("src"));
    if sources > Some(built) {
        Duration::from_mins(2)
    } else {
        Duration::ZERO
    }
}

/// When the youngest file in a folder was changed.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of_entry = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => newest(&entry.path()),
        Ok(metadata) => metadata.modified().ok(),
        Err(_) => None,
    };
    entries.filter_map(of_entry).max()
}

/// Compiles a program of this workspace so that it needs no other file.
///
/// # Errors
/// When it doesn't compile.
pub fn static_program(places: &Places, name: &str) -> Result<PathBuf, Error> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // In a folder of its own: with other flags cargo would build everything anew each time. With a target named, the
    // flags are not those of procedural macros, which can't be static.
    let mut build = Command::new(cargo);
    build.args([
        "build",
        "--release",
        "--locked",
        "--package",
        name,
        "--bin",
        name,
        "--target",
        &target(),
    ]);
    build.current_dir(places.clone_root());
    // This program may itself be run by cargo. What that tells of this package would be taken for a change of others.
    for (told, _) in env::vars_os().filter(|(variable, _)| is_about_a_package(&variable.to_string_lossy())) {
        build.env_remove(told);
    }
    build
        .env("CARGO_TARGET_DIR", target_directory(places))
        .env("CARGO_ENCODED_RUSTFLAGS", flags(places));
    run(&mut build)?;
    Ok(program_file(places, name))
}

/// The compiler's flags, as cargo takes them. No path of this machine ends up in a program, so that it's the same
/// whichever folder it was built in.
fn flags(places: &Places) -> String {
    let cargo_home = env::var_os("CARGO_HOME")
        .or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cargo").into_os_string()))
        .unwrap_or_default();
    let static_flags = ["-C".to_owned(), "target-feature=+crt-static".to_owned()];
    // The last that fits counts: the build output may lie within the clone.
    let renamed = [
        (Path::new(&cargo_home), "/cargo"),
        (places.clone_root(), "/clone"),
        (&target_directory(places), "/target"),
    ];
    let renamed = renamed.map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
    static_flags
        .into_iter()
        .chain(renamed)
        .collect::<Vec<_>>()
        .join("\u{1f}")
}

fn is_about_a_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
        .iter()
        .any(|start| variable.starts_with(start))
}

fn program_file(places: &Places, name: &str) -> PathBuf {
    target_directory(places).join(target()).join("release").join(name)
}

fn target() -> String {
    format!("{}-unknown-linux-gnu", env::consts::ARCH)
}

fn target_directory(places: &Places) -> PathBuf {
    let chosen = env::var_os("CARGO_TARGET_DIR").map(|chosen| places.clone_root().join(chosen));
    chosen
        .unwrap_or_else(|| places.clone_root().join("target"))
        .join("image")
}

/// Installs the operator, or brings it to this image, with these values (`name=JSON`), and waits until it is ready.
///
/// # Errors
/// When helm says that it isn't.
pub fn install(
    places: &Places,
    kubeconfig: &Path,
    (repository, tag): (&str, &str),
    values: &[String],
) -> Result<(), Error> {
    step("the operator installed and ready", Duration::from_secs(4), || {
        let mut helm = Command::new(HELM.path()?);
        helm.env("KUBECONFIG", kubeconfig)
            .args(["upgrade", "--install", NAME])
            .arg(places.clone_root().join("charts").join(NAME))
            .args([
                "--namespace",
                NAME,
                "--create-namespace",
                "--wait",
                "--timeout",
                "2m",
            ])
            .args([
                "--set-string",
                &format!("image.repository={repository},image.tag={tag}"),
            ]);
        for value in values {
            helm.args(["--set-json", value]);
        }
        run(&mut helm).map(drop).map_err(|error| Error::NotHere {
            missing: error.to_string(),
            next: format!(
                "see `{}/kubectl --kubeconfig {} -n {NAME} describe pods`",
                places.programs().display(),
                kubeconfig.display()
            ),
        })
    })?;
    await_admission(places, kubeconfig)
}

/// Waits until objects of our kinds can be made. Where the API server has just got to know a kind, it refuses them for a
/// moment, until its mutating policies know the kind too.
fn await_admission(places: &Places, kubeconfig: &Path) -> Result<(), Error> {
    step("objects of its kinds admitted", Duration::ZERO, || {
        let manifest = places.state().join("probe.yaml");
        fs::write(&manifest, PROBE).map_err(Error::file("write", &manifest))?;
        let kubectl = KUBECTL.path()?;
        wait_until(
            "objects of the operator's kinds being admitted",
            PATIENCE,
            &places.logs(),
            || {
                let mut create = Command::new(&kubectl);
                create.env("KUBECONFIG", kubeconfig);
                create.args(["create", "--dry-run=server", "--namespace", NAME, "--filename"]);
                Ok(run(create.arg(&manifest)).is_ok())
            },
        )
    })
}

/// A dataset that is never made.
pub const PROBE: &str = concat!(
    "apiVersion: connections.dev/v1alpha1\nkind: Dataset\nmetadata: {name: probe}\n",
    "spec: {location: {url: \"s3://probe/probe\"}, format: {type: Parquet}}\n",
);

/// How long the API server may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Removes the operator's release.
///
/// # Errors
/// When helm can't.
pub fn uninstall(kubeconfig: &Path) -> Result<(), Error> {
    let mut helm = Command::new(HELM.path()?);
    helm.env("KUBECONFIG", kubeconfig).args([
        "uninstall",
        NAME,
        "--namespace",
        NAME,
        "--ignore-not-found",
        "--wait",
    ]);
    run(&mut helm).map(drop)
}
