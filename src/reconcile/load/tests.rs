#![expect(
    clippy::type_complexity,
    reason = "the type of a table's rows says what its columns are"
)]

use super::*;
use crate::api::{Connection, ConnectionType, Dataset};
use crate::cluster::objects::holding;
use crate::fixtures::{ExportBuilder, NAMESPACE, catalog_type, connection, dataset, export, sftp_partner};
use std::sync::Arc;

/// A connection whose type limits nothing, and one whose type limits all that goes over it together.
fn stores(exports: Vec<ExportBuilder>) -> Stores {
    let connections: Vec<Connection> = vec![sftp_partner().0, connection("mailer").of_type("sendgrid").0];
    let datasets: Vec<Dataset> = vec![
        dataset("customers").of_members(70).0,
        dataset("orders").of_members(5).0,
    ];
    let types: Vec<ConnectionType> = vec![catalog_type("sftp-export"), catalog_type("sendgrid")];
    Stores {
        connection_types: holding(types),
        connections: holding(connections),
        exports: holding(exports.into_iter().map(|built| built.0).collect()),
        datasets: holding(datasets),
        ..Stores::default()
    }
}

fn filtered(mut export: ExportBuilder) -> ExportBuilder {
    export.0.spec.payload[0].where_ = Some("country = 'FR'".to_owned());
    export
}

fn names(keys: Vec<ObjectKey>) -> Vec<String> {
    let mut names: Vec<String> = keys.into_iter().map(|key| key.name).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_others_that_send_the_same_dataset_are_found_and_no_more() {
    let mine = export("mine").on("sftp-partner");
    let stores = stores(vec![
        mine.clone(),
        export("same").on("sftp-partner").created(3),
        export("more").on("sftp-partner").reading("orders"),
        export("elsewhere").on("mailer"),
        export("detached"),
        filtered(export("some").on("sftp-partner")),
    ]);
    let found = |export: &ExportBuilder| {
        let item = &export.0.spec.payload[0];
        let found = twins(&export.0, item, &stores).into_iter();
        let mut names: Vec<(String, bool)> = found.map(|twin| (twin.age.1, twin.same_rows)).collect();
        names.sort();
        names
    };
    let named = |named: [(&str, bool); 3]| named.map(|(name, same)| (name.to_owned(), same));
    let all = [("more", true), ("same", true), ("some", false)];
    assert_eq!(found(&mine), named(all));
    let others = [("more", false), ("same", false), ("some", true)];
    assert_eq!(found(&filtered(export("mine").on("sftp-partner"))), named(others));
    assert_eq!(found(&export("detached")), []);
}

#[test]
fn others_are_counted_where_the_service_counts_them_together() {
    let stores = stores(vec![
        export("mine").on("mailer"),
        export("other").on("mailer").reading("orders"),
        filtered(export("some").on("mailer")),
        export("elsewhere").on("sftp-partner"),
    ]);
    let found = |export: ExportBuilder| {
        let others = others(&export.0, NAMESPACE, &stores).into_iter();
        let mut counted: Vec<(String, i64)> = others.map(|((_, name), members)| (name, members)).collect();
        counted.sort();
        counted
    };
    assert_eq!(
        found(export("mine").on("mailer")),
        [("other".to_owned(), 75), ("some".to_owned(), 0)]
    );
    assert_eq!(found(export("elsewhere").on("sftp-partner")), []);
    assert_eq!(found(export("detached")), []);
}

#[test]
fn a_change_wakes_those_that_send_the_same_or_share_a_limit() {
    let stores = stores(vec![
        export("a").on("sftp-partner"),
        export("b").on("sftp-partner"),
        export("c").on("mailer"),
        export("d").on("mailer").reading("orders"),
    ]);
    let on = |connection: &str| Some(export("a").on(connection));
    let choosing = |value: &str| {
        let mut export = export("a").on("sftp-partner");
        let parameters = &mut export.0.spec.parameters;
        parameters.insert("subfolder".to_owned(), value.to_owned());
        Some(export)
    };
    let suspended = || {
        let mut export = export("a").on("sftp-partner");
        export.0.spec.suspend = true;
        Some(export)
    };
    let rows: Vec<(&str, Option<ExportBuilder>, Option<ExportBuilder>, &[&str])> = vec![
        (
            "of other rows",
            on("sftp-partner"),
            Some(filtered(export("a").on("sftp-partner"))),
            &["a", "b"],
        ),
        ("it came", None, on("sftp-partner"), &["a", "b"]),
        ("it went", on("sftp-partner"), None, &["a", "b"]),
        ("nothing", on("sftp-partner"), on("sftp-partner"), &[]),
        ("suspended", on("sftp-partner"), suspended(), &[]),
        ("to another place", on("sftp-partner"), choosing("x"), &["a", "b"]),
        (
            "moved to where a limit is shared",
            on("sftp-partner"),
            on("mailer"),
            &["a", "b", "c", "d"],
        ),
        ("it came detached", None, Some(export("a")), &[]),
    ];
    for (case, before, after, expected) in rows {
        let [before, after] = [before, after].map(|side| side.map(|built| Arc::new(built.0)));
        let woken = names(rivals_of_export(&Change { before, after }, &stores));
        assert_eq!(woken, expected, "{case}");
    }
    let orders = stores
        .exports
        .referring(&Reference::Dataset(NAMESPACE.to_owned(), "orders".to_owned()));
    assert_eq!(names(with_limited(orders, &stores)), ["c", "d"]);
}

#[test]
fn a_limit_is_shared_as_long_as_the_type_that_sets_it_counts() {
    let mut stores = stores(vec![
        export("mine").on("mailer"),
        export("other").on("mailer").reading("orders"),
    ]);
    let mut type_ = catalog_type("sendgrid");
    type_.metadata.generation = Some(1);
    let _ = stores.types.seen(Some(&type_));
    type_.metadata.generation = Some(2);
    type_.spec.limits = None;
    type_.spec.endpoints.clear(); // data goes nowhere: it contradicts itself
    type_.spec.parameters.clear();
    stores.connection_types = holding(vec![type_]);
    assert!(stores.type_seen("sendgrid").is_kept());
    let mine = export("mine").on("mailer").0;
    assert_eq!(others(&mine, NAMESPACE, &stores).len(), 1);
    let change = Change {
        before: None,
        after: Some(Arc::new(mine)),
    };
    assert!(names(rivals_of_export(&change, &stores)).contains(&"other".to_owned()));
}
