//! How people name an object: `NAME`, or `kind/NAME` as `-o name` writes it.

use crate::api::names::GROUP;
use std::convert::Infallible;
use std::fmt::{Display, Formatter};
use std::str::FromStr;

/// The kinds that commands are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A connection.
    Connection,
    /// A link to a vault.
    KeyVault,
    /// An export.
    Export,
    /// An enrichment.
    Enrichment,
}

/// All of them, with the words by which kubectl knows each.
const WORDS: [(Kind, [&str; 3]); 4] = [
    (Kind::Connection, ["connection", "connections", "conn"]),
    (Kind::KeyVault, ["keyvault", "keyvaults", "kvault"]),
    (Kind::Export, ["export", "exports", "exp"]),
    (Kind::Enrichment, ["enrichment", "enrichments", "enr"]),
];

impl Kind {
    /// What messages call one.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::KeyVault => "key vault",
            Self::Export => "export",
            Self::Enrichment => "enrichment",
        }
    }

    /// What a command line calls one.
    #[must_use]
    pub fn word(self) -> &'static str {
        let found = WORDS.iter().find(|(kind, _)| *kind == self);
        found.map_or("connection", |(_, words)| words[0])
    }

    /// How a command that is for exports first is told of this one.
    #[must_use]
    pub fn called(self, name: &str) -> String {
        match self {
            Self::Export => name.to_owned(),
            _ => format!("{}/{name}", self.word()),
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        let word = word
            .strip_suffix(GROUP)
            .map_or(word, |word| word.trim_end_matches('.'));
        let word = word.to_lowercase();
        let found = WORDS.iter().find(|(_, words)| words.contains(&word.as_str()));
        found.map(|(kind, _)| *kind)
    }
}

/// One object, as somebody names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its kind, if it's named with it.
    kind: Option<Result<Kind, String>>,
    /// Its name.
    pub name: String,
}

impl FromStr for Target {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once('/') {
            None => Self {
                kind: None,
                name: text.to_owned(),
            },
            Some((word, name)) => Self {
                kind: Some(Kind::of_word(word).ok_or_else(|| word.to_owned())),
                name: name.to_owned(),
            },
        })
    }
}

/// A kind that a command isn't for.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("This command is not for {asked:?}, but for {fitting}: name one as in {example}/NAME.")]
pub struct KindUnfit {
    asked: String,
    fitting: String,
    example: &'static str,
}

impl super::exit::Fault for KindUnfit {
    fn exit(&self) -> super::Exit {
        super::Exit::Unclear
    }
}

impl Target {
    /// The kind that it's named with, if that is one.
    #[must_use]
    pub fn known(&self) -> Option<Kind> {
        self.kind.as_ref().and_then(|kind| kind.as_ref().ok().copied())
    }

    /// The kind that is meant: one of these, the first if none is named.
    ///
    /// # Errors
    /// If another kind is named.
    pub fn kind(&self, fitting: &[Kind]) -> Result<Kind, KindUnfit> {
        let first = fitting.first().copied().unwrap_or(Kind::Connection);
        let asked = match &self.kind {
            None => return Ok(first),
            Some(Ok(kind)) if fitting.contains(kind) => return Ok(*kind),
            Some(Ok(kind)) => kind.word().to_owned(),
            Some(Err(word)) => word.clone(),
        };
        let nouns: Vec<String> = fitting.iter().map(|kind| format!("{}s", kind.noun())).collect();
        Err(KindUnfit {
            asked,
            fitting: nouns.join(" and "),
            example: first.word(),
        })
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_named_as_for_kubectl_or_left_out() {
        let all = [Kind::Connection, Kind::KeyVault, Kind::Export, Kind::Enrichment];
        let rows = [
            ("partner", Kind::Connection, "partner"),
            ("connection/partner", Kind::Connection, "partner"),
            ("connection.connections.dev/partner", Kind::Connection, "partner"),
            ("kvault/company", Kind::KeyVault, "company"),
            ("Exports/nightly", Kind::Export, "nightly"),
            ("enr/companies", Kind::Enrichment, "companies"),
        ];
        for (text, kind, name) in rows {
            let target: Target = text.parse().expect("anything is a target");
            assert_eq!(
                (target.kind(&all), target.name.as_str()),
                (Ok(kind), name),
                "{text}"
            );
        }
    }

    #[test]
    fn another_kind_is_refused_by_naming_those_that_fit() {
        let fitting = [Kind::Export];
        for (text, asked) in [("enr/companies", "enrichment"), ("pod/web", "pod")] {
            let target: Target = text.parse().expect("anything is a target");
            let told = target.kind(&fitting).expect_err(text).to_string();
            let expected =
                format!("This command is not for {asked:?}, but for exports: name one as in export/NAME.");
            assert_eq!(told, expected);
        }
    }
}
