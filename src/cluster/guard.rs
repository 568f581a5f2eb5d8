//! Reads objects so that one that doesn't fit its schema doesn't stop the others. Who wrote which field isn't read at
//! all: it is more than half of an object, and no decision asks for it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// An object that was read, or else as much of it as could be.
#[derive(Clone, Debug)]
pub struct Guarded<K>(pub Result<K, Misfit>);

/// An object that doesn't fit its schema.
#[derive(Clone, Debug)]
pub struct Misfit {
    /// Its metadata.
    pub metadata: Box<ObjectMeta>,
    /// Where it doesn't fit, such as `spec.displayName`.
    pub place: String,
    /// What doesn't fit.
    pub error: String,
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Guarded<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Value::Object(deserializer.deserialize_map(Fields)?);
        match K::deserialize(&object) {
            Ok(object) => Ok(Self(Ok(object))),
            Err(error) => {
                let metadata = ObjectMeta::deserialize(&object["metadata"]).map_err(D::Error::custom)?;
                Ok(Self(Err(Misfit {
                    metadata: Box::new(metadata),
                    place: place_of_misfit::<K>(&object),
                    error: error.to_string(),
                })))
            }
        }
    }
}

/// Looked for only once something doesn't fit, as keeping track of the place takes time.
fn place_of_misfit<K: DeserializeOwned>(object: &Value) -> String {
    let read = serde_path_to_error::deserialize::<_, K>(object);
    let place = read.err().map(|error| error.path().to_string());
    // The path of the object itself is a dot.
    place
        .filter(|place| place != ".")
        .unwrap_or_else(|| "its fields".to_owned())
}

/// The fields of an object.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = if name == "metadata" {
                map.next_value::<Metadata>()?.0
            } else {
                map.next_value()?
            };
            fields.insert(name, value);
        }
        Ok(fields)
    }
}

/// Metadata without its managed fields.
struct Metadata(Value);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(MetadataFields)
            .map(Value::Object)
            .map(Self)
    }
}

struct MetadataFields;

impl<'de> Visitor<'de> for MetadataFields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metadata")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "managedFields" {
                map.next_value::<IgnoredAny>()?;
            } else {
                fields.insert(name, map.next_value()?);
            }
        }
        Ok(fields)
    }
}

impl<K: Resource> Resource for Guarded<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dynamic: &K::DynamicType) -> Cow<'_, str> {
        K::kind(dynamic)
    }

    fn group(dynamic: &K::DynamicType) -> Cow<'_, str> {
        K::group(dynamic)
    }

    fn version(dynamic: &K::DynamicType) -> Cow<'_, str> {
        K::version(dynamic)
    }

    fn plural(dynamic: &K::DynamicType) -> Cow<'_, str> {
        K::plural(dynamic)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.as_ref().map_or_else(|misfit| &*misfit.metadata, K::meta)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0
            .as_mut()
            .map_or_else(|misfit| &mut *misfit.metadata, K::meta_mut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Connection;
    use kube::ResourceExt;
    use serde_json::json;

    fn read(spec: &Value) -> Guarded<Connection> {
        let object = json!({
            "apiVersion": "connections.dev/v1alpha1", "kind": "Connection",
            "metadata": {
                "namespace": "marketing", "name": "partner", "labels": {"team": "crm"},
                "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
            },
            "spec": spec,
        });
        serde_json::from_str(&object.to_string()).expect("it has metadata")
    }

    #[test]
    fn an_object_is_read_whole_but_for_its_managed_fields() {
        let connection = read(&json!({"displayName": "Partner", "type": "sftp-export"}))
            .0
            .expect("it fits");
        assert_eq!(connection.spec.display_name, "Partner");
        assert_eq!(connection.labels().get("team").map(String::as_str), Some("crm"));
        assert_eq!(connection.managed_fields(), []);
    }

    #[test]
    fn an_object_that_does_not_fit_is_known_by_its_metadata() {
        let misfit = read(&json!({"displayName": 7})).0.expect_err("it doesn't fit");
        assert_eq!(misfit.metadata.name.as_deref(), Some("partner"));
        assert_eq!(misfit.place, "spec.displayName");
        assert!(
            misfit.error.contains("invalid type: integer `7`"),
            "{}",
            misfit.error
        );
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        assert!(serde_json::from_str::<Guarded<Connection>>("7").is_err());
    }
}
