//! Applies the connection types that come with the operator: only those that are missing or differ.

use crate::api::ConnectionType;
use crate::api::names::CATALOG_FIELD_MANAGER;
use crate::cluster::Objects;
use crate::connection_type::catalog::{CatalogError, connection_types};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use thiserror::Error;

/// The catalog wasn't applied.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// A manifest can't be read.
    #[error(transparent)]
    Manifest(#[from] CatalogError),
    /// The API server refused a type, or couldn't be reached.
    #[error("the connection type {name} can't be applied")]
    Refused {
        /// The type.
        name: String,
        /// The API server's answer.
        #[source]
        source: Box<kube::Error>,
    },
}

/// Applies what is missing or differs. What somebody else has changed stays theirs, with a log line.
///
/// # Errors
/// See [`ApplyError`].
pub async fn apply(client: &Client, present: &Objects<ConnectionType>) -> Result<(), ApplyError> {
    let api: Api<ConnectionType> = Api::all(client.clone());
    for type_ in connection_types()? {
        let name = type_.name_any();
        if present
            .get("", &name)
            .is_some_and(|present| present.spec == type_.spec)
        {
            continue;
        }
        match api
            .patch(
                &name,
                &PatchParams::apply(CATALOG_FIELD_MANAGER),
                &Patch::Apply(&type_),
            )
            .await
        {
            Ok(_) => tracing::info!(connection_type = name, "applied a connection type of the catalog"),
            Err(kube::Error::Api(answer)) if answer.code == 409 => tracing::warn!(
                connection_type = name,
                answer = answer.message,
                "a connection type of the catalog was changed by somebody else and stays as it is"
            ),
            Err(source) => {
                return Err(ApplyError::Refused {
                    name,
                    source: Box::new(source),
                });
            }
        }
    }
    Ok(())
}
