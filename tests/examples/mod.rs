//! The examples work as they stand.

use crate::support::{Active, CONNECTORS, Conditioned, Kind, World};
use connection_operator::api::export::Mode;
use connection_operator::api::{Connection, Dataset, Enrichment, Export, KeyVault};
use connection_operator::connection_type::catalog::connection_types;
use kube::CustomResourceExt;
use kube::ResourceExt;
use kube::api::{ListParams, PatchParams};
use kube::core::cel::validate_cel;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
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
            Some("KeyVault") => judge::<KeyVault>(&file, &manifest),
            Some("Dataset") => judge::<Dataset>(&file, &manifest),
            Some("Export") => judge::<Export>(&file, &manifest),
            Some("Enrichment") => judge::<Enrichment>(&file, &manifest),
            Some(
                "Namespace" | "Secret" | "ServiceAccount" | "Role" | "RoleBinding" | "PersistentVolumeClaim",
            ) => continue,
            kind => panic!("{} has {kind:?}: say here how it is judged", file.display()),
        }
        judged += 1;
    }
    assert!(judged > 0, "there are examples");
}

/// The page shows each way to sign in.
#[test]
fn every_manifest_on_the_page_of_key_vaults_fits_its_kind() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/key-vaults.md");
    let text = std::fs::read_to_string(&page).expect("it can be read");
    let blocks = text.split("```yaml\n").skip(1);
    let mut judged = 0;
    for block in blocks.filter_map(|rest| rest.split("```").next()) {
        let manifest: Value = serde_saphyr::from_str(block).expect("YAML");
        match manifest["kind"].as_str() {
            Some("Connection") => judge::<Connection>(&page, &manifest),
            Some("KeyVault") => judge::<KeyVault>(&page, &manifest),
            kind => panic!("{kind:?}: say here how it is judged"),
        }
        judged += 1;
    }
    assert!(judged > 5, "{judged} manifests");
}

#[tokio::test]
async fn the_examples_become_ready_as_they_stand_and_active_exactly_if_a_connector_runs_them() {
    let world = World::new().await;
    for (file, manifest) in manifests() {
        // A repository for pipelines and links to vaults have tests of their own.
        if manifest["kind"] == "Namespace" || is_below(&file, "gitops") || is_below(&file, "vaults") {
            continue;
        }
        apply(&world, &file, manifest).await;
    }
    let connections = all::<Connection>(&world).await;
    for connection in &connections {
        world.consent(&connection.name_any()).await;
    }
    for connection in &connections {
        world
            .until_ready_says::<Connection>(&connection.name_any(), "Ready")
            .await;
    }
    let runs = running(&connections);
    let datasets = all::<Dataset>(&world).await;
    let elsewhere: BTreeSet<String> = datasets
        .iter()
        .filter(|dataset| dataset.spec.location.volume.is_none())
        .map(ResourceExt::name_any)
        .collect();
    for export in all::<Export>(&world).await {
        let reference = export.spec.connection_ref.as_ref().expect("a connection");
        let mut payload = export.spec.payload.iter();
        let lacks = export.spec.mode == Some(Mode::Incremental)
            || payload.any(|item| elsewhere.contains(item.dataset.as_str()));
        if lacks && runs[reference.name.as_str()] {
            world
                .until_inactive::<Export>(&export.name_any(), "ConnectorLacks")
                .await;
            continue;
        }
        until_as_its_type_has_it::<Export>(
            &world,
            &export.name_any(),
            export.spec.suspend,
            runs[reference.name.as_str()],
        )
        .await;
    }
    for enrichment in all::<Enrichment>(&world).await {
        let reference = enrichment.spec.connection_ref.as_ref().expect("a connection");
        let named = [&enrichment.spec.input.dataset, &enrichment.spec.output.dataset];
        assert!(
            named.iter().all(|dataset| !elsewhere.contains(dataset.as_str())),
            "{} can run",
            enrichment.name_any()
        );
        until_as_its_type_has_it::<Enrichment>(
            &world,
            &enrichment.name_any(),
            false,
            runs[reference.name.as_str()],
        )
        .await;
    }
}

#[tokio::test]
async fn the_examples_of_vaults_wait_for_nothing_but_their_vault() {
    let world = World::new().await;
    let vaults = manifests()
        .into_iter()
        .filter(|(file, _)| is_below(file, "vaults"));
    for (file, manifest) in vaults {
        apply(&world, &file, manifest).await;
    }
    for connection in all::<Connection>(&world).await {
        let name = connection.name_any();
        world.consent(&name).await;
        let ready = world.until_ready_says::<Connection>(&name, "VaultNotReady").await;
        let references = connection.spec.secrets.values();
        for reference in references.map(|source| source.key_vault_ref.as_ref()) {
            let vault = &reference.expect("each secret is in a vault").name.0;
            assert!(ready.message.contains(&format!("key vault {vault}")), "{ready:?}");
        }
    }
    let vaults = all::<KeyVault>(&world).await;
    let providers: BTreeSet<&str> = vaults.iter().map(|vault| vault.spec.provider()).collect();
    assert_eq!(
        Vec::from_iter(providers),
        ["azureKeyVault", "vault"],
        "there is an example of each"
    );
    for vault in vaults {
        let name = vault.name_any();
        let used = |vault: &KeyVault| {
            let status = vault.status.as_ref();
            let dependents = status.and_then(|status| status.dependents.as_ref());
            dependents.is_some_and(|dependents| dependents.connections == 1)
        };
        world
            .until::<KeyVault>(&name, "its connection names it", used)
            .await;
    }
}

fn is_below(file: &Path, folder: &str) -> bool {
    file.to_string_lossy().contains(&format!("examples/{folder}/"))
}

/// Applies a manifest as a person does. All examples share one namespace; here it is the test's own.
async fn apply(world: &World, file: &Path, mut manifest: Value) {
    manifest["metadata"]["namespace"] = world.namespace.clone().into();
    let strict = PatchParams::apply("person").validation_strict();
    let applied = world.try_apply_with(&manifest, &strict).await;
    applied.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

/// Whether a connector that the installation knows runs each connection. Every type of the catalog has one of them.
fn running(connections: &[Connection]) -> BTreeMap<String, bool> {
    let types = connection_types().expect("the catalog can be read");
    let known: Vec<&str> = CONNECTORS.split(',').collect();
    for type_ in &types {
        let name = type_.name_any();
        let used = connections
            .iter()
            .any(|connection| connection.spec.type_.as_str() == name);
        assert!(used, "there is an example of {name}");
    }
    let runs = connections.iter().map(|connection| {
        let named = types
            .iter()
            .find(|type_| type_.name_any() == connection.spec.type_.as_str());
        let connector = named.and_then(|type_| type_.spec.connector.as_ref());
        let runs = connector.is_some_and(|connector| known.contains(&connector.as_str()));
        (connection.name_any(), runs)
    });
    runs.collect()
}

/// Nothing is called Active that could never send a byte.
async fn until_as_its_type_has_it<K: Kind + Active + Conditioned>(
    world: &World,
    name: &str,
    suspended: bool,
    runs: bool,
) {
    if !runs {
        world.until_inactive::<K>(name, "NoConnector").await;
    } else if suspended {
        world.until_inactive::<K>(name, "Suspended").await;
    } else {
        world.until_active::<K>(name).await;
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
