//! The stamp: who gave or withdrew consent, as the API server wrote it.

use super::Canonical;
use crate::api::connection::STAMP_MAX;
use crate::api::consent_record::USER_MAX;
use std::collections::BTreeSet;

/// The text of a stamp: `given <digest> <user>`, `withdrawn <digest> <user>`, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp<'a>(pub &'a str);

impl<'a> Stamp<'a> {
    /// Who gave this digest, if it says so.
    #[must_use]
    pub fn given(self, digest: &str) -> Option<&'a str> {
        self.user("given ", digest)
    }

    /// Who withdrew this digest, if it says so.
    #[must_use]
    pub fn withdrawn(self, digest: &str) -> Option<&'a str> {
        self.user("withdrawn ", digest)
    }

    /// The digest that was withdrawn, whichever it is, and by whom. None holds a space.
    #[must_use]
    pub fn withdrawal(self) -> Option<(&'a str, &'a str)> {
        self.0.strip_prefix("withdrawn ")?.split_once(' ')
    }

    /// The text as a status keeps it.
    #[must_use]
    pub fn kept(self) -> String {
        kept(self.0, STAMP_MAX)
    }

    fn user(self, decision: &str, digest: &str) -> Option<&'a str> {
        self.0
            .strip_prefix(decision)?
            .strip_prefix(digest)?
            .strip_prefix(' ')
    }
}

/// Who answers for a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// The person, or a pipeline that named none.
    pub by: String,
    /// The pipeline that named the person, or nothing.
    pub via: String,
}

impl Author {
    /// A pipeline may name the person; anyone else answers for themselves.
    #[must_use]
    pub fn of(user: &str, person: Option<&str>, pipelines: &BTreeSet<String>) -> Self {
        let named = person.filter(|person| !person.is_empty() && pipelines.contains(user));
        Self {
            by: kept(named.unwrap_or(user), USER_MAX),
            via: named.map_or_else(String::new, |_| kept(user, USER_MAX)),
        }
    }
}

/// A text as a field of at most so many characters holds it. One that is longer ends in a part of its digest, so that
/// no two that begin alike are taken for each other.
fn kept(text: &str, max: u32) -> String {
    const MARK: usize = 16;
    let max = max as usize;
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let mut whole = Canonical::default();
    whole.string(text);
    let shown: String = text.chars().take(max - MARK - 1).collect();
    format!("{shown}…{}", &whole.digest()[..MARK])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_speaks_of_one_digest_and_one_user() {
        let rows = [
            ("given", "given d ada", (Some("ada"), None)),
            ("withdrawn", "withdrawn d ada", (None, Some("ada"))),
            ("of another digest", "given dd ada", (None, None)),
            ("a name with spaces", "given d Ada King", (Some("Ada King"), None)),
            ("without a name", "given d", (None, None)),
            ("nothing", "", (None, None)),
        ];
        for (case, text, expected) in rows {
            let stamp = Stamp(text);
            assert_eq!((stamp.given("d"), stamp.withdrawn("d")), expected, "{case}");
        }
        assert_eq!(Stamp("withdrawn d ada").withdrawal(), Some(("d", "ada")));
        assert_eq!(Stamp("given d ada").withdrawal(), None);
    }

    #[test]
    fn a_name_that_is_too_long_is_kept_so_that_it_fits_and_is_nobody_elses() {
        let max = USER_MAX as usize;
        let of = |user: &str| Author::of(user, None, &BTreeSet::new()).by;
        let rows = [
            ("as long as fits", "x".repeat(max)),
            ("as long as fits, in characters", "ß".repeat(max)),
        ];
        for (case, name) in rows {
            assert_eq!(of(&name), name, "{case}");
        }
        for letter in ["x", "ß", "名"] {
            let (long, other) = (letter.repeat(max + 1), letter.repeat(max + 2));
            let kept = of(&long);
            assert_eq!(kept.chars().count(), max, "{letter}");
            assert!(kept.starts_with(&letter.repeat(max - 17)), "{letter}");
            assert_eq!(kept, of(&long), "{letter}: the same for the same");
            assert_ne!(kept, of(&other), "{letter}: not for another");
        }
        let pipeline = "p".repeat(max + 1);
        let named = Author::of(
            &pipeline,
            Some(&"a".repeat(max + 1)),
            &BTreeSet::from([pipeline.clone()]),
        );
        assert_eq!(
            named.by,
            of(&"a".repeat(max + 1)),
            "the person whom a pipeline names"
        );
        assert_eq!(named.via, of(&pipeline), "the pipeline");
        assert_eq!(
            Stamp(&"s".repeat(1 << 16)).kept().len(),
            STAMP_MAX as usize + 2,
            "a stamp"
        );
    }

    #[test]
    fn only_a_pipeline_speaks_for_somebody_else() {
        let pipelines = BTreeSet::from(["pipe".to_owned()]);
        let rows = [
            ("a person", "ada", None, ("ada", "")),
            ("a person who names another", "ada", Some("bob"), ("ada", "")),
            ("a pipeline", "pipe", Some("bob"), ("bob", "pipe")),
            ("a pipeline that names nobody", "pipe", None, ("pipe", "")),
            ("a pipeline that names nothing", "pipe", Some(""), ("pipe", "")),
        ];
        for (case, user, person, (by, via)) in rows {
            let author = Author::of(user, person, &pipelines);
            assert_eq!((author.by.as_str(), author.via.as_str()), (by, via), "{case}");
        }
    }
}
