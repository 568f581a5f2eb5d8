//! `docs/catalog.md`: every connection type that comes with the operator, and what a connection of it needs.

use crate::api::ConnectionType;
use crate::api::connection_type::{
    ConnectionTypeSpec, Deprecation, Identity, LimitScope, Limits, Parameter, ParameterType, SecretSlot,
    Support, UsedFor, When,
};
use crate::api::notice::Notice;
use crate::api::reference::FieldName;
use kube::ResourceExt;
use std::collections::BTreeMap;

/// The page, of these types in their order.
#[must_use]
pub fn catalog(types: &[ConnectionType]) -> String {
    let rows: String = types.iter().map(row).collect();
    let sections: String = types.iter().map(section).collect();
    format!(
        "# The catalog of connection types\n\nGenerated from `catalog/`: `make generate` writes this page.\n\n{}\n\n\
         `kubectl get connectiontypes` lists those of your cluster. [Values](values.md) choose among them \
         (`catalog.include`, `catalog.exclude`), and [a type of your own](adding-a-type.md) is one more manifest. \
         [examples/catalog/](../examples/catalog/) holds a Secret, a connection, its datasets and an export or \
         enrichment for each. Members are rows of datasets: people or companies.\n\n\
         | type | service | category | used for | key vault | runs | deprecated |\n|---|---|---|---|---|---|---|\n\
         {rows}{sections}",
        counts(types)
    )
}

/// How many there are, and how many of them could run.
fn counts(types: &[ConnectionType]) -> String {
    let of = |wanted: &dyn Fn(&ConnectionTypeSpec) -> bool| {
        types.iter().filter(|type_| wanted(&type_.spec)).count()
    };
    let mut connectors: BTreeMap<&str, usize> = BTreeMap::new();
    for connector in types.iter().filter_map(|type_| type_.spec.connector.as_ref()) {
        *connectors.entry(connector.as_str()).or_default() += 1;
    }
    let each: Vec<String> = connectors
        .iter()
        .map(|(name, count)| format!("`{name}` {count}"))
        .collect();
    format!(
        "**{}** types come with the operator: {} for exports, {} for enrichments. **{}** name the connector that is to \
         run them ({}). The other **{}** are governed only: connections, consent, sharing and exports work as for any \
         type, but nothing runs, and an export or enrichment on them is Inactive (`NoConnector`). So is one on a type \
         whose connector the installation doesn't have: its value `connectors` lists those that it has. {} types are \
         deprecated.\n\n\
         The image of connectors of this version holds `azure-blob`, `s3` and `sftp`: see [runs](runs.md). Of types for \
         enrichments it runs those of the connector `sftp`.",
        types.len(),
        of(&|spec| spec.used_for == UsedFor::Export),
        of(&|spec| spec.used_for == UsedFor::Enrichment),
        of(&|spec| spec.connector.is_some()),
        each.join(", "),
        of(&|spec| spec.connector.is_none()),
        of(&|spec| spec.deprecated.is_some()),
    )
}

fn row(type_: &ConnectionType) -> String {
    let (name, spec) = (type_.name_any(), &type_.spec);
    let deprecated = spec.deprecated.as_ref().map(successor).unwrap_or_default();
    format!(
        "| [`{name}`](#{name}) | {} | {} | {} | {} | {} | {deprecated} |\n",
        spec.service.vendor,
        spec.service.category,
        spec.used_for,
        match spec.key_vault {
            Support::Supported => "yes",
            Support::Unsupported => "no",
        },
        runs(spec)
    )
}

fn runs(spec: &ConnectionTypeSpec) -> String {
    let connector = spec.connector.as_ref();
    connector.map_or_else(|| "governed only".to_owned(), |name| format!("`{name}`"))
}

fn section(type_: &ConnectionType) -> String {
    let (name, spec) = (type_.name_any(), &type_.spec);
    let chosen_by = match spec.used_for {
        UsedFor::Export => "Each export chooses",
        UsedFor::Enrichment => "Each enrichment chooses",
    };
    let paragraphs = [
        format!("## {name}"),
        spec.deprecated.as_ref().map(deprecation).unwrap_or_default(),
        spec.description.clone(),
        sources(spec),
        parameters("A connection says", &spec.parameters),
        secrets(&spec.secrets),
        parameters(chosen_by, &spec.export_parameters),
        needs(spec),
        notice(&spec.notice),
        format!(
            "[Service]({}) · [type](../catalog/{name}.yaml) · \
             [example](../examples/catalog/{name}.yaml)",
            spec.service.homepage
        ),
    ];
    let said = paragraphs.iter().filter(|paragraph| !paragraph.is_empty());
    let said: Vec<&str> = said.map(String::as_str).collect();
    format!("\n{}\n", said.join("\n\n"))
}

fn deprecation(deprecated: &Deprecation) -> String {
    format!("**Deprecated.** {}", deprecated.message)
}

/// What to use instead.
fn successor(deprecated: &Deprecation) -> String {
    let replacement = deprecated.replacement.as_ref();
    replacement.map_or_else(|| "yes".to_owned(), |name| format!("use [`{name}`](#{name})"))
}

/// Which hosts data goes to, and what does it.
fn sources(spec: &ConnectionTypeSpec) -> String {
    let hosts: Vec<String> = spec.endpoints.iter().map(|host| format!("`{host}`")).collect();
    let hosts = if hosts.is_empty() {
        "the one that the connection names".to_owned()
    } else {
        hosts.join(", ")
    };
    format!("Hosts: {hosts}. Runs: {}.", runs(spec))
}

fn parameters(title: &str, declared: &[Parameter]) -> String {
    if declared.is_empty() {
        return String::new();
    }
    let rows = declared.iter().map(|parameter| {
        let form = match parameter.type_ {
            ParameterType::Enum => {
                let values = parameter.values.as_deref().unwrap_or_default();
                values
                    .iter()
                    .map(|value| code(value))
                    .collect::<Vec<_>>()
                    .join(", ")
            }
            ParameterType::Integer => whole_number(parameter),
            ParameterType::Boolean => "`true`, `false`".to_owned(),
            ParameterType::String => "text".to_owned(),
        };
        format!(
            "| `{}` | {} | {form} | {} | {} |\n",
            parameter.name,
            presence(parameter),
            cell(&parameter.description),
            parameter.example.as_deref().map(code).unwrap_or_default(),
        )
    });
    format!(
        "{title}:\n\n| parameter | must be given | form | what it is | example |\n|---|---|---|---|---|\n{}",
        rows.collect::<String>().trim_end()
    )
}

fn presence(parameter: &Parameter) -> String {
    match &parameter.default {
        Some(default) => format!("no: {}", code(default)),
        None if parameter.required => "yes".to_owned(),
        None => "no".to_owned(),
    }
}

fn whole_number(parameter: &Parameter) -> String {
    match (parameter.min, parameter.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{min} or more"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "a whole number".to_owned(),
    }
}

fn secrets(slots: &[SecretSlot]) -> String {
    if slots.is_empty() {
        return String::new();
    }
    let rows = slots.iter().map(|slot| {
        let must = match &slot.alternative_to {
            Some(other) => format!("or `{other}`"),
            None if slot.required => "yes".to_owned(),
            None => "no".to_owned(),
        };
        format!("| `{}` | {must} | {} |\n", slot.name, cell(&slot.description))
    });
    format!(
        "Its secrets:\n\n| secret | must be given | what it is |\n|---|---|---|\n{}",
        rows.collect::<String>().trim_end()
    )
}

/// What whoever consents to a connection of it agrees to.
fn notice(notice: &Notice) -> String {
    format!(
        "<details><summary>What its administrator agrees to (notice {})</summary>\n\n- {}\n- {}\n- {}\n- {}\n- The \
         privacy statement: <{}>\n\n</details>",
        notice.version,
        notice.recipient,
        notice.data,
        notice.responsibility,
        notice.how_to_stop,
        notice.privacy_statement
    )
}

/// What the rows must have, and how many there may be.
fn needs(spec: &ConnectionTypeSpec) -> String {
    let identity = spec.identity.as_ref().map(identity).unwrap_or_default();
    let limits = spec.limits.as_ref().map(limits).unwrap_or_default();
    let said: Vec<String> = [identity, limits]
        .into_iter()
        .filter(|said| !said.is_empty())
        .collect();
    said.join(" ")
}

fn identity(declared: &Identity) -> String {
    let needed = alternatives(declared).join(" ");
    let better = codes(&declared.optional, ", ");
    match (needed.as_str(), better.as_str()) {
        (needed, "") => needed.to_owned(),
        ("", better) => format!("Good to have: {better}."),
        (needed, better) => format!("{needed} Good to have: {better}."),
    }
}

/// A sentence for the sets that always count, and for each value of a parameter that others count with.
fn alternatives(declared: &Identity) -> Vec<String> {
    let mut groups: Vec<(Option<&When>, Vec<String>)> = Vec::new();
    for set in &declared.any_of {
        let (when, names) = (set.when.as_ref(), codes(&set.all, " and "));
        match groups.iter_mut().find(|(other, _)| *other == when) {
            Some((_, sets)) => sets.push(names),
            None => groups.push((when, vec![names])),
        }
    }
    let others = groups.iter().any(|(when, _)| when.is_none());
    let sentences = groups.iter().map(|(when, sets)| {
        let (subject, must) = match when {
            None => ("Datasets".to_owned(), "must have"),
            Some(when) => {
                let (name, value) = (code(when.parameter.as_str()), code(&when.value));
                let must = if others { "may instead have" } else { "must have" };
                (format!("Where {name} is {value}, datasets"), must)
            }
        };
        match sets.as_slice() {
            [only] => format!("{subject} {must} {only}."),
            several => format!("{subject} {must} one of: {}.", several.join("; ")),
        }
    });
    sentences.collect()
}

fn codes(names: &[FieldName], between: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| code(name.as_str())).collect();
    names.join(between)
}

fn limits(declared: &Limits) -> String {
    let per = match declared.max_members_per {
        Some(LimitScope::Dataset) => "a dataset",
        Some(LimitScope::Destination) => "all exports to the account together",
        Some(LimitScope::Export) | None => "an export",
    };
    let said = [
        declared
            .min_members
            .map(|least| format!("at least {} members in each dataset", grouped(least))),
        declared
            .max_members
            .map(|most| format!("at most {} members for {per}", grouped(most))),
        declared.max_datasets.map(|most| match most {
            1 => "exactly one dataset".to_owned(),
            most => format!("at most {most} datasets"),
        }),
        declared
            .max_files_per_dataset
            .map(|most| format!("at most {most} files for a dataset")),
        declared
            .max_minutes
            .map(|most| format!("a full export takes up to {most} minutes")),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    if said.is_empty() {
        return String::new();
    }
    format!("Limits: {}.", said.join(", "))
}

/// The number with commas between its thousands.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

/// The text as a table may hold it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection_type::catalog::connection_types;
    use serde_json::json;

    fn page() -> String {
        catalog(&connection_types().expect("the catalog can be read"))
    }

    #[test]
    fn the_committed_page_of_types_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/catalog.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == page(), "docs/catalog.md is stale: run make generate");
    }

    #[test]
    fn every_type_has_one_row_and_one_section() {
        let page = page();
        for type_ in connection_types().expect("the catalog can be read") {
            let name = type_.name_any();
            assert_eq!(
                page.matches(&format!("\n| [`{name}`](#{name}) |")).count(),
                1,
                "{name}"
            );
            assert_eq!(page.matches(&format!("\n## {name}\n")).count(), 1, "{name}");
        }
    }

    #[test]
    fn what_datasets_must_have_is_told_by_the_parameter_that_decides_it() {
        let rows = [
            (
                json!({"anyOf": [{"all": ["email"]}]}),
                "Datasets must have `email`.",
            ),
            (
                json!({"anyOf": [{"all": ["email"]}, {"all": ["first", "last"]}], "optional": ["city"]}),
                "Datasets must have one of: `email`; `first` and `last`. Good to have: `city`.",
            ),
            (
                json!({"anyOf": [
                    {"all": ["email"], "when": {"parameter": "by", "value": "Mail"}},
                    {"all": ["phone"], "when": {"parameter": "by", "value": "Phone"}},
                    {"all": ["mailHash"], "when": {"parameter": "by", "value": "Mail"}},
                ]}),
                "Where `by` is `Mail`, datasets must have one of: `email`; `mailHash`. Where `by` is `Phone`, datasets \
                 must have `phone`.",
            ),
            (
                json!({"anyOf": [
                    {"all": ["email"]},
                    {"all": ["phone"], "when": {"parameter": "calls", "value": "true"}},
                ]}),
                "Datasets must have `email`. Where `calls` is `true`, datasets may instead have `phone`.",
            ),
        ];
        for (declared, text) in rows {
            let declared: Identity = serde_json::from_value(declared).expect("an identity");
            assert_eq!(identity(&declared), text);
        }
    }

    #[test]
    fn thousands_are_grouped() {
        let rows = [
            (7, "7"),
            (100, "100"),
            (1000, "1,000"),
            (250_000, "250,000"),
            (10_000_000, "10,000,000"),
        ];
        for (number, text) in rows {
            assert_eq!(grouped(number), text);
        }
    }
}
