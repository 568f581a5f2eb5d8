//! Generated files are what the code would generate today.

use connection_operator::api::custom_resource_definitions;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_committed_definitions_are_those_of_the_code() {
    for folder in ["crds", "charts/connection-operator/files/crds"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = std::fs::read_dir(&folder).expect("the folder is there");
        let present: BTreeSet<String> = files
            .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
            .collect();
        let mut expected = BTreeSet::new();
        for definition in custom_resource_definitions() {
            let name = format!("{}.yaml", definition.spec.names.plural);
            let today = serde_saphyr::to_string(&definition).expect("YAML");
            let committed = std::fs::read_to_string(folder.join(&name)).expect("the file is there");
            assert!(
                committed == today,
                "{name} in {} is stale: run `make generate`",
                folder.display()
            );
            expected.insert(name);
        }
        assert_eq!(present, expected, "one file a kind in {}", folder.display());
    }
}
