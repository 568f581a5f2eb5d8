//! The operator's process, killed as by a power cut and started again.

use super::order::{compare, random, sequences};
use super::steps::take;
use crate::stories::run_accounts::{until_account, until_kept};
use crate::support::World;
use crate::support::manifests::{
    dataset, enrichment, partner_secret, sftp, sftp_export, sftp_import, vault_by_run_account,
};
use crate::support::operator::{OPERATOR, Operator, own_cluster, writes};
use connection_operator::api::{Connection, ConnectionType, Dataset, Enrichment, Export, SharedConnection};
use connection_operator::connection_type::catalog::connection_types;
use kube::Api;
use kube::api::{Patch, PatchParams};
use local_cluster::Options;
use serde_json::json;

/// How many objects the restart test makes, beside the types of the catalog.
const OBJECTS: usize = 2 + 2 + 2 + 1 + 2;

/// How many objects the operator looks at in the restart test.
fn objects() -> u64 {
    let types = connection_types().expect("the catalog can be read");
    (types.len() + OBJECTS) as u64
}

/// How often the operator is killed in one sequence, on average every few steps.
const SEQUENCES: usize = 2;

#[tokio::test]
async fn an_operator_killed_at_any_moment_ends_where_one_that_lives_does() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let seed = random();
    println!("killed during the sequences of SEED={seed}");
    let mut moments = seed;
    for sequence in sequences(seed, SEQUENCES) {
        let world = World::on(client.clone()).await;
        let mut operator = Operator::govern(&control_plane).await;
        world.keep_canary().await;
        for step in &sequence {
            take(&world, step).await;
            moments = moments.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            if moments.is_multiple_of(5) {
                operator.kill();
                operator = Operator::start(&control_plane);
            }
        }
        compare(&world, &format!("SEED={seed}: {sequence:?}")).await;
        drop(operator);
    }
}

#[tokio::test]
async fn a_restart_with_everything_settled_writes_nothing_and_leaves_a_type_that_somebody_changed() {
    let options = Options {
        audit: true,
        ..Options::default()
    };
    let (control_plane, client) = own_cluster(options).await;
    let operator = Operator::govern(&control_plane).await;
    let world = World::on(client).await;
    world.apply(partner_secret()).await;
    world.apply(dataset("customers", "Source")).await;
    world.apply(dataset("companies", "Output")).await;
    world.connect(sftp("partner")).await;
    world.connect(sftp_import("provider")).await;
    world.apply(sftp_export("nightly", "partner")).await;
    world.apply(sftp_export("weekly", "partner")).await;
    world.apply(enrichment("companies", "provider")).await;
    world.apply(vault_by_run_account("vault")).await;
    until_kept(&world).await;
    until_account(&world, "vault", "RunAccountKept").await;
    world.until_active::<Export>("nightly").await;
    world.until_active::<Export>("weekly").await;
    world.until_active::<Enrichment>("companies").await;
    until_counted(&world).await;
    operator.kill();

    let before = writes(&control_plane, OPERATOR);
    let operator = Operator::govern(&control_plane).await;
    operator
        .until("every object was visited", || visited(&operator) >= objects())
        .await;
    let after = writes(&control_plane, OPERATOR);
    assert_eq!(
        after[before.len()..],
        [""; 0],
        "the first life wrote {}",
        before.len()
    );
    assert!(!before.is_empty(), "writes can be seen in the log");
    operator.kill();

    let types: Api<ConnectionType> = world.types();
    let theirs = json!({"spec": {"description": "As we call it here."}});
    let changed = types
        .patch("marketo", &PatchParams::default(), &Patch::Merge(theirs))
        .await;
    changed.expect("the change is accepted");
    let operator = Operator::govern(&control_plane).await;
    operator
        .until("every object was visited", || visited(&operator) >= objects())
        .await;
    let marketo = types.get("marketo").await.expect("it is there");
    assert_eq!(marketo.spec.description, "As we call it here.");
}

/// Waits for the last writes: those that count users, and what contributors see.
async fn until_counted(world: &World) {
    world.until_used_by::<Connection>("partner", 2).await;
    world.until_used_by::<Connection>("provider", 1).await;
    world.until_used_by::<Dataset>("customers", 3).await;
    world.until_used_by::<Dataset>("companies", 1).await;
    // What contributors see of the provider follows its status.
    world
        .until_ready_says::<SharedConnection>("provider", "Ready")
        .await;
}

fn visited(operator: &Operator) -> u64 {
    operator.counted("connections_reconciles_total", "outcome=\"settled\"")
}
