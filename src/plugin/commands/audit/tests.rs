use super::access::{Grant, Others, of};
use super::*;
use crate::fixtures::at;
use crate::plugin::screen::Screen;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding};
use serde_json::json;

fn report() -> Report {
    let record = json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "ConsentRecord", "metadata": {"name": "r"},
        "spec": {"subject": {"kind": "Connection", "name": "partner", "uid": "u"}, "decision": "Given", "digest": "d",
                 "by": "=ada", "destination": "hostname \"sftp.example\", folder \"/in\"", "noticeVersion": "1", "at": at(0).to_string()},
    });
    Report {
        records: vec![serde_json::from_value(record).expect("a record")],
        grants: Some(vec![Grant {
            who: "user carol".to_owned(),
            may: "uses partner".to_owned(),
            by: "rolebinding/use-connection-partner".to_owned(),
        }]),
        runs: Some(vec![Ran {
            kind: "export",
            name: "nightly".to_owned(),
            connection: "partner".to_owned(),
            started: at(60),
            outcome: "Succeeded".to_owned(),
        }]),
    }
}

#[test]
fn everything_stands_in_one_table_for_programs() {
    let expected = format!(
        "what,at,who,did,subject,via,destination,notice,digest\r\n\
         \"consent\",\"{}\",\" =ada\",\"Given\",\"connection/partner\",\"\",\"hostname \"\"sftp.example\"\", folder \"\"/in\"\"\",\"1\",\"d\"\r\n\
         \"access\",\"\",\"user carol\",\"uses partner\",\"\",\"rolebinding/use-connection-partner\",\"\",\"\",\"\"\r\n\
         \"run\",\"{}\",\"\",\"Succeeded\",\"export/nightly\",\"\",\"partner\",\"\",\"\"\r\n",
        at(0),
        at(60)
    );
    assert_eq!(csv(&report()), expected);
}

#[test]
fn what_may_not_be_seen_is_said() {
    let screen = Screen::default();
    let whole = page(&report(), screen, str::to_owned);
    for part in ["connection/partner", "uses partner", "export/nightly"] {
        assert!(whole.contains(part), "{part} in {whole}");
    }
    let nothing = page(&Report::default(), screen, str::to_owned);
    for part in [
        "Nobody, as far as records go.",
        "You may not see bindings",
        "You may not see exports",
    ] {
        assert!(nothing.contains(part), "{part} in {nothing}");
    }
}

#[test]
fn rights_are_told_with_their_binding() {
    let use_of = |names: &[&str]| json!({"apiGroups": ["connections.dev"], "resources": ["connections"], "verbs": ["use"], "resourceNames": names});
    let role = |name: &str, rule: serde_json::Value| -> Role {
        serde_json::from_value(json!({"metadata": {"name": name}, "rules": [rule]})).expect("a role")
    };
    let binding = |name: &str, kind: &str, role: &str| -> RoleBinding {
        serde_json::from_value(json!({
            "metadata": {"name": name}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            "subjects": [{"kind": "User", "name": "carol"}, {"kind": "ServiceAccount", "name": "bot", "namespace": "ci"}],
        }))
        .expect("a binding")
    };
    let roles = [
        role("one", use_of(&["partner"])),
        role("all", use_of(&[])),
        role("pods", json!({"verbs": ["use"]})),
        role(
            "mixed",
            json!({"apiGroups": ["connections.dev"], "resources": ["connections"], "verbs": ["get", "use", "patch"],
                   "resourceNames": ["partner", "another"]}),
        ),
    ];
    let bindings = [
        binding("a", "ClusterRole", "connections-admin"),
        binding("b", "Role", "one"),
        binding("c", "Role", "all"),
        binding("d", "Role", "pods"),
        binding("e", "ClusterRole", "view"),
        binding("f", "ClusterRole", "admin"),
        binding("g", "ClusterRole", "hidden"),
        binding("h", "Role", "mixed"),
    ];
    let some = |rules: serde_json::Value| -> Option<Vec<PolicyRule>> {
        Some(serde_json::from_value(rules).expect("rules"))
    };
    let others = Others::from([
        (
            "view".to_owned(),
            some(json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])),
        ),
        (
            "admin".to_owned(),
            some(json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])),
        ),
        ("hidden".to_owned(), None),
    ]);
    let told = |connection| {
        let grants = of(&bindings, &roles, &others, connection);
        let carol = grants.into_iter().filter(|grant| grant.who == "user carol");
        carol
            .map(|grant| format!("{} by {}", grant.may, grant.by))
            .collect::<Vec<_>>()
    };
    let all = [
        "administers all connections by rolebinding/a",
        "changes, consents to, uses, sees all connections by rolebinding/f",
        "uses all connections by rolebinding/c",
        "what clusterrole/hidden allows, which you may not look into by rolebinding/g",
    ];
    assert_eq!(told(Some("other")), all);
    let mixed = "changes, uses, sees another, partner by rolebinding/h";
    let one = "uses partner by rolebinding/b";
    assert_eq!(told(None), [all[0], all[1], mixed, all[2], one, all[3]]);
    let bot = of(&bindings[..1], &[], &Others::new(), None);
    assert!(
        bot.iter().any(|grant| grant.who == "serviceaccount ci/bot"),
        "{bot:?}"
    );
}

#[test]
fn a_beginning_is_a_time_or_a_day() {
    let rows = [
        ("2d", Some(at(0))),
        ("48h", Some(at(0))),
        ("soon", None),
        ("-1h", None),
    ];
    for (text, expected) in rows {
        let since: Option<Since> = text.parse().ok();
        assert_eq!(since.map(|since| since.at(at(2 * 24 * 3600))), expected, "{text}");
    }
    assert_eq!(
        "2026-01-31"
            .parse::<Since>()
            .map(|since| since.at(at(0)).to_string()),
        Ok("2026-01-31T00:00:00Z".to_owned())
    );
}
