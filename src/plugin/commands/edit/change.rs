//! What an edit changes, and whether that needs consent again.

use crate::api::{Connection, ConnectionSpec, ConnectionType};
use crate::governance::consent::{Subject, required};
use crate::governance::message::quoted;
use kube::ResourceExt;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Each field, before and after.
    pub lines: Vec<String>,
    /// What becomes of consent.
    pub consent: Consent,
}

/// What an edit makes of consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// It stands, and goes on to.
    Stands,
    /// It stands, and is for something else then.
    GoesStale,
    /// It stands for nothing, before as after.
    Absent,
}

impl Consent {
    /// In a sentence.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::Stands => "Consent stands: where data goes stays the same.",
            Self::GoesStale => {
                "Consent isn't for this destination any more: it goes stale, and nothing runs before somebody consents again."
            }
            Self::Absent => "No consent stands for it just now: nothing runs before somebody consents.",
        }
    }
}

impl Change {
    /// What is said once it's saved.
    #[must_use]
    pub fn done(&self, name: &str) -> String {
        let again = match self.consent {
            Consent::Stands => return format!("{name} is changed."),
            Consent::GoesStale => " again",
            Consent::Absent => "",
        };
        format!("{name} is changed. To consent{again}: kubectl connections consent {name}")
    }
}

/// Compares a connection with what it is to be.
#[must_use]
pub fn changed(connection: &Connection, spec: &ConnectionSpec, type_: &ConnectionType) -> Change {
    let (namespace, name) = (connection.namespace().unwrap_or_default(), connection.name_any());
    let subject = Subject {
        kind: "Connection",
        namespace: &namespace,
        name: &name,
    };
    let digest = |spec: &ConnectionSpec| required(subject, spec, &type_.spec).current;
    let (before, after) = (flat(&connection.spec), flat(spec));
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    let told = |value: Option<&String>| value.map_or_else(|| "nothing".to_owned(), |value| quoted(value));
    let lines = paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path));
    let lines = lines.map(|path| format!("{path}: {} → {}", told(before.get(path)), told(after.get(path))));
    let status = connection.status.as_ref();
    let given = status
        .and_then(|status| status.consent.as_ref())
        .is_some_and(|consent| consent.given);
    Change {
        lines: lines.collect(),
        consent: match (given, digest(&connection.spec) == digest(spec)) {
            (false, _) => Consent::Absent,
            (true, true) => Consent::Stands,
            (true, false) => Consent::GoesStale,
        },
    }
}

/// Each field that holds something, by its path.
fn flat(spec: &ConnectionSpec) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect("", &serde_json::to_value(spec).unwrap_or_default(), &mut found);
    found
}

fn collect(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect(&path, value, found);
            }
        }
        Value::Null => {}
        Value::String(text) => {
            found.insert(path.to_owned(), text.clone());
        }
        other => {
            found.insert(path.to_owned(), other.to_string());
        }
    }
}

/// The merge patch that makes it so, of this very version: of two who edit at once one is told so.
#[must_use]
pub fn patch(connection: &Connection, spec: &ConnectionSpec) -> Value {
    let before = serde_json::to_value(&connection.spec).unwrap_or_default();
    let after = serde_json::to_value(spec).unwrap_or_default();
    json!({
        "metadata": {"resourceVersion": connection.metadata.resource_version},
        "spec": difference(&before, &after),
    })
}

/// What a merge patch says: null for what goes.
fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return after.clone();
    };
    let mut patch = Map::new();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in after {
        match before.get(name) {
            Some(old) if old == value => {}
            Some(old) => {
                patch.insert(name.clone(), difference(old, value));
            }
            None => {
                patch.insert(name.clone(), value.clone());
            }
        }
    }
    Value::Object(patch)
}
