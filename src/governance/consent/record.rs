//! How decisions are put on record: under which name, and which are worth a record of their own.

use super::{Canonical, Subject};

/// The name of the record of one decision: it tells what it is about and which decision in turn it is.
#[must_use]
pub fn name(subject: Subject<'_>, number: u64) -> String {
    let mut text = Canonical::default();
    text.string(subject.kind);
    text.string(subject.name);
    format!("{}-{number}", &text.digest()[..16])
}

/// Which decision in turn a record of this name is.
#[must_use]
pub fn number(name: &str) -> Option<u64> {
    name.rsplit_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_subject_and_the_number() {
        let subject = |name| Subject {
            kind: "Connection",
            namespace: "marketing",
            name,
        };
        let first = name(subject("partner"), 1);
        assert_eq!(first.len(), 18);
        assert_eq!(number(&first), Some(1));
        assert_eq!(number(&name(subject("partner"), 120)), Some(120));
        assert_ne!(first, name(subject("other"), 1));
        assert_eq!(number("no-number"), None);
    }
}
