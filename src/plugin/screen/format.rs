//! The forms in which objects are put out: for people, and for programs.

use super::template::Template;
use serde::Serialize;
use serde_json::{Value, json};
use std::str::FromStr;

/// The form of the output.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Format {
    /// A table or page for people.
    #[default]
    Text,
    /// The same with more columns.
    Wide,
    /// The objects as the API has them, as JSON.
    Json,
    /// The objects as the API has them, as YAML.
    Yaml,
    /// One line an object: its kind, group and name, as kubectl takes it.
    Name,
    /// A template of paths.
    JsonPath(Template),
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "wide" => Ok(Self::Wide),
            "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            "name" => Ok(Self::Name),
            _ => match text.strip_prefix("jsonpath=") {
                Some(template) => Template::parse(template)
                    .map(Self::JsonPath)
                    .map_err(|error| error.to_string()),
                None => Err("there are wide, json, yaml, name and jsonpath=TEMPLATE".to_owned()),
            },
        }
    }
}

/// One of the forms for programs, where the page for people has but one.
///
/// # Errors
/// Those that there are.
pub fn for_programs(text: &str) -> Result<Format, String> {
    match text.parse()? {
        Format::Text | Format::Wide => Err("there are json, yaml, name and jsonpath=TEMPLATE".to_owned()),
        format => Ok(format),
    }
}

/// What objects are put out as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put<'a> {
    /// One object by itself.
    One(&'a Value),
    /// Any number of them, as a List.
    Many(&'a [Value]),
}

impl Format {
    /// The objects for programs; nothing in a form for people.
    #[must_use]
    pub fn of(&self, put: Put<'_>) -> Option<String> {
        Some(match self {
            Self::Text | Self::Wide => return None,
            Self::Json => format!("{:#}\n", put.whole()),
            Self::Yaml => yaml(&put.whole()),
            Self::JsonPath(template) => template.fill(&put.whole()),
            Self::Name => put.each().iter().map(name).collect(),
        })
    }
}

impl Put<'_> {
    fn each(&self) -> &[Value] {
        match self {
            Self::One(object) => std::slice::from_ref(*object),
            Self::Many(objects) => objects,
        }
    }

    fn whole(&self) -> Value {
        match self {
            Self::One(object) => (*object).clone(),
            Self::Many(objects) => json!({"apiVersion": "v1", "kind": "List", "items": objects}),
        }
    }
}

/// As YAML; nothing that came as JSON is beyond it.
#[must_use]
pub fn yaml(object: &impl Serialize) -> String {
    serde_saphyr::to_string(object).unwrap_or_default()
}

/// Such as `connection.connections.dev/partner`.
fn name(object: &Value) -> String {
    let text = |pointer| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let group = text("/apiVersion").split_once('/').map_or("", |(group, _)| group);
    let kind = text("/kind").to_lowercase();
    let dot = if group.is_empty() { "" } else { "." };
    format!("{kind}{dot}{group}/{}\n", text("/metadata/name"))
}

/// The object as it's put out: whose field is whose is noise to people, as kubectl has it.
#[must_use]
pub fn without_managed_fields(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partner() -> Value {
        json!({"apiVersion": "connections.dev/v1alpha1", "kind": "Connection", "metadata": {"name": "partner"}})
    }

    #[test]
    fn objects_are_put_out_for_programs() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "partner"}});
        let rows = [
            (
                "names",
                "name",
                "connection.connections.dev/partner\nsecret/partner\n",
            ),
            ("a path", "jsonpath={.items[*].kind}", "Connection Secret"),
        ];
        let objects = [partner(), secret];
        for (case, format, expected) in rows {
            let format: Format = format.parse().expect(case);
            assert_eq!(
                format.of(Put::Many(&objects)).as_deref(),
                Some(expected),
                "{case}"
            );
        }
        let json = Format::Json.of(Put::Many(&objects)).expect("JSON");
        let back: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(
            back,
            json!({"apiVersion": "v1", "kind": "List", "items": objects})
        );
        let yaml = Format::Yaml.of(Put::One(&partner())).expect("YAML");
        assert!(yaml.contains("kind: Connection\n"), "{yaml}");
        assert_eq!(Format::Wide.of(Put::One(&partner())), None, "that is for people");
    }

    #[test]
    fn other_forms_are_refused_by_naming_those_there_are() {
        assert_eq!(
            "xml".parse::<Format>(),
            Err("there are wide, json, yaml, name and jsonpath=TEMPLATE".to_owned())
        );
        assert!("jsonpath={.a".parse::<Format>().is_err());
        assert_eq!(for_programs("yaml"), Ok(Format::Yaml));
        let none = for_programs("wide").expect_err("there is one page for people");
        assert_eq!(none, "there are json, yaml, name and jsonpath=TEMPLATE");
    }

    #[test]
    fn whose_field_is_whose_is_left_out() {
        let mut written = partner();
        written["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
        assert_eq!(without_managed_fields(written), partner());
    }
}
