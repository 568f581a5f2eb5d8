//! What Azure's answers mean. Errors by
//! <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes> and
//! <https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses>; attributes by
//! <https://learn.microsoft.com/azure/key-vault/secrets/about-secrets#secret-attributes>.

use super::super::address::Wanted;
use super::super::connect::SendError;
use super::super::fault::{Absence, Asking, Fault, Lack, Outage, Rejection};
use super::super::sight::Found;
use azure_core::error::ErrorKind;
use azure_core::time::OffsetDateTime;
use azure_security_keyvault_secrets::models::SecretAttributes;
use jiff::Timestamp;
use serde::Deserialize;

/// What was asked for.
pub(super) enum Purpose<'a> {
    /// A secret's versions.
    Look(&'a Wanted),
    /// The vault's secrets.
    List,
    /// A secret's value.
    Read(&'a Wanted),
}

/// What is known of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub id: String,
    pub enabled: bool,
    pub created: Option<Timestamp>,
    pub not_before: Option<Timestamp>,
    pub expires: Option<Timestamp>,
}

impl Version {
    pub fn new(id: String, attributes: Option<&SecretAttributes>) -> Self {
        let time = |of: fn(&SecretAttributes) -> Option<OffsetDateTime>| {
            attributes
                .and_then(of)
                .and_then(|at| Timestamp::from_second(at.unix_timestamp()).ok())
        };
        Self {
            id,
            enabled: attributes
                .and_then(|attributes| attributes.enabled)
                .unwrap_or(true),
            created: time(|attributes| attributes.created),
            not_before: time(|attributes| attributes.not_before),
            expires: time(|attributes| attributes.expires),
        }
    }

    /// Whether a run may use it now.
    pub fn usable(self, asking: &Asking, wanted: &Wanted, now: Timestamp) -> Result<Found, Fault> {
        if !self.enabled || self.not_before.is_some_and(|at| at > now) {
            return Err(asking.disabled(wanted, &self.id));
        }
        match self.expires {
            Some(at) if at <= now => Err(asking.expired(wanted, &self.id, at)),
            expires => Ok(Found {
                version: self.id,
                expires,
            }),
        }
    }
}

/// Whether the wanted one of these versions, or else the newest, may be used. Azure lists them in no order.
pub(super) fn judge(
    asking: &Asking,
    wanted: &Wanted,
    versions: &[Version],
    now: Timestamp,
) -> Result<Found, Fault> {
    let chosen = match &wanted.version {
        Some(id) if !versions.is_empty() => {
            let pinned = versions
                .iter()
                .find(|version| version.id.eq_ignore_ascii_case(id));
            pinned.ok_or_else(|| asking.no_version(wanted))?
        }
        _ => {
            // Of two that were made in the same second the one that is listed last.
            let newest = versions.iter().max_by_key(|version| version.created);
            newest.ok_or_else(|| asking.absent(wanted, Absence::Unknown))?
        }
    };
    chosen.clone().usable(asking, wanted, now)
}

/// The links of an error, outermost first.
pub(super) fn chain<'a>(
    error: &'a azure_core::Error,
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| {
        error.source()
    })
}

/// The status and body that a server refused with, if one did.
pub(super) fn refused(error: &azure_core::Error) -> Option<(u16, &[u8])> {
    chain(error)
        .filter_map(|link| link.downcast_ref::<azure_core::Error>())
        .find_map(|error| {
            let ErrorKind::HttpResponse {
                status, raw_response, ..
            } = error.kind()
            else {
                return None;
            };
            let body = raw_response.as_ref().map_or(&[][..], |raw| raw.body().as_ref());
            Some((u16::from(*status), body))
        })
}

/// What an error of the client means.
pub(super) fn fault(asking: &Asking, purpose: &Purpose<'_>, error: &azure_core::Error) -> Fault {
    if let Some(fault) = chain(error).find_map(|link| link.downcast_ref::<Fault>()) {
        return fault.clone();
    }
    if let Some(error) = chain(error).find_map(|link| link.downcast_ref::<SendError>()) {
        return error.fault(asking);
    }
    match refused(error) {
        Some((status, body)) => refusal(asking, purpose, status, body),
        None => asking.away(Outage::Garbage),
    }
}

#[derive(Deserialize)]
struct Body {
    error: Detail,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    innererror: Option<Box<Detail>>,
}

/// What a refusal means. Of its text only known codes are looked for; nothing of it is repeated.
fn refusal(asking: &Asking, purpose: &Purpose<'_>, status: u16, body: &[u8]) -> Fault {
    let detail = serde_json::from_slice(body).ok().map(|body: Body| body.error);
    let says = |word: &str| detail.as_ref().is_some_and(|detail| detail.says(word));
    let wanted = match purpose {
        Purpose::Look(wanted) | Purpose::Read(wanted) => Some(*wanted),
        Purpose::List => None,
    };
    match (status, wanted) {
        (401, _) if says("AKV10032") => asking.rejected(Rejection::OtherTenant),
        (401, _) => asking.rejected(Rejection::Unknown),
        (403, Some(wanted)) if says("SecretDisabled") || says("disabled secret") => {
            asking.disabled(wanted, wanted.version.as_deref().unwrap_or("the newest"))
        }
        (403, _) if says("ForbiddenByFirewall") || says("ForbiddenByConnection") => {
            asking.denied(Lack::AzureFirewall)
        }
        (403, _) => asking.denied(match purpose {
            Purpose::List => Lack::AzureList,
            Purpose::Look(_) => Lack::AzureMetadata,
            Purpose::Read(_) => Lack::AzureValue,
        }),
        (400 | 404, Some(wanted)) if detail.is_some() => match (purpose, &wanted.version) {
            (Purpose::Read(_), Some(_)) => asking.no_version(wanted),
            _ => asking.absent(wanted, Absence::Unknown),
        },
        (404, _) => asking.away(Outage::Garbage),
        (429, _) => asking.throttled(),
        _ => asking.away(Outage::Status(status)),
    }
}

impl Detail {
    fn says(&self, word: &str) -> bool {
        let here = [&self.code, &self.message]
            .into_iter()
            .flatten()
            .any(|text| text.contains(word));
        here || self.innererror.as_ref().is_some_and(|inner| inner.says(word))
    }
}

#[cfg(test)]
mod tests;
