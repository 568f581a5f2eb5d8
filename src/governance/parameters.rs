//! Parameters and secret names against what a connection type declares.

use super::message::{explanation, listed, quoted};
use crate::api::connection::Parameters;
use crate::api::connection_type::{ConnectionTypeSpec, PARAMETER_VALUE_MAX, Parameter, ParameterType};
use pattern::Pattern;
use std::collections::BTreeSet;

mod declarations;
mod pattern;
mod secrets;

#[cfg(test)]
mod declaration_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;

/// The value that holds for a parameter: what is given, else the default.
#[must_use]
pub fn effective<'a>(parameter: &'a Parameter, given: &'a Parameters) -> Option<&'a str> {
    given
        .get(parameter.name.as_str())
        .or(parameter.default.as_ref())
        .map(String::as_str)
}

/// A parameter with its pattern made ready.
#[derive(Clone, Copy, Debug)]
struct CompiledParameter<'a> {
    declared: &'a Parameter,
    pattern: Option<&'a Pattern>,
}

/// A connection type, made ready once per version of it.
#[derive(Clone, Debug)]
pub struct CompiledType {
    /// Its name.
    pub name: String,
    /// As declared.
    pub spec: ConnectionTypeSpec,
    /// Those of its parameters, one by one.
    patterns: Vec<Option<Pattern>>,
    export_patterns: Vec<Option<Pattern>>,
}

impl CompiledType {
    /// Whether one of these connectors runs it.
    #[must_use]
    pub fn runs(&self, connectors: &BTreeSet<String>) -> bool {
        runs(&self.spec, connectors)
    }

    /// That it should no longer be chosen, and what to choose instead, in sentences.
    #[must_use]
    pub fn deprecated(&self) -> Option<String> {
        let deprecation = self.deprecation()?;
        Some(format!("Its type {} {deprecation}", self.name))
    }

    /// The same, to follow what names the type.
    #[must_use]
    pub fn deprecation(&self) -> Option<String> {
        let deprecated = self.spec.deprecated.as_ref()?;
        let why = explanation(&deprecated.message);
        let instead = deprecated.replacement.as_ref();
        let instead = instead.map(|type_| format!(" Use the type {type_} instead."));
        Some(format!("is deprecated: {why}{}", instead.unwrap_or_default()))
    }

    /// Makes the patterns ready.
    ///
    /// # Errors
    /// Each place where the type contradicts itself, as a sentence.
    pub fn compile(name: &str, spec: &ConnectionTypeSpec) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut left = pattern::MEMORY_MAX;
        let patterns = patterns("spec.parameters", &spec.parameters, &mut left, &mut problems);
        let export_patterns = self::patterns(
            "spec.exportParameters",
            &spec.export_parameters,
            &mut left,
            &mut problems,
        );
        problems.extend(declarations::contradictions(name, spec));
        if problems.is_empty() {
            Ok(Self {
                name: name.to_owned(),
                spec: spec.clone(),
                patterns,
                export_patterns,
            })
        } else {
            Err(problems)
        }
    }

    /// What is wrong with a connection's parameters, as sentences.
    #[must_use]
    pub fn connection_problems(&self, parameters: &Parameters, fixed: &Parameters) -> Vec<String> {
        let mut problems = check(
            "spec.parameters",
            &compiled(&self.spec.parameters, &self.patterns),
            parameters,
        );
        problems.extend(check_given(
            "spec.fixedExportParameters",
            &self.export_parameters(),
            fixed,
        ));
        problems
    }

    /// What is wrong with one parameter of a connection, as a sentence.
    #[must_use]
    pub fn problem(&self, name: &str, value: &str) -> Option<String> {
        let declared = compiled(&self.spec.parameters, &self.patterns);
        problem("spec.parameters", &declared, name, value)
    }

    /// What is wrong with one parameter of an export or enrichment, as a sentence.
    #[must_use]
    pub fn choice_problem(&self, name: &str, value: &str) -> Option<String> {
        problem("spec.parameters", &self.export_parameters(), name, value)
    }

    fn export_parameters(&self) -> Vec<CompiledParameter<'_>> {
        compiled(&self.spec.export_parameters, &self.export_patterns)
    }

    /// What is wrong with the parameters that an export or enrichment chose on a connection which fixes some.
    #[must_use]
    pub fn choice_problems(&self, chosen: &Parameters, fixed: &Parameters) -> Vec<String> {
        // Also where both say the same: otherwise trying values would tell what the connection fixes.
        let (fixed_too, free): (Parameters, Parameters) = chosen
            .clone()
            .into_iter()
            .partition(|(name, _)| fixed.contains_key(name));
        let overridden = fixed_too
            .keys()
            .map(|name| format!("spec.parameters.{name} is fixed by the connection: leave it out."));
        // What the connection fixes is its own concern: its values don't belong in the words of those who use it.
        let declared = self.export_parameters();
        let open = declared
            .iter()
            .filter(|parameter| !fixed.contains_key(parameter.declared.name.as_str()));
        overridden
            .chain(check_given("spec.parameters", &declared, &free))
            .chain(missing("spec.parameters", open, &free))
            .collect()
    }
}

/// Whether one of these connectors runs such a type.
#[must_use]
pub fn runs(type_: &ConnectionTypeSpec, connectors: &BTreeSet<String>) -> bool {
    let connector = type_.connector.as_ref();
    connector.is_some_and(|connector| connectors.contains(connector.as_str()))
}

/// Makes the patterns ready, each with what those before it have left of the memory, and tells what is wrong with
/// the parameters.
fn patterns(
    place: &str,
    declared: &[Parameter],
    left: &mut usize,
    problems: &mut Vec<String>,
) -> Vec<Option<Pattern>> {
    let mut patterns = Vec::with_capacity(declared.len());
    let mut contradictions = Vec::new();
    for declared in declared {
        let pattern = declared.pattern.as_deref();
        let pattern = pattern.map(|pattern| Pattern::within(left, pattern));
        match pattern.transpose() {
            Ok(pattern) => {
                let parameter = CompiledParameter {
                    declared,
                    pattern: pattern.as_ref(),
                };
                contradictions.extend(parameter.contradictions(place));
                patterns.push(pattern);
            }
            Err(problem) => problems.push(format!(
                "{place}[{}] has a pattern that {problem}.",
                declared.name
            )),
        }
    }
    problems.extend(contradictions);
    patterns
}

fn compiled<'a>(declared: &'a [Parameter], patterns: &'a [Option<Pattern>]) -> Vec<CompiledParameter<'a>> {
    let pairs = declared.iter().zip(patterns);
    let compiled = pairs.map(|(declared, pattern)| CompiledParameter {
        declared,
        pattern: pattern.as_ref(),
    });
    compiled.collect()
}

fn check(place: &str, declared: &[CompiledParameter<'_>], given: &Parameters) -> Vec<String> {
    let mut problems = check_given(place, declared, given);
    problems.extend(missing(place, declared.iter(), given));
    problems
}

fn missing<'a>(
    place: &'a str,
    declared: impl Iterator<Item = &'a CompiledParameter<'a>>,
    given: &'a Parameters,
) -> impl Iterator<Item = String> {
    declared
        .map(|parameter| parameter.declared)
        .filter(|parameter| parameter.required && effective(parameter, given).is_none())
        .map(move |parameter| {
            format!(
                "{place}.{} is missing: add it{}.",
                parameter.name,
                example(parameter)
            )
        })
}

fn check_given(place: &str, declared: &[CompiledParameter<'_>], given: &Parameters) -> Vec<String> {
    given
        .iter()
        .filter_map(|(name, value)| problem(place, declared, name, value))
        .collect()
}

fn problem(place: &str, declared: &[CompiledParameter<'_>], name: &str, value: &str) -> Option<String> {
    let Some(parameter) = declared
        .iter()
        .find(|parameter| parameter.declared.name.as_str() == name)
    else {
        let names: Vec<&str> = declared
            .iter()
            .map(|parameter| parameter.declared.name.as_str())
            .collect();
        return Some(format!(
            "{place} has {}, which the type doesn't know: {}.",
            quoted(name),
            known(&names)
        ));
    };
    let refusal = parameter.refusal(value)?;
    Some(format!("{place}.{name} is {}, {refusal}", quoted(value)))
}

impl CompiledParameter<'_> {
    /// What was expected instead, if the text isn't right, to follow the text itself.
    fn refusal(&self, text: &str) -> Option<String> {
        let declared = self.declared;
        let expected = |what: &str| Some(format!("expected {what}{}.", example(declared)));
        if text.len() > PARAMETER_VALUE_MAX as usize {
            return expected(&format!(
                "at most {PARAMETER_VALUE_MAX} bytes instead of {}",
                text.len()
            ));
        }
        if text.is_empty() && declared.required {
            return expected("a text that isn't empty");
        }
        match declared.type_ {
            ParameterType::String if self.pattern.is_none_or(|pattern| pattern.matches(text)) => None,
            ParameterType::String if let Some(scheme) = self.scheme_too_much(text) => {
                expected(&format!("it without {}", quoted(scheme)))
            }
            // The description is for people; the pattern can be read with kubectl.
            ParameterType::String => Some(format!(
                "expected another form{}. The type says of it: {}",
                example(declared),
                explanation(&declared.description)
            )),
            ParameterType::Integer if is_whole_number(text, declared) => None,
            ParameterType::Integer => expected(&whole_number(declared.min, declared.max)),
            ParameterType::Boolean if matches!(text, "true" | "false") => None,
            ParameterType::Boolean => expected("\"true\" or \"false\""),
            ParameterType::Enum => {
                let values = declared.values.as_deref().unwrap_or_default();
                let quotes: Vec<String> = values.iter().map(|value| quoted(value)).collect();
                let known = values.iter().any(|value| value == text);
                (!known).then(|| format!("expected one of {}.", listed(&quotes)))
            }
        }
    }

    /// The scheme before what would be right without it: a host was asked for, and an address was given.
    fn scheme_too_much<'a>(&self, text: &'a str) -> Option<&'a str> {
        let end = text.find("://")? + "://".len();
        let (scheme, rest) = text.split_at(end);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        self.pattern?.matches(rest).then_some(scheme)
    }

    /// Where the declaration itself can't be right.
    fn contradictions(&self, place: &str) -> Vec<String> {
        let declared = self.declared;
        let name = &declared.name;
        if let Some(problem) = declarations::misshapen(declared) {
            return vec![format!("{place}[{name}] {problem}: correct it.")];
        }
        if declared.min > declared.max && declared.max.is_some() {
            return vec![format!("{place}[{name}] has a min above its max: correct them.")];
        }
        [("default", &declared.default), ("example", &declared.example)]
            .into_iter()
            .filter_map(|(what, text)| {
                self.refusal(text.as_deref()?)?;
                Some(format!(
                    "{place}[{name}] refuses its own {what}: correct one of them."
                ))
            })
            .collect()
    }
}

/// Digits as they are usually written: no plus, no leading zeros, so that equal numbers are equal texts.
fn is_whole_number(text: &str, declared: &Parameter) -> bool {
    let (min, max) = (declared.min.unwrap_or(i64::MIN), declared.max.unwrap_or(i64::MAX));
    text.parse::<i64>()
        .is_ok_and(|number| (min..=max).contains(&number) && number.to_string() == text)
}

fn whole_number(min: Option<i64>, max: Option<i64>) -> String {
    let range = match (min, max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" of at least {min}"),
        (None, Some(max)) => format!(" of at most {max}"),
        (None, None) => String::new(),
    };
    format!("a whole number{range} without leading zeros")
}

fn example(parameter: &Parameter) -> String {
    parameter
        .example
        .as_ref()
        .map_or_else(String::new, |example| format!(", such as {}", quoted(example)))
}

fn known<S: AsRef<str>>(names: &[S]) -> String {
    if names.is_empty() {
        "it knows none".to_owned()
    } else {
        format!("it knows {}", listed(names))
    }
}
