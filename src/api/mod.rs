//! The language: what people write, its schema and its own rules. No behaviour.

pub mod condition;
pub mod connection;
pub mod connection_type;
pub mod dataset;
pub mod enrichment;
pub mod export;
pub mod names;
pub mod reference;

pub use condition::{Condition, ConditionStatus, ConditionType, Reason};
pub use connection::{Connection, ConnectionSpec, ConnectionStatus};
pub use connection_type::{ConnectionType, ConnectionTypeSpec, ConnectionTypeStatus};
pub use dataset::{Dataset, DatasetSpec, DatasetStatus};
pub use enrichment::{Enrichment, EnrichmentSpec};
pub use export::{Export, ExportSpec, ExportStatus};
pub use reference::{Reference, Refers};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

/// The definitions of all kinds, as they stand in `crds/`.
#[must_use]
pub fn custom_resource_definitions() -> Vec<CustomResourceDefinition> {
    vec![ConnectionType::crd(), Connection::crd(), Export::crd(), Enrichment::crd(), Dataset::crd()]
}
