#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::*;
use crate::api::connection_type::Deprecation;
use crate::fixtures::{
    ConnectionBuilder, catalog_type, connectors, firmographics, marketo, parameters as chosen, seen,
    sftp_partner,
};
use UsedFor::{Enrichment, Export};

fn usable() -> ConnectionBuilder {
    sftp_partner().consented().visited()
}

fn of_broken_type(connection: &ConnectionBuilder) -> ConnectionSeen {
    let mut type_ = catalog_type("sftp-export");
    type_.spec.parameters[0].pattern = Some("[".to_owned());
    ConnectionSeen::Present {
        connection: Arc::new(connection.0.clone()),
        type_: seen(&type_),
    }
}

fn of_deprecated_type(connection: &ConnectionBuilder) -> ConnectionSeen {
    let mut type_ = catalog_type("sftp-export");
    type_.spec.deprecated = Some(Deprecation {
        message: "Nobody sends files any more".to_owned(),
        replacement: Some("pigeon".into()),
    });
    ConnectionSeen::Present {
        connection: Arc::new(connection.0.clone()),
        type_: seen(&type_),
    }
}

fn of_type_run_by(connection: &ConnectionBuilder, connector: Option<&str>) -> ConnectionSeen {
    let mut type_ = catalog_type("sftp-export");
    type_.spec.connector = connector.map(Into::into);
    ConnectionSeen::Present {
        connection: Arc::new(connection.0.clone()),
        type_: seen(&type_),
    }
}

#[test]
fn each_way_to_miss_a_connection_has_its_own_words() {
    let rows = [
        (
            "detached",
            ConnectionSeen::Detached,
            Export,
            Reason::Detached,
            "The export is detached: it names no connection, keeps its whole configuration and does nothing. To use it \
             again, set spec.connectionRef.name.",
        ),
        (
            "deactivated",
            ConnectionSeen::Detached,
            Enrichment,
            Reason::Detached,
            "The enrichment is deactivated: it names no connection, keeps its whole configuration and does nothing. To \
             use it again, set spec.connectionRef.name.",
        ),
        (
            "absent",
            ConnectionSeen::Absent("partner".to_owned()),
            Export,
            Reason::ConnectionNotFound,
            "There is no connection partner in this namespace that this export can use: name another, or ask an \
             administrator for one.",
        ),
        (
            "of a type that isn't there",
            usable().of_type("ftp").seen(),
            Export,
            Reason::TypeNotFound,
            "There is no connection type ftp. To see those there are: kubectl get connectiontypes. A connection's type can't \
             be edited: make another connection, or ask who owns the catalog to apply that type.",
        ),
        (
            "of a type that contradicts itself",
            of_broken_type(&usable()),
            Export,
            Reason::TypeNotReady,
            "The connection type sftp-export contradicts itself: whoever owns it must correct it. To see where: kubectl \
             describe connectiontype sftp-export",
        ),
        (
            "for the other use",
            usable().seen(),
            Enrichment,
            Reason::TypeMismatch,
            "The connection sftp-partner is of type sftp-export, which is for exports: name one whose type is for \
             enrichments.",
        ),
        (
            "for the other use, the other way round",
            firmographics().consented().visited().seen(),
            Export,
            Reason::TypeMismatch,
            "The connection firmographics is of type sftp-import, which is for enrichments: name one whose type is for \
             exports.",
        ),
        (
            "whose type names no connector",
            of_type_run_by(&usable(), None),
            Export,
            Reason::NoConnector,
            "The type sftp-export names no connector, so there is nothing yet that could run it: name a connection of \
             another type.",
        ),
        (
            "whose connector isn't installed",
            of_type_run_by(&usable(), Some("pigeon")),
            Export,
            Reason::NoConnector,
            "The type sftp-export needs the connector pigeon, which this installation doesn't run: ask whoever installed \
             the operator to add it to the chart's value connectors, or name a connection of another type.",
        ),
        (
            "being removed",
            usable().being_removed().seen(),
            Export,
            Reason::ConnectionBeingRemoved,
            "The connection sftp-partner is being removed: name another, or remove the connectionRef.",
        ),
        (
            "not visited yet",
            sftp_partner().seen(),
            Export,
            Reason::ConnectionNotReady,
            "The connection sftp-partner isn't ready: its administrator can see why and what to do. \
             Everything goes on by itself once it is.",
        ),
        (
            "without consent",
            sftp_partner().visited().seen(),
            Export,
            Reason::ConnectionNotReady,
            "The connection sftp-partner isn't ready: its administrator can see why and what to do. \
             Everything goes on by itself once it is.",
        ),
        (
            "suspended",
            sftp_partner().consented().suspended().visited().seen(),
            Export,
            Reason::Suspended,
            "The connection sftp-partner is suspended: nothing on it runs until it is resumed.",
        ),
        (
            "suspended a moment ago, and not visited since",
            usable().suspended().seen(),
            Export,
            Reason::Suspended,
            "The connection sftp-partner is suspended: nothing on it runs until it is resumed.",
        ),
        (
            "suspended and without consent",
            sftp_partner().suspended().visited().seen(),
            Export,
            Reason::ConnectionNotReady,
            "The connection sftp-partner isn't ready: its administrator can see why and what to do. \
             Everything goes on by itself once it is.",
        ),
        (
            "of a type that should no longer be chosen",
            of_deprecated_type(&usable()),
            Export,
            Reason::TypeDeprecated,
            "The connection sftp-partner can be used. Its type sftp-export is deprecated: Nobody sends files any more. Use \
             the type pigeon instead.",
        ),
        (
            "usable",
            usable().seen(),
            Export,
            Reason::ConnectionUsable,
            "The connection sftp-partner can be used.",
        ),
    ];
    for (case, seen, wanted, reason, message) in rows {
        let standing = attached(&seen, wanted, &connectors());
        assert_eq!(
            (standing.reason, standing.message.as_str()),
            (reason, message),
            "{case}"
        );
        assert_eq!(
            standing.status == ConditionStatus::True,
            matches!(reason, Reason::ConnectionUsable | Reason::TypeDeprecated),
            "{case}"
        );
        for secret in ["sftp.partner.example", "/in", "partner,", "username", "password"] {
            assert!(!standing.message.contains(secret), "{case} tells {secret}");
        }
    }
}

#[test]
fn a_connector_that_is_not_installed_runs_nothing() {
    let standing = attached(&usable().seen(), Export, &BTreeSet::new());
    assert_eq!(standing.reason, Reason::NoConnector);
}

#[test]
fn parameters_are_checked_where_they_can_be() {
    let later = "Its parameters are checked once its connection and the connection's type are there.";
    let rows = [
        (
            "detached",
            ConnectionSeen::Detached,
            chosen([("x", "y")]),
            Reason::NotChecked,
            later,
        ),
        (
            "absent",
            ConnectionSeen::Absent("a".to_owned()),
            chosen([]),
            Reason::NotChecked,
            later,
        ),
        (
            "of no type",
            usable().of_type("ftp").seen(),
            chosen([]),
            Reason::NotChecked,
            later,
        ),
        (
            "of the other use",
            firmographics().consented().visited().seen(),
            chosen([]),
            Reason::NotChecked,
            "Its parameters are checked once its connection is of the right kind.",
        ),
        (
            "fitting",
            usable().seen(),
            chosen([("subfolder", "customers")]),
            Reason::AsDeclared,
            "What it says fits the type of its connection.",
        ),
        (
            "checked also while the connection isn't ready",
            sftp_partner().visited().seen(),
            chosen([("compression", "Zip")]),
            Reason::ParametersInvalid,
            "Its connection is of type sftp-export. spec.parameters.compression is \"Zip\", expected one of \"None\", \
             \"Gzip\".",
        ),
        (
            "moved to a connection of another type",
            marketo().consented().visited().seen(),
            chosen([("subfolder", "customers")]),
            Reason::ParametersInvalid,
            "Its connection is of type marketo. spec.parameters has \"subfolder\", which the type doesn't know: it knows \
             listId. spec.parameters.listId is missing: add it, such as \"12345\".",
        ),
    ];
    for (case, seen, chosen, reason, message) in rows {
        let standing = parameters(&seen, Export, &chosen);
        assert_eq!(
            (standing.reason, standing.message.as_str()),
            (reason, message),
            "{case}"
        );
    }
}

#[test]
fn what_a_connection_fixes_is_not_told_to_those_who_use_it() {
    let connection = marketo()
        .fixing("listId", "not-a-number-0815")
        .consented()
        .visited();
    for own in [chosen([]), chosen([("listId", "5")])] {
        let standing = parameters(&connection.seen(), Export, &own);
        assert!(!standing.message.contains("0815"), "{}", standing.message);
    }
}
