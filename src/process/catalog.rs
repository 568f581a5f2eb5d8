//! Applies the connection types that come with the operator: only those that are missing or differ. Those that it
//! brought once and brings no more stay, and say so.

use crate::api::ConnectionType;
use crate::api::names::{CATALOG_FIELD_MANAGER, DEPRECATION_FIELD_MANAGER};
use crate::cluster::Objects;
use crate::connection_type::catalog::{CatalogError, Selection, connection_types};
use kube::api::{ListParams, Patch, PatchParams};
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Debug;
use thiserror::Error;

/// The catalog wasn't applied.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// A manifest can't be read.
    #[error(transparent)]
    Manifest(#[from] CatalogError),
    /// It isn't known which types the catalog owns.
    #[error("the connection types can't be listed")]
    Unlisted(#[source] Box<kube::Error>),
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

/// Applies what is wanted and is missing or differs, and marks as deprecated what the catalog owns and isn't wanted.
/// What somebody else has changed stays theirs, with a log line. Nothing is ever deleted: connections may use it.
///
/// # Errors
/// See [`ApplyError`].
pub async fn apply(
    client: &Client,
    present: &Objects<ConnectionType>,
    wanted: &Selection,
) -> Result<(), ApplyError> {
    let api: Api<ConnectionType> = Api::all(client.clone());
    for name in wanted.unknown() {
        tracing::warn!(
            connection_type = name,
            "the catalog has no type of this name, so catalog.include or catalog.exclude does nothing by it: correct it in the \
             values; docs/catalog.md lists the names"
        );
    }
    let known = connection_types()?;
    for type_ in known.iter().filter(|type_| wanted.wants(&type_.name_any())) {
        bring(&api, present, type_).await?;
    }
    for object in owned(&api).await? {
        let name = object.name_any();
        let known = known.iter().any(|type_| type_.name_any() == name);
        let brought = known && wanted.wants(&name);
        let marked = present
            .get("", &name)
            .is_some_and(|type_| type_.spec.deprecated.is_some());
        if !brought && !marked {
            mark(&api, &object, known).await?;
        }
    }
    Ok(())
}

async fn bring(
    api: &Api<ConnectionType>,
    present: &Objects<ConnectionType>,
    type_: &ConnectionType,
) -> Result<(), ApplyError> {
    let name = type_.name_any();
    let there = present.get("", &name);
    if there.as_ref().is_some_and(|there| there.spec == type_.spec) {
        return Ok(());
    }
    if there.is_some_and(|there| there.spec.deprecated.is_some()) {
        // Takes back our own mark, and only that.
        let unmarked = manifest(&json!({"name": name}), &json!({}));
        written(api, &name, DEPRECATION_FIELD_MANAGER, &unmarked).await?;
    }
    match written(api, &name, CATALOG_FIELD_MANAGER, type_).await? {
        Some(applied) if applied.spec != type_.spec => tracing::warn!(
            connection_type = name,
            "a connection type of the catalog has fields that somebody else added, and keeps them"
        ),
        Some(_) => tracing::info!(connection_type = name, "applied a connection type of the catalog"),
        None => {}
    }
    Ok(())
}

/// The types that this or an earlier version brought.
async fn owned(api: &Api<ConnectionType>) -> Result<Vec<PartialObjectMeta<ConnectionType>>, ApplyError> {
    let listed = api.list_metadata(&ListParams::default()).await;
    let mut objects = listed
        .map_err(|error| ApplyError::Unlisted(Box::new(error)))?
        .items;
    objects.retain(|object| {
        let fields = object.managed_fields().iter();
        fields
            .clone()
            .any(|fields| fields.manager.as_deref() == Some(CATALOG_FIELD_MANAGER))
    });
    Ok(objects)
}

/// Marks a type that is no longer brought. By a field manager of its own, so that nothing else of it changes hands.
async fn mark(
    api: &Api<ConnectionType>,
    object: &PartialObjectMeta<ConnectionType>,
    known: bool,
) -> Result<(), ApplyError> {
    let name = object.name_any();
    let why = if known {
        "This installation's values leave it out."
    } else {
        "This version of the operator no longer brings it."
    };
    let message = format!("{why} Connections of this type go on; make new ones of another.");
    // With the uid of what was seen: should it be gone by now, it isn't made anew.
    let identity = json!({"name": name, "uid": object.metadata.uid});
    let marked = manifest(&identity, &json!({"deprecated": {"message": message}}));
    let marked = written(api, &name, DEPRECATION_FIELD_MANAGER, &marked).await?;
    if marked.is_some() {
        tracing::info!(
            connection_type = name,
            why,
            "marked a connection type as deprecated"
        );
    }
    Ok(())
}

fn manifest(metadata: &Value, spec: &Value) -> Value {
    json!({
        "apiVersion": ConnectionType::api_version(&()), "kind": ConnectionType::kind(&()),
        "metadata": metadata, "spec": spec,
    })
}

/// The type as it is then, if the API server took it; what belongs to somebody else stays as it is.
async fn written(
    api: &Api<ConnectionType>,
    name: &str,
    manager: &str,
    manifest: &(impl Serialize + Debug),
) -> Result<Option<ConnectionType>, ApplyError> {
    let applied = api
        .patch(name, &PatchParams::apply(manager), &Patch::Apply(manifest))
        .await;
    match applied {
        Ok(applied) => Ok(Some(applied)),
        Err(kube::Error::Api(answer)) if answer.code == 409 => {
            tracing::warn!(
                connection_type = name,
                answer = answer.message,
                "a connection type of the catalog was changed by somebody else and stays as it is"
            );
            Ok(None)
        }
        Err(source) => Err(ApplyError::Refused {
            name: name.to_owned(),
            source: Box::new(source),
        }),
    }
}
