//! `up` and `down` for a cluster that is there already: the one of the current kubeconfig.

use std::env;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Error;
use crate::certificates::write_private;
use crate::node::images::push;
use crate::operator::{self, Names};
use crate::places::Places;
use crate::processes::run;
use crate::products::{self, CONNECTOR_NAME, Images};
use crate::programs::{self, HELM, KUBECTL};
use crate::progress::step;
use crate::requirements;
use crate::run_directory::locked;

/// How an image gets into a cluster.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// Into the nodes of a kind cluster.
    Kind(String),
    /// Into the nodes of a k3d cluster.
    K3d(String),
    /// Through a registry, under this name, as repository and tag.
    Registry(String, String),
}

/// Installs the operator into the cluster of the current kubeconfig.
///
/// # Errors
/// Says what is missing or went wrong, and what to do.
pub fn up(places: &Places) -> Result<(), Error> {
    let started = Instant::now();
    requirements::check_compiler()?;
    places.make()?;
    let _turn = locked(&places.lock())?;
    let tools = [KUBECTL, HELM];
    step("kubectl and helm", programs::expected(&tools), || provide(places))?;

    let context = context()?;
    println!("the cluster is that of the context {context} in your kubeconfig");
    let way = way(&context, env::var("IMAGE").ok())?;
    let names = deliver(places, &way)?;
    operator::install(places, &places.kubeconfig(), &names, &[])?;
    println!("up after {} s", started.elapsed().as_secs());
    Ok(())
}

/// Removes the operator from the cluster; the cluster stays.
///
/// # Errors
/// When helm can't.
pub fn down(places: &Places) -> Result<(), Error> {
    if !places.kubeconfig().exists() {
        println!("nothing was installed from here, so there is nothing to uninstall");
        return Ok(());
    }
    step("the operator uninstalled", Duration::ZERO, || {
        operator::uninstall(&places.kubeconfig())?;
        places.forget_tools()
    })
}

/// Puts the tools in place, and a kubeconfig of just this context, so that it stays the same one.
fn provide(places: &Places) -> Result<(), Error> {
    places.provide_tools()?;
    let view = ["config", "view", "--raw", "--minify", "--flatten"];
    write_private(
        &places.kubeconfig(),
        &run(Command::new(KUBECTL.path()?).args(view))?,
    )
}

fn context() -> Result<String, Error> {
    let answer = run(Command::new(KUBECTL.path()?).args(["config", "current-context"]));
    answer
        .map(|context| context.trim().to_owned())
        .map_err(|_| Error::NotHere {
            missing: "your kubeconfig has no current context".to_owned(),
            next: "choose one: `kubectl config use-context <name>`".to_owned(),
        })
}

fn way(context: &str, image: Option<String>) -> Result<Way, Error> {
    if let Some(image) = image {
        let (repository, tag) = named(&image)?;
        return Ok(Way::Registry(repository, tag));
    }
    if let Some(cluster) = context.strip_prefix("kind-") {
        return Ok(Way::Kind(cluster.to_owned()));
    }
    if let Some(cluster) = context.strip_prefix("k3d-") {
        return Ok(Way::K3d(cluster.to_owned()));
    }
    Err(Error::NotHere {
        missing: format!("the cluster of the context {context} takes images from a registry only"),
        next: "say under which name it finds the operator's, and the image is pushed there: \
               `IMAGE=registry.example/connection-operator:1 CLUSTER=existing make up`"
            .to_owned(),
    })
}

/// Builds the images and brings them there; the names under which the cluster finds them.
fn deliver(places: &Places, way: &Way) -> Result<Names, Error> {
    if !cfg!(target_os = "linux") {
        return found_elsewhere(way);
    }
    requirements::check_image_builder()?;
    let images = products::images(places)?;
    match way {
        Way::Kind(cluster) => {
            let what = format!("images loaded by `kind load image-archive` into {cluster}");
            loaded(&what, &images, |archive| {
                let mut kind = Command::new("kind");
                kind.args(["load", "image-archive", archive, "--name", cluster]);
                kind
            })?;
            Ok(Names::of(&images))
        }
        Way::K3d(cluster) => {
            let what = format!("images loaded by `k3d image import` into {cluster}");
            loaded(&what, &images, |archive| {
                let mut k3d = Command::new("k3d");
                k3d.args(["image", "import", archive, "--cluster", cluster]);
                k3d
            })?;
            Ok(Names::of(&images))
        }
        Way::Registry(repository, tag) => {
            let names = registered(repository, tag);
            for (image, name) in [
                (&images.operator, &format!("{repository}:{tag}")),
                (&images.connector, &names.connector),
            ] {
                step(
                    &format!("image pushed to {name}"),
                    Duration::from_secs(10),
                    || push(places, image, name),
                )?;
            }
            Ok(names)
        }
    }
}

fn loaded(what: &str, images: &Images, load: impl Fn(&str) -> Command) -> Result<(), Error> {
    step(what, Duration::from_secs(5), || {
        [&images.operator, &images.connector]
            .iter()
            .try_for_each(|image| run(&mut load(&image.archive.display().to_string())).map(drop))
    })
}

/// In a registry the connector's image stands beside the operator's, with the same tag.
fn registered(repository: &str, tag: &str) -> Names {
    let folder = repository.rsplit_once('/').map_or("", |(folder, _)| folder);
    let slash = if folder.is_empty() { "" } else { "/" };
    Names {
        operator: (repository.to_owned(), tag.to_owned()),
        connector: format!("{folder}{slash}{CONNECTOR_NAME}:{tag}"),
    }
}

/// The images are of Linux programs, which only Linux builds without more ado.
fn found_elsewhere(way: &Way) -> Result<Names, Error> {
    if let Way::Registry(repository, tag) = way {
        let names = registered(repository, tag);
        println!(
            "the images are built on Linux only; taking {repository}:{tag} and {} as they are in their registry",
            names.connector
        );
        return Ok(names);
    }
    Err(Error::NotHere {
        missing: "the images are built on Linux only".to_owned(),
        next: "say where the cluster finds the operator's: `IMAGE=registry.example/connection-operator:1`"
            .to_owned(),
    })
}

fn named(image: &str) -> Result<(String, String), Error> {
    // A colon may also stand before a registry's port, but then a slash follows.
    match image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((repository, tag)) => Ok((repository.to_owned(), tag.to_owned())),
        None => Err(Error::NotHere {
            missing: format!("IMAGE={image} has no tag"),
            next: format!("name one: IMAGE={image}:1"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_says_how_an_image_gets_there_unless_a_name_is_given() {
        assert_eq!(way("kind-dev", None).unwrap(), Way::Kind("dev".to_owned()));
        assert_eq!(way("k3d-dev", None).unwrap(), Way::K3d("dev".to_owned()));
        let given = way("kind-dev", Some("registry.example/operator:1".to_owned())).unwrap();
        assert_eq!(
            given,
            Way::Registry("registry.example/operator".to_owned(), "1".to_owned())
        );
        let refused = way("company", None).unwrap_err().to_string();
        assert!(
            refused.contains("company") && refused.contains("IMAGE="),
            "{refused}"
        );
    }

    #[test]
    fn in_a_registry_the_connectors_image_stands_beside_the_operators() {
        for (repository, connector) in [
            (
                "registry.example:5000/team/operator",
                "registry.example:5000/team/connection-connector:1",
            ),
            ("operator", "connection-connector:1"),
        ] {
            assert_eq!(registered(repository, "1").connector, connector);
        }
    }

    #[test]
    fn an_image_needs_a_tag_and_a_port_is_none() {
        let parts = |repository: &str, tag: &str| (repository.to_owned(), tag.to_owned());
        assert_eq!(
            named("registry.example:5000/a:1").unwrap(),
            parts("registry.example:5000/a", "1")
        );
        assert!(named("registry.example:5000/a").is_err());
    }
}
