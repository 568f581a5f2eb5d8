//! kubectl's JSONPath templates: text, `{.path}`, `{range .path}…{end}`. The paths are those of RFC 9535.

use serde_json::Value;
use serde_json_path::JsonPath;
use std::fmt::Write as _;
use thiserror::Error;

/// A template that can be filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Path(JsonPath),
    Range(JsonPath, Vec<Part>),
}

/// What is wrong with a template.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// A brace that is never closed.
    #[error("the {{ at {at:?} is never closed")]
    Open {
        /// What follows it.
        at: String,
    },
    /// `{end}` without `{range}`, or the other way round.
    #[error("each {{range …}} needs one {{end}}")]
    Range,
    /// No path.
    #[error(
        "{path:?} is no path ({cause}): write it as in {{.metadata.name}} or {{.items[*].metadata.name}}"
    )]
    Path {
        /// As it was written.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut open: Vec<(JsonPath, Vec<Part>)> = Vec::new();
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (before, after) = rest.split_once('{').unwrap_or((rest, ""));
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            if before.len() == rest.len() {
                break;
            }
            let end = closing(after).ok_or_else(|| TemplateError::Open { at: rest.to_owned() })?;
            let inside = after[..end].trim();
            rest = &after[end + 1..];
            if let Some(over) = inside.strip_prefix("range ") {
                open.push((path(over)?, std::mem::take(&mut parts)));
            } else if inside == "end" {
                let (over, before) = open.pop().ok_or(TemplateError::Range)?;
                let inner = std::mem::replace(&mut parts, before);
                parts.push(Part::Range(over, inner));
            } else if let Some(text) = literal(inside) {
                parts.push(Part::Text(text));
            } else {
                parts.push(Part::Path(path(inside)?));
            }
        }
        if open.is_empty() {
            Ok(Self(parts))
        } else {
            Err(TemplateError::Range)
        }
    }

    /// Fills it in with this; what isn't there is left out.
    #[must_use]
    pub fn fill(&self, from: &Value) -> String {
        let mut text = String::new();
        fill(&self.0, from, &mut text);
        text
    }
}

fn fill(parts: &[Part], from: &Value, text: &mut String) {
    for part in parts {
        match part {
            Part::Text(literal) => text.push_str(literal),
            Part::Path(path) => {
                let found = path.query(from).all();
                let found: Vec<String> = found.into_iter().map(shown).collect();
                text.push_str(&found.join(" "));
            }
            Part::Range(over, inner) => {
                for each in path_items(over, from) {
                    fill(inner, each, text);
                }
            }
        }
    }
}

fn path_items<'a>(over: &JsonPath, from: &'a Value) -> Vec<&'a Value> {
    over.query(from).all()
}

/// A text as it is, all else as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Where the brace is closed; one in quotes closes nothing.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' | '\'' if quote == Some(letter) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(letter),
            '}' if quote.is_none() => return Some(at),
            _ => {}
        }
    }
    None
}

/// A text in quotes, with its line ends and tabs.
fn literal(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut letters = inside.chars();
    let mut plain = String::new();
    while let Some(letter) = letters.next() {
        match (letter == '\\').then(|| letters.next()).flatten() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some(other) => plain.push(other),
            None => plain.push(letter),
        }
    }
    Some(plain)
}

/// A path as kubectl has it: `$` or `@` may be left out, and a dot in a name is written as `\.`.
fn path(text: &str) -> Result<JsonPath, TemplateError> {
    let written = text.trim();
    let rest = written.strip_prefix(['$', '@']).unwrap_or(written);
    let standard = standard(rest);
    JsonPath::parse(&standard).map_err(|error| TemplateError::Path {
        path: written.to_owned(),
        cause: error.to_string(),
    })
}

/// The same path by RFC 9535: every name in brackets.
fn standard(text: &str) -> String {
    let mut path = "$".to_owned();
    let mut rest = text;
    while !rest.is_empty() {
        if rest.starts_with('[') {
            let end = bracket(rest);
            path.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let name = rest.strip_prefix("..").or_else(|| rest.strip_prefix('.'));
        if rest.starts_with("..") {
            path.push_str("..");
        }
        let (name, after) = name_of(name.unwrap_or(rest));
        match name.as_str() {
            "*" => path.push_str("[*]"),
            "" if after.starts_with('[') || after.is_empty() => {}
            name => {
                let quoted = name.replace('\\', "\\\\").replace('\'', "\\'");
                let _ = write!(path, "['{quoted}']"); // writing to a String can't fail
            }
        }
        rest = after;
    }
    path
}

/// A name up to the next dot or bracket, and what follows.
fn name_of(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '.' | '[' => return (name, &text[at..]),
            '\\' => name.extend(letters.next().map(|(_, escaped)| escaped)),
            _ => name.push(letter),
        }
    }
    (name, "")
}

/// Where a bracket ends, those inside and quotes considered.
fn bracket(text: &str) -> usize {
    let mut depth = 0;
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' | '\'' if quote == Some(letter) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(letter),
            '[' if quote.is_none() => depth += 1,
            ']' if quote.is_none() => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::ANY_TEXT;
    use proptest::prelude::*;
    use serde_json::json;

    fn object() -> Value {
        json!({
            "metadata": {"name": "partner", "annotations": {"connections.dev/consent": "5f0c"}},
            "status": {"conditions": [{"type": "Valid", "status": "True"}, {"type": "Ready", "status": "False"}],
                       "dependents": {"total": 2}},
            "items": [{"name": "a", "of": ["x", "y"]}, {"name": "b"}],
        })
    }

    #[test]
    fn a_template_is_filled_in_as_by_kubectl() {
        let rows = [
            ("a path", "{.metadata.name}", "partner"),
            ("with its root", "{$.metadata.name}", "partner"),
            ("without its dot", "{metadata.name}", "partner"),
            (
                "a dot in a name",
                r"{.metadata.annotations.connections\.dev/consent}",
                "5f0c",
            ),
            (
                "a name in brackets",
                "{.metadata.annotations['connections.dev/consent']}",
                "5f0c",
            ),
            (
                "a filter",
                r#"{.status.conditions[?(@.type=="Ready")].status}"#,
                "False",
            ),
            ("all of a list", "{.items[*].name}", "a b"),
            ("one of a list", "{.items[1].name}", "b"),
            ("a number", "{.status.dependents.total}", "2"),
            ("an object", "{.status.dependents}", r#"{"total":2}"#),
            (
                "a range",
                r#"{range .items[*]}{.name}{"\t"}{.of[0]}{"\n"}{end}"#,
                "a\tx\nb\t\n",
            ),
            (
                "a range in a range",
                "{range .items[*]}{.name}:{range .of[*]}{@};{end}{end}",
                "a:x;y;b:",
            ),
            ("wherever it is", "{..total}", "2"),
            ("text around it", "name={.metadata.name}!", "name=partner!"),
            ("what isn't there", "{.spec.nothing}", ""),
            (
                "the whole",
                "{.metadata.annotations}",
                r#"{"connections.dev/consent":"5f0c"}"#,
            ),
        ];
        for (case, template, expected) in rows {
            let template = Template::parse(template).unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!(template.fill(&object()), expected, "{case}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let rows = [
            ("{.metadata", "the { at \"{.metadata\" is never closed"),
            ("{range .items[*]}{.name}", "each {range …} needs one {end}"),
            ("{end}", "each {range …} needs one {end}"),
        ];
        for (template, expected) in rows {
            let error = Template::parse(template).expect_err(template);
            assert_eq!(error.to_string(), expected, "{template}");
        }
        let error = Template::parse("{.items[}").expect_err("no path");
        assert!(error.to_string().starts_with("\".items[\" is no path"), "{error}");
    }

    proptest! {
        #[test]
        fn no_template_brings_it_down(text in ANY_TEXT) {
            if let Ok(template) = Template::parse(&text) {
                let _ = template.fill(&object());
            }
            let _ = Template::parse(&format!("{{{text}}}"));
        }
    }
}
