use super::change::{Consent, changed, patch};
use crate::api::Connection;
use crate::fixtures::catalog_type;
use serde_json::json;

fn connection() -> Connection {
    serde_json::from_value(json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Connection",
        "metadata": {"name": "partner", "namespace": "marketing", "resourceVersion": "7"},
        "spec": {
            "displayName": "Drop", "type": "sftp-export",
            "parameters": {"hostname": "sftp.example", "folder": "/in", "port": "22"},
            "secrets": {"username": {"secretKeyRef": {"name": "partner", "key": "username"}}},
        },
        "status": {"consent": {"given": true}, "conditions": [], "observedGeneration": 1},
    }))
    .expect("a connection")
}

#[test]
fn what_changes_is_told_and_whether_consent_is_for_something_else() {
    let type_ = catalog_type("sftp-export");
    let before = connection();
    let mut named = before.spec.clone();
    named.display_name = "Nightly drop".to_owned();
    let change = changed(&before, &named, &type_);
    assert_eq!(change.lines, ["displayName: \"Drop\" → \"Nightly drop\""]);
    assert_eq!(change.consent, Consent::Stands, "it goes to the same place");
    assert_eq!(change.done("partner"), "partner is changed.");
    let mut without = before.clone();
    without.status = None;
    let change = changed(&without, &named, &type_);
    assert_eq!(change.consent, Consent::Absent, "nobody has said that it stands");
    assert_eq!(
        change.done("partner"),
        "partner is changed. To consent: kubectl connections consent partner"
    );

    let mut moved = before.spec.clone();
    moved
        .parameters
        .insert("hostname".to_owned(), "other.example".to_owned());
    moved.parameters.remove("port");
    let change = changed(&before, &moved, &type_);
    assert_eq!(
        change.lines,
        [
            "parameters.hostname: \"sftp.example\" → \"other.example\"",
            "parameters.port: \"22\" → nothing"
        ]
    );
    assert_eq!(change.consent, Consent::GoesStale, "it goes somewhere else");
}

#[test]
fn a_change_is_of_one_version_and_takes_away_what_went() {
    let before = connection();
    let mut after = before.spec.clone();
    after.parameters.insert("folder".to_owned(), "/new".to_owned());
    after.parameters.remove("port");
    let expected = json!({
        "metadata": {"resourceVersion": "7"},
        "spec": {"parameters": {"folder": "/new", "port": null}},
    });
    assert_eq!(patch(&before, &after), expected);
}
