//! What the API server refuses before anything is stored.

mod connection_types;
mod connections;
mod datasets;
mod exports_and_enrichments;
mod key_vaults;

use super::table::Expect::{Accepted, Refused};
use super::table::Row;
use serde_json::{Value, json};

/// What a name under parameters or secrets must look like.
const CAMEL: &str = "a name here is in camel case, letters and digits, at most 63 of them";
/// How many sources a secret has.
const ONE_SOURCE: &str = "name exactly one source: secretKeyRef or keyVaultRef";

fn spec(change: &Value) -> Value {
    json!({"spec": change})
}

/// What holds for the display name of every kind that has one.
fn display_names() -> Vec<Row> {
    let named = |name: &str| spec(&json!({"displayName": name}));
    vec![
        (
            "nobody finds what has no name",
            named(""),
            Refused("at least 1 chars long"),
        ),
        ("one character is a name", named("x"), Accepted),
        ("100 characters fit", named(&"x".repeat(100)), Accepted),
        (
            "a table can't show more",
            named(&"x".repeat(101)),
            Refused("Too long: may not be more than 100"),
        ),
        ("characters count, not bytes", named(&"é".repeat(100)), Accepted),
        ("any script", named("Größe 名前 🚀"), Accepted),
        ("from right to left", named("חיבור للشريك"), Accepted),
        ("only spaces can't be seen", named("   "), Refused("should match")),
        (
            "a line break would break a table",
            named("a\nb"),
            Refused("should match"),
        ),
        (
            "it has to be there",
            spec(&json!({"displayName": null})),
            Refused("spec.displayName: Required value"),
        ),
    ]
}
