//! The connection types that come with the operator: data, compiled in.

use crate::api::ConnectionType;
use std::collections::BTreeSet;
use thiserror::Error;

/// One manifest a type, as in `catalog/`.
const MANIFESTS: [(&str, &str); 5] = [
    (
        "azure-blob-storage",
        include_str!("../../catalog/azure-blob-storage.yaml"),
    ),
    ("google-ads", include_str!("../../catalog/google-ads.yaml")),
    ("marketo", include_str!("../../catalog/marketo.yaml")),
    ("sftp-export", include_str!("../../catalog/sftp-export.yaml")),
    ("sftp-import", include_str!("../../catalog/sftp-import.yaml")),
];

/// A manifest of the catalog that can't be read.
#[derive(Debug, Error)]
#[error("catalog/{name}.yaml can't be read as a ConnectionType")]
pub struct CatalogError {
    name: &'static str,
    #[source]
    source: Box<serde_saphyr::Error>,
}

/// All types that come with the operator.
///
/// # Errors
/// When a manifest doesn't fit the kind; a test keeps this from being released.
pub fn connection_types() -> Result<Vec<ConnectionType>, CatalogError> {
    MANIFESTS
        .iter()
        .map(|(name, manifest)| {
            serde_saphyr::from_str(manifest).map_err(|source| CatalogError {
                name,
                source: Box::new(source),
            })
        })
        .collect()
}

/// Which types of the catalog an installation wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// These; all if there are none.
    pub include: BTreeSet<String>,
    /// Not these.
    pub exclude: BTreeSet<String>,
}

impl Selection {
    /// Whether the type of this name is wanted.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        (self.include.is_empty() || self.include.contains(name)) && !self.exclude.contains(name)
    }

    /// Names that the catalog doesn't know, in order.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        let named = self.include.union(&self.exclude).map(String::as_str);
        named.filter(|name| !MANIFESTS.iter().any(|(known, _)| known == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(include: &[&str], exclude: &[&str]) -> Selection {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Selection {
            include: names(include),
            exclude: names(exclude),
        }
    }

    #[test]
    fn a_type_is_wanted_if_named_and_not_left_out() {
        let rows: [(&str, &[&str], &[&str], bool); 5] = [
            ("nothing said", &[], &[], true),
            ("named", &["marketo"], &[], true),
            ("another named", &["sftp-export"], &[], false),
            ("left out", &[], &["marketo"], false),
            ("both: leaving out counts", &["marketo"], &["marketo"], false),
        ];
        for (case, include, exclude, wanted) in rows {
            assert_eq!(selection(include, exclude).wants("marketo"), wanted, "{case}");
        }
    }

    #[test]
    fn names_that_the_catalog_does_not_know_are_found() {
        let selection = selection(&["marketo", "market0"], &["zendesk"]);
        assert_eq!(selection.unknown().collect::<Vec<_>>(), ["market0", "zendesk"]);
    }
}
