//! What nobody uses any more goes at once.

use crate::alone;
use crate::support::World;
use crate::support::manifests::{export, sftp};
use connection_operator::api::{Connection, Export};
use serde_json::json;
use std::time::{Duration, Instant};

/// How long the last step of a removal may take.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_removal_ends_within_a_second_after_its_last_user() {
    let _alone = alone().await;
    let world = World::unrefused().await.furnish().await;
    world.connect(sftp("partner")).await;
    world.apply(export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    world.delete::<Connection>("partner").await;
    world
        .merge::<Export>("nightly", json!({"spec": {"connectionRef": null}}))
        .await;
    let detached = Instant::now();
    world.until_gone::<Connection>("partner").await;
    let took = detached.elapsed();
    assert!(took < AT_ONCE, "the rest of the removal took {took:?}");
}
