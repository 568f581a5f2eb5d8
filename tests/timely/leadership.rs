//! Two replicas: one leads, the other knows everything and writes nothing.

use crate::alone;
use crate::support::malformed::{loosen, store, tighten};
use crate::support::manifests::{dataset, export, partner_secret, sftp, with};
use crate::support::operator::{Operator, own_cluster, writes};
use crate::support::{Kind, PATIENCE, World};
use connection_operator::api::{Connection, Dataset, Export};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject};
use kube::runtime::wait::await_condition;
use local_cluster::{ControlPlane, Options};
use serde_json::json;
use std::time::{Duration, Instant};

/// Two replicas and the API server that they share, which tells them apart by their tokens.
struct Pair {
    control_plane: ControlPlane,
    world: World,
    first: Operator,
    second: Operator,
    tokens: [String; 2],
}

/// Whose token it is.
const FIRST: usize = 0;
const SECOND: usize = 1;

/// The Lease in the logs of the API server.
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/connection-operator/leases";

/// What a machine under load takes for starting a request and a visit, beyond what the Lease says.
const SLACK: Duration = Duration::from_secs(2);

/// Objects that wait to be judged.
const MANY: usize = 40;

impl Pair {
    /// The first leads, the second stands by; something is governed.
    async fn start(lease_seconds: &str) -> Self {
        let options = Options {
            audit: true,
            ..Options::default()
        };
        let (control_plane, client) = own_cluster(options).await;
        let world = World::on(client).await;
        let (first, first_token) = Operator::replica(&control_plane, "first", lease_seconds);
        until_leading(&first).await;
        let (second, second_token) = Operator::replica(&control_plane, "second", lease_seconds);
        second.until_ready().await;
        world.apply(partner_secret()).await;
        world.apply(dataset("customers", "Source")).await;
        world.connect(sftp("partner")).await;
        world.apply(export("nightly", "partner")).await;
        world.until_active::<Export>("nightly").await;
        Self {
            control_plane,
            world,
            first,
            second,
            tokens: [first_token, second_token],
        }
    }

    fn writes(&self, whose: usize) -> Vec<String> {
        writes(&self.control_plane, &self.tokens[whose])
    }

    /// Waits until somebody has written nothing but the Lease for a while: the last events come later than statuses.
    async fn until_calm(&self, whose: usize) {
        let written = || {
            self.writes(whose)
                .iter()
                .filter(|write| !write.contains(LEASE))
                .count()
        };
        let mut before = None;
        while before != Some(written()) {
            before = Some(written());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn lease(&self) -> Lease {
        let leases: Api<Lease> = Api::namespaced(self.world.client.clone(), "connection-operator");
        leases.get("connection-operator").await.expect("it is there")
    }

    async fn holder(&self) -> String {
        let spec = self.lease().await.spec.expect("it was held");
        spec.holder_identity.unwrap_or_default()
    }
}

async fn until_leading(replica: &Operator) {
    let leads = || replica.counted("connections_leader", "") == 1;
    replica.until("it leads", leads).await;
}

impl World {
    /// Waits until the operator has judged an object as it is now.
    async fn until_judged<K: Kind>(&self, name: &str) {
        self.until::<K>(name, "it is judged", is_judged).await;
    }

    /// Makes many objects at once.
    async fn many(&self, name: &str) {
        let made = (0..MANY).map(|number| self.apply(dataset(&format!("{name}-{number}"), "Source")));
        futures::future::join_all(made).await;
    }

    async fn until_many_judged(&self, name: &str) {
        for number in 0..MANY {
            self.until_judged::<Dataset>(&format!("{name}-{number}")).await;
        }
    }

    async fn rename(&self, name: &str) {
        self.merge::<Connection>(name, json!({"spec": {"displayName": "Renamed"}}))
            .await;
    }
}

/// Whether the operator has judged an object as it is now.
fn is_judged<K: Kind>(object: &K) -> bool {
    let status = serde_json::to_value(object).expect("JSON")["status"]["observedGeneration"].as_i64();
    status.is_some() && status == object.meta().generation
}

#[tokio::test]
async fn when_the_leader_is_killed_the_other_acts_within_the_lease_time() {
    let _alone = alone().await;
    let lease = Duration::from_secs(5);
    let pair = Pair::start("5").await;
    let (world, none) = (&pair.world, [""; 0]);
    assert!(
        pair.holder().await.starts_with("first_"),
        "{}",
        pair.holder().await
    );
    assert_eq!(pair.writes(SECOND), none, "a standby writes nothing");
    assert_eq!(pair.second.counted("connections_leader", ""), 0);
    assert_eq!(pair.second.counted("connections_reconciles_total", ""), 0);

    pair.first.signal("KILL");
    let killed = Instant::now();
    world.rename("partner").await; // while nobody leads
    world.until_judged::<Connection>("partner").await;
    let took = killed.elapsed();
    println!("killed: the other acted after {took:?} of {lease:?}");
    assert!(took < lease + 2 * SLACK, "{took:?}"); // it also applies the catalog first, on a machine that does more
    assert!(pair.holder().await.starts_with("second_"));
    until_leading(&pair.second).await;
    let spec = pair.lease().await.spec.expect("it is held");
    assert_eq!(spec.lease_transitions, Some(2));

    // It goes on, as the only one there is.
    world.apply(dataset("companies", "Output")).await;
    world.until_judged::<Dataset>("companies").await;
    pair.until_calm(SECOND).await;
    let before = pair.writes(SECOND).len();
    tokio::time::sleep(lease * 2).await; // a settled leader renews the Lease, and that is all
    let after = pair.writes(SECOND);
    let renewals = &after[before..];
    assert!(renewals.len() >= 4, "{renewals:?}");
    assert!(
        renewals
            .iter()
            .all(|write| write.starts_with(&format!("patch {LEASE}/"))),
        "{renewals:?}"
    );
}

#[tokio::test]
async fn a_leader_that_ends_in_order_lets_the_other_begin_at_once() {
    let _alone = alone().await;
    let mut pair = Pair::start("60").await;
    pair.first.signal("TERM");
    let told = Instant::now();
    pair.world.rename("partner").await;
    pair.world.until_judged::<Connection>("partner").await;
    until_leading(&pair.second).await;
    let took = told.elapsed();
    println!("ended in order: the other acted after {took:?}");
    assert!(took < SLACK, "{took:?}");
    assert!(pair.first.ended().await.success());
    let writes = pair.writes(FIRST);
    let last = writes.last().expect("it gave the Lease up");
    assert!(
        last.starts_with(&format!("patch {LEASE}/")),
        "all visits ended before: {last}"
    );
}

#[tokio::test]
async fn a_leader_that_was_paused_beyond_its_lease_writes_nothing_when_it_wakes() {
    let _alone = alone().await;
    let mut pair = Pair::start("3").await;
    pair.until_calm(FIRST).await; // what is on its way to the socket can't be called back
    pair.first.signal("STOP");
    pair.world.rename("partner").await;
    until_leading(&pair.second).await;
    pair.world.until_judged::<Connection>("partner").await;
    let before = pair.writes(FIRST).len();

    // What is made now nobody judges: whoever wakes would find much to write.
    pair.second.signal("STOP");
    pair.world.many("late").await;
    pair.first.signal("CONT");
    let status = pair.first.ended().await;
    assert_eq!(status.code(), Some(1), "it ends, to begin again as a standby");
    let since = pair.writes(FIRST).split_off(before);
    let refused = |write: &String| write.starts_with(&format!("patch {LEASE}/")) && write.ends_with(" 422");
    assert!(since.iter().all(refused), "{since:?}");
    assert!(!since.is_empty(), "it asked for the Lease");
    let waiting = pair
        .world
        .api::<Dataset>()
        .get("late-0")
        .await
        .expect("it is there");
    assert!(!is_judged(&waiting), "nobody leads");

    // The other one was paused beyond its time too, but nobody has led meanwhile: it goes on.
    tokio::time::sleep(Duration::from_secs(3)).await;
    pair.second.signal("CONT");
    pair.world.until_many_judged("late").await;
    assert!(pair.holder().await.starts_with("second_"));
}

#[tokio::test]
async fn what_does_not_fit_its_schema_and_is_removed_while_nobody_leads_goes_when_the_next_one_does() {
    let _alone = alone().await;
    let pair = Pair::start("3").await;
    let world = &pair.world;
    loosen(world).await;
    let misfit = json!({
        "metadata": {"name": "misfit", "finalizers": ["connections.dev/in-use"]},
        "spec": {"displayName": null},
    });
    store(world, &with(sftp("misfit"), &misfit)).await;
    tighten(world).await;
    pair.first.signal("KILL");
    // It can't be read as a Connection, by us neither.
    let resource = ApiResource::erase::<Connection>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(world.client.clone(), &world.namespace, &resource);
    let deleted = api.delete("misfit", &DeleteParams::default()).await;
    deleted.expect("the deletion is accepted");
    let gone = await_condition(api, "misfit", |object: Option<&DynamicObject>| object.is_none());
    let gone = tokio::time::timeout(PATIENCE, gone).await;
    gone.expect("nothing is stuck").expect("the watch works");
    assert_eq!(pair.second.counted("connections_leader", ""), 1);
}
