//! Has the API server try a manifest without keeping it, for commands that look and go.

use crate::api::names::TRIAL_FIELD_MANAGER;
use kube::api::{Patch, PatchParams, ValidationDirective};
use kube::core::DynamicObject;
use kube::discovery::ApiResource;
use kube::{Api, Client, Resource};
use serde_json::Value;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It would be taken.
    Taken,
    /// It would be refused: why.
    Refused(String),
    /// Whoever asks may not apply it, so nobody can tell.
    Forbidden,
}

/// Tries a manifest of a kind that isn't in namespaces, and each of its fields must be one that the kind has.
///
/// # Errors
/// When the API server gives no answer.
pub async fn apply<K: Resource<DynamicType = ()>>(
    client: &Client,
    name: &str,
    manifest: &Value,
) -> Result<Trial, kube::Error> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::erase::<K>(&()));
    let how = PatchParams {
        dry_run: true,
        force: true,
        field_manager: Some(TRIAL_FIELD_MANAGER.to_owned()),
        field_validation: Some(ValidationDirective::Strict),
    };
    match api.patch(name, &how, &Patch::Apply(wanted(manifest))).await {
        Ok(_) => Ok(Trial::Taken),
        Err(kube::Error::Api(answer)) if answer.code == 403 => Ok(Trial::Forbidden),
        Err(kube::Error::Api(answer)) if is_refusal(answer.code, &answer.message) => {
            Ok(Trial::Refused(answer.message.clone()))
        }
        Err(error) => Err(error),
    }
}

/// A field that the kind doesn't have, and an entry of a list that is there twice, are answered as if the API server
/// itself had failed.
fn is_refusal(code: u16, message: &str) -> bool {
    ((400..500).contains(&code) && code != 401) || message.starts_with("failed to create typed patch object")
}

/// Without what the API server writes itself: a file may have been read out of a cluster.
fn wanted(manifest: &Value) -> Value {
    let mut wanted = manifest.clone();
    if let Some(object) = wanted.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = wanted.get_mut("metadata").and_then(Value::as_object_mut) {
        for ours in [
            "managedFields",
            "resourceVersion",
            "uid",
            "generation",
            "creationTimestamp",
        ] {
            metadata.remove(ours);
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_cluster_wrote_is_not_applied() {
        let read = json!({
            "kind": "ConnectionType",
            "metadata": {"name": "own", "labels": {"a": "b"}, "uid": "u", "managedFields": [], "resourceVersion": "1"},
            "spec": {"usedFor": "Export"}, "status": {"runs": true},
        });
        let left = json!({
            "kind": "ConnectionType",
            "metadata": {"name": "own", "labels": {"a": "b"}},
            "spec": {"usedFor": "Export"},
        });
        assert_eq!(wanted(&read), left);
    }
}
