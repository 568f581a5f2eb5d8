//! How our definitions are written: rules of a good Kubernetes API, checked in the generated schemas.

use connection_operator::api::custom_resource_definitions;
use connection_operator::api::names::CATEGORY;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Value, json};

/// Switches in a spec. Anything that could have a third state is an enum instead.
const SWITCHES: [(&str, &str); 7] = [
    (
        "Connection.spec.suspend",
        "on or off, by the word that CronJobs have for it",
    ),
    ("Export.spec.suspend", "as on a connection"),
    ("Enrichment.spec.suspend", "as on a connection"),
    (
        "ConnectionType.spec.*.required",
        "a declaration that a schema language would write so too",
    ),
    (
        "ConnectionType.spec.*.destination",
        "marks what consent is about: it is or it isn't",
    ),
    (
        "ConnectionType.spec.*.recipient",
        "marks who is named in the notice: it is or it isn't",
    ),
    (
        "ConnectionType.status.inUse",
        "never says by whom, so there is nothing else to say",
    ),
];

/// Lists of objects that have no key.
const UNKEYED: [(&str, &str); 3] = [
    (
        "ConnectionType.spec.identity.anyOf",
        "each entry is a set of columns and has no name",
    ),
    ("Export.status.runs", "a log, written whole"),
    ("Enrichment.status.runs", "a log, written whole"),
];

/// One place in a schema, and whether what stands there keeps a rule.
type Rule = fn(path: &str, schema: &Value) -> Option<String>;

const RULES: [(&str, Rule); 9] = [
    ("every field is described", described),
    ("every text is bounded", bounded_text),
    ("every list is bounded", bounded_list),
    ("every map is bounded", bounded_map),
    (
        "every list of objects has a key, which each entry must have",
        keyed_list,
    ),
    ("no fractions: they differ from language to language", no_fraction),
    ("enums instead of switches", no_switch),
    ("every rule says what to do", rule_with_message),
    ("everything has a type", typed),
];

#[test]
fn every_place_in_every_schema_keeps_the_rules() {
    let mut broken = Vec::new();
    for definition in custom_resource_definitions() {
        let kind = definition.spec.names.kind.clone();
        walk(&kind, &schema(&definition), &mut |path, schema| {
            for (rule, holds) in RULES {
                broken.extend(holds(path, schema).map(|what| format!("{path}: {rule}: {what}")));
            }
        });
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_category_never_has_the_name_of_a_kind() {
    let definitions = custom_resource_definitions();
    for definition in &definitions {
        let names = &definition.spec.names;
        assert_eq!(
            names.categories.as_deref(),
            Some([CATEGORY.to_owned()].as_slice()),
            "{} is listed with the others",
            names.kind
        );
        let own = [
            Some(names.plural.clone()),
            names.singular.clone(),
            Some(names.kind.to_lowercase()),
        ];
        let taken = own
            .into_iter()
            .flatten()
            .chain(names.short_names.clone().unwrap_or_default());
        for name in taken {
            assert_ne!(
                name, CATEGORY,
                "kubectl would take the category for {}",
                names.kind
            );
        }
    }
}

#[test]
fn a_status_that_nobody_wrote_yet_is_told_from_a_current_one() {
    // The two that the operator writes as a whole have no status of their own.
    let whole = ["SharedConnection", "ConsentRecord"];
    let definitions = custom_resource_definitions().into_iter();
    for definition in definitions.filter(|definition| !whole.contains(&definition.spec.names.kind.as_str())) {
        let schema = schema(&definition);
        assert_eq!(
            schema["properties"]["status"]["default"],
            json!({"observedGeneration": -1}),
            "{}",
            definition.spec.names.kind
        );
    }
}

fn schema(definition: &CustomResourceDefinition) -> Value {
    let [version] = definition.spec.versions.as_slice() else {
        panic!("one version")
    };
    let schema = version
        .schema
        .as_ref()
        .and_then(|schema| schema.open_api_v3_schema.as_ref());
    serde_json::to_value(schema.expect("a schema")).expect("JSON")
}

/// Calls `visit` for every field, entry and value below `schema`, `*` standing for entries and values.
fn walk(path: &str, schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        walk(&format!("{path}.{name}"), field, visit);
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            walk(&format!("{path}.*"), &schema[inner], visit);
        }
    }
}

fn is(schema: &Value, type_: &str) -> bool {
    schema["type"] == type_
}

fn described(path: &str, schema: &Value) -> Option<String> {
    let needed = !path.ends_with(".*"); // what a list or map holds is described with it
    (needed && schema["description"].as_str().is_none_or(str::is_empty)).then(|| "no description".into())
}

fn bounded_text(_: &str, schema: &Value) -> Option<String> {
    let bounded = ["maxLength", "enum", "format"]
        .iter()
        .any(|bound| !schema[bound].is_null());
    (is(schema, "string") && !bounded).then(|| "no maxLength, enum or format".into())
}

fn bounded_list(_: &str, schema: &Value) -> Option<String> {
    (is(schema, "array") && schema["maxItems"].is_null()).then(|| "no maxItems".into())
}

fn bounded_map(_: &str, schema: &Value) -> Option<String> {
    let map = is(schema, "object") && schema["additionalProperties"].is_object();
    (map && schema["maxProperties"].is_null()).then(|| "no maxProperties".into())
}

fn keyed_list(path: &str, schema: &Value) -> Option<String> {
    let exempt = UNKEYED.iter().any(|(unkeyed, _)| path == *unkeyed);
    if !is(schema, "array") || !is(&schema["items"], "object") || exempt {
        return None;
    }
    let keys = schema["x-kubernetes-list-map-keys"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let required = schema["items"]["required"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let whole = schema["x-kubernetes-list-type"] == "map" && !keys.is_empty();
    (!whole || !keys.iter().all(|key| required.contains(key)))
        .then(|| "no list-type map with required keys".into())
}

fn no_fraction(_: &str, schema: &Value) -> Option<String> {
    is(schema, "number").then(|| "a number with fractions".into())
}

fn no_switch(path: &str, schema: &Value) -> Option<String> {
    let listed = SWITCHES.iter().any(|(switch, _)| matches(switch, path));
    let in_spec = path.split('.').nth(1) == Some("spec");
    (is(schema, "boolean") && in_spec && !listed).then(|| "a boolean that SWITCHES doesn't justify".into())
}

/// Whether a path is meant by one in which `*` stands for any one list and its entries.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once(".*.") {
        None => pattern == path,
        Some((start, end)) => path
            .strip_prefix(start)
            .and_then(|rest| rest.strip_suffix(end))
            .is_some_and(|between| between.ends_with(".*.") && between.matches('.').count() == 3),
    }
}

fn rule_with_message(_: &str, schema: &Value) -> Option<String> {
    let rules = schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten();
    let mute = rules.filter(|rule| rule["message"].as_str().is_none_or(str::is_empty));
    let mute: Vec<String> = mute.map(|rule| rule["rule"].to_string()).collect();
    (!mute.is_empty()).then(|| mute.join(", "))
}

fn typed(_: &str, schema: &Value) -> Option<String> {
    let open = schema["x-kubernetes-preserve-unknown-fields"] == true;
    (schema["type"].as_str().is_none() || open).then(|| "anything would be taken".into())
}
