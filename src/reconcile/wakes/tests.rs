#![expect(
    clippy::type_complexity,
    reason = "the type of a table's rows says what its columns are"
)]

use super::*;
use crate::api::dataset::Role as DatasetRole;
use crate::api::{Enrichment, Export};
use crate::cluster::objects::holding;
use crate::fixtures::{
    ConnectionBuilder, DatasetBuilder, ExportBuilder, NAMESPACE, catalog_type, dataset, enrichment, export,
    sftp_partner,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::sync::Arc;

fn exports() -> Objects<Export> {
    holding(vec![
        export("a").on("sftp-partner").0,
        export("b").on("other").reading("orders").0,
        export("c").rejecting_to("rejects").0,
        export("d").rejecting_to("rejects").0,
    ])
}

fn change<K>(before: Option<K>, after: Option<K>) -> Change<K> {
    Change {
        before: before.map(Arc::new),
        after: after.map(Arc::new),
    }
}

fn names(keys: Vec<ObjectKey>) -> Vec<String> {
    let mut names: Vec<String> = keys.into_iter().map(|key| key.name).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn a_connection_wakes_its_users_by_what_they_see_of_it() {
    let base = || sftp_partner().consented().visited();
    let edit = |edit: fn(ConnectionBuilder) -> ConnectionBuilder| Some(edit(base()));
    let rows: Vec<(&str, Option<ConnectionBuilder>, Option<ConnectionBuilder>, bool)> = vec![
        ("it came", None, Some(base()), true),
        ("it went", Some(base()), None, true),
        ("nothing", Some(base()), Some(base()), false),
        (
            "suspended",
            Some(base()),
            edit(ConnectionBuilder::suspended),
            true,
        ),
        (
            "being removed",
            Some(base()),
            edit(ConnectionBuilder::being_removed),
            true,
        ),
        (
            "consent withdrawn, not judged yet",
            Some(base()),
            Some({
                let mut connection = base();
                connection.0.metadata.annotations = None;
                connection
            }),
            true,
        ),
        (
            "consent withdrawn and judged",
            Some(base()),
            Some(sftp_partner().visited()),
            true,
        ),
        (
            "a secret has another version",
            Some(base()),
            Some({
                let mut connection = base();
                connection.0.status.as_mut().unwrap().secrets[0].version = Some("8".to_owned());
                connection
            }),
            true,
        ),
        ("held", Some(base()), edit(ConnectionBuilder::held), false),
        (
            "another user counted",
            Some(base()),
            Some({
                let mut connection = base();
                connection.0.status.as_mut().unwrap().dependents = None;
                connection
            }),
            false,
        ),
    ];
    for (case, before, after, wakes) in rows {
        let change = change(before.map(|built| built.0), after.map(|built| built.0));
        let woken = names(users_of_connection(&change, &exports()));
        assert_eq!(woken, if wakes { vec!["a"] } else { vec![] }, "{case}");
    }
}

#[test]
fn a_dataset_wakes_its_users_by_role_place_and_readiness() {
    let base = || dataset("orders").visited();
    let rows: Vec<(&str, Option<DatasetBuilder>, Option<DatasetBuilder>, bool)> = vec![
        ("it came", None, Some(base()), true),
        ("it came, not visited yet", None, Some(dataset("orders")), true),
        ("it went", Some(base()), None, true),
        ("judged", Some(dataset("orders")), Some(base()), true),
        (
            "another role",
            Some(base()),
            Some(base().of_role(DatasetRole::State)),
            true,
        ),
        ("more members", Some(base()), Some(base().of_members(7)), true),
        (
            "another place",
            Some(base()),
            Some({
                let mut moved = base();
                moved.0.spec.location.url = Some("s3://lake/orders".to_owned());
                moved
            }),
            true,
        ),
        (
            "another identity",
            Some(base()),
            Some(base().holding("mail", "email")),
            true,
        ),
        ("held", Some(base()), Some(base().held()), false),
        (
            "a credential",
            Some(base()),
            Some(base().credential("k", "s", "k")),
            false,
        ),
    ];
    for (case, before, after, wakes) in rows {
        let change = change(before.map(|built| built.0), after.map(|built| built.0));
        let woken = names(users_of_dataset(&change, &exports()));
        assert_eq!(woken, if wakes { vec!["b"] } else { vec![] }, "{case}");
    }
}

#[test]
fn a_type_wakes_what_is_on_its_connections() {
    let connections = holding(vec![sftp_partner().0]);
    let type_ = || catalog_type("sftp-export");
    let mut raised = type_();
    raised.spec.notice.version = "2".to_owned();
    let mut counted = type_();
    counted.status = Some(crate::api::ConnectionTypeStatus::default());
    let rows = [
        ("it came", change(None, Some(type_())), true),
        ("it went", change(Some(type_()), None), true),
        ("it changed", change(Some(type_()), Some(raised)), true),
        ("its status changed", change(Some(type_()), Some(counted)), false),
        ("another", change(None, Some(catalog_type("marketo"))), false),
    ];
    for (case, change, wakes) in rows {
        let woken = names(users_of_type(&change, &connections, &exports()));
        assert_eq!(woken, if wakes { vec!["a"] } else { vec![] }, "{case}");
    }
}

#[test]
fn a_writer_that_came_or_went_wakes_its_rivals() {
    let oldest = || export("oldest").rejecting_to("rejects");
    let rows: Vec<(&str, Option<ExportBuilder>, Option<ExportBuilder>, Vec<&str>)> = vec![
        ("it came", None, Some(oldest()), vec!["c", "d"]),
        ("it went", Some(oldest()), None, vec!["c", "d"]),
        (
            "it let go",
            Some(oldest()),
            Some(export("oldest")),
            vec!["c", "d"],
        ),
        (
            "it moved",
            Some(oldest()),
            Some(export("oldest").rejecting_to("orders")),
            vec!["b", "c", "d"],
        ),
        (
            "it changed otherwise",
            Some(oldest()),
            Some(oldest().on("sftp-partner")),
            vec![],
        ),
        (
            "made anew while the watch was broken",
            Some(oldest()),
            Some(oldest().created(99)),
            vec!["c", "d"],
        ),
    ];
    for (case, before, after, expected) in rows {
        let change = change(before.map(|built| built.0), after.map(|built| built.0));
        assert_eq!(names(rivals_of_writer(&change, &exports())), expected, "{case}");
    }
    let output: Change<Enrichment> = change(None, Some(enrichment("e").writing("rejects").0));
    assert_eq!(
        names(rivals_of_writer(&output, &exports())),
        ["c", "d"],
        "also of another kind"
    );
}

#[test]
fn a_dataset_wakes_those_that_would_write_where_it_lies_or_lay() {
    let rejects = || {
        dataset("rejects")
            .of_role(DatasetRole::Rejects)
            .at("refused/rows.csv")
            .created(10)
    };
    let other = || dataset("other").at("elsewhere");
    let there = holding(vec![rejects().0, other().0]);
    let rows: Vec<(&str, Option<DatasetBuilder>, Option<DatasetBuilder>, Vec<&str>)> = vec![
        ("it came there", None, Some(other().at("refused")), vec!["c", "d"]),
        ("it came elsewhere", None, Some(other()), vec![]),
        ("it went", Some(other().at("refused")), None, vec!["c", "d"]),
        (
            "it moved there",
            Some(other()),
            Some(other().at("refused/*.csv")),
            vec!["c", "d"],
        ),
        (
            "it moved away",
            Some(other().at("refused")),
            Some(other()),
            vec!["c", "d"],
        ),
        (
            "its role changed",
            Some(other().at("refused")),
            Some(other().at("refused").of_role(DatasetRole::Output)),
            vec!["c", "d"],
        ),
        (
            "it was made anew",
            Some(other().at("refused").created(1)),
            Some(other().at("refused").created(90)),
            vec!["c", "d"],
        ),
        (
            "nothing that matters",
            Some(other().at("refused")),
            Some(other().at("refused").of_members(7)),
            vec![],
        ),
        ("itself", None, Some(rejects()), vec![]),
    ];
    for (case, before, after, expected) in rows {
        let change = change(before.map(|built| built.0), after.map(|built| built.0));
        assert_eq!(
            names(rivals_of_place(&change, &there, &exports())),
            expected,
            "{case}"
        );
    }
}

#[test]
fn a_reference_that_begins_or_ends_is_told_once() {
    let on = |name: &str| Reference::Connection(NAMESPACE.to_owned(), name.to_owned());
    let customers = Reference::Dataset(NAMESPACE.to_owned(), "customers".to_owned());
    let sent = |over: &str| {
        let dataset = "customers".to_owned();
        Reference::Segment(NAMESPACE.to_owned(), over.to_owned(), dataset)
    };
    let rows: Vec<(&str, Option<ExportBuilder>, Option<ExportBuilder>, Vec<Reference>)> = vec![
        (
            "it came",
            None,
            Some(export("a").on("one")),
            vec![on("one"), customers.clone(), sent("one")],
        ),
        (
            "it went",
            Some(export("a").on("one")),
            None,
            vec![on("one"), customers, sent("one")],
        ),
        (
            "it moved",
            Some(export("a").on("one")),
            Some(export("a").on("two")),
            vec![on("one"), on("two"), sent("one"), sent("two")],
        ),
        (
            "detached",
            Some(export("a").on("one")),
            Some(export("a")),
            vec![on("one"), sent("one")],
        ),
        (
            "nothing",
            Some(export("a").on("one")),
            Some(export("a").on("one").created(5)),
            vec![],
        ),
    ];
    for (case, before, after, expected) in rows {
        let mut told = begun_or_ended(&change(before.map(|built| built.0), after.map(|built| built.0)));
        told.sort();
        assert_eq!(told, expected, "{case}");
    }
}

#[test]
fn a_secret_wakes_those_that_refer_to_it() {
    let connections = holding(vec![sftp_partner().0]);
    let secret = |name: &str, version: &str| SecretMeta {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(NAMESPACE.to_owned()),
            resource_version: Some(version.to_owned()),
            ..ObjectMeta::default()
        },
        ..SecretMeta::default()
    };
    let rows = [
        ("it came", change(None, Some(secret("partner", "1"))), true),
        ("it went", change(Some(secret("partner", "1")), None), true),
        (
            "it changed",
            change(Some(secret("partner", "1")), Some(secret("partner", "2"))),
            true,
        ),
        (
            "listed again",
            change(Some(secret("partner", "1")), Some(secret("partner", "1"))),
            false,
        ),
        ("another", change(None, Some(secret("other", "1"))), false),
    ];
    for (case, change, wakes) in rows {
        let woken = names(users_of_secret(&change, &connections));
        assert_eq!(woken, if wakes { vec!["sftp-partner"] } else { vec![] }, "{case}");
    }
}
