//! Where a connection's secrets come from, by flags. No message here ever repeats what was given: it may be a value.

use super::{AddError, Draft, names};
use crate::api::reference::{KeyVaultRef, SecretKeyRef, SecretSource};
use crate::plugin::exit::Failure;
use std::io::Read;
use zeroize::Zeroizing;

/// Most bytes of a file with a secret: what a Secret holds.
const FILE_MAX: u64 = 1 << 20;

/// One source for each secret.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Sources {
    /// A key of a Secret that is there: for password, --secret password=partner/password.
    #[arg(long = "secret", value_name = "NAME=SECRET/KEY")]
    keys: Vec<String>,
    /// A file that holds the value, for a new Secret; - is the standard input.
    #[arg(long = "secret-file", value_name = "NAME=FILE")]
    files: Vec<String>,
    /// A secret in a linked vault.
    #[arg(long = "vault-secret", value_name = "NAME=KEYVAULT/SECRET[#KEY]")]
    vaults: Vec<String>,
}

impl Sources {
    /// Whether none is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.files.is_empty() && self.vaults.is_empty()
    }

    /// Puts them into the draft.
    ///
    /// # Errors
    /// If one is none of the type's, or isn't of its form.
    pub fn fill(&self, draft: &mut Draft) -> Result<(), Failure> {
        for given in &self.keys {
            let (slot, rest) = slot(draft, "--secret", "SECRET/KEY", given)?;
            let named = key_of_secret(rest);
            let (secret, key) = named.ok_or_else(|| unclear("--secret", &slot, "SECRET/KEY"))?;
            draft.secrets.insert(slot, of_secret(secret, key));
        }
        for given in &self.vaults {
            let (slot, rest) = slot(draft, "--vault-secret", "KEYVAULT/SECRET", given)?;
            let source = of_vault(rest).ok_or_else(|| unclear("--vault-secret", &slot, "KEYVAULT/SECRET"))?;
            draft.secrets.insert(slot, source);
        }
        for given in &self.files {
            let (slot, file) = slot(draft, "--secret-file", "FILE", given)?;
            let value = read(file)?;
            draft.typed.insert(slot, value);
        }
        Ok(())
    }
}

/// The secret that a flag is about, if it has no source yet.
fn slot<'a>(draft: &Draft, flag: &str, form: &str, given: &'a str) -> Result<(String, &'a str), Failure> {
    let slots = &draft.type_.spec.secrets;
    let known = slots.iter().find(|slot| {
        given
            .strip_prefix(slot.name.as_str())
            .is_some_and(|rest| rest.starts_with('='))
    });
    let Some(slot) = known else {
        let known = names(slots.iter().map(|slot| slot.name.as_str()));
        return Err(AddError::flag(format!(
            "{flag} is given as NAME={form}, where NAME is a secret of the type: {known}."
        ))
        .into());
    };
    let name = slot.name.as_str();
    if draft.is_given(slot) {
        return Err(AddError::flag(format!("{name} has two sources: keep one.")).into());
    }
    Ok((name.to_owned(), &given[name.len() + 1..]))
}

fn unclear(flag: &str, slot: &str, form: &str) -> AddError {
    AddError::flag(format!(
        "{flag} {slot}= names where the value is, as {form}. The value itself never belongs on a command line: it can come \
         from a file, by --secret-file {slot}=FILE."
    ))
}

/// A key of a Secret, as in `partner/password`; nothing if that can't be one: it may be a value, then.
#[must_use]
pub fn key_of_secret(given: &str) -> Option<(&str, &str)> {
    let named = given.split_once('/');
    named.filter(|(name, key)| is_name(name) && is_key(key))
}

fn is_name(name: &str) -> bool {
    super::draft::check_name(name).is_ok()
}

fn is_key(key: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    !key.is_empty() && key.len() <= 253 && key.chars().all(fits)
}

/// A key of a Secret.
#[must_use]
pub fn of_secret(name: &str, key: &str) -> SecretSource {
    SecretSource {
        secret_key_ref: Some(SecretKeyRef {
            name: name.into(),
            key: key.into(),
        }),
        key_vault_ref: None,
    }
}

/// A secret of a vault, as in `company/partner-password` or `company/crm/marketo#clientId`.
fn of_vault(text: &str) -> Option<SecretSource> {
    let (vault, rest) = text.split_once('/')?;
    let (secret, key) = match rest.split_once('#') {
        Some((secret, key)) => (secret, Some(key)),
        None => (rest, None),
    };
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '/');
    let good = is_name(vault) && !secret.is_empty() && secret.chars().all(fits);
    (good && key.is_none_or(is_key)).then(|| in_vault(vault, secret, key))
}

/// A secret of a vault.
#[must_use]
pub fn in_vault(vault: &str, secret: &str, key: Option<&str>) -> SecretSource {
    SecretSource {
        secret_key_ref: None,
        key_vault_ref: Some(KeyVaultRef {
            name: vault.into(),
            secret: secret.to_owned(),
            version: None,
            key: key.map(Into::into),
        }),
    }
}

/// What a file holds, without the line's end that editors leave.
pub(super) fn read(file: &str) -> Result<Zeroizing<String>, AddError> {
    // What is given for a file may be the value itself.
    let told = |why: String| AddError::flag(format!("That file can't be used: {why}."));
    let mut text = Zeroizing::new(String::new());
    let read = if file == "-" {
        std::io::stdin().take(FILE_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(FILE_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| told(error.to_string()))?;
    without_line_end(text).ok_or_else(|| told("it is empty".to_owned()))
}

/// A value without the line's end that stands after it; nothing if that is all. A key in PEM keeps it: some programs want
/// to see it.
pub(super) fn without_line_end(mut text: Zeroizing<String>) -> Option<Zeroizing<String>> {
    let length = text.trim_end_matches(['\n', '\r']).len();
    if !text.starts_with("-----BEGIN") {
        text.truncate(length);
    }
    (length > 0).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_secret_is_told_from_a_value() {
        let rows = [
            ("login/token", Some(("login", "token"))),
            ("login.v2/.token_A-1", Some(("login.v2", ".token_A-1"))),
            ("q83v/EjRWeJCrze8", Some(("q83v", "EjRWeJCrze8"))), // by chance it reads like one
            ("c2VjcmV0/cXVpdGU=", None),
            ("So/secret", None),
            ("-a/b", None),
            ("a/b/c", None),
            ("a/b c", None),
            ("a/", None),
            ("hunter2", None),
        ];
        for (given, expected) in rows {
            assert_eq!(key_of_secret(given), expected, "{given}");
        }
    }

    #[test]
    fn a_key_keeps_the_end_of_its_last_line() {
        let told =
            |text: &str| without_line_end(Zeroizing::new(text.to_owned())).map(|text| text.to_string());
        let rows = [
            ("hunter2\r\n", Some("hunter2")),
            ("two\nlines\n", Some("two\nlines")),
            ("-----BEGIN\nx\n-----END\n", Some("-----BEGIN\nx\n-----END\n")),
            ("\n", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(told(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_secret_of_a_vault_is_named_with_its_vault() {
        let rows = [
            ("company/password", Some(("company", "password", None))),
            (
                "company/crm/marketo#clientId",
                Some(("company", "crm/marketo", Some("clientId"))),
            ),
            ("company", None),
            ("company/", None),
            ("Company/x", None),
            ("company/x y", None),
            ("company/x#", None),
        ];
        for (text, expected) in rows {
            let expected = expected.map(|(vault, secret, key)| in_vault(vault, secret, key));
            assert_eq!(of_vault(text), expected, "{text}");
        }
    }
}
