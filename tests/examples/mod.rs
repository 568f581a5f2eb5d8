//! The examples work as they stand.

use crate::support::{Kind, World};
use connection_operator::api::{Connection, Dataset, Enrichment, Export};
use kube::CustomResourceExt;
use kube::ResourceExt;
use kube::api::{ListParams, PatchParams};
use kube::core::cel::validate_cel;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Every manifest under `examples/`, file by file in order, as a person would apply them.
fn manifests() -> Vec<(PathBuf, Value)> {
    let mut files = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"),
        &mut files,
    );
    // The quickstart first: the others need its namespace.
    files.sort_by_key(|file| (!file.to_string_lossy().contains("quickstart"), file.clone()));
    let manifests = files.into_iter().flat_map(|file| {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
        documents
            .into_iter()
            .map(move |manifest| (file.clone(), manifest))
    });
    manifests.collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}

/// Reads a manifest as its kind, and judges it by the kind's rules.
fn judge<K: CustomResourceExt + Serialize + DeserializeOwned>(file: &Path, manifest: &Value) {
    let read: Result<K, _> = serde_json::from_value(manifest.clone());
    let read = read.unwrap_or_else(|error| panic!("{}: {error}: {manifest}", file.display()));
    validate_cel(&read).unwrap_or_else(|errors| panic!("{}: {errors}: {manifest}", file.display()));
}

#[test]
fn every_example_fits_its_kind() {
    let mut judged = 0;
    for (file, manifest) in manifests() {
        match manifest["kind"].as_str() {
            Some("Connection") => judge::<Connection>(&file, &manifest),
            Some("Dataset") => judge::<Dataset>(&file, &manifest),
            Some("Export") => judge::<Export>(&file, &manifest),
            Some("Enrichment") => judge::<Enrichment>(&file, &manifest),
            Some("Namespace" | "Secret" | "ServiceAccount" | "Role" | "RoleBinding") => continue,
            kind => panic!("{} has {kind:?}: say here how it is judged", file.display()),
        }
        judged += 1;
    }
    assert!(judged > 0, "there are examples");
}

#[tokio::test]
async fn the_examples_become_ready_and_active_as_they_stand() {
    let world = World::new().await;
    let strict = PatchParams::apply("person").validation_strict();
    for (file, mut manifest) in manifests() {
        // A repository for pipelines has a test of its own.
        if manifest["kind"] == "Namespace" || file.to_string_lossy().contains("examples/gitops/") {
            continue;
        }
        // All examples share one namespace; here it is the test's own.
        manifest["metadata"]["namespace"] = world.namespace.clone().into();
        let applied = world.try_apply_with(&manifest, &strict).await;
        applied.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    for connection in all::<Connection>(&world).await {
        world.consent(&connection.name_any()).await;
    }
    for connection in all::<Connection>(&world).await {
        world
            .until_ready_says::<Connection>(&connection.name_any(), "Ready")
            .await;
    }
    for export in all::<Export>(&world).await {
        if export.spec.suspend {
            world
                .until_inactive::<Export>(&export.name_any(), "Suspended")
                .await;
        } else {
            world.until_active::<Export>(&export.name_any()).await;
        }
    }
    for enrichment in all::<Enrichment>(&world).await {
        world.until_active::<Enrichment>(&enrichment.name_any()).await;
    }
}

async fn all<K: Kind>(world: &World) -> Vec<K> {
    let list = world
        .api::<K>()
        .list(&ListParams::default())
        .await
        .expect("a list");
    assert!(!list.items.is_empty(), "there are examples of {}", K::kind(&()));
    list.items
}
