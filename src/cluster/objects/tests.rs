use super::*;
use crate::api::Export;
use crate::fixtures::{ExportBuilder, NAMESPACE, export};
use futures::FutureExt;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn listed(feed: &mut Feed<Export>, exports: &[ExportBuilder]) -> Vec<Change<Export>> {
    feed.apply(&Seen::Event(Event::Init));
    for export in exports {
        let told = feed.apply(&Seen::Event(Event::InitApply(export.0.clone())));
        assert!(told.is_empty(), "a list counts once it's whole");
    }
    feed.apply(&Seen::Event(Event::InitDone))
}

fn applied(feed: &mut Feed<Export>, export: &ExportBuilder) -> Vec<Change<Export>> {
    feed.apply(&Seen::Event(Event::Apply(export.0.clone())))
}

fn gone(feed: &mut Feed<Export>, name: &str) -> Vec<Change<Export>> {
    feed.apply(&Seen::Unreadable(ObjectKey::new(NAMESPACE, name)))
}

/// Name, whether it was there, whether it is.
fn told(changes: &[Change<Export>]) -> BTreeMap<String, (bool, bool)> {
    let told = changes.iter().map(|change| {
        let name = change
            .sides()
            .next()
            .map(|export| export.name_any())
            .unwrap_or_default();
        (name, (change.before.is_some(), change.after.is_some()))
    });
    told.collect()
}

fn users(objects: &Objects<Export>, connection: &str) -> Vec<String> {
    let target = Reference::Connection(NAMESPACE.to_owned(), connection.to_owned());
    objects
        .referring(&target)
        .into_iter()
        .map(|key| key.name)
        .collect()
}

fn row(name: &str, before: bool, after: bool) -> (String, (bool, bool)) {
    (name.to_owned(), (before, after))
}

/// A list of one namespace, where namespaces are followed one by one.
fn listed_in(feed: &mut Feed<Export>, namespace: &str, exports: &[ExportBuilder]) -> Vec<Change<Export>> {
    let within = |export: &ExportBuilder| {
        let mut export = export.0.clone();
        export.metadata.namespace = Some(namespace.to_owned());
        export
    };
    feed.apply(&Seen::Listed(
        namespace.to_owned(),
        exports.iter().map(within).collect(),
    ))
}

#[test]
fn a_list_of_one_namespace_replaces_nothing_of_another() {
    let mut feed = Feed::of(&["sales".to_owned(), NAMESPACE.to_owned()].into());
    let ready = feed.objects().store();
    listed_in(
        &mut feed,
        NAMESPACE,
        &[export("a").on("one"), export("b").on("one")],
    );
    assert!(
        ready.wait_until_ready().now_or_never().is_none(),
        "sales wasn't listed yet"
    );
    listed_in(&mut feed, "sales", &[export("a").on("one")]);
    assert!(ready.wait_until_ready().now_or_never().is_some());
    assert_eq!(feed.objects().len(), 3);

    let again = listed_in(&mut feed, NAMESPACE, &[export("b").on("two")]);
    assert_eq!(told(&again), [row("a", true, false), row("b", true, true)].into());
    assert!(feed.objects().get("sales", "a").is_some(), "another namespace's");
    assert_eq!(users(&feed.objects(), "two"), ["b"]);
    assert_eq!(users(&feed.objects(), "one"), Vec::<String>::new());
}

#[test]
fn a_new_list_tells_also_what_was_deleted_meanwhile() {
    let mut feed = Feed::default();
    let first = listed(&mut feed, &[export("a").on("one"), export("b").on("one")]);
    assert_eq!(
        told(&first),
        [row("a", false, true), row("b", false, true)].into()
    );
    let second = listed(&mut feed, &[export("b").on("two"), export("c").on("one")]);
    assert_eq!(
        told(&second),
        [row("a", true, false), row("b", true, true), row("c", false, true)].into()
    );
    let objects = feed.objects();
    assert_eq!(users(&objects, "one"), ["c"]);
    assert_eq!(users(&objects, "two"), ["b"]);
    assert_eq!(objects.len(), 2);
}

#[test]
fn a_list_that_broke_off_changes_nothing() {
    let mut feed = Feed::default();
    listed(&mut feed, &[export("a").on("one")]);
    feed.apply(&Seen::Event(Event::Init));
    feed.apply(&Seen::Event(Event::InitApply(export("x").on("one").0)));
    assert_eq!(users(&feed.objects(), "one"), ["a"]);
    let whole = listed(&mut feed, &[export("a").on("one")]);
    assert_eq!(
        told(&whole),
        [row("a", true, true)].into(),
        "what the broken list brought is forgotten"
    );
}

#[test]
fn an_object_that_can_no_longer_be_read_is_gone() {
    let mut feed = Feed::default();
    listed(&mut feed, &[export("a").on("one")]);
    assert_eq!(told(&gone(&mut feed, "a")), [row("a", true, false)].into());
    assert!(gone(&mut feed, "a").is_empty(), "once");
    assert!(gone(&mut feed, "never-seen").is_empty());
    assert_eq!(users(&feed.objects(), "one"), Vec::<String>::new());
    assert_eq!(
        told(&applied(&mut feed, &export("a").on("one"))),
        [row("a", false, true)].into()
    );
    assert_eq!(users(&feed.objects(), "one"), ["a"]);
}

#[test]
fn the_index_follows_each_change() {
    let mut feed = Feed::default();
    listed(&mut feed, &[]);
    applied(&mut feed, &export("a").on("one"));
    let moved = applied(&mut feed, &export("a").on("two"));
    assert_eq!(
        moved[0]
            .before
            .as_ref()
            .and_then(|export| export.spec.connection_ref.clone()),
        export("a").on("one").0.spec.connection_ref
    );
    assert_eq!(
        (users(&feed.objects(), "one"), users(&feed.objects(), "two")),
        (vec![], vec!["a".to_owned()])
    );
    applied(&mut feed, &export("a"));
    assert_eq!(users(&feed.objects(), "two"), Vec::<String>::new(), "detached");
}

#[test]
fn users_are_counted_in_full_and_named_in_order() {
    let mut feed = Feed::default();
    let exports: Vec<ExportBuilder> = (0..8).rev().map(|i| export(&format!("x{i}")).on("one")).collect();
    listed(&mut feed, &exports);
    let target = Reference::Connection(NAMESPACE.to_owned(), "one".to_owned());
    let first = ["x0", "x1", "x2"].map(str::to_owned).to_vec();
    assert_eq!(feed.objects().count_referring(&target, 3), (8, first));
    let elsewhere = Reference::Connection("sales".to_owned(), "one".to_owned());
    assert_eq!(
        feed.objects().count_referring(&elsewhere, 3),
        (0, vec![]),
        "never across namespaces"
    );
}

#[derive(Clone, Debug)]
enum Step {
    Apply(u8, Option<u8>),
    Gone(u8),
    List(BTreeMap<u8, Option<u8>>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0u8..5, proptest::option::of(0u8..3)).prop_map(|(name, on)| Step::Apply(name, on)),
        2 => (0u8..5).prop_map(Step::Gone),
        1 => proptest::collection::btree_map(0u8..5, proptest::option::of(0u8..3), 0..5).prop_map(Step::List),
    ];
    proptest::collection::vec(step, 0..30)
}

fn made(name: u8, on: Option<u8>) -> ExportBuilder {
    let export = export(&format!("x{name}"));
    match on {
        Some(connection) => export.on(&format!("c{connection}")),
        None => export,
    }
}

proptest! {
    #[test]
    fn the_index_says_the_same_as_a_scan(steps in steps()) {
        let mut feed = Feed::default();
        listed(&mut feed, &[]);
        let mut world: BTreeMap<u8, Option<u8>> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Apply(name, on) => {
                    applied(&mut feed, &made(name, on));
                    world.insert(name, on);
                }
                Step::Gone(name) => {
                    gone(&mut feed, &format!("x{name}"));
                    world.remove(&name);
                }
                Step::List(listing) => {
                    let exports: Vec<ExportBuilder> = listing.iter().map(|(name, on)| made(*name, *on)).collect();
                    listed(&mut feed, &exports);
                    world = listing;
                }
            }
            for connection in 0..3 {
                let scanned: Vec<String> = world
                    .iter()
                    .filter(|(_, on)| **on == Some(connection))
                    .map(|(name, _)| format!("x{name}"))
                    .collect();
                prop_assert_eq!(users(&feed.objects(), &format!("c{connection}")), scanned);
            }
            prop_assert_eq!(feed.objects().len(), world.len());
        }
    }
}
