//! Whether manifests carry consent to what they say: a check before they are merged.

use super::explanation::Explanation;
use super::manifests::{Manifests, Placed};
use super::{ConsentError, line};
use crate::api::ConnectionType;
use crate::api::names::{CONSENT_ANNOTATION, CONSENT_PERSON_ANNOTATION};
use crate::cli::with_causes;
use crate::connection_type::catalog::connection_types;
use crate::governance::consent::Agreed;
use crate::governance::message::quoted;
use jiff::Timestamp;
use std::path::PathBuf;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What it comes to.
    pub outcome: Outcome,
    /// What was found, for people.
    pub told: String,
}

/// What a check comes to; the worst of what was found, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Every consent is to what its manifest says.
    Agreed,
    /// Something can't be told.
    Unclear,
    /// A consent is to something else.
    Differs,
}

type Finding = (Outcome, String);

/// Checks all connections and key vaults in files, and in the YAML files of folders and what is below them.
#[must_use]
pub fn check(places: &[PathBuf], namespace: Option<&str>, now: Timestamp) -> Checked {
    let mut manifests = Manifests::default();
    let unread = manifests.read_all(places);
    let names: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    checked(manifests, &unread, &names.join(", "), namespace, now)
}

pub(super) fn checked(
    mut manifests: Manifests,
    unread: &[ConsentError],
    places: &str,
    namespace: Option<&str>,
    now: Timestamp,
) -> Checked {
    let mut findings: Vec<Finding> = unread.iter().map(unclear).collect();
    match connection_types() {
        Ok(types) => manifests.types.extend(types),
        Err(error) => findings.push(unclear(&error)),
    }
    let Manifests {
        subjects,
        types,
        files,
        ..
    } = &manifests;
    findings.extend(subjects.iter().map(|placed| found(placed, types, namespace, now)));
    if findings.is_empty() {
        findings.push(nothing(*files, places));
    }
    let outcome = findings.iter().map(|(outcome, _)| *outcome).max();
    let told = findings.into_iter().map(|(_, text)| format!("{text}\n"));
    Checked {
        outcome: outcome.unwrap_or(Outcome::Agreed),
        told: told.collect(),
    }
}

/// Most likely it looked in the wrong place, and what was to be checked wasn't.
fn nothing(files: usize, places: &str) -> Finding {
    let found = match files {
        0 => "no YAML file was found there".to_owned(),
        1 => "the 1 file there was read".to_owned(),
        more => format!("the {more} files there were read"),
    };
    let text = format!(
        "There is no Connection or KeyVault in {}: {found}. Of a folder, only what ends in .yaml or .yml is read. \
         Name a file or folder that holds one.",
        line(places)
    );
    (Outcome::Unclear, text)
}

fn unclear(error: &(impl std::error::Error + 'static)) -> Finding {
    (Outcome::Unclear, with_causes(error))
}

fn found(placed: &Placed, types: &[ConnectionType], namespace: Option<&str>, now: Timestamp) -> Finding {
    let Placed { place, manifest } = placed;
    let name = line(manifest.metadata().name.as_deref().unwrap_or_default());
    let what = format!("{place}: the {} {name}", manifest.noun());
    let Some(given) = manifest
        .annotation(CONSENT_ANNOTATION)
        .filter(|given| !given.is_empty())
    else {
        let person = manifest.annotation(CONSENT_PERSON_ANNOTATION);
        return (Outcome::Agreed, silent(&what, person.is_some()));
    };
    let explained = match Explanation::of(manifest, types, namespace) {
        Ok(explained) => explained,
        Err(error) => return (Outcome::Unclear, format!("{place}: {}", with_causes(&error))),
    };
    let required = &explained.required;
    match required.agreed(given, now) {
        Some(Agreed::ToCurrent) => {
            let text = format!("{what} carries consent to this destination and notice.");
            (Outcome::Agreed, text)
        }
        Some(Agreed::ToPrevious(until)) => {
            let text = format!(
                "{what} carries consent to the notice before, which counts until {until}. To agree to the one of \
                 today, put in its place: {}",
                required.current
            );
            (Outcome::Agreed, text)
        }
        None => (Outcome::Differs, differing(&what, given, &explained)),
    }
}

fn silent(what: &str, person: bool) -> String {
    let text = format!("{what} carries no consent, which can be given on the cluster.");
    if person {
        format!("{text} {CONSENT_PERSON_ANNOTATION} consents to nothing without {CONSENT_ANNOTATION}.")
    } else {
        text
    }
}

fn differing(what: &str, given: &str, explained: &Explanation) -> String {
    let is_digest = given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    let given = if is_digest {
        given.to_owned()
    } else {
        quoted(given)
    };
    format!(
        "{what} carries consent to something else: {CONSENT_ANNOTATION} is {given}, and this destination and notice \
         take {}. What that means:\n\n{explained}",
        explained.required.current
    )
}
