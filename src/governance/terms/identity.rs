//! The columns by which the service recognises people or companies. Without any of the sets that it goes by, nothing
//! that arrives is of use.

use super::{Item, Problem, Settings};
use crate::api::Reason;
use crate::api::connection_type::{ConnectionTypeSpec, IdentitySet, Parameter, When};
use crate::api::reference::{ColumnName, FieldName};
use crate::governance::message::{listed, quoted};
use crate::governance::parameters::{CompiledType, effective};
use std::collections::BTreeSet;

/// What one dataset lacks, if the service couldn't recognise anybody in it.
pub(super) fn missing(type_: &CompiledType, settings: &Settings<'_>, item: &Item<'_>) -> Problem {
    let dataset = item.dataset.as_ref()?;
    let sets = &type_.spec.identity.as_ref()?.any_of;
    let counts = |set: &&IdentitySet| set.when.as_ref().is_none_or(|when| settings.hold(type_, when));
    let counting: Vec<&IdentitySet> = sets.iter().filter(counts).collect();
    let goes = |column: &ColumnName| item.columns.is_empty() || item.columns.contains(column);
    let declared = &dataset.spec.identity;
    let holds = |name: &FieldName, all: bool| {
        let mut columns = declared.iter().filter(|column| column.holds == *name);
        item.mapped.contains(&name.as_str()) || columns.any(|column| all || goes(&column.column))
    };
    let whole = |set: &IdentitySet, all: bool| set.all.iter().all(|name| holds(name, all));
    if counting.is_empty() || counting.iter().any(|set| whole(set, false)) {
        return None;
    }
    let Item { field, name, .. } = item;
    let asked = asked(type_, settings, &counting);
    let type_name = &type_.name;
    let text = if let Some(set) = counting.iter().find(|set| whole(set, true)) {
        let left_out = declared
            .iter()
            .filter(|column| set.all.contains(&column.holds) && !goes(&column.column));
        let left_out: Vec<&str> = left_out.map(|column| column.column.as_str()).collect();
        format!(
            "{field} leaves out columns of the dataset {name} by which the type {type_name} recognises whom it is about, \
             and that takes {asked}: add {} to its columns.",
            listed(&left_out)
        )
    } else {
        let found: BTreeSet<&str> = declared.iter().map(|column| column.holds.as_str()).collect();
        let found: Vec<&str> = found.into_iter().collect();
        let found = if found.is_empty() {
            "names no column".to_owned()
        } else {
            format!("names columns that hold {}", listed(&found))
        };
        let fitting = sets.iter().filter(|set| whole(set, false));
        let other = fitting.filter_map(|set| settings.free(type_, set.when.as_ref()?));
        let other = other.map(|when| format!("set {} to {}, ", place(&when.parameter), quoted(&when.value)));
        format!(
            "{field} names the dataset {name}, whose spec.identity {found}, and the type {type_name} takes {asked}: \
             {}name another dataset, or have an administrator say in spec.identity which column holds it.",
            other.take(1).collect::<String>()
        )
    };
    Some((Reason::IdentityMissing, text))
}

/// Who set a parameter to its value.
#[derive(Clone, Copy)]
enum By {
    Chosen,
    Default,
    Connection,
}

impl<'a> Settings<'a> {
    fn hold(&self, type_: &CompiledType, when: &When) -> bool {
        self.value(&type_.spec, &when.parameter)
            .is_some_and(|(value, _)| value == when.value)
    }

    /// The value of a parameter, wherever it is declared.
    fn value<'b>(&self, type_: &'b ConnectionTypeSpec, name: &FieldName) -> Option<(&'b str, By)>
    where
        'a: 'b,
    {
        let Some(parameter) = declared(&type_.export_parameters, name) else {
            let parameter = declared(&type_.parameters, name)?;
            return Some((effective(parameter, self.connection)?, By::Connection));
        };
        let name = name.as_str();
        let fixed = self.fixed.get(name).map(|value| (value.as_str(), By::Connection));
        let chosen = || Some((self.chosen.get(name)?.as_str(), By::Chosen));
        let default = || Some((parameter.default.as_deref()?, By::Default));
        fixed.or_else(chosen).or_else(default)
    }

    /// That, if its parameter is one that an export may choose here.
    fn free<'w>(&self, type_: &CompiledType, when: &'w When) -> Option<&'w When> {
        let known = declared(&type_.spec.export_parameters, &when.parameter).is_some();
        (known && !self.fixed.contains_key(when.parameter.as_str())).then_some(when)
    }
}

fn declared<'a>(parameters: &'a [Parameter], name: &FieldName) -> Option<&'a Parameter> {
    parameters.iter().find(|parameter| parameter.name == *name)
}

/// Where whoever chooses a parameter writes it.
fn place(parameter: &FieldName) -> String {
    format!("spec.parameters.{parameter}")
}

/// Such as `email, or firstName with lastName, as spec.parameters.people is "true"`. What the connection set is its own
/// concern: the value doesn't belong in the words of those who use it.
fn asked(type_: &CompiledType, settings: &Settings<'_>, sets: &[&IdentitySet]) -> String {
    let needed: Vec<String> = sets.iter().map(|set| words(set)).collect();
    let mut whys: Vec<String> = Vec::new();
    for when in sets.iter().filter_map(|set| set.when.as_ref()) {
        let name = &when.parameter;
        let why = match settings.value(&type_.spec, name) {
            Some((value, By::Chosen)) => format!("{} is {}", place(name), quoted(value)),
            Some((value, By::Default)) => format!("{} is {} by default", place(name), quoted(value)),
            Some((_, By::Connection)) => format!("its connection says by {name}"),
            None => continue,
        };
        if !whys.contains(&why) {
            whys.push(why);
        }
    }
    let needed = needed.join(", or ");
    if whys.is_empty() {
        needed
    } else {
        format!("{needed}, as {}", whys.join(" and "))
    }
}

/// Such as `email`, or `firstName with lastName`.
fn words(set: &IdentitySet) -> String {
    let names: Vec<&str> = set.all.iter().map(FieldName::as_str).collect();
    names.join(" with ")
}
