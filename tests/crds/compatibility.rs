//! What may change within a version: whatever was stored must stay good, and whatever was written must be taken.
//!
//! There is no release yet, so `released/` holds no definitions: until it does, the tests of the comparison itself are
//! what counts here.

use connection_operator::api::custom_resource_definitions;
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn todays_definitions_take_what_the_last_release_took() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crds/released");
    let today: Vec<Value> = custom_resource_definitions()
        .iter()
        .map(|definition| serde_json::to_value(definition).expect("JSON"))
        .collect();
    let files = std::fs::read_dir(folder).expect("the folder is there");
    let mut broken = Vec::new();
    for file in files.map(|file| file.expect("a file").path()) {
        if file.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let released: Value = serde_saphyr::from_str(&text).expect("YAML");
        let name = released["metadata"]["name"].to_string();
        match today
            .iter()
            .find(|definition| definition["metadata"]["name"] == released["metadata"]["name"])
        {
            Some(definition) => broken.extend(breaks(&released, definition)),
            None => broken.push(format!("{name} is gone")),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Each place where a definition takes less, or means something else, than it did.
fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for fixed in [
        "/spec/group",
        "/spec/scope",
        "/spec/names/plural",
        "/spec/names/kind",
    ] {
        if old.pointer(fixed) != new.pointer(fixed) {
            broken.push(format!("{fixed} has changed"));
        }
    }
    gone(
        &old["spec"]["names"]["shortNames"],
        &new["spec"]["names"]["shortNames"],
        "a short name",
        &mut broken,
    );
    for version in list(&old["spec"]["versions"])
        .iter()
        .filter(|version| version["served"] == true)
    {
        let name = version["name"].as_str().unwrap_or_default();
        let same = list(&new["spec"]["versions"])
            .iter()
            .find(|other| other["name"] == version["name"] && other["served"] == true);
        let Some(other) = same else {
            broken.push(format!("version {name} isn't served any more"));
            continue;
        };
        gone(
            &version["selectableFields"],
            &other["selectableFields"],
            "a selectable field",
            &mut broken,
        );
        let schema = |version: &Value| version["schema"]["openAPIV3Schema"].clone();
        narrowed(name, &schema(version), &schema(other), &mut broken);
    }
    broken
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn gone(old: &Value, new: &Value, what: &str, broken: &mut Vec<String>) {
    let missing = list(old).iter().filter(|entry| !list(new).contains(entry));
    broken.extend(missing.map(|entry| format!("{what} is gone: {entry}")));
}

/// Compares two schemas of one place.
fn narrowed(path: &str, old: &Value, new: &Value, broken: &mut Vec<String>) {
    let mut tell = |what: String| broken.push(format!("{path}: {what}"));
    let alike = [
        "type",
        "pattern",
        "format",
        "default",
        "nullable",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
    ];
    for word in alike
        .into_iter()
        .filter(|word| differs(word, &old[*word], &new[*word]))
    {
        tell(format!("{word} was {}, is {}", old[word], new[word]));
    }
    for word in ["maxLength", "maxItems", "maxProperties", "maximum"] {
        if bound(&new[word], f64::INFINITY) < bound(&old[word], f64::INFINITY) {
            tell(format!("{word} is lower"));
        }
    }
    for word in ["minLength", "minItems", "minProperties", "minimum"] {
        if bound(&new[word], f64::NEG_INFINITY) > bound(&old[word], f64::NEG_INFINITY) {
            tell(format!("{word} is higher"));
        }
    }
    if !new["enum"].is_null() {
        let lost = list(&old["enum"])
            .iter()
            .filter(|value| !list(&new["enum"]).contains(value));
        lost.for_each(|value| tell(format!("the value {value} is gone")));
        if old["enum"].is_null() {
            tell("only some values are taken".into());
        }
    }
    let required = list(&new["required"])
        .iter()
        .filter(|name| !list(&old["required"]).contains(name));
    required.for_each(|name| tell(format!("{name} is required now")));
    stricter(
        &old["x-kubernetes-validations"],
        &new["x-kubernetes-validations"],
        &mut tell,
    );
    inside(path, old, new, broken);
}

/// Whether one word of a schema says something else. Taking a pattern, format or closed form away only takes more.
fn differs(word: &str, old: &Value, new: &Value) -> bool {
    let loosened = new.is_null() && matches!(word, "pattern" | "format");
    old != new && !loosened
}

fn bound(value: &Value, none: f64) -> f64 {
    value.as_f64().unwrap_or(none)
}

fn stricter(old: &Value, new: &Value, tell: &mut impl FnMut(String)) {
    let known = |rule: &Value| list(old).iter().any(|other| other["rule"] == rule["rule"]);
    let added = list(new).iter().filter(|rule| !known(rule));
    added.for_each(|rule| tell(format!("a rule is new or changed: {}", rule["rule"])));
}

fn inside(path: &str, old: &Value, new: &Value, broken: &mut Vec<String>) {
    for (name, field) in old["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match new["properties"].get(name) {
            Some(other) => narrowed(&path, field, other, broken),
            None => broken.push(format!("{path}: the field is gone")),
        }
    }
    for word in ["items", "additionalProperties"] {
        match (old[word].is_object(), new[word].is_object()) {
            (true, true) => narrowed(&format!("{path}.*"), &old[word], &new[word], broken),
            (true, false) => broken.push(format!("{path}: {word} is gone")),
            (false, _) => {}
        }
    }
}

/// A made-up definition.
fn definition() -> Value {
    json!({"spec": {
        "group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing", "shortNames": ["th"]},
        "versions": [{
            "name": "v1", "served": true, "selectableFields": [{"jsonPath": ".spec.name"}],
            "schema": {"openAPIV3Schema": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 10, "pattern": "^[a-z]+$"},
                "mode": {"type": "string", "enum": ["A", "B"]},
                "count": {"type": "integer", "minimum": 1, "maximum": 9},
                "list": {"type": "array", "maxItems": 5, "x-kubernetes-list-type": "set", "items": {"type": "string", "maxLength": 5}},
                "map": {"type": "object", "maxProperties": 5, "additionalProperties": {"type": "string", "maxLength": 5}},
                "ruled": {"type": "object", "x-kubernetes-validations": [{"rule": "a", "message": "a"}]},
            }}},
        }],
    }})
}

/// The schema of the made-up definition.
const SCHEMA: &str = "/spec/versions/0/schema/openAPIV3Schema";

/// The made-up definition with one place set to something else, or taken away by null.
fn changed(place: &str, value: Value) -> Value {
    let mut new = definition();
    let (parent, name) = place.rsplit_once('/').expect("a place in something");
    let parent = new
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .expect("an object");
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    new
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_takes_less_than_before_is_found() {
    let rows = [
        (
            "a field is removed",
            "properties/mode",
            Value::Null,
            "v1.mode: the field is gone",
        ),
        (
            "a field is renamed by removal of its list",
            "properties/list/items",
            Value::Null,
            "v1.list: items is gone",
        ),
        (
            "another type",
            "properties/count/type",
            json!("string"),
            "type was \"integer\", is \"string\"",
        ),
        (
            "another pattern",
            "properties/name/pattern",
            json!("^[a-y]+$"),
            "v1.name: pattern was",
        ),
        (
            "a pattern where none was",
            "properties/mode/pattern",
            json!("x"),
            "v1.mode: pattern was null",
        ),
        (
            "shorter",
            "properties/name/maxLength",
            json!(9),
            "v1.name: maxLength is lower",
        ),
        (
            "a bound where none was",
            "properties/mode/maxLength",
            json!(9),
            "v1.mode: maxLength is lower",
        ),
        (
            "longer at least",
            "properties/name/minLength",
            json!(2),
            "v1.name: minLength is higher",
        ),
        (
            "fewer entries",
            "properties/list/maxItems",
            json!(4),
            "v1.list: maxItems is lower",
        ),
        (
            "shorter entries",
            "properties/list/items/maxLength",
            json!(4),
            "v1.list.*: maxLength is lower",
        ),
        (
            "fewer names",
            "properties/map/maxProperties",
            json!(4),
            "v1.map: maxProperties is lower",
        ),
        (
            "shorter values",
            "properties/map/additionalProperties/maxLength",
            json!(4),
            "v1.map.*: maxLength is lower",
        ),
        (
            "a smaller number",
            "properties/count/maximum",
            json!(8),
            "v1.count: maximum is lower",
        ),
        (
            "a larger number at least",
            "properties/count/minimum",
            json!(2),
            "v1.count: minimum is higher",
        ),
        (
            "a value less",
            "properties/mode/enum",
            json!(["A"]),
            "the value \"B\" is gone",
        ),
        (
            "values where all were taken",
            "properties/name/enum",
            json!(["a"]),
            "only some values are taken",
        ),
        (
            "one more is required",
            "required",
            json!(["name", "mode"]),
            "\"mode\" is required now",
        ),
        (
            "a new rule",
            "properties/ruled/x-kubernetes-validations",
            json!([{"rule": "a"}, {"rule": "b"}]),
            "a rule is new or changed: \"b\"",
        ),
        (
            "a changed rule",
            "properties/ruled/x-kubernetes-validations",
            json!([{"rule": "a && b"}]),
            "a rule is new or changed: \"a && b\"",
        ),
        (
            "lists that merge otherwise",
            "properties/list/x-kubernetes-list-type",
            json!("atomic"),
            "x-kubernetes-list-type was",
        ),
        (
            "another default",
            "properties/mode/default",
            json!("B"),
            "v1.mode: default was null",
        ),
    ];
    for (why, place, value, expected) in rows {
        let broken = breaks(&definition(), &changed(&format!("{SCHEMA}/{place}"), value));
        assert!(
            broken.iter().any(|what| what.contains(expected)),
            "{why}: {broken:?}"
        );
    }
}

#[test]
fn what_people_and_programs_hold_on_to_stays() {
    let rows = [
        (
            "another group",
            "/spec/group",
            json!("example.org"),
            "/spec/group has changed",
        ),
        (
            "another scope",
            "/spec/scope",
            json!("Cluster"),
            "/spec/scope has changed",
        ),
        (
            "another kind",
            "/spec/names/kind",
            json!("Item"),
            "/spec/names/kind has changed",
        ),
        (
            "a short name less",
            "/spec/names/shortNames",
            json!([]),
            "a short name is gone: \"th\"",
        ),
        (
            "not served",
            "/spec/versions/0/served",
            json!(false),
            "version v1 isn't served any more",
        ),
        (
            "not selectable",
            "/spec/versions/0/selectableFields",
            Value::Null,
            "a selectable field is gone",
        ),
    ];
    for (why, place, value, expected) in rows {
        let broken = breaks(&definition(), &changed(place, value));
        assert!(
            broken.iter().any(|what| what.contains(expected)),
            "{why}: {broken:?}"
        );
    }
}

#[test]
fn what_takes_more_than_before_is_fine() {
    let field =
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "maxLength": 1}}});
    let rows = [
        ("nothing has changed", "type", json!("object")),
        (
            "a new optional field, whatever it demands of itself",
            "properties/more",
            field,
        ),
        ("longer", "properties/name/maxLength", json!(11)),
        ("unbounded", "properties/name/maxLength", Value::Null),
        ("no pattern", "properties/name/pattern", Value::Null),
        ("one more value", "properties/mode/enum", json!(["A", "B", "C"])),
        ("any value", "properties/mode/enum", Value::Null),
        ("no longer required", "required", json!([])),
        (
            "a rule less",
            "properties/ruled/x-kubernetes-validations",
            Value::Null,
        ),
        (
            "a rule that says it better",
            "properties/ruled/x-kubernetes-validations",
            json!([{"rule": "a", "message": "b"}]),
        ),
        ("a description", "properties/name/description", json!("Its name.")),
    ];
    for (why, place, value) in rows {
        let broken = breaks(&definition(), &changed(&format!("{SCHEMA}/{place}"), value));
        assert!(broken.is_empty(), "{why}: {broken:?}");
    }
}
