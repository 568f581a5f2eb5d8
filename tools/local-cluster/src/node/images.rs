//! Images of one static program each, and how they get into the node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::enclosure;
use super::record::Record;
use crate::Error;
use crate::cache::cache_directory;
use crate::places::Places;
use crate::processes::run;
use crate::programs::CTR;

/// An image in a file.
#[derive(Debug, Clone)]
pub struct Image {
    /// The name without the tag.
    pub repository: String,
    /// The tag; as a rule it follows from the content.
    pub tag: String,
    /// The file, an OCI archive.
    pub archive: PathBuf,
}

impl Image {
    /// The name by which pods ask for it.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }
}

/// An image with nothing but this program, built by a Containerfile whose context holds the program under its name.
/// It is built only if this very content has not been built before.
///
/// # Errors
/// When it cannot be built.
pub fn of_program(places: &Places, name: &str, program: &Path, containerfile: &str) -> Result<Image, Error> {
    let mut content = Sha256::new();
    content.update(fs::read(program).map_err(Error::file("read", program))?);
    content.update(containerfile);
    let digest = content.finalize();
    let hash = digest
        .first_chunk()
        .map(|start| format!("{:016x}", u64::from_be_bytes(*start)))
        .unwrap_or_default();
    let kept = cache_directory().join("images");
    fs::create_dir_all(&kept).map_err(Error::file("make", &kept))?;
    let archive = kept.join(format!("{name}-{hash}.tar"));
    let image = Image {
        repository: format!("localhost/{name}"),
        tag: hash,
        archive,
    };
    if !image.archive.is_file() {
        build(places, &image, name, program, containerfile)?;
        forget_others(&kept, name, &image.archive);
    }
    Ok(image)
}

/// The Containerfile of programs that have none of their own.
#[must_use]
pub fn containerfile(name: &str) -> String {
    format!("FROM scratch\nCOPY {name} /{name}\nUSER 65532:65532\nENTRYPOINT [\"/{name}\"]\n")
}

/// Pushes an image to a registry, under a name there.
///
/// # Errors
/// When the registry cannot be reached or refuses it.
pub fn push(places: &Places, image: &Image, name: &str) -> Result<(), Error> {
    let work = places.state().join("image-push");
    let source = format!("oci-archive:{}", image.archive.display());
    let id = run(buildah(&work).args(["pull", "--quiet", &source]))?;
    run(buildah(&work).args(["push", id.trim(), &format!("docker://{name}")]))?;
    fs::remove_dir_all(&work).map_err(Error::file("remove", &work))
}

fn build(
    places: &Places,
    image: &Image,
    name: &str,
    program: &Path,
    containerfile: &str,
) -> Result<(), Error> {
    let work = places.state().join("image-build");
    let context = work.join("context");
    fs::create_dir_all(&context).map_err(Error::file("make", &context))?;
    let (copy, file) = (context.join(name), work.join("Containerfile"));
    fs::copy(program, &copy).map_err(Error::file("copy", program))?;
    fs::write(&file, containerfile).map_err(Error::file("write", &file))?;

    let reference = image.reference();
    // Of this process alone: another one may build the same at the same time, and either is as good.
    let unfinished = format!(".{name}-{}-{}.unfinished", image.tag, std::process::id());
    let unfinished = image.archive.with_file_name(unfinished);
    let version = format!("VERSION={}", env!("CARGO_PKG_VERSION"));
    // The time stamp keeps one content one image.
    run(buildah(&work)
        .args([
            "bud",
            "--isolation",
            "chroot",
            "--timestamp",
            "0",
            "--build-arg",
            &version,
            "--tag",
            &reference,
            "--file",
        ])
        .arg(&file)
        .arg(&context))?;
    let target = format!("oci-archive:{}:{reference}", unfinished.display());
    run(buildah(&work).args(["push", &reference, &target]))?;
    fs::rename(&unfinished, &image.archive).map_err(Error::file("put in place", &image.archive))?;
    fs::remove_dir_all(&work).map_err(Error::file("remove", &work))
}

fn buildah(work: &Path) -> Command {
    let mut command = Command::new("buildah");
    command
        .args(["--storage-driver", "vfs", "--root"])
        .arg(work.join("storage"));
    command.arg("--runroot").arg(work.join("run"));
    command
}

/// Images of earlier states of the same program are never asked for again.
fn forget_others(kept: &Path, name: &str, archive: &Path) {
    for path in fs::read_dir(kept)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
    {
        let hash = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .and_then(|stem| stem.strip_prefix(name));
        let same_name = hash.is_some_and(|hash| hash.starts_with('-') && !hash[1..].contains('-'));
        if same_name && path != archive {
            // Only disk space is lost when it stays.
            let _ = fs::remove_file(path);
        }
    }
}

/// Brings an image into the node, unless it is there, under a name that need not be its own.
///
/// # Errors
/// When containerd refuses it.
pub fn import(record: &Record, image: &Image, reference: &str) -> Result<(), Error> {
    let ctr = CTR.path()?;
    let images = || {
        let mut command = enclosure::command(record, &ctr);
        command.args(["--namespace", "k8s.io", "images"]);
        command
    };
    let there = run(images().args(["list", "--quiet"]))?;
    if there.lines().any(|line| line == reference) {
        return Ok(());
    }
    run(images().arg("import").arg(&image.archive))?;
    if reference != image.reference() {
        run(images().args(["tag", &image.reference(), reference]))?;
    }
    Ok(())
}
