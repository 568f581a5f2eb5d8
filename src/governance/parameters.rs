//! Parameters and secret names against what a connection type declares.

use super::message::{listed, quoted};
use crate::api::connection::Parameters;
use crate::api::connection_type::{
    ConnectionTypeSpec, PARAMETER_VALUE_MAX, Parameter, ParameterType, SecretSlot, Support,
};
use crate::api::reference::SecretSource;
use regex::Regex;
use std::collections::BTreeMap;

/// The value that holds for a parameter: what is given, else the default.
#[must_use]
pub fn effective<'a>(parameter: &'a Parameter, given: &'a Parameters) -> Option<&'a str> {
    given
        .get(parameter.name.as_str())
        .or(parameter.default.as_ref())
        .map(String::as_str)
}

/// A parameter with its pattern made ready.
#[derive(Clone, Debug)]
pub struct CompiledParameter {
    declared: Parameter,
    pattern: Option<Regex>,
}

/// A connection type, made ready once per version of it.
#[derive(Clone, Debug)]
pub struct CompiledType {
    /// Its name.
    pub name: String,
    /// As declared.
    pub spec: ConnectionTypeSpec,
    parameters: Vec<CompiledParameter>,
    export_parameters: Vec<CompiledParameter>,
}

impl CompiledType {
    /// Makes the patterns ready.
    ///
    /// # Errors
    /// Each place where the type contradicts itself, as a sentence.
    pub fn compile(name: &str, spec: &ConnectionTypeSpec) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let parameters = compiled("spec.parameters", &spec.parameters, &mut problems);
        let export_parameters = compiled("spec.exportParameters", &spec.export_parameters, &mut problems);
        problems.extend(contradicting_secrets(&spec.secrets));
        if problems.is_empty() {
            Ok(Self {
                name: name.to_owned(),
                spec: spec.clone(),
                parameters,
                export_parameters,
            })
        } else {
            Err(problems)
        }
    }

    /// What is wrong with a connection's parameters, as sentences.
    #[must_use]
    pub fn connection_problems(&self, parameters: &Parameters, fixed: &Parameters) -> Vec<String> {
        let mut problems = check("spec.parameters", &self.parameters, parameters);
        problems.extend(check_given(
            "spec.fixedExportParameters",
            &self.export_parameters,
            fixed,
        ));
        problems
    }

    /// What is wrong with the parameters that an export or enrichment chose on a connection which fixes some.
    #[must_use]
    pub fn choice_problems(&self, chosen: &Parameters, fixed: &Parameters) -> Vec<String> {
        let overridden = chosen
            .iter()
            .filter(|(name, value)| fixed.get(*name).is_some_and(|set| set != *value));
        let mut problems: Vec<String> = overridden
            .map(|(name, _)| format!("spec.parameters.{name} is fixed by the connection: leave it out."))
            .collect();
        let all = fixed
            .iter()
            .chain(chosen)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        problems.extend(check("spec.parameters", &self.export_parameters, &all));
        problems
    }

    /// What is wrong with the names and sources of a connection's secrets, as sentences.
    #[must_use]
    pub fn secret_problems(&self, given: &BTreeMap<String, SecretSource>) -> Vec<String> {
        let slots = &self.spec.secrets;
        let unknown = given
            .keys()
            .filter(|name| !slots.iter().any(|slot| slot.name.as_str() == name.as_str()))
            .map(|name| {
                format!(
                    "spec.secrets has {}, which {} doesn't know: {}.",
                    quoted(name),
                    self.name,
                    known(&slot_names(slots))
                )
            });
        let unsupported = given
            .iter()
            .filter(|(_, source)| source.key_vault_ref.is_some() && self.spec.key_vault == Support::Unsupported)
            .map(|(name, _)| {
                format!("spec.secrets.{name} comes from a key vault, which {} doesn't support: use a secretKeyRef.", self.name)
            });
        unknown
            .chain(unsupported)
            .chain(
                slots
                    .iter()
                    .filter_map(|slot| missing_or_doubled(slot, slots, given)),
            )
            .collect()
    }
}

fn compiled(place: &str, declared: &[Parameter], problems: &mut Vec<String>) -> Vec<CompiledParameter> {
    let mut ready = Vec::with_capacity(declared.len());
    for parameter in declared {
        // The whole text must match, not a part of it.
        let pattern = parameter
            .pattern
            .as_ref()
            .map(|pattern| Regex::new(&format!("^(?:{pattern})$")))
            .transpose();
        match pattern {
            Ok(pattern) => ready.push(CompiledParameter {
                declared: parameter.clone(),
                pattern,
            }),
            Err(_) => problems.push(format!(
                "{place} {} has a pattern that is no regular expression of the crate regex: correct it.",
                parameter.name
            )),
        }
    }
    for parameter in &ready {
        let texts = [
            ("default", &parameter.declared.default),
            ("example", &parameter.declared.example),
        ];
        for (what, text) in texts
            .into_iter()
            .filter_map(|(what, text)| Some((what, text.as_deref()?)))
        {
            if let Some(expected) = parameter.refusal(text) {
                problems.push(format!(
                    "{place} {} refuses its own {what}: expected {expected}.",
                    parameter.declared.name
                ));
            }
        }
    }
    ready
}

fn contradicting_secrets(slots: &[SecretSlot]) -> Vec<String> {
    let dangling = slots.iter().filter_map(|slot| {
        let other = slot.alternative_to.as_ref()?;
        let found = slots
            .iter()
            .any(|base| &base.name == other && base.name != slot.name && base.alternative_to.is_none());
        (!found).then(|| {
            format!(
                "spec.secrets {} is an alternative to {other}, which is no secret of its own: correct it.",
                slot.name
            )
        })
    });
    dangling.collect()
}

fn check(place: &str, declared: &[CompiledParameter], given: &Parameters) -> Vec<String> {
    let mut problems = check_given(place, declared, given);
    problems.extend(
        declared
            .iter()
            .map(|parameter| &parameter.declared)
            .filter(|parameter| parameter.required && effective(parameter, given).is_none())
            .map(|parameter| format!("{place}.{} is missing{}.", parameter.name, example(parameter))),
    );
    problems
}

fn check_given(place: &str, declared: &[CompiledParameter], given: &Parameters) -> Vec<String> {
    given
        .iter()
        .filter_map(|(name, value)| problem(place, declared, name, value))
        .collect()
}

fn problem(place: &str, declared: &[CompiledParameter], name: &str, value: &str) -> Option<String> {
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
    let expected = parameter.refusal(value)?;
    Some(format!(
        "{place}.{name} is {}. Expected: {expected}{}.",
        quoted(value),
        example(&parameter.declared)
    ))
}

impl CompiledParameter {
    /// What was expected instead, if the text isn't right.
    fn refusal(&self, text: &str) -> Option<String> {
        let declared = &self.declared;
        if text.len() > PARAMETER_VALUE_MAX as usize {
            return Some(format!("at most {PARAMETER_VALUE_MAX} bytes"));
        }
        match declared.type_ {
            ParameterType::String => {
                let pattern = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text));
                // The description is for people; the pattern can be read with kubectl.
                pattern.map(|_| declared.description.trim_end_matches('.').to_owned())
            }
            ParameterType::Integer => {
                let (min, max) = (declared.min.unwrap_or(i64::MIN), declared.max.unwrap_or(i64::MAX));
                let fits = text
                    .parse::<i64>()
                    .is_ok_and(|number| (min..=max).contains(&number));
                (!fits).then(|| whole_number(declared.min, declared.max))
            }
            ParameterType::Boolean => {
                (!matches!(text, "true" | "false")).then(|| "\"true\" or \"false\"".to_owned())
            }
            ParameterType::Enum => {
                let values = declared.values.as_deref().unwrap_or_default();
                (!values.iter().any(|value| value == text)).then(|| format!("one of {}", listed(values)))
            }
        }
    }
}

fn whole_number(min: Option<i64>, max: Option<i64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
        (Some(min), None) => format!("a whole number of at least {min}"),
        (None, Some(max)) => format!("a whole number of at most {max}"),
        (None, None) => "a whole number".to_owned(),
    }
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

fn slot_names(slots: &[SecretSlot]) -> Vec<&str> {
    slots.iter().map(|slot| slot.name.as_str()).collect()
}

/// A slot and its alternatives: exactly one of them if the slot is required, else at most one.
fn missing_or_doubled(
    slot: &SecretSlot,
    slots: &[SecretSlot],
    given: &BTreeMap<String, SecretSource>,
) -> Option<String> {
    if slot.alternative_to.is_some() {
        return None; // judged with the slot that it stands in for
    }
    let alternatives = slots
        .iter()
        .filter(|other| other.alternative_to.as_ref() == Some(&slot.name));
    let names: Vec<&str> = [slot]
        .into_iter()
        .chain(alternatives)
        .map(|slot| slot.name.as_str())
        .collect();
    let count = names.iter().filter(|name| given.contains_key(**name)).count();
    match (count, names.as_slice()) {
        (0, [name]) if slot.required => Some(format!("spec.secrets.{name} is missing: {}", slot.description)),
        (0, _) if slot.required => Some(format!("spec.secrets needs one of {}.", names.join(", "))),
        (2.., _) => Some(format!(
            "spec.secrets has more than one of {}: keep one.",
            names.join(", ")
        )),
        _ => None,
    }
}
