//! A Secret as the API server sends it, read in place: no value is copied but one that is asked for.

use crate::api::secret::SecretKeys;
use crate::vault::value::SecretText;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What a key holds.
pub enum Held {
    /// A text.
    Text(SecretText),
    /// Something that isn't text.
    NotText,
    /// Nothing, or there is no such key, or no such Secret.
    Nothing,
}

#[derive(Deserialize)]
struct SecretShape<'a> {
    metadata: VersionOnly,
    #[serde(rename = "type", default)]
    type_: String,
    /// Base64 needs no escapes, so the texts can be borrowed.
    #[serde(borrow, default)]
    data: Option<BTreeMap<&'a str, Option<&'a str>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionOnly {
    resource_version: String,
}

/// The errors of the reader may repeat what can't be read, so they are let go here.
fn read(body: &[u8]) -> Option<SecretShape<'_>> {
    serde_json::from_slice(body).ok()
}

/// The names of the keys, and whether each holds anything.
pub(super) fn keys(body: &[u8]) -> Option<SecretKeys> {
    let shape = read(body)?;
    let filled = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
    let data = shape.data.unwrap_or_default().into_iter();
    Some(SecretKeys {
        version: shape.metadata.resource_version,
        type_: shape.type_,
        keys: data.map(|(key, text)| (key.to_owned(), filled(text))).collect(),
    })
}

/// What one key holds.
pub(super) fn value(body: &[u8], key: &str) -> Option<Held> {
    let data = read(body)?.data.unwrap_or_default();
    let Some(text) = data.get(key).copied().flatten().filter(|text| !text.is_empty()) else {
        return Some(Held::Nothing);
    };
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    Some(match std::str::from_utf8(&bytes) {
        Ok(text) => Held::Text(SecretText::new(text.to_owned())),
        Err(_) => Held::NotText,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] =
        br#"{"kind":"Secret","metadata":{"name":"login","resourceVersion":"7"},"type":"Opaque",
        "data":{"token":"cy4xMjM=","binary":"//79","empty":"","none":null}}"#;

    #[test]
    fn keys_are_told_without_values() {
        let keys = keys(SECRET).expect("a Secret");
        assert_eq!((keys.version.as_str(), keys.type_.as_str()), ("7", "Opaque"));
        let told: Vec<(&str, bool)> = keys.keys.iter().map(|(key, filled)| (&**key, *filled)).collect();
        assert_eq!(
            told,
            [
                ("binary", true),
                ("empty", false),
                ("none", false),
                ("token", true)
            ]
        );
        let bare = super::keys(br#"{"metadata":{"resourceVersion":"1"},"data":null}"#).expect("a Secret");
        assert!(bare.keys.is_empty());
    }

    #[test]
    fn a_value_is_text_or_not_or_nothing() {
        let rows = [
            ("token", Some("s.123")),
            ("binary", None),
            ("empty", Some("")),
            ("none", Some("")),
            ("absent", Some("")),
        ];
        for (key, expected) in rows {
            let held = match value(SECRET, key).expect("a Secret") {
                Held::Text(text) => Some(text.expose().to_owned()),
                Held::Nothing => Some(String::new()),
                Held::NotText => None,
            };
            assert_eq!(held.as_deref(), expected, "{key}");
        }
        assert!(value(br#"{"kind":"Status"}"#, "token").is_none());
    }
}
