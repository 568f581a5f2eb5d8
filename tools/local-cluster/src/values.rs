//! The page of the chart's values: what its schema says of each, beside the default.

use std::fs;

use serde_json::Value;

use crate::Error;
use crate::operator::NAME;
use crate::places::Places;

/// The page, from the chart as it lies there.
///
/// # Errors
/// When the schema or the defaults can't be read.
pub fn page(places: &Places) -> Result<String, Error> {
    let (schema, defaults) = (read(places, "values.schema.json")?, defaults(places)?);
    let mut rows = Vec::new();
    describe(("", ""), &schema, &schema, &defaults, &mut rows);
    Ok(format!(
        "# Values of the chart\n\nGenerated from the chart's schema and defaults: `make generate` writes this page. A \
         value that doesn't stand here is refused.\n\n| value | default | form | meaning |\n|---|---|---|---|\n{}",
        rows.concat()
    ))
}

/// The values of the chart as it lies there.
///
/// # Errors
/// When they can't be read.
pub fn defaults(places: &Places) -> Result<Value, Error> {
    read(places, "values.yaml")
}

fn read(places: &Places, name: &str) -> Result<Value, Error> {
    let file = places.clone_root().join("charts").join(NAME).join(name);
    let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
    // JSON is YAML.
    serde_saphyr::from_str(&text).map_err(|error| Error::NotHere {
        missing: format!("{} can't be read: {error}", file.display()),
        next: "correct it".to_owned(),
    })
}

/// One row for each value that holds no others; what is said of those around it comes first.
fn describe(
    (name, around): (&str, &str),
    schema: &Value,
    whole: &Value,
    default: &Value,
    rows: &mut Vec<String>,
) {
    let meaning = schema["description"].as_str().unwrap_or_default();
    let meaning = format!("{around} {meaning}").trim().to_owned();
    if let Some(properties) = schema["properties"].as_object() {
        for (key, property) in properties {
            let name = if name.is_empty() {
                key.clone()
            } else {
                format!("{name}.{key}")
            };
            describe((&name, &meaning), property, whole, &default[key], rows);
        }
        return;
    }
    let default = match default {
        Value::Null => String::new(),
        default => format!("`{default}`"),
    };
    rows.push(format!(
        "| `{name}` | {default} | {} | {meaning} |\n",
        form(schema, whole)
    ));
}

/// What may be given, in a few words.
fn form(schema: &Value, whole: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return form(whole.pointer(&reference[1..]).unwrap_or(&Value::Null), whole);
    }
    if schema["type"][1] == "null" {
        let mut set = schema.clone();
        set["type"] = schema["type"][0].clone();
        return format!("{}, or null", form(&set, whole));
    }
    if let Some(choices) = schema["enum"].as_array() {
        let choices = choices
            .iter()
            .filter_map(Value::as_str)
            .map(|choice| format!("`{choice}`"));
        return choices.collect::<Vec<_>>().join(", ");
    }
    match (schema["type"].as_str(), &schema["minimum"], &schema["maximum"]) {
        (Some("integer"), Value::Number(least), Value::Number(most)) => format!("{least} to {most}"),
        (Some("integer"), Value::Number(least), _) => format!("{least} or more"),
        (Some("boolean"), ..) => "`true`, `false`".to_owned(),
        (Some("array"), ..) => format!("list of {}s", kind(&schema["items"])),
        _ => kind(schema).to_owned(),
    }
}

fn kind(schema: &Value) -> &str {
    match schema["type"].as_str() {
        Some("string") => "text",
        Some(kind) => kind,
        None => "anything",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_is_told_in_words() {
        let whole = json!({"definitions": {"names": {"type": "array", "items": {"type": "string"}}}});
        let rows = [
            (json!({"type": "boolean"}), "`true`, `false`"),
            (json!({"enum": ["text", "json"]}), "`text`, `json`"),
            (json!({"type": "integer", "minimum": 1, "maximum": 9}), "1 to 9"),
            (json!({"type": "integer", "minimum": 1}), "1 or more"),
            (
                json!({"type": ["integer", "null"], "minimum": 1}),
                "1 or more, or null",
            ),
            (json!({"$ref": "#/definitions/names"}), "list of texts"),
            (
                json!({"type": "array", "items": {"type": "object"}}),
                "list of objects",
            ),
        ];
        for (schema, told) in rows {
            assert_eq!(form(&schema, &whole), told, "{schema}");
        }
    }

    #[test]
    fn the_committed_page_is_current() {
        let places = Places::here();
        let committed = fs::read_to_string(places.clone_root().join("docs/values.md")).unwrap_or_default();
        assert!(
            page(&places).is_ok_and(|page| page == committed),
            "docs/values.md is stale: run make generate"
        );
    }
}
