//! The pure decisions in a small world, through every order of what may happen: people's acts, what the watches bring and
//! when, each single write, crashes between any two of them, and runs that look for themselves.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

#[path = "model/acts.rs"]
mod acts;
#[path = "model/explore.rs"]
mod explore;
#[allow(
    dead_code,
    reason = "the connector's own faults; its guard names some of them"
)]
#[path = "../connector/src/fault.rs"]
mod fault;
#[path = "model/invariants.rs"]
mod invariants;
#[path = "../connector/src/guard/judge.rs"]
mod judge;
#[path = "model/objects.rs"]
mod objects;
#[path = "model/operator.rs"]
mod operator;
#[path = "model/places.rs"]
mod places;
#[path = "model/rules.rs"]
mod rules;
#[path = "model/world.rs"]
mod world;

use acts::{SCENES, Scene};
use explore::{Found, explore};
use invariants::INVARIANTS;
use rules::MUTATIONS;
use world::World;

/// How much more may happen than a scene says, for those who have the time.
fn more(variable: &str) -> u8 {
    let more = std::env::var(variable).ok();
    more.map_or(0, |more| more.parse().expect("a number"))
}

fn explored(scene: &Scene) -> Found {
    let (acts, faults, visits) = scene.bounds;
    let bounds = (acts + more("MODEL_ACTS"), faults + more("MODEL_FAULTS"));
    let mut world = World::new(None, visits + usize::from(more("MODEL_VISITS")));
    let found = explore(&mut world, scene, bounds);
    println!(
        "{}: {bounds:?}: {} states, {} of them quiet, {} steps, {} decisions, in {:.1?}",
        scene.name, found.states, found.quiet, found.steps, found.decisions, found.took
    );
    found
}

#[test]
fn every_promise_is_kept_in_every_order_of_what_may_happen() {
    let only = std::env::var("MODEL_SCENE").ok();
    let scenes = SCENES
        .iter()
        .filter(|scene| only.as_deref().is_none_or(|only| scene.name == only));
    for scene in scenes {
        let found = explored(scene);
        let promise = found.broken.as_ref().and_then(|broken| {
            let mut promises = INVARIANTS.iter();
            promises.find(|invariant| invariant.name == broken.name)
        });
        let promise = promise.map_or("", |invariant| invariant.promise);
        if let Some(broken) = &found.broken {
            let (name, why, way) = (scene.name, &broken.why, &broken.way);
            panic!("{name}: {} {promise}\n{why}\n{way:#?}", broken.name);
        }
        assert!(found.quiet > 1, "{}: something comes to rest", scene.name);
    }
}

#[test]
fn a_rule_broken_in_any_way_is_found_out() {
    let mut wrong = Vec::new();
    for (mutation, scene, promise) in MUTATIONS {
        let scene = SCENES.iter().find(|known| known.name == scene).expect("a scene");
        let (acts, faults, visits) = scene.bounds;
        let mut world = World::new(Some(mutation), visits);
        let found = explore(&mut world, scene, (acts, faults));
        let caught = found.broken.as_ref().map(|broken| broken.name);
        let way = found.broken.as_ref().map(|broken| &broken.way);
        println!(
            "{mutation:?}: {caught:?} after {way:?}, {} states, {:.1?}",
            found.states, found.took
        );
        if caught != Some(promise) {
            wrong.push(format!("{mutation:?} is caught by {caught:?}, not {promise}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
