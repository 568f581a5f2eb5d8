//! The connection types that come with the operator: data, compiled in.

use crate::api::ConnectionType;
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
