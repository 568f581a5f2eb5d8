//! Consent: agreement to one notice for one destination, written down as a digest.
//!
//! The digest is the lower-case hex SHA-256 over UTF-8 strings, each written as its byte length in decimal, `:`,
//! itself. First the head: `connections.dev/consent/1`, kind, namespace, name, type. Then four groups, each preceded
//! by the number of its strings (a string like the others): the endpoints, sorted; the notice's version and its five
//! statements, in the schema's order; the destination parameters as name and value, sorted by name; the destination
//! secrets as slot, source, object, and key or secret, sorted by slot. Values of secrets never enter it. Examples with
//! their digests stand in `docs/consent-vectors.json`.

use super::message::quoted;
use super::parameters::effective;
use crate::api::connection::ConnectionSpec;
use crate::api::connection_type::ConnectionTypeSpec;
use crate::api::notice::{Notice, PreviousNotice};
use crate::api::reference::SecretSource;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

mod difference;
mod judge;
mod object;
mod record;
mod stamp;
#[cfg(test)]
mod tests;
mod vault;
mod words;

pub use difference::difference;
pub use judge::{Consent, Proof, Said, counts_anew, doubted, is_unseen, judge, needs_proof};
pub use object::{ConsentFacts, effects, said, status, told_once};
pub use record::{expired as expired_records, name as record_name, number as record_number};
pub use stamp::{Author, Stamp};
pub use vault::{NOTICE, NOTICE_VERSION, place, required_of_vault};
pub use words::{Commands, NoticeAt};

/// Names the rule by which digests are made.
const VERSION: &str = "connections.dev/consent/1";

/// The object that is consented to.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// The digests that count for a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// Agreement to the notice of today.
    pub current: String,
    /// Agreement to the notice before, and until when that counts.
    pub previous: Option<(String, Timestamp)>,
    /// The parameters and the secrets that decide the destination, in words: `folder "/in"`, `username from key login of
    /// Secret partner`.
    pub destination: Vec<String>,
    /// The endpoints of the type, in order: every connection of it reaches them.
    pub hosts: Vec<String>,
    /// The versions of the notice of today, and of the one before.
    pub notice_versions: (String, Option<String>),
}

/// What a digest that counts is agreement to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// The notice of today.
    ToCurrent,
    /// The notice before, which counts until then.
    ToPrevious(Timestamp),
}

impl Required {
    /// What a digest is agreement to, if it counts.
    #[must_use]
    pub fn agreed(&self, digest: &str, now: Timestamp) -> Option<Agreed> {
        match &self.previous {
            _ if digest == self.current => Some(Agreed::ToCurrent),
            Some((previous, until)) if digest == previous && now < *until => Some(Agreed::ToPrevious(*until)),
            _ => None,
        }
    }
}

/// The digests that a connection needs, by its type.
#[must_use]
pub fn required(subject: Subject<'_>, connection: &ConnectionSpec, type_: &ConnectionTypeSpec) -> Required {
    let digest = |notice: [&str; 6]| connection_digest(subject, connection, type_, notice);
    let previous = type_.notice.previous.as_ref();
    Required {
        current: digest(statements(&type_.notice)),
        previous: previous.map(|notice| (digest(previous_statements(notice)), notice.until.0)),
        destination: described(
            &destination_parameters(connection, type_),
            &destination_secrets(connection, type_),
        ),
        hosts: endpoints(type_).into_iter().map(str::to_owned).collect(),
        notice_versions: (
            type_.notice.version.clone(),
            previous.map(|notice| notice.version.clone()),
        ),
    }
}

fn statements(notice: &Notice) -> [&str; 6] {
    [
        &notice.version,
        &notice.recipient,
        &notice.data,
        &notice.responsibility,
        &notice.how_to_stop,
        &notice.privacy_statement,
    ]
}

fn previous_statements(notice: &PreviousNotice) -> [&str; 6] {
    [
        &notice.version,
        &notice.recipient,
        &notice.data,
        &notice.responsibility,
        &notice.how_to_stop,
        &notice.privacy_statement,
    ]
}

fn connection_digest(
    subject: Subject<'_>,
    connection: &ConnectionSpec,
    type_: &ConnectionTypeSpec,
    notice: [&str; 6],
) -> String {
    let mut text = Canonical::default();
    for part in [
        VERSION,
        subject.kind,
        subject.namespace,
        subject.name,
        connection.type_.as_str(),
    ] {
        text.string(part);
    }
    text.group(&endpoints(type_));
    text.group(&notice);
    text.group(&destination_parameters(connection, type_));
    text.group(&destination_secrets(connection, type_));
    text.digest()
}

fn endpoints(type_: &ConnectionTypeSpec) -> Vec<&str> {
    let mut endpoints: Vec<&str> = type_.endpoints.iter().map(String::as_str).collect();
    endpoints.sort_unstable();
    endpoints
}

/// Name and value of each parameter that decides where data goes: defaults filled in, absent ones left out.
fn destination_parameters<'a>(connection: &'a ConnectionSpec, type_: &'a ConnectionTypeSpec) -> Vec<&'a str> {
    let mut pairs: Vec<(&str, &str)> = type_
        .parameters
        .iter()
        .filter(|parameter| parameter.destination)
        .filter_map(|parameter| {
            Some((
                parameter.name.as_str(),
                effective(parameter, &connection.parameters)?,
            ))
        })
        .collect();
    pairs.sort_unstable();
    pairs.into_iter().flat_map(<[&str; 2]>::from).collect()
}

/// Such as `folder "/in"`, `hostname "sftp.partner.example"` and `username from key login of Secret partner`.
fn described(parameters: &[&str], secrets: &[&str]) -> Vec<String> {
    let parameters = parameters
        .chunks_exact(2)
        .map(|pair| format!("{} {}", pair[0], quoted(pair[1])));
    let secrets = secrets
        .chunks_exact(4)
        .map(|secret| format!("{} from {}", secret[0], origin_in_words(secret)));
    parameters.chain(secrets).collect()
}

/// Slot, source, object, and key or secret of each secret that decides whose account receives the data.
fn destination_secrets<'a>(connection: &'a ConnectionSpec, type_: &'a ConnectionTypeSpec) -> Vec<&'a str> {
    let mut slots: Vec<(&str, [&str; 3])> = type_
        .secrets
        .iter()
        .filter(|slot| slot.destination)
        .filter_map(|slot| {
            Some((
                slot.name.as_str(),
                origin(connection.secrets.get(slot.name.as_str())?)?,
            ))
        })
        .collect();
    slots.sort_unstable();
    slots
        .into_iter()
        .flat_map(|(slot, [source, object, key])| [slot, source, object, key])
        .collect()
}

/// What decides where data goes, in full, for those who read it before they agree: the parameters with their values,
/// then the secrets with what they come from.
#[must_use]
pub fn destination(connection: &ConnectionSpec, type_: &ConnectionTypeSpec) -> Vec<(String, String)> {
    let parameters = destination_parameters(connection, type_);
    let parameters = parameters
        .chunks_exact(2)
        .map(|pair| (pair[0].to_owned(), format!("{:?}", pair[1]))); // so that nothing in it is hidden
    let secrets = destination_secrets(connection, type_);
    let secrets = secrets
        .chunks_exact(4)
        .map(|secret| (secret[0].to_owned(), origin_in_words(secret)));
    parameters.chain(secrets).collect()
}

/// All of what a secret adds to the digest but its slot: whose account it is may hang on the key alone.
fn origin_in_words(secret: &[&str]) -> String {
    match secret[1] {
        "secretKeyRef" => format!("key {} of Secret {}", secret[3], secret[2]),
        _ => format!("secret {} of KeyVault {}", secret[3], secret[2]),
    }
}

fn origin(source: &SecretSource) -> Option<[&str; 3]> {
    let secret = source
        .secret_key_ref
        .as_ref()
        .map(|secret| ["secretKeyRef", secret.name.as_str(), secret.key.as_str()]);
    let vault = source
        .key_vault_ref
        .as_ref()
        .map(|vault| ["keyVaultRef", vault.name.as_str(), vault.secret.as_str()]);
    secret.or(vault)
}

/// Strings, each preceded by its length, so that no two lists are written alike.
#[derive(Default)]
struct Canonical(Sha256);

impl Canonical {
    fn string(&mut self, text: &str) {
        self.0.update(format!("{}:", text.len()));
        self.0.update(text);
    }

    fn group(&mut self, texts: &[&str]) {
        self.string(&texts.len().to_string());
        for text in texts {
            self.string(text);
        }
    }

    fn digest(self) -> String {
        self.0
            .finalize()
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}"); // writing to a String can't fail
                hex
            })
    }
}
