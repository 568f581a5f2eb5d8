//! What commands have in common that make objects.

use crate::api::connection_type::{Parameter, ParameterType};
use crate::governance::message::{explanation, quoted};
use crate::plugin::Session;
use crate::plugin::exit::{Exit, Fault};
use crate::plugin::prompt::{Prompt, PromptError, Question};
use crate::plugin::screen::Format;
use crate::plugin::screen::format::{Put, for_programs, without_managed_fields};
use serde::Serialize;
use std::collections::BTreeMap;
use thiserror::Error;

/// Who tries what would be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DryRun {
    /// Nobody: it is made.
    #[default]
    None,
    /// This program alone.
    Client,
    /// The API server.
    Server,
}

/// How what is made is put out.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Output {
    /// Make nothing, and put out what would be made: tried by the API server, or, with client, by this program alone.
    #[arg(
        long,
        value_name = "BY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "server",
        default_value = "none",
        hide_default_value = true
    )]
    pub dry_run: DryRun,
    /// The form in which it's put out: yaml, json, name or jsonpath=TEMPLATE.
    #[arg(short, long, value_name = "FORM", value_parser = for_programs)]
    pub output: Option<Format>,
}

impl Output {
    /// Whether a program reads what comes out.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.makes_nothing() || self.output.is_some()
    }

    /// Whether nothing is made.
    #[must_use]
    pub fn makes_nothing(&self) -> bool {
        self.dry_run != DryRun::None
    }

    /// Whether the API server is asked if it would take it.
    #[must_use]
    pub fn is_tried(&self) -> bool {
        self.dry_run != DryRun::Client
    }
}

/// Puts it out, if it's asked for.
pub fn put_out(session: &Session, output: &Output, object: &impl Serialize) {
    if !output.is_asked() {
        return;
    }
    let format = output.output.clone().unwrap_or(Format::Yaml);
    let object = serde_json::to_value(object).unwrap_or_default();
    let object = without_managed_fields(object);
    session.show(&format.of(Put::One(&object)).unwrap_or_default());
}

/// Asks for one value that a type declares; nothing is an answer where it can be left out.
///
/// # Errors
/// If nobody can be asked.
pub fn value(
    prompt: &dyn Prompt,
    parameter: &Parameter,
    problem: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, PromptError> {
    let description = explanation(&parameter.description);
    let example = parameter.example.as_ref();
    let example = example.map_or_else(String::new, |example| format!(" Such as {}", quoted(example)));
    let nothing = match (&parameter.default, parameter.required) {
        (_, true) => String::new(),
        (Some(default), false) => format!(" Nothing for {}", quoted(default)),
        (None, false) => " Nothing to leave it out".to_owned(),
    };
    let name = parameter.name.as_str();
    let question = Question {
        text: name,
        help: Some(&format!("{description}{example}{nothing}")),
        flag: &format!("--set {name}=VALUE"),
    };
    if parameter.required && parameter.type_ == ParameterType::Enum {
        let values = parameter.values.clone().unwrap_or_default();
        let chosen = prompt.choose(question, &values)?;
        return Ok(values.get(chosen).cloned());
    }
    let check = |text: &str| match text {
        "" if !parameter.required => Ok(()),
        text => problem(text).map_or(Ok(()), Err),
    };
    let text = prompt.text(question, &check)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A flag that isn't of its form.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{flag} is given as NAME=VALUE, such as {flag} folder=/in.")]
pub struct NoPair {
    flag: &'static str,
}

impl Fault for NoPair {
    fn exit(&self) -> Exit {
        Exit::Unclear
    }
}

/// Names and values of a flag that is given several times.
///
/// # Errors
/// If one has no `=`.
pub fn pairs(flag: &'static str, given: &[String]) -> Result<BTreeMap<String, String>, NoPair> {
    let pairs = given
        .iter()
        .map(|pair| pair.split_once('=').ok_or(NoPair { flag }));
    pairs
        .map(|pair| pair.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_is_asked_for_as_of_kubectl() {
        #[derive(Debug, clap::Parser)]
        struct Line {
            #[command(flatten)]
            output: Output,
        }
        let read = |line: &[&str]| {
            let line = ["add"].iter().chain(line);
            <Line as clap::Parser>::try_parse_from(line).map(|line| line.output.dry_run)
        };
        let rows: [(&[&str], DryRun); 5] = [
            (&[], DryRun::None),
            (&["--dry-run"], DryRun::Server),
            (&["--dry-run=server"], DryRun::Server),
            (&["--dry-run=client", "-o", "yaml"], DryRun::Client),
            (&["--dry-run=none"], DryRun::None),
        ];
        for (line, expected) in rows {
            assert_eq!(read(line).expect("a command line"), expected, "{line:?}");
        }
        assert!(read(&["--dry-run=perhaps"]).is_err());
        assert!(read(&["-o", "wide"]).is_err(), "there is no page of it");
    }
}
