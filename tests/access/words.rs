//! Words in braces, and what they stand for.

use super::markdown::{blocks, tables};
use regex::{Captures, Regex};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is known of words.
pub struct Words {
    known: BTreeMap<String, Word>,
    /// Those that stand for themselves, parameters and all.
    fixed: BTreeMap<String, String>,
    /// Where manifests are put.
    folder: PathBuf,
}

struct Word {
    parameters: Vec<String>,
    meaning: Meaning,
}

enum Meaning {
    Text(String),
    /// A file with this in it.
    Manifest(String),
}

impl Words {
    /// The words of a page: its table of words, and its manifests.
    pub fn of(page: &str, folder: PathBuf) -> Self {
        let tables = tables(page);
        let table = tables.iter().find(|table| table.heading == "Words");
        let texts = table.expect("a table of words").rows.iter().map(|row| {
            let word = row.cells[0].trim_matches(['{', '}']);
            (word.to_owned(), Meaning::Text(row.cells[1].clone()))
        });
        let manifests = blocks(page, "yaml")
            .map(|(word, manifest)| (word.to_owned(), Meaning::Manifest(manifest.to_owned())));
        let known = texts.chain(manifests).map(|(word, meaning)| {
            let mut parts = word.split(' ').map(str::to_owned);
            let name = parts.next().expect("a name");
            let parameters = parts.collect();
            (name, Word { parameters, meaning })
        });
        Self {
            known: known.collect(),
            fixed: BTreeMap::new(),
            folder,
        }
    }

    /// From now on this word, parameters and all, stands for this text.
    pub fn fix(&mut self, word: &str, text: &str) {
        self.fixed.insert(word.to_owned(), text.to_owned());
    }

    /// The text with what its words stand for.
    pub fn spoken(&self, text: &str) -> String {
        // The innermost first: a word may be the parameter of another.
        let word = Regex::new(r"\{([a-z][a-z-]*(?: [^{}\s]+)*)\}").expect("a pattern");
        let mut text = text.to_owned();
        while word.is_match(&text) {
            text = word
                .replace_all(&text, |found: &Captures<'_>| self.meaning(&found[1]))
                .into_owned();
        }
        text
    }

    fn meaning(&self, said: &str) -> String {
        if let Some(fixed) = self.fixed.get(said) {
            return fixed.clone();
        }
        let mut parts = said.split(' ');
        let name = parts.next().unwrap_or_default();
        let word = self
            .known
            .get(name)
            .unwrap_or_else(|| panic!("nothing explains {{{said}}}"));
        let values: Vec<&str> = parts.collect();
        assert_eq!(
            values.len(),
            word.parameters.len(),
            "the parameters of {{{said}}}"
        );
        let filled = |text: &str| {
            let pairs = word.parameters.iter().zip(&values);
            pairs.fold(text.to_owned(), |text, (parameter, value)| {
                let parameter = Regex::new(&format!(r"\b{parameter}\b")).expect("a pattern");
                parameter.replace_all(&text, regex::NoExpand(value)).into_owned()
            })
        };
        match &word.meaning {
            Meaning::Text(text) => filled(text),
            Meaning::Manifest(manifest) => {
                let file = self
                    .folder
                    .join(format!("{}.yaml", said.replace([' ', '/'], "-")));
                std::fs::write(&file, self.spoken(&filled(manifest))).expect("it can be written");
                file.display().to_string()
            }
        }
    }
}
