//! What the vault says about its secrets.
//!
//! learn.microsoft.com/rest/api/keyvault/secrets (get-secret, get-secrets, get-secret-versions, get-deleted-secrets)

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::answers::{bad_parameter, disabled, forbidden, not_found};
use super::{Data, Right, Secret, Version};
use crate::wire::{Answer, Ask};

/// Versions of the API that Key Vault takes. learn.microsoft.com/rest/api/keyvault
const API_VERSIONS: [&str; 9] = [
    "7.0",
    "7.1",
    "7.2",
    "7.3",
    "7.4",
    "7.5",
    "7.6",
    "2025-07-01",
    "2025-06-01-preview",
];

/// Answers somebody who is signed in.
pub(super) fn answer(data: &Data, client: &str, ask: &Ask) -> Answer {
    match ask.query.get("api-version") {
        None => return bad_parameter("A URI parameter 'api-version' was not found in the request."),
        Some(version) if !API_VERSIONS.contains(&version.as_str()) => {
            return bad_parameter(&format!("The specified version ({version}) is not recognized."));
        }
        Some(_) => {}
    }
    let may = |right, secret| {
        let identity = data
            .identities
            .iter()
            .find(|identity| identity.client_id == client);
        identity.is_some_and(|identity| identity.may(right, secret))
    };
    let segments = ask.segments();
    match segments.as_slice() {
        _ if ask.method != "GET" => bad_parameter("The stand-in only reads."),
        ["secrets", name, ..] if !is_name(name) => {
            bad_parameter(&format!("The request URI contains an invalid name: {name}"))
        }
        ["secrets"] if may(Right::List, None) => list(data, ask, false),
        ["deletedsecrets"] if may(Right::List, None) => list(data, ask, true),
        ["secrets", name, "versions"] if may(Right::List, Some(name)) => versions(data, ask, name),
        ["secrets" | "deletedsecrets"] | ["secrets", _, "versions"] => {
            forbidden(data, client, "list", "readMetadata/action", "")
        }
        ["secrets", name, rest @ ..] if rest.len() < 2 => {
            if !may(Right::Get, Some(name)) {
                let what = format!("/secrets/{}", name.to_lowercase());
                return forbidden(data, client, "get", "getSecret/action", &what);
            }
            get(data, ask, name, rest.first().copied())
        }
        _ => super::answers::error(404, "ResourceNotFound", "The stand-in knows no such path.", None),
    }
}

/// 1 to 127 letters, digits and hyphens.
/// learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
fn is_name(name: &str) -> bool {
    (1..=127).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Names of secrets don't tell upper from lower case.
fn find<'a>(data: &'a Data, name: &str) -> Option<(&'a String, &'a Secret)> {
    data.secrets
        .iter()
        .find(|(known, secret)| known.eq_ignore_ascii_case(name) && !secret.deleted)
}

/// A value; also of a version outside its dates, which inform and don't lock.
/// learn.microsoft.com/azure/key-vault/secrets/about-secrets ("Date-time controlled operations")
fn get(data: &Data, ask: &Ask, name: &str, version: Option<&str>) -> Answer {
    let found = find(data, name).and_then(|(name, secret)| {
        let version = match version {
            None => secret.versions.last(),
            Some(version) => secret
                .versions
                .iter()
                .find(|known| known.version.eq_ignore_ascii_case(version)),
        };
        Some((name, version?))
    });
    match found {
        None => not_found(&version.map_or(name.to_owned(), |version| format!("{name}/{version}"))),
        Some((_, version)) if !version.enabled => disabled(),
        Some((name, version)) => {
            let mut bundle = item(
                &format!("{}/{}", id(ask, "secrets", name), version.version),
                version,
            );
            bundle["value"] = json!(version.value);
            Answer::json(200, bundle)
        }
    }
}

/// All secrets, of each its newest version's attributes; disabled ones too.
/// learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets
fn list(data: &Data, ask: &Ask, deleted: bool) -> Answer {
    let kind = if deleted { "deletedsecrets" } else { "secrets" };
    let items = data
        .secrets
        .iter()
        .filter(|(_, secret)| secret.deleted == deleted)
        .filter_map(|(name, secret)| {
            let mut entry = item(&id(ask, "secrets", name), secret.versions.last()?);
            if deleted {
                entry["recoveryId"] = json!(id(ask, kind, name));
            }
            Some(entry)
        });
    page(data, ask, &items.collect::<Vec<_>>())
}

/// All versions of one secret, in no order that means anything. None of an unknown secret: the list is empty, no error; no
/// page says so, but the vendor's own test does, github.com/Azure/azure-sdk-for-net sdk/keyvault/
/// Azure.Security.KeyVault.Secrets/tests/SecretClientLiveTests.cs (`GetSecretVersionsNonExisting`).
fn versions(data: &Data, ask: &Ask, name: &str) -> Answer {
    let mut items: Vec<Value> = find(data, name).map_or_else(Vec::new, |(name, secret)| {
        let id = id(ask, "secrets", name);
        secret
            .versions
            .iter()
            .map(|version| item(&format!("{id}/{}", version.version), version))
            .collect()
    });
    items.sort_by_key(|item| item["id"].to_string());
    page(data, ask, &items)
}

fn id(ask: &Ask, kind: &str, name: &str) -> String {
    format!("https://{}/{kind}/{name}", ask.host())
}

/// All about a version but its value. Times are whole seconds.
fn item(id: &str, version: &Version) -> Value {
    let mut attributes = Map::new();
    attributes.insert("enabled".to_owned(), json!(version.enabled));
    if let Some(from) = version.not_before {
        attributes.insert("nbf".to_owned(), json!(from.as_second()));
    }
    if let Some(until) = version.expires {
        attributes.insert("exp".to_owned(), json!(until.as_second()));
    }
    attributes.insert("created".to_owned(), json!(version.created.as_second()));
    attributes.insert("updated".to_owned(), json!(version.created.as_second()));
    attributes.insert("recoveryLevel".to_owned(), json!("Recoverable+Purgeable"));
    attributes.insert("recoverableDays".to_owned(), json!(90));
    let mut item = json!({"id": id, "attributes": attributes, "tags": version.tags});
    if let Some(kind) = &version.content_type {
        item["contentType"] = json!(kind);
    }
    item
}

/// One page, and where the next one is. learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets (`maxresults`)
fn page(data: &Data, ask: &Ask, items: &[Value]) -> Answer {
    let wanted = match ask.query.get("maxresults").map(|wanted| wanted.parse::<usize>()) {
        None => data.page_size,
        Some(Ok(wanted)) if (1..=25).contains(&wanted) => wanted.min(data.page_size),
        Some(_) => return bad_parameter("The maxresults parameter must be between 1 and 25."),
    };
    let from = ask
        .query
        .get("$skiptoken")
        .map_or(Some(0), |token| token.parse::<usize>().ok());
    let Some(from) = from.filter(|from| *from <= items.len()) else {
        return bad_parameter("The skiptoken can't be read.");
    };
    let Range { start, end } = from..(from + wanted.max(1)).min(items.len());
    let next = (end < items.len()).then(|| {
        let version = ask.query.get("api-version").map_or("", String::as_str);
        format!(
            "https://{}{}?api-version={version}&$skiptoken={end}&maxresults={wanted}",
            ask.host(),
            ask.path
        )
    });
    Answer::json(200, json!({"value": items[start..end], "nextLink": next}))
}
