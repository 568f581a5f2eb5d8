use super::page::{Facts, Happening, Page};
use crate::api::{ConditionStatus, ConditionType, Connection, Reason};
use crate::fixtures::{at, catalog_type};
use crate::plugin::screen::Screen;
use crate::plugin::target::Kind;
use crate::plugin::users::User;
use serde_json::{Value, json};

fn condition(type_: ConditionType, status: ConditionStatus, reason: Reason, message: &str) -> Value {
    json!({"type": type_.as_str(), "status": status, "reason": reason.as_str(), "message": message,
           "lastTransitionTime": at(0).to_string()})
}

fn facts(status: &Value) -> Facts {
    let connection: Connection = serde_json::from_value(json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Connection",
        "metadata": {"name": "partner", "namespace": "marketing"},
        "spec": {
            "displayName": "Nightly drop", "type": "sftp-export",
            "parameters": {"hostname": "sftp.partner.example", "folder": "/in"},
            "secrets": {"username": {"secretKeyRef": {"name": "partner", "key": "username"}},
                        "password": {"secretKeyRef": {"name": "partner", "key": "password"}}},
        },
        "status": status,
    }))
    .expect("a connection");
    Facts {
        connection,
        type_: Some(catalog_type("sftp-export")),
        users: Some(vec![User {
            kind: Kind::Export,
            name: "nightly".to_owned(),
            uid: "u".to_owned(),
            version: None,
            display_name: "Every night".to_owned(),
            active: true,
            reason: "Ready".to_owned(),
        }]),
        events: Some(vec![Happening {
            at: Some(at(30)),
            reason: "ConsentGiven".to_owned(),
            message: "ada consented.".to_owned(),
        }]),
    }
}

fn page(facts: &Facts) -> String {
    let screen = Screen {
        width: Some(80),
        colour: false,
    };
    Page { screen, now: at(90) }.of(facts)
}

#[test]
fn all_that_is_known_stands_on_a_page() {
    use ConditionStatus::True;
    let status = json!({
        "conditions": [condition(ConditionType::Ready, True, Reason::Ready, "All is well."),
                       condition(ConditionType::ConsentGiven, True, Reason::ConsentCurrent, "Consent stands.")],
        "usedFor": "Export", "access": "Contributors",
        "consent": {"required": "d", "given": true, "by": "ada", "since": at(0).to_string()},
        "secrets": [{"name": "password", "source": "Secret partner, key password", "version": "17", "since": at(0).to_string()}],
    });
    let page = page(&facts(&status));
    let lines = [
        "partner  Nightly drop",
        "Type          sftp-export, for exports",
        "Access        administrators and contributors",
        "Ready         True, Ready, since 90s",
        "Secrets       password: Secret partner, key password, version 17, since 90s",
        "In use        by 1 export",
        "  └─ export/nightly  Active  Every night",
        "  60s     ConsentGiven: ada consented.",
    ];
    for line in lines {
        assert!(page.lines().any(|found| found == line), "{line} in {page}");
    }
    assert!(page.contains("hostname: \"sftp.partner.example\"\n"), "{page}");
    assert!(
        page.contains("Consent       given by ada at 2023-11-14"),
        "{page}"
    );
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
}

#[test]
fn what_is_wrong_and_the_next_step_come_first() {
    let told = "Nobody has consented to it. To read the notice: kubectl get …";
    let status = json!({"conditions": [
        condition(ConditionType::Ready, ConditionStatus::False, Reason::ConsentRequired, told)]});
    let page = page(&facts(&status));
    let expected = "partner  Nightly drop

ConsentRequired
  Nobody has consented to it.
  Next: kubectl connections consent partner

";
    assert!(page.starts_with(expected), "{page}");
}

#[test]
fn what_may_not_be_seen_is_left_out() {
    let mut facts = facts(&Value::Null);
    (facts.users, facts.events, facts.type_) = (None, None, None);
    let page = page(&facts);
    assert!(page.contains("Ready         not looked at yet"), "{page}");
    assert!(page.contains("In use        you may not see by what"), "{page}");
    assert!(
        !page.contains("Events") && !page.contains("Destination"),
        "{page}"
    );
}
