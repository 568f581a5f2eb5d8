//! What people in the stories apply.

use serde_json::{Value, json};

const VERSION: &str = "connections.dev/v1alpha1";

pub fn secret(name: &str, keys: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<String, Value> = keys
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})
}

/// The Secret that [`sftp`] connections refer to.
pub fn partner_secret() -> Value {
    secret("partner", &[("username", "acme"), ("password", "not-a-real-one")])
}

pub fn sftp(name: &str) -> Value {
    connection(
        name,
        "sftp-export",
        &json!({"hostname": "sftp.partner.example", "folder": "/in"}),
    )
}

pub fn sftp_import(name: &str) -> Value {
    connection(
        name,
        "sftp-import",
        &json!({"hostname": "sftp.provider.example", "folder": "/out"}),
    )
}

pub fn connection(name: &str, type_: &str, parameters: &Value) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "Connection", "metadata": {"name": name},
        "spec": {
            "displayName": display(name), "type": type_, "parameters": parameters,
            "secrets": {
                "username": {"secretKeyRef": {"name": "partner", "key": "username"}},
                "password": {"secretKeyRef": {"name": "partner", "key": "password"}},
            },
        },
    })
}

/// What people call something of this name.
fn display(name: &str) -> String {
    name.chars().take(100).collect()
}

pub fn dataset(name: &str, role: &str) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "Dataset", "metadata": {"name": name},
        "spec": {
            "location": {"volume": {"claimName": "warehouse", "path": name}}, "format": {"type": "Parquet"}, "role": role,
            "identity": [{"column": "email", "holds": "email"}],
        },
    })
}

/// The manifest with changes merged into it, as `kubectl patch --type merge` would: null takes a field away.
pub fn with(mut manifest: Value, changes: &Value) -> Value {
    merge(&mut manifest, changes);
    manifest
}

fn merge(target: &mut Value, changes: &Value) {
    let (Value::Object(fields), Value::Object(changes)) = (&mut *target, changes) else {
        target.clone_from(changes);
        return;
    };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name).or_insert_with(|| json!({})), change);
        }
    }
}

/// A key vault that is signed in to by the namespace's run account.
pub fn vault_by_run_account(name: &str) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "KeyVault", "metadata": {"name": name},
        "spec": {"vault": {
            "address": "https://vault.company.example", "mount": "secret", "auth": {"kubernetes": {"role": "marketing"}},
        }},
    })
}

/// A type for exports that asks for a host and nothing else, and lets each export choose a list.
pub fn connection_type(name: &str) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "ConnectionType", "metadata": {"name": name},
        "spec": {
            "usedFor": "Export", "connector": "sftp", "keyVault": "Unsupported", "description": "Made for a test.",
            "service": {"vendor": "Example", "category": "Testing", "homepage": "https://service.example"},
            "parameters": [
                {"name": "host", "type": "String", "description": "A host.", "required": true, "destination": true},
            ],
            "exportParameters": [{"name": "listId", "type": "Integer", "description": "A list.", "default": "1"}],
            "notice": notice("1"),
        },
    })
}

/// A notice whose statements name its version.
pub fn notice(version: &str) -> Value {
    json!({
        "version": version, "recipient": format!("Received by the example, {version}."), "data": "Data leaves.",
        "responsibility": "You answer for it.", "howToStop": "Suspend it.",
        "privacyStatement": "https://service.example/privacy",
    })
}

/// A connection of a type made by [`connection_type`].
pub fn plain_connection(name: &str, type_: &str) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "Connection", "metadata": {"name": name},
        "spec": {"displayName": display(name), "type": type_, "parameters": {"host": "service.example"}},
    })
}

/// An export of rows of the dataset `customers` that no other one sends.
pub fn export(name: &str, connection: &str) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "Export", "metadata": {"name": name},
        "spec": {"displayName": display(name), "connectionRef": {"name": connection}, "payload": [{"dataset": "customers", "where": format!("segment = '{name}'")}]},
    })
}

/// One to a folder of its own: what the type sftp-export writes is called after the dataset, whatever rows are chosen.
pub fn sftp_export(name: &str, connection: &str) -> Value {
    with(
        export(name, connection),
        &json!({"spec": {"parameters": {"subfolder": name}}}),
    )
}

/// An enrichment of the dataset `customers` into a dataset of its own name.
pub fn enrichment(name: &str, connection: &str) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "Enrichment", "metadata": {"name": name},
        "spec": {
            "displayName": display(name), "connectionRef": {"name": connection},
            "input": {"dataset": "customers", "mapping": {"email": "email"}},
            "output": {"dataset": name},
            "parameters": {"fileName": "companies.csv"},
        },
    })
}
