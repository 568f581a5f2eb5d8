//! Both versions of the key-value engine, and which one is mounted where.
//!
//! developer.hashicorp.com/vault/api-docs/secret/kv/kv-v1
//! developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answers::{denied, envelope, errors, no_route, nothing};
use super::{Capability, Data, Deletion, Kv, Mount, Secret, Version};
use crate::wire::{Answer, Ask};

/// The verb LIST, or GET with `list=true`, which proxies let through. developer.hashicorp.com/vault/api-docs#api-operations
pub(super) fn is_listing(ask: &Ask) -> bool {
    ask.method == "LIST" || ask.query.get("list").is_some_and(|list| list == "true")
}

/// Of which kind the mount of a path is: what Vault's own command line asks before it reads. Not part of the stable API.
/// developer.hashicorp.com/vault/api-docs/system/internal-ui-mounts#get-single-mount-details
pub(super) fn mount(data: &Data, policies: &[String], path: &[&str]) -> Answer {
    let found = path.first().and_then(|name| data.mounts.get_key_value(*name));
    match found {
        Some((name, mount)) if data.knows(policies, name) => {
            let version = match mount.version {
                Kv::One => "1",
                Kv::Two => "2",
            };
            let details = json!({
                "accessor": format!("kv_{name}"), "config": {}, "description": "", "local": false,
                "options": {"version": version}, "path": format!("{name}/"), "type": "kv", "uuid": "",
            });
            envelope(200, details, Value::Null)
        }
        // Whether it isn't there or isn't theirs is not told.
        _ => {
            let path = path.join("/");
            errors(
                403,
                &[&format!(
                    "preflight capability check returned 403, please ensure client's policies grant access to path \"{path}/\""
                )],
            )
        }
    }
}

/// Reads or lists at a path, if the policies allow it.
pub(super) fn answer(data: &Data, policies: &[String], path: &[&str], ask: &Ask, now: Timestamp) -> Answer {
    let full = path.join("/");
    let (capability, checked) = if is_listing(ask) {
        (Capability::List, format!("{full}/"))
    } else {
        (Capability::Read, full.clone())
    };
    // A rule for a listing may or may not end with a slash.
    if !data.may(policies, capability, &checked) && !data.may(policies, capability, &full) {
        return denied();
    }
    let Some((mount, rest)) = path
        .split_first()
        .and_then(|(name, rest)| Some((data.mounts.get(*name)?, rest)))
    else {
        let mut segments = vec!["v1"];
        segments.extend(path);
        return no_route(&segments);
    };
    if !matches!(ask.method.as_str(), "GET" | "LIST") {
        return errors(405, &["unsupported operation"]);
    }
    match (mount.version, rest) {
        (Kv::One, below) if is_listing(ask) => list(mount, below),
        (Kv::One, below) => read_one(mount, below),
        (Kv::Two, ["metadata", below @ ..]) if is_listing(ask) => list(mount, below),
        (Kv::Two, ["metadata", below @ ..]) => read_metadata(mount, below, now),
        (Kv::Two, ["data", below @ ..]) => read_two(mount, below, ask, now),
        // Who speaks version 1 to version 2 is told in a warning, and gets nothing.
        (Kv::Two, _) => invalid_path(is_listing(ask)),
    }
}

/// No page has it; in words github.com/hashicorp/vault-plugin-secrets-kv backend.go (`pathInvalid`).
fn invalid_path(listing: bool) -> Answer {
    let command = if listing { "list" } else { "get" };
    let mut answer = envelope(404, Value::Null, Value::Null);
    if let Some(body) = &mut answer.body {
        body["warnings"] = json!([format!(
            "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If \
             using the Vault CLI, use 'vault kv {command}' for this operation."
        )]);
    }
    answer
}

/// Names right below a path; what has more below ends with a slash.
/// developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#list-secrets, /kv-v1#list-secrets
fn list(mount: &Mount, below: &[&str]) -> Answer {
    let folder = below.join("/");
    let prefix = if folder.is_empty() {
        folder
    } else {
        format!("{folder}/")
    };
    let keys: BTreeSet<String> = mount
        .secrets
        .keys()
        .filter_map(|path| path.strip_prefix(&prefix))
        .map(|rest| {
            rest.split_once('/')
                .map_or(rest.to_owned(), |(folder, _)| format!("{folder}/"))
        })
        .collect();
    if keys.is_empty() {
        return nothing();
    }
    envelope(200, json!({"keys": keys}), Value::Null)
}

/// developer.hashicorp.com/vault/api-docs/secret/kv/kv-v1#read-secret
fn read_one(mount: &Mount, below: &[&str]) -> Answer {
    match mount
        .secrets
        .get(&below.join("/"))
        .and_then(|secret| secret.versions.last())
    {
        Some(version) => {
            let mut answer = envelope(200, json!(version.data), Value::Null);
            if let Some(body) = &mut answer.body {
                // Version 1 advises how long to keep it; nothing expires.
                body["lease_duration"] = json!(2_764_800);
            }
            answer
        }
        None => nothing(),
    }
}

/// developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version. That a version that was deleted or destroyed
/// is answered with 404 and its metadata, and a version that never was with nothing, is in github.com/hashicorp/
/// vault-plugin-secrets-kv path_data.go only.
fn read_two(mount: &Mount, below: &[&str], ask: &Ask, now: Timestamp) -> Answer {
    let Some(secret) = mount.secrets.get(&below.join("/")) else {
        return nothing();
    };
    let wanted = match ask.query.get("version").map(|wanted| wanted.parse::<usize>()) {
        None | Some(Ok(0)) => secret.versions.len(),
        Some(Ok(wanted)) => wanted,
        Some(Err(_)) => {
            return errors(
                400,
                &["Field validation failed: error converting input for field \"version\""],
            );
        }
    };
    let Some(version) = wanted.checked_sub(1).and_then(|at| secret.versions.get(at)) else {
        return nothing();
    };
    let mut metadata = about(version, now);
    metadata.insert("version".to_owned(), json!(wanted));
    metadata.insert("custom_metadata".to_owned(), noted(secret));
    if is_gone(version, now) {
        return envelope(404, json!({"data": null, "metadata": metadata}), Value::Null);
    }
    envelope(
        200,
        json!({"data": version.data, "metadata": metadata}),
        Value::Null,
    )
}

/// developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-metadata
fn read_metadata(mount: &Mount, below: &[&str], now: Timestamp) -> Answer {
    let Some(secret) = mount.secrets.get(&below.join("/")) else {
        return nothing();
    };
    let versions: Map<String, Value> = secret
        .versions
        .iter()
        .enumerate()
        .map(|(at, version)| ((at + 1).to_string(), Value::Object(about(version, now))))
        .collect();
    let data = json!({
        "cas_required": false,
        "created_time": MADE,
        "current_version": secret.versions.len(),
        "custom_metadata": noted(secret),
        "delete_version_after": "0s",
        "max_versions": 0,
        "oldest_version": 0,
        "updated_time": MADE,
        "versions": versions,
    });
    envelope(200, data, Value::Null)
}

/// When everything in a stand-in was made.
const MADE: &str = "2023-11-14T22:13:20Z";

/// What is known of a version beside its number. A deletion may lie ahead.
fn about(version: &Version, now: Timestamp) -> Map<String, Value> {
    let deletion = match (version.deletion_time, version.gone) {
        (Some(time), _) => time.to_string(),
        (None, Deletion::Deleted) => (now - jiff::SignedDuration::from_secs(60)).to_string(),
        (None, _) => String::new(),
    };
    let mut about = Map::new();
    about.insert("created_time".to_owned(), json!(MADE));
    about.insert("deletion_time".to_owned(), json!(deletion));
    about.insert("destroyed".to_owned(), json!(version.gone == Deletion::Destroyed));
    about
}

fn noted(secret: &Secret) -> Value {
    if secret.custom_metadata.is_empty() {
        Value::Null
    } else {
        json!(secret.custom_metadata)
    }
}

fn is_gone(version: &Version, now: Timestamp) -> bool {
    version.gone != Deletion::No || version.deletion_time.is_some_and(|time| time <= now)
}
