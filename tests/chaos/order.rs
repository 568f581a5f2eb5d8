//! The order of what happens never matters.
//!
//! Two exceptions are documented: a dataset that two would write belongs to the older of them, and of two that send the
//! same rows to the same place the older may. So no two here do.

use super::settled::versions;
use super::steps::{PLACES, Step, annotate, asked_for, is_going, steps, take};
use crate::support::World;
use connection_operator::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use kube::ResourceExt;
use kube::api::DeleteParams;
use kube::core::DynamicObject;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// How many sequences are tried, unless `CASES` says otherwise.
const CASES: usize = 16;

/// How many of them at the same time.
const AT_ONCE: usize = 8;

#[tokio::test]
async fn any_order_ends_in_the_same_status_and_then_nothing_is_written() {
    let cases = number("CASES").map_or(CASES, |cases| usize::try_from(cases).expect("a small number"));
    let seed = number("SEED").unwrap_or_else(random);
    println!("to try these sequences again: SEED={seed} CASES={cases}");
    let sequences = sequences(seed, cases);
    let runs = futures::stream::iter(
        sequences
            .iter()
            .enumerate()
            .map(|(i, sequence)| check(seed, i, sequence)),
    );
    futures::StreamExt::collect::<Vec<()>>(futures::StreamExt::buffer_unordered(runs, AT_ONCE)).await;
}

/// The same sequences for the same seed.
pub fn sequences(seed: u64, count: usize) -> Vec<Vec<Step>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let sequence = |_| steps().new_tree(&mut runner).expect("a sequence").current();
    (0..count).map(sequence).collect()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

/// Another one each time.
pub fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

async fn check(seed: u64, case: usize, sequence: &[Step]) {
    let world = World::unrefused().await;
    world.keep_canary().await;
    for step in sequence {
        take(&world, step).await;
    }
    compare(&world, &format!("SEED={seed}, sequence {case}: {sequence:?}")).await;
}

/// Compares a world with the same one made in order, and both with what becomes of them if nothing happens.
pub async fn compare(world: &World, what: &str) {
    let found = world.settle().await;
    let other = World::on(world.client.clone()).await;
    other.keep_canary().await;
    make_in_order(world, &found, &other).await;
    let made = other.settle().await;
    let [in_order, as_found] = [other.seen(&made), world.seen(&found)];
    assert!(
        in_order == as_found,
        "{what}\nended otherwise than in order:\n{}",
        differences(&as_found, &in_order)
    );
    for (world, objects) in [(world, &found), (&other, &made)] {
        Box::pin(world.round(0)).await;
        let later = world.look().await;
        assert_eq!(
            versions(objects),
            versions(&later),
            "{what}\nnothing had changed, but something was written"
        );
    }
}

/// Makes the objects that were found in another world, one after the other, and then deletes those that were going.
async fn make_in_order(from: &World, found: &[Option<DynamicObject>], to: &World) {
    for (place, object) in found.iter().enumerate() {
        let Some(object) = object else { continue };
        to.apply(copy(from, object, to)).await;
        if let Some(stamp) = object.annotations().get(CONSENTED_BY_ANNOTATION)
            && stamp.starts_with("withdrawn ")
        {
            annotate(to, place, Some("taken-back")).await;
            annotate(to, place, None).await;
        }
        if let Some(consent) = object.annotations().get(CONSENT_ANNOTATION) {
            let current = asked_for(from, place).await.as_ref() == Some(consent);
            let consent = if current {
                asked_for(to, place).await
            } else {
                Some("0".repeat(64)) // of something else
            };
            annotate(to, place, consent.as_deref()).await;
        }
    }
    let going = |object: &Option<DynamicObject>| object.as_ref().is_some_and(is_going);
    if !found.iter().any(going) {
        return;
    }
    to.settle().await;
    for (place, _) in found.iter().enumerate().filter(|(_, object)| going(object)) {
        let name = to.name_at(place);
        let deletion = to.place(place).delete(&name, &DeleteParams::default()).await;
        deletion.expect("the deletion is accepted");
    }
}

fn copy(from: &World, object: &DynamicObject, to: &World) -> Value {
    let types = object.types.clone().expect("a kind");
    let name = object.name_any();
    let mut manifest =
        json!({"apiVersion": types.api_version, "kind": types.kind, "metadata": {"name": name}});
    for field in ["spec", "data", "type"] {
        if let Some(value) = object.data.get(field) {
            manifest[field] = value.clone();
        }
    }
    let text = manifest.to_string().replace(&from.namespace, &to.namespace);
    serde_json::from_str(&text).expect("JSON")
}

fn differences(found: &serde_json::Map<String, Value>, in_order: &serde_json::Map<String, Value>) -> String {
    let places = PLACES.iter().map(|(kind, name)| format!("{kind} {name}"));
    let differing = places.filter(|place| found.get(place) != in_order.get(place));
    let told = differing.map(|place| {
        format!(
            "{place}: {:#?}\nin order: {:#?}",
            found.get(&place),
            in_order.get(&place)
        )
    });
    told.collect::<Vec<_>>().join("\n")
}
