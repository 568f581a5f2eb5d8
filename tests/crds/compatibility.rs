//! What may change within a version: whatever was stored must stay good, and whatever was written must be taken.
//!
//! There is no release yet, so `released/` holds no definitions: until it does, the tests of the comparison itself are
//! what counts here.

use super::narrowing::breaks;
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
