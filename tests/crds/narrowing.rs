//! Whether one definition takes all that another took: a comparison of two documents.

use serde_json::Value;

/// Each place where a definition takes less, or means something else, than it did.
pub fn breaks(old: &Value, new: &Value) -> Vec<String> {
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
