//! Credentials: mounted files, read once, wiped from memory when they are dropped, and never shown.

use crate::fault::Fault;
use connection_operator::api::connection_type::SecretSlot;
use connection_operator::api::run::{FailureClass, Persistence};
use connection_operator::vault::value::SecretText;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use thiserror::Error;
use zeroize::Zeroizing;

/// The largest credential, in bytes: a Secret holds no more.
const CREDENTIAL_MAX: u64 = 1 << 20;

/// The credentials of a connection, by the names that its type gives them.
#[derive(Default)]
pub struct Credentials(BTreeMap<String, SecretText>);

impl Credentials {
    /// One of them, if it was given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretText> {
        self.0.get(name)
    }

    /// Takes in one more.
    pub fn add(&mut self, name: &str, text: SecretText) {
        self.0.insert(name.to_owned(), text);
    }
}

/// A credential can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CredentialFault {
    /// It should be there, and isn't.
    #[error(
        "The credential {name} of the connection isn't there. Its administrator can see why in the connection's condition SecretsResolved."
    )]
    Missing {
        /// Its name.
        name: String,
    },
    /// It can't be read.
    #[error(
        "The credential {name} of the connection can't be read from where it is mounted. It's tried again."
    )]
    Unreadable {
        /// Its name.
        name: String,
    },
    /// It isn't what the type wants.
    #[error("The credential {name} of the connection {problem}. Its administrator can correct the Secret.")]
    Unfit {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Fault for CredentialFault {
    fn class(&self) -> FailureClass {
        match self {
            Self::Missing { .. } | Self::Unfit { .. } => FailureClass::Destination,
            Self::Unreadable { .. } => FailureClass::System,
        }
    }

    fn persistence(&self) -> Persistence {
        match self {
            Self::Missing { .. } | Self::Unfit { .. } => Persistence::Permanent,
            Self::Unreadable { .. } => Persistence::Transient,
        }
    }
}

/// Reads those that the type declares, and no other file.
///
/// # Errors
/// When one can't be read, or isn't a text. Which must be there is for those to say who use them.
pub fn read(directory: &Path, declared: &[SecretSlot]) -> Result<Credentials, CredentialFault> {
    let mut found = Credentials::default();
    for slot in declared {
        let name = slot.name.as_str();
        if let Some(text) = mounted(&directory.join(name), name)? {
            found.add(name, text);
        }
    }
    Ok(found)
}

/// What stands in a mounted file, which holds the credential of this name; nothing if it isn't there.
///
/// # Errors
/// When it can't be read, or isn't a text.
pub fn mounted(path: &Path, name: &str) -> Result<Option<SecretText>, CredentialFault> {
    let unreadable = |_| CredentialFault::Unreadable {
        name: name.to_owned(),
    };
    let unfit = |problem| CredentialFault::Unfit {
        name: name.to_owned(),
        problem,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let length = file.metadata().map_err(unreadable)?.len();
    if length > CREDENTIAL_MAX {
        return Err(unfit("is larger than a Secret can be"));
    }
    // With room for all of it, so that no part is left behind where the buffer was before it grew.
    let room = usize::try_from(length + 1).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(length).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unfit("isn't text in UTF-8"))?;
    Ok(Some(SecretText::new(without_line_end(text).to_owned())))
}

/// The credential that somebody keeps as this text.
#[must_use]
pub fn credential(kept: SecretText) -> SecretText {
    let text = without_line_end(kept.expose());
    if text.len() == kept.expose().len() {
        return kept;
    }
    SecretText::new(text.to_owned())
}

/// Editors and `echo` end a file with a line end that isn't part of the credential.
fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::tests::is_fit;
    use crate::fixtures;

    #[test]
    fn only_what_the_type_declares_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
        write("username", b"ada\n");
        write("password", "p\u{e4}ss word\r\n".as_bytes());
        write("other", b"not ours");
        let read = read(folder.path(), &fixtures::sftp_type().secrets).map_err(|fault| fault.to_string());
        let credentials = read.expect("read");
        let get = |name: &str| credentials.get(name).map(SecretText::expose);
        assert_eq!(get("username"), Some("ada"), "without the line's end");
        assert_eq!(
            get("password"),
            Some("p\u{e4}ss word"),
            "without the line's end of other systems"
        );
        assert_eq!(get("privateKey"), None, "not given");
        assert_eq!(get("other"), None, "not declared");
    }

    #[test]
    fn what_is_no_text_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("password"), b"hidden\xff").expect("written");
        let read = read(folder.path(), &fixtures::sftp_type().secrets);
        let fault = read.err().expect("refused");
        assert!(!fault.to_string().contains("hidden"), "{fault}");
        assert_eq!(fault.persistence(), Persistence::Permanent);
        is_fit(&fault);
    }
}
