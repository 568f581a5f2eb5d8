//! The stamp: who gave or withdrew consent, as the API server wrote it.

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
            by: named.unwrap_or(user).to_owned(),
            via: named.map_or_else(String::new, |_| user.to_owned()),
        }
    }
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
