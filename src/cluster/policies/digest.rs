//! What of a policy decides about requests, as a digest. The chart makes the same of the policies that it renders
//! (`templates/policies/_policies.tpl`), in which nothing stands that the API server fills in by itself.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hex over compact JSON with sorted keys: when the policy fails, what it matches, its
/// conditions, variables, validations and mutations. Texts for people have no part in it.
pub(super) fn of(spec: &Value) -> String {
    let judged = json!([
        spec["failurePolicy"],
        without_defaults(&spec["matchConstraints"]),
        by_name(&spec["matchConditions"]),
        by_name(&spec["variables"]),
        expressions(&spec["validations"]),
        elements(&spec["mutations"]).collect::<Vec<_>>(),
    ]);
    format!("{:x}", Sha256::digest(judged.to_string()))
}

fn elements(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Expressions by their names, which are unique; an expression may be written only after those that it refers to.
fn by_name(list: &Value) -> Map<String, Value> {
    let named = elements(list).map(|each| (each["name"].as_str().unwrap_or_default(), &each["expression"]));
    named
        .map(|(name, expression)| (name.to_owned(), expression.clone()))
        .collect()
}

fn expressions(list: &Value) -> Vec<&Value> {
    elements(list).map(|each| &each["expression"]).collect()
}

/// The constraints as they were written: without what the API server fills in where nothing is said.
fn without_defaults(constraints: &Value) -> Value {
    let mut constraints = constraints.clone();
    if let Some(fields) = constraints.as_object_mut() {
        fields.retain(|name, value| match name.as_str() {
            "matchPolicy" => value != "Equivalent",
            _ => !is_empty(value),
        });
        for list in fields.values_mut().filter_map(Value::as_array_mut) {
            list.iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(|rule| rule.retain(|name, value| name != "scope" || value != "*"));
        }
    }
    constraints
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || *value == json!({}) || *value == json!([])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Value {
        json!({
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["connections.dev"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["*/status"],
            }]},
            "validations": [{"expression": "size('<é>') > 1 &&\n  true", "message": "no", "reason": "Forbidden"}],
        })
    }

    #[test]
    fn it_is_the_digest_that_the_charts_template_makes() {
        let text = concat!(
            r#"["Fail",{"resourceRules":[{"apiGroups":["connections.dev"],"apiVersions":["*"],"operations":["UPDATE"],"#,
            r#""resources":["*/status"]}]},{},{},["size('<é>') > 1 &&\n  true"],[]]"#
        );
        assert_eq!(of(&written()), format!("{:x}", Sha256::digest(text)));
    }

    #[test]
    fn what_the_api_server_fills_in_and_what_is_for_people_changes_nothing() {
        let mut stored = written();
        stored["matchConstraints"]["matchPolicy"] = json!("Equivalent");
        stored["matchConstraints"]["namespaceSelector"] = json!({});
        stored["matchConstraints"]["objectSelector"] = json!({});
        stored["matchConstraints"]["resourceRules"][0]["scope"] = json!("*");
        stored["validations"][0]["message"] = json!("never");
        assert_eq!(of(&stored), of(&written()));
    }

    #[test]
    fn whatever_decides_changes_it() {
        let rows = [
            ("failing open", "/failurePolicy", json!("Ignore")),
            ("another expression", "/validations/0/expression", json!("true")),
            ("no rules", "/validations", json!([])),
            (
                "fewer resources",
                "/matchConstraints/resourceRules/0/resources",
                json!(["exports/status"]),
            ),
            (
                "objects of a namespace alone",
                "/matchConstraints/resourceRules/0/scope",
                json!("Namespaced"),
            ),
            (
                "some namespaces",
                "/matchConstraints/namespaceSelector",
                json!({"matchLabels": {"a": "b"}}),
            ),
            (
                "versions by their letter",
                "/matchConstraints/matchPolicy",
                json!("Exact"),
            ),
            (
                "what is left out",
                "/matchConstraints/excludeResourceRules",
                json!([{"resources": ["exports"]}]),
            ),
            (
                "a condition",
                "/matchConditions",
                json!([{"name": "a", "expression": "false"}]),
            ),
            (
                "a variable",
                "/variables",
                json!([{"name": "a", "expression": "1"}]),
            ),
            (
                "a mutation",
                "/mutations",
                json!([{"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}]),
            ),
        ];
        for (case, path, value) in rows {
            let mut altered = written();
            let (parent, field) = path.rsplit_once('/').expect("a path");
            altered.pointer_mut(parent).expect("it is there")[field] = value;
            assert_ne!(of(&altered), of(&written()), "{case}");
        }
    }
}
