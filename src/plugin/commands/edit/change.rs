//! What an edit changes, and whether that needs consent again.

use super::EditError;
use crate::api::{Connection, ConnectionSpec, ConnectionType};
use crate::governance::consent::{Subject, required};
use crate::governance::message::quoted;
use crate::plugin::Session;
use crate::plugin::screen::format::yaml;
use kube::ResourceExt;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use tempfile::NamedTempFile;

/// What is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Each field, before and after.
    pub lines: Vec<String>,
    /// Whether consent is for something else then.
    pub asks_anew: bool,
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
    Change {
        lines: lines.collect(),
        asks_anew: digest(&connection.spec) != digest(spec),
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

/// Lets somebody edit the spec. The file is there as long as it may be needed.
pub(super) fn in_editor(
    session: &Session,
    connection: &Connection,
) -> Result<(ConnectionSpec, Option<NamedTempFile>), EditError> {
    let failed = |told: String| EditError::Editor { told };
    if !session.asks {
        return Err(failed(
            "There is no terminal to edit at: say what changes by flags, such as --set, --unset or --secret."
                .to_owned(),
        ));
    }
    let mut file = tempfile::Builder::new()
        .prefix("connection-")
        .suffix(".yaml")
        .tempfile()
        .map_err(|error| failed(format!("There is no room for a file to edit: {error}.")))?;
    let head = format!(
        "# The spec of the connection {}. Save and leave the editor to go on; save nothing to change nothing.\n",
        connection.name_any()
    );
    let text = head + &yaml(&connection.spec);
    file.write_all(text.as_bytes())
        .map_err(|error| failed(format!("The file can't be written: {error}.")))?;
    edit(file.path()).map_err(failed)?;
    let written = std::fs::read_to_string(file.path())
        .map_err(|error| failed(format!("What was written can't be read: {error}.")))?;
    match serde_saphyr::from_str::<ConnectionSpec>(&written) {
        Ok(spec) => Ok((spec, Some(file))),
        Err(error) => {
            let cause = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            let kept = kept(Some(file));
            Err(failed(format!("That is no spec of a connection: {cause}.{kept}")))
        }
    }
}

/// Leaves what somebody wrote where it is, and tells where.
pub(super) fn kept(file: Option<NamedTempFile>) -> String {
    let kept = file.and_then(|file| file.keep().ok());
    kept.map_or_else(String::new, |(_, path)| {
        format!(" What you wrote is in {}.", path.display())
    })
}

/// The editor that somebody prefers, as kubectl finds it.
fn edit(file: &std::path::Path) -> Result<(), String> {
    let preferred = ["KUBE_EDITOR", "VISUAL", "EDITOR"]
        .iter()
        .find_map(std::env::var_os);
    let editor = preferred.unwrap_or_else(|| "vi".into());
    // It may have arguments of its own, so a shell reads it.
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("exec $CONNECTIONS_EDITOR \"$1\"")
        .arg("sh")
        .arg(file);
    let ended = command.env("CONNECTIONS_EDITOR", &editor).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("The editor {} ended with {status}.", editor.display())),
        Err(error) => Err(format!(
            "The editor {} can't be started: {error}.",
            editor.display()
        )),
    }
}
