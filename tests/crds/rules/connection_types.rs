//! Connection types.

use super::spec;
use crate::crds::table::Expect::{Accepted, Refused, RefusedByRule};
use crate::crds::table::{changes, creations};
use crate::support::manifests::{connection_type, notice, with};
use connection_operator::api::ConnectionType;
use serde_json::{Value, json};

#[tokio::test]
async fn a_connection_type_is_refused_when_a_declaration_contradicts_itself() {
    let same = json!([{"name": "a", "type": "String", "description": "A."}, {"name": "a", "type": "Boolean", "description": "A."}]);
    let rows = vec![
        ("as it is", json!({}), Accepted),
        (
            "an Enum of nothing",
            parameter(&json!({"type": "Enum"})),
            RefusedByRule("has values exactly if its type is Enum"),
        ),
        (
            "values of a String",
            parameter(&json!({"values": ["a"]})),
            RefusedByRule("has values exactly if its type is Enum"),
        ),
        (
            "the pattern of a number",
            parameter(&json!({"type": "Integer", "pattern": "x"})),
            RefusedByRule("only a String parameter has a pattern"),
        ),
        (
            "the least String",
            parameter(&json!({"min": 1})),
            RefusedByRule("only an Integer parameter has min or max"),
        ),
        (
            "required, but not",
            parameter(&json!({"required": true, "default": "x"})),
            RefusedByRule("a required parameter has no default"),
        ),
        (
            "a name nobody could write",
            parameter(&json!({"name": "list-id"})),
            Refused("should match"),
        ),
        (
            "two of one name",
            spec(&json!({"parameters": same})),
            Refused("Duplicate value"),
        ),
        (
            "a use of its own",
            spec(&json!({"usedFor": "Both"})),
            Refused("Unsupported value"),
        ),
        (
            "columns by an export's choice",
            identity(&json!([{"all": ["email"], "when": {"parameter": "by", "value": "Email"}}])),
            Accepted,
        ),
        (
            "none of no columns",
            identity(&json!([])),
            Refused("should have at least 1 items"),
        ),
        (
            "columns by a choice of nothing",
            identity(&json!([{"all": ["email"], "when": {"parameter": "by"}}])),
            Refused("when.value: Required value"),
        ),
        (
            "columns by an empty choice",
            identity(&json!([{"all": ["email"], "when": {"parameter": "by", "value": ""}}])),
            Refused("should be at least 1 chars long"),
        ),
        (
            "hosts only",
            spec(&json!({"endpoints": ["https://api.example"]})),
            Refused("should match"),
        ),
    ];
    creations::<ConnectionType>(connection_type("good"), rows).await;
}

#[tokio::test]
async fn a_notice_is_refused_that_people_could_not_read_as_it_stands() {
    let rows = vec![
        (
            "a notice without recipient",
            spec(&json!({"notice": {"recipient": null}})),
            Refused("notice.recipient: Required value"),
        ),
        (
            "a link in the clear",
            spec(&json!({"notice": {"privacyStatement": "http://service.example"}})),
            Refused("should match"),
        ),
        (
            "an old link of another kind",
            previous(&json!({"privacyStatement": "javascript:alert(1)"})),
            Refused("should match"),
        ),
        (
            "an old notice for ever",
            previous(&json!({"until": "9999-01-01T00:00:00Z"})),
            RefusedByRule("until is a time within this age"),
        ),
        (
            "a time that no program reads",
            previous(&json!({"until": "2030-01-01T00:00:00.1234567890Z"})),
            Refused("should match"),
        ),
        (
            "a time as fine as can be",
            previous(&json!({"until": "2030-01-01T00:00:00.123456789+00:00"})),
            Accepted,
        ),
        (
            "what people would read backwards",
            spec(&json!({"notice": {"recipient": "Partner \u{202e}moc.live"}})),
            Refused("should match"),
        ),
        (
            "what an old notice hides",
            previous(&json!({"data": "All\u{200b}."})),
            Refused("should match"),
        ),
        (
            "what clears the screen",
            spec(&json!({"description": "A host.\u{1b}[2J"})),
            Refused("should match"),
        ),
        (
            "a notice of several lines",
            spec(&json!({"notice": {"recipient": "A partner.\nAnd its suppliers, in München.\n"}})),
            Accepted,
        ),
        (
            "a notice that nobody reads to its end",
            spec(&json!({"notice": {"recipient": "a".repeat(1025)}})),
            Refused("may not be more than 1024"),
        ),
        (
            "a link with a space",
            spec(&json!({"notice": {"privacyStatement": "https://service.example/ privacy"}})),
            Refused("should match"),
        ),
    ];
    creations::<ConnectionType>(connection_type("good"), rows).await;
}

/// A type that recognises people by one of these.
fn identity(any_of: &Value) -> Value {
    spec(&json!({"identity": {"anyOf": any_of}}))
}

/// The notice before, but for this.
fn previous(change: &Value) -> Value {
    let before = with(notice("0"), &json!({"until": "2030-01-01T00:00:00Z"}));
    spec(&json!({"notice": {"previous": with(before, change)}}))
}

/// A type with such a parameter.
fn parameter(change: &Value) -> Value {
    let parameter = json!({"name": "host", "type": "String", "description": "A host."});
    spec(&json!({"parameters": [with(parameter, change)]}))
}

#[tokio::test]
async fn who_receives_the_data_is_never_left_out_of_consent() {
    let rows = vec![
        (
            "a recipient that consent would leave out",
            parameter(&json!({"recipient": true})),
            RefusedByRule("is a destination too"),
        ),
        (
            "a recipient",
            parameter(&json!({"recipient": true, "destination": true})),
            Accepted,
        ),
    ];
    creations::<ConnectionType>(connection_type("good"), rows).await;
}

#[tokio::test]
async fn what_names_a_destination_goes_on_doing_so() {
    let destination =
        json!({"name": "host", "type": "String", "description": "A host.", "destination": true});
    let account = json!({"name": "user", "kind": "Username", "description": "A name.", "destination": true});
    let type_ = with(
        connection_type("good"),
        &spec(&json!({"parameters": [destination], "secrets": [account]})),
    );
    let now = |field: &str, declared: Value, change: &Value| spec(&json!({field: [with(declared, change)]}));
    let rows = vec![
        (
            "a parameter that no consent would be to",
            now("parameters", destination.clone(), &json!({"destination": null})),
            RefusedByRule("a parameter that names a destination stays, and goes on doing so"),
        ),
        (
            "an account that no consent would be to",
            now("secrets", account.clone(), &json!({"destination": false})),
            RefusedByRule("decides whose account data goes to stays, and goes on doing so"),
        ),
        (
            "other words for it",
            now(
                "parameters",
                destination.clone(),
                &json!({"description": "The host."}),
            ),
            Accepted,
        ),
        (
            "none of it, to declare it unmarked later",
            spec(&json!({"parameters": []})), // null would leave them as they are: the change is merged
            RefusedByRule("a parameter that names a destination stays"),
        ),
        (
            "another in its place",
            now("parameters", destination.clone(), &json!({"name": "address"})),
            RefusedByRule("keep it with destination: true, or make another connection type"),
        ),
        (
            "no account",
            spec(&json!({"secrets": []})),
            RefusedByRule("a secret that decides whose account data goes to stays"),
        ),
        (
            "another beside it",
            spec(
                &json!({"parameters": [destination, {"name": "folder", "type": "String", "description": "A folder."}]}),
            ),
            Accepted,
        ),
    ];
    changes::<ConnectionType>(type_, rows).await;
}

#[tokio::test]
async fn a_connection_type_keeps_its_use_and_its_notice_changes_with_its_version() {
    let rows = vec![
        (
            "its connections are used so",
            spec(&json!({"usedFor": "Enrichment"})),
            RefusedByRule("usedFor can't change: make another"),
        ),
        (
            "what people agreed to",
            spec(&json!({"notice": {"data": "More leaves."}})),
            RefusedByRule("raise notice.version"),
        ),
        ("a new wording", spec(&json!({"notice": notice("2")})), Accepted),
        ("how long the old one counts", previous(&json!({})), Accepted),
    ];
    changes::<ConnectionType>(connection_type("good"), rows).await;
}
