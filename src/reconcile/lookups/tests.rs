#![expect(
    clippy::type_complexity,
    reason = "the type of a table's rows says what its columns are"
)]

use super::*;
use crate::api::{Connection, ConnectionType, Dataset};
use crate::cluster::events::Events;
use crate::cluster::objects::holding;
use crate::cluster::secrets::SecretReader;
use crate::fixtures::{
    DatasetBuilder, EnrichmentBuilder, ExportBuilder, NAMESPACE, catalog_type, connectors, dataset,
    enrichment, export, sftp_partner,
};
use crate::governance::vaults::address::Allowed;
use crate::metrics::Metrics;
use crate::reconcile::Links;
use crate::reconcile::Stores;
use crate::vault::connect::Network;
use crate::vault::reach::Reach;
use crate::vault::run_tokens::NoRunAccounts;
use crate::vault::vaults::{Limits, Vaults};
use kube::Client;

/// A world as last seen; its client is never asked.
struct World {
    connection_types: Vec<ConnectionType>,
    connections: Vec<Connection>,
    exports: Vec<ExportBuilder>,
    enrichments: Vec<EnrichmentBuilder>,
    datasets: Vec<DatasetBuilder>,
}

fn world() -> World {
    World {
        connection_types: vec![catalog_type("sftp-export")],
        connections: vec![sftp_partner().0],
        exports: Vec::new(),
        enrichments: Vec::new(),
        datasets: Vec::new(),
    }
}

/// Vaults that nobody asks.
fn unasked() -> Vaults {
    let network = Network::new(Reach::default());
    Vaults::new(network, std::sync::Arc::new(NoRunAccounts), Limits::default()).0
}

impl World {
    fn context(self) -> Context {
        let nowhere = kube::Config::new("http://127.0.0.1:9".parse().expect("an address"));
        let client = Client::try_from(nowhere).expect("a client that nobody asks");
        let metrics = Metrics::default();
        let (events, _untold) = Events::new(client.clone(), metrics.clone(), 1);
        Context {
            secrets: SecretReader::new(client.clone(), holding(Vec::new())),
            links: Links::new(unasked(), Allowed::default()),
            stores: Stores {
                connection_types: holding(self.connection_types),
                connections: holding(self.connections),
                exports: holding(self.exports.into_iter().map(|built| built.0).collect()),
                enrichments: holding(self.enrichments.into_iter().map(|built| built.0).collect()),
                datasets: holding::<Dataset>(self.datasets.into_iter().map(|built| built.0).collect()),
                ..Stores::default()
            },
            connectors: Arc::new(connectors()),
            connector: None,
            pipelines: std::sync::Arc::default(),
            stamped: true,
            policies: crate::cluster::policies::Policies::new(
                client.clone(),
                true,
                std::collections::BTreeMap::new(),
            ),
            events,
            metrics,
            written: crate::reconcile::Written::default(),
            recorded: crate::reconcile::Recorded::default(),
            client,
            failures: crate::reconcile::memory::Failures::default(),
            progress: crate::reconcile::Progress::default(),
        }
    }
}

#[tokio::test]
async fn a_dataset_belongs_to_its_oldest_writer_in_the_right_role() {
    let rejects = || dataset("rejects").of_role(Role::Rejects);
    let mine = || export("mine").created(10).rejecting_to("rejects");
    let rows: Vec<(&str, Vec<ExportBuilder>, Vec<EnrichmentBuilder>, Option<&str>)> = vec![
        ("alone", vec![], vec![], None),
        (
            "a younger one",
            vec![export("other").created(11).rejecting_to("rejects")],
            vec![],
            None,
        ),
        (
            "an older one",
            vec![export("other").created(9).rejecting_to("rejects")],
            vec![],
            Some("export other"),
        ),
        (
            "of one second, a later name",
            vec![export("other").created(10).rejecting_to("rejects")],
            vec![],
            None,
        ),
        (
            "of one second, an earlier name",
            vec![export("also").created(10).rejecting_to("rejects")],
            vec![],
            Some("export also"),
        ),
        (
            "an older one that only reads it",
            vec![export("other").created(1).reading("rejects")],
            vec![],
            None,
        ),
        (
            "an older one that would write it in a role which it hasn't",
            vec![],
            vec![enrichment("squatter").created(1).writing("rejects")],
            None,
        ),
    ];
    for (case, exports, enrichments, expected) in rows {
        let mut exports = exports;
        exports.push(mine());
        let context = World {
            exports,
            enrichments,
            datasets: vec![rejects()],
            ..world()
        }
        .context();
        let use_ = context.stores.dataset_use(
            &mine().0,
            "spec.rejects",
            "rejects",
            Purpose::Write(Role::Rejects),
        );
        assert_eq!(use_.taken_by.as_deref(), expected, "{case}");
        assert!(use_.dataset.is_some(), "{case}");
        let read = context
            .stores
            .dataset_use(&mine().0, "spec.payload", "rejects", Purpose::Read);
        assert_eq!(read.taken_by, None, "{case}: who reads takes nothing");
    }
}

#[tokio::test]
async fn users_are_counted_by_kind_and_named_in_order() {
    let exports = (0..7)
        .map(|i| export(&format!("x{i}")).on("sftp-partner"))
        .collect();
    let enrichments = vec![enrichment("e").on("sftp-partner"), enrichment("f").on("other")];
    let context = World {
        exports,
        enrichments,
        ..world()
    }
    .context();
    let target = Reference::Connection(NAMESPACE.to_owned(), "sftp-partner".to_owned());
    let summary = context.stores.dependents(&target).summary();
    assert_eq!(
        summary,
        "7 exports (x0, x1, x2, x3, x4 and 2 more) and 1 enrichment"
    );
    let free = Reference::Connection(NAMESPACE.to_owned(), "free".to_owned());
    assert!(context.stores.dependents(&free).is_empty());
}

#[tokio::test]
async fn a_connection_is_seen_with_its_type_as_far_as_they_are_there() {
    let named = |name: &str| Some(ConnectionRef { name: name.into() });
    let context = world().context();
    let seen = |namespace: &str, name: Option<ConnectionRef>| {
        context.stores.connection_seen(namespace, name.as_ref())
    };
    assert!(matches!(seen(NAMESPACE, None), ConnectionSeen::Detached));
    assert!(matches!(seen(NAMESPACE, named("absent")), ConnectionSeen::Absent(name) if name == "absent"));
    assert!(
        matches!(seen("sales", named("sftp-partner")), ConnectionSeen::Absent(_)),
        "never across namespaces"
    );
    assert!(matches!(
        seen(NAMESPACE, named("sftp-partner")),
        ConnectionSeen::Present {
            type_: TypeSeen::Usable(_),
            ..
        }
    ));
    let without = World {
        connection_types: Vec::new(),
        ..world()
    }
    .context();
    assert!(matches!(
        without
            .stores
            .connection_seen(NAMESPACE, named("sftp-partner").as_ref()),
        ConnectionSeen::Present {
            type_: TypeSeen::Absent,
            ..
        }
    ));
}
