//! What Vault's answers mean, by <https://developer.hashicorp.com/vault/api-docs#http-status-codes> and the pages that
//! stand beside the requests.

use super::super::address::{Engine, Wanted};
use super::super::fault::{Absence, Asking, Fault, Missing, Outage};
use super::super::sight::Found;
use super::super::value::SecretText;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A token as it was given.
pub(super) struct Grant {
    pub token: SecretText,
    /// For how long; without end if nothing.
    pub lease: Duration,
    pub renewable: bool,
}

#[derive(Deserialize)]
struct GrantShape {
    auth: AuthShape,
}

#[derive(Deserialize)]
struct AuthShape {
    client_token: String,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
}

/// The token in an answer to a login or a renewal.
pub(super) fn grant(asking: &Asking, body: &[u8]) -> Result<Grant, Fault> {
    let shape: GrantShape = serde_json::from_slice(body).map_err(|_| asking.away(Outage::Garbage))?;
    Ok(Grant {
        token: SecretText::new(shape.auth.client_token),
        lease: Duration::from_secs(shape.auth.lease_duration),
        renewable: shape.auth.renewable,
    })
}

#[derive(Deserialize)]
struct Metadata {
    data: MetadataShape,
}

#[derive(Deserialize)]
struct MetadataShape {
    current_version: u64,
    #[serde(default)]
    versions: BTreeMap<String, VersionShape>,
}

/// What is known of a version, in metadata and beside a value.
#[derive(Debug, Default, Deserialize)]
struct VersionShape {
    #[serde(default)]
    version: u64,
    /// When it was or will be deleted; empty if that isn't set.
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

impl VersionShape {
    fn usable(
        &self,
        asking: &Asking,
        wanted: &Wanted,
        version: String,
        now: Timestamp,
    ) -> Result<Found, Fault> {
        let deletion: Option<Timestamp> = self.deletion_time.parse().ok();
        if self.destroyed || deletion.is_some_and(|at| at <= now) {
            return Err(match wanted.version {
                Some(_) => asking.no_version(wanted),
                None => asking.absent(wanted, Absence::Deleted),
            });
        }
        Ok(Found {
            version,
            expires: deletion,
        })
    }
}

/// Whether a secret of the version 2 engine may be used, by its metadata.
pub(super) fn metadata(
    asking: &Asking,
    wanted: &Wanted,
    body: &[u8],
    now: Timestamp,
) -> Result<Found, Fault> {
    let shape: Metadata = serde_json::from_slice(body).map_err(|_| asking.away(Outage::Garbage))?;
    if shape.data.current_version == 0 {
        return Err(asking.absent(wanted, Absence::Empty));
    }
    let version = wanted
        .version
        .clone()
        .unwrap_or_else(|| shape.data.current_version.to_string());
    match shape.data.versions.get(&version) {
        Some(state) => state.usable(asking, wanted, version, now),
        None if wanted.version.is_some() => Err(asking.no_version(wanted)),
        None => Err(asking.absent(wanted, Absence::Empty)),
    }
}

#[derive(Deserialize)]
struct Top<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Versioned<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    metadata: VersionShape,
}

/// The value of the wanted key, or of the whole secret, and its version.
pub(super) fn value(
    asking: &Asking,
    engine: Engine,
    wanted: &Wanted,
    body: &[u8],
    now: Timestamp,
) -> Result<(Found, SecretText), Fault> {
    let garbage = |_| asking.away(Outage::Garbage);
    let top: Top<'_> = serde_json::from_slice(body).map_err(garbage)?;
    let data = top.data.ok_or_else(|| asking.absent(wanted, Absence::Unknown))?;
    let (found, data) = match engine {
        Engine::V1 => {
            let found = Found {
                version: String::new(),
                expires: None,
            };
            (found, data)
        }
        Engine::V2 => {
            let inner: Versioned<'_> = serde_json::from_str(data.get()).map_err(garbage)?;
            let version = inner.metadata.version.to_string();
            let found = inner.metadata.usable(asking, wanted, version, now)?;
            (
                found,
                inner
                    .data
                    .ok_or_else(|| asking.absent(wanted, Absence::Deleted))?,
            )
        }
    };
    let Some(key) = &wanted.key else {
        return Ok((found, SecretText::new(data.get().to_owned())));
    };
    let mut reader = serde_json::Deserializer::from_str(data.get());
    let text = Pick(key).deserialize(&mut reader).map_err(garbage)?;
    text.map(|text| (found, text))
        .ok_or_else(|| asking.no_key(wanted))
}

/// Takes the value of one key and passes over the others.
struct Pick<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Option<SecretText>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Option<SecretText>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys and their values")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut picked = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != self.0 {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let raw: &RawValue = map.next_value()?;
            picked = match raw.get() {
                "null" => None,
                // What isn't a text is handed over as it's written.
                text if !text.starts_with('"') => Some(SecretText::new(text.to_owned())),
                text => serde_json::from_str(text).ok().map(SecretText::new),
            };
        }
        Ok(picked)
    }
}

#[derive(Deserialize)]
struct Names {
    data: NamesShape,
}

#[derive(Deserialize)]
struct NamesShape {
    keys: Vec<String>,
}

/// The names in a listing; those of folders end with a slash. Names that couldn't be asked for are left out.
pub(super) fn names(asking: &Asking, body: &[u8]) -> Result<Vec<String>, Fault> {
    let shape: Names = serde_json::from_slice(body).map_err(|_| asking.away(Outage::Garbage))?;
    let names = shape.data.keys.into_iter();
    let fits = |name: &String| {
        let plain = name.strip_suffix('/').unwrap_or(name);
        super::super::address::vault_secret(plain).is_ok()
    };
    Ok(names.filter(fits).collect())
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
    #[serde(default)]
    data: Option<RefusedData>,
}

/// What stands beside a version that was deleted.
#[derive(Deserialize)]
struct RefusedData {
    #[serde(default)]
    metadata: Option<VersionShape>,
}

/// A refusal's words. Some servers of this API say nothing at all of what isn't there.
fn refused(body: &[u8]) -> Option<Refusal> {
    if body.trim_ascii().is_empty() {
        return Some(Refusal::default());
    }
    serde_json::from_slice(body).ok()
}

/// Whether nothing is mounted where the request went.
pub(super) fn no_handler(body: &[u8]) -> bool {
    let refusal = refused(body).unwrap_or_default();
    refusal
        .errors
        .iter()
        .any(|error| error.contains("no handler for route"))
}

/// Whether a refusal gives no cause, as that of something that isn't there.
pub(super) fn says_nothing(body: &[u8]) -> bool {
    refused(body)
        .is_some_and(|refusal| refusal.errors.is_empty() && refusal.warnings.is_none_or(|all| all.is_empty()))
}

/// What a refusal means. Of its text only known words are looked for; nothing of it is repeated.
pub(super) fn refusal(
    asking: &Asking,
    mount: &str,
    wanted: Option<&Wanted>,
    status: u16,
    body: &[u8],
) -> Fault {
    let Some(refusal) = refused(body) else {
        return asking.away(if status < 500 {
            Outage::Garbage
        } else {
            Outage::Status(status)
        });
    };
    let says = |word: &str| {
        let warnings = refusal.warnings.iter().flatten();
        refusal
            .errors
            .iter()
            .chain(warnings)
            .any(|text| text.contains(word))
    };
    match (status, wanted) {
        (429, _) => asking.throttled(),
        (400 | 404, _) if says("no handler for route") || says("namespace not found") => {
            asking.missing(Missing::Mount(mount.to_owned()))
        }
        (400 | 404, _) if says("Invalid path for a versioned K/V") => {
            asking.missing(Missing::Engine(mount.to_owned()))
        }
        (404, Some(wanted)) => {
            let deleted = refusal.data.and_then(|data| data.metadata).is_some();
            match &wanted.version {
                Some(_) => asking.no_version(wanted),
                None if deleted => asking.absent(wanted, Absence::Deleted),
                None => asking.absent(wanted, Absence::Unknown),
            }
        }
        (404, None) => asking.missing(Missing::Mount(mount.to_owned())),
        (503, _) if says("sealed") || says("not initialized") => asking.away(Outage::Sealed),
        _ => asking.away(Outage::Status(status)),
    }
}

#[cfg(test)]
mod tests;
