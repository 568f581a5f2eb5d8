//! Argo CD's health check, run by the Lua that Argo CD speaks, with no more libraries than it opens.

use super::table::rows;
use mlua::{Lua, LuaOptions, LuaSerdeExt, StdLib, Table};
use serde_json::Value;

/// The script, from the ConfigMap as people would take it over.
fn script() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gitops/argocd/argocd-cm.yaml");
    let text = std::fs::read_to_string(path).expect("it can be read");
    let config: Value = serde_saphyr::from_str(&text).expect("YAML");
    let customizations = config["data"]["resource.customizations"]
        .as_str()
        .expect("an entry");
    let customizations: Value = serde_saphyr::from_str(customizations).expect("YAML inside");
    let script = &customizations["connections.dev/*"]["health.lua"];
    script.as_str().expect("a script").to_owned()
}

/// What the script says of an object: status and message.
fn health(script: &str, object: &Value) -> (String, String) {
    let lua = Lua::new_with(StdLib::TABLE, LuaOptions::default()).expect("Lua");
    let absent = mlua::serde::ser::Options::new()
        .serialize_none_to_null(false)
        .serialize_unit_to_null(false)
        .set_array_metatable(false);
    let object = lua.to_value_with(object, absent).expect("a table");
    lua.globals().set("obj", object).expect("a global");
    let health: Table = lua.load(script).eval().expect("the script runs");
    let field = |name: &str| health.get::<String>(name).expect("a text");
    (field("status"), field("message"))
}

#[tokio::test]
async fn argo_cd_says_of_every_kind_in_every_situation_what_the_table_says() {
    let script = script();
    for row in rows().await {
        let (status, message) = health(&script, &row.object);
        assert_eq!(
            status,
            row.situation.argo_cd(),
            "{}: {:#}",
            row.case,
            row.object["status"]
        );
        assert!(
            message.ends_with('.') || message.contains("kubectl"),
            "{}: {message}",
            row.case
        );
    }
}

#[test]
fn argo_cd_waits_for_what_the_operator_has_not_seen() {
    let script = script();
    let unseen = [
        (
            "no status yet",
            serde_json::json!({"metadata": {"generation": 1}}),
        ),
        (
            "the schema's default",
            serde_json::json!({"metadata": {"generation": 1}, "status": {"observedGeneration": -1}}),
        ),
        (
            "changed since",
            serde_json::json!({"metadata": {"generation": 2}, "status": {
                "observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "reason": "Ready"}],
            }}),
        ),
    ];
    for (case, object) in unseen {
        assert_eq!(health(&script, &object).0, "Progressing", "{case}");
    }
}
