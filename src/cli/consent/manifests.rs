//! Reads connections and their types out of files that may hold more.

use super::ConsentError;
use crate::api::{Connection, ConnectionType};
use kube::Resource;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// What was found; other kinds are left out.
#[derive(Default)]
pub struct Manifests {
    /// Those to agree to.
    pub connections: Vec<Connection>,
    /// Those whose notices count.
    pub types: Vec<ConnectionType>,
}

impl Manifests {
    /// Reads one file, or the standard input if it is called `-`.
    pub fn read(&mut self, file: &Path) -> Result<(), ConsentError> {
        let place = file.display().to_string();
        let text = if place == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(file)
        };
        let text = text.map_err(|source| ConsentError::Unreadable {
            place: place.clone(),
            source,
        })?;
        self.add(&place, &text)
    }

    /// Reads the documents of a text that stands there.
    pub fn add(&mut self, place: &str, text: &str) -> Result<(), ConsentError> {
        let documents = serde_saphyr::from_multiple(text);
        let documents: Vec<Value> = documents.map_err(|source| ConsentError::NotYaml {
            place: place.to_owned(),
            source: Box::new(source),
        })?;
        for document in documents {
            if is::<Connection>(&document) {
                self.connections.push(parsed(place, document)?);
            } else if is::<ConnectionType>(&document) {
                self.types.push(parsed(place, document)?);
            }
        }
        Ok(())
    }
}

fn is<K: Resource<DynamicType = ()>>(document: &Value) -> bool {
    document["apiVersion"] == *K::api_version(&()) && document["kind"] == *K::kind(&())
}

fn parsed<K: Resource<DynamicType = ()> + DeserializeOwned>(
    place: &str,
    document: Value,
) -> Result<K, ConsentError> {
    serde_json::from_value(document).map_err(|source| ConsentError::Unfit {
        place: place.to_owned(),
        kind: K::kind(&()).to_lowercase(),
        source,
    })
}
