//! The language: what people write, its schema and its own rules. No behaviour.

pub mod condition;
pub mod connection;
pub mod connection_type;
pub mod consent_record;
pub mod dataset;
pub mod dry_run;
pub mod enrichment;
pub mod export;
pub mod grants;
pub mod key_vault;
pub mod names;
pub mod notice;
pub mod reference;
pub mod run;
pub mod run_objects;
pub mod secret;
pub mod shared_connection;

pub use condition::{Condition, ConditionStatus, ConditionType, Reason};
pub use connection::{Connection, ConnectionSpec, ConnectionStatus};
pub use connection_type::{ConnectionType, ConnectionTypeSpec, ConnectionTypeStatus};
pub use consent_record::{ConsentRecord, ConsentRecordSpec};
pub use dataset::{Dataset, DatasetSpec, DatasetStatus};
pub use enrichment::{Enrichment, EnrichmentSpec};
pub use export::{Export, ExportSpec, ExportStatus};
pub use key_vault::{KeyVault, KeyVaultSpec, KeyVaultStatus};
pub use reference::{Reference, Refers};
pub use shared_connection::{SharedConnection, SharedConnectionSpec, SharedConnectionStatus};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::{CustomResourceExt, Resource};

/// The definitions of all kinds, as they stand in `crds/`.
#[must_use]
pub fn custom_resource_definitions() -> Vec<CustomResourceDefinition> {
    let mut definitions = vec![
        ConnectionType::crd(),
        KeyVault::crd(),
        Connection::crd(),
        Export::crd(),
        Enrichment::crd(),
        Dataset::crd(),
        SharedConnection::crd(),
        ConsentRecord::crd(),
    ];
    let schemas = definitions
        .iter_mut()
        .flat_map(|definition| {
            // The operator is its only writer: spec and status come in one write.
            if definition.spec.names.kind == SharedConnection::kind(&()) {
                definition
                    .spec
                    .versions
                    .iter_mut()
                    .for_each(|version| version.subresources = None);
            }
            &mut definition.spec.versions
        })
        .filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut());
    schemas.for_each(finish);
    definitions
}

/// What the derived schema lacks: descriptions flow in one line, as `kubectl explain` shows them, and null is refused.
/// An absent field and a null one must not differ: where null isn't allowed, the API server drops it, and `has()` in a
/// rule means what it says.
fn finish(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.description = schema.description.take().map(|text| text.replace('\n', " "));
    schema
        .properties
        .iter_mut()
        .flat_map(|properties| properties.values_mut())
        .for_each(finish);
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        finish(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        finish(values);
    }
}
