//! The programs of this project that run in pods: each built, and put into an image of its own.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::Error;
use crate::node::images::{Image, of_program};
use crate::places::Places;
use crate::processes::run;
use crate::progress::step;

/// A program and its image.
#[derive(Debug, Clone, Copy)]
struct Product {
    /// The program, which its image is called after.
    name: &'static str,
    /// The package that it is built from.
    package: &'static str,
    /// Where its sources and its Containerfile are, in the clone.
    folders: (&'static str, &'static str),
}

const OPERATOR: Product = Product {
    name: "connection-operator",
    package: "connection-operator",
    folders: ("src", "."),
};

const CONNECTOR: Product = Product {
    name: CONNECTOR_NAME,
    package: "connector",
    folders: ("connector/src", "connector"),
};

/// The name of the program that carries the data of runs, and of its image.
pub const CONNECTOR_NAME: &str = "connection-connector";

/// The images.
#[derive(Debug, Clone)]
pub struct Images {
    /// The operator's.
    pub operator: Image,
    /// The connector's.
    pub connector: Image,
}

/// Builds the images. Their programs are compiled at once, as both are made of the same libraries.
///
/// # Errors
/// When one doesn't compile, or no image can be made of it.
pub fn images(places: &Places) -> Result<Images, Error> {
    step(
        "the images of the operator and its connector",
        expected(places),
        || {
            let named = [OPERATOR, CONNECTOR].map(|product| (product.package, product.name));
            static_programs(places, &named)?;
            Ok(Images {
                operator: image(places, &OPERATOR)?,
                connector: image(places, &CONNECTOR)?,
            })
        },
    )
}

fn image(places: &Places, product: &Product) -> Result<Image, Error> {
    let folder = places.clone_root().join(product.folders.1);
    let file = folder.join("Containerfile");
    let containerfile = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    of_program(
        places,
        product.name,
        &program_file(places, product.name),
        &containerfile,
    )
}

/// How long the build will take on two cores: of everything, of the programs alone, or of nothing.
fn expected(places: &Places) -> Duration {
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let each = [OPERATOR, CONNECTOR].map(|product| {
        let Some(built) = changed(&program_file(places, product.name)) else {
            return Duration::from_mins(10);
        };
        if newest(&places.clone_root().join(product.folders.0)) > Some(built) {
            Duration::from_mins(2)
        } else {
            Duration::ZERO
        }
    });
    each.into_iter().max().unwrap_or_default()
}

/// Puts the images into a folder, named by their version.
///
/// # Errors
/// When one can't be built, or the folder can't be written.
pub fn release(places: &Places, folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::file("make", folder))?;
    let images = images(places)?;
    for (product, image) in [(OPERATOR, images.operator), (CONNECTOR, images.connector)] {
        let archive = folder.join(format!("{}-{}.tar", product.name, env!("CARGO_PKG_VERSION")));
        fs::copy(&image.archive, &archive).map_err(Error::file("write", &archive))?;
        println!("{}", archive.display());
    }
    Ok(())
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

/// Compiles a program of this workspace, of the package of the same name, so that it needs no other file.
///
/// # Errors
/// When it doesn't compile.
pub fn static_program(places: &Places, name: &str) -> Result<PathBuf, Error> {
    static_programs(places, &[(name, name)])?;
    Ok(program_file(places, name))
}

/// Compiles programs, each named by its package and itself.
fn static_programs(places: &Places, named: &[(&str, &str)]) -> Result<(), Error> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // In a folder of its own: with other flags cargo would build everything anew each time. With a target named, the
    // flags are not those of procedural macros, which can't be static.
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--locked", "--target", &target()]);
    for (package, name) in named {
        build.args(["--package", package, "--bin", name]);
    }
    build.current_dir(places.clone_root());
    // This program may itself be run by cargo. What that tells of this package would be taken for a change of others.
    for (told, _) in env::vars_os().filter(|(variable, _)| is_about_a_package(&variable.to_string_lossy())) {
        build.env_remove(told);
    }
    build
        .env("CARGO_TARGET_DIR", target_directory(places))
        .env("CARGO_ENCODED_RUSTFLAGS", flags(places));
    run(&mut build).map(drop)
}

/// The compiler's flags, as cargo takes them. No path of this machine ends up in a program, so that it's the same
/// whichever folder it was built in. That of the clone doesn't anyway, as cargo names sources relative to it; if the flags
/// named it, each clone would build everything anew.
fn flags(places: &Places) -> String {
    let cargo_home = env::var_os("CARGO_HOME")
        .or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cargo").into_os_string()))
        .unwrap_or_default();
    let static_flags = ["-C".to_owned(), "target-feature=+crt-static".to_owned()];
    // The last that fits counts: the build output may lie within the clone.
    let renamed = [
        (Path::new(&cargo_home), "/cargo"),
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
