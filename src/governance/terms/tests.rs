#![expect(
    clippy::type_complexity,
    reason = "the type of a table's rows says what its columns are"
)]

use super::*;
use crate::fixtures::{DatasetBuilder, catalog_seen, catalog_type, dataset, parameters, seen};
use proptest::prelude::*;

pub(super) fn of_catalog(name: &str) -> Arc<CompiledType> {
    catalog_seen(name)
        .usable()
        .expect("the type fits together")
        .clone()
}

/// A type of the catalog with other limits.
fn limited(limits: Limits) -> Arc<CompiledType> {
    let mut type_ = catalog_type("sftp-export");
    type_.spec.limits = Some(limits);
    seen(&type_).usable().expect("the type fits together").clone()
}

pub(super) fn item(dataset: &DatasetBuilder) -> Item<'static> {
    let name = dataset.0.metadata.name.clone().expect("a name");
    Item {
        field: "spec.payload",
        name: Box::leak(name.into_boxed_str()),
        dataset: Some(Arc::new(dataset.0.clone())),
        columns: &[],
        mapped: Vec::new(),
        filtered: false,
        twins: Vec::new(),
    }
}

pub(super) fn load(items: Vec<Item<'static>>) -> Load<'static> {
    Load {
        items,
        age: (10, "mine".to_owned()),
        others: Vec::new(),
    }
}

pub(super) fn said(type_: &CompiledType, load: &Load<'_>) -> Option<(Reason, String)> {
    let none = Parameters::new();
    let settings = Settings {
        connection: &none,
        fixed: &none,
        chosen: &none,
    };
    let standing = judge(type_, &settings, load)?;
    Some((standing.reason, standing.message))
}

#[test]
fn members_are_counted_as_far_as_they_are_known() {
    let few = |members| item(&dataset("shoppers").holding("mail", "email").of_members(members));
    let some = |members| Item {
        filtered: true,
        ..few(members)
    };
    let unknown = || item(&dataset("shoppers").holding("mail", "email"));
    let per = |scope| {
        limited(Limits {
            max_members: Some(1000),
            max_members_per: scope,
            ..Limits::default()
        })
    };
    let adroll = of_catalog("adroll");
    let (each, export) = (per(Some(LimitScope::Dataset)), per(Some(LimitScope::Export)));
    let unsaid = per(None);
    let rows: Vec<(
        &str,
        &Arc<CompiledType>,
        Vec<Item<'static>>,
        Option<(Reason, &str)>,
    )> = vec![
        ("just enough", &adroll, vec![few(100)], None),
        ("nobody knows", &adroll, vec![unknown()], None),
        (
            "too few",
            &adroll,
            vec![few(99)],
            Some((
                Reason::TooFewMembers,
                "spec.payload names the dataset shoppers of 99 members, and the type adroll takes 100 and more: name a \
                 larger one, or have an administrator correct its spec.members.",
            )),
        ),
        (
            "some of too few are too few",
            &adroll,
            vec![some(99)],
            Some((Reason::TooFewMembers, "")),
        ),
        ("some of enough may be enough", &adroll, vec![some(100)], None),
        (
            "too many of one",
            &each,
            vec![few(1000), few(1001)],
            Some((
                Reason::TooManyMembers,
                "spec.payload names the dataset shoppers of 1001 members, and the type sftp-export takes at most 1000 of \
                 each: send fewer of them, or have an administrator correct its spec.members.",
            )),
        ),
        ("many of many", &each, vec![few(1000), few(1000)], None),
        (
            "too many in all",
            &export,
            vec![few(600), few(401)],
            Some((
                Reason::TooManyMembers,
                "1001 members would go out, and the type sftp-export takes at most 1000 of each export: send fewer of \
                 them, or spread them over several exports.",
            )),
        ),
        (
            "an export by itself is meant if nothing is said",
            &unsaid,
            vec![few(1001)],
            Some((Reason::TooManyMembers, "")),
        ),
        ("some of too many may fit", &export, vec![some(5000)], None),
        (
            "nobody knows all of them",
            &export,
            vec![few(900), unknown()],
            None,
        ),
        (
            "more than can be counted",
            &export,
            vec![few(i64::MAX), few(i64::MAX)],
            Some((Reason::TooManyMembers, "")),
        ),
    ];
    for (case, type_, items, expected) in rows {
        let found = said(type_, &load(items));
        assert_eq!(
            found.as_ref().map(|found| found.0),
            expected.map(|expected| expected.0),
            "{case}"
        );
        let message = found.map(|found| found.1).unwrap_or_default();
        let text = expected.map_or("", |expected| expected.1);
        assert!(text.is_empty() || message == text, "{case}: {message}");
    }
}

#[test]
fn what_a_service_takes_in_all_goes_to_the_older_exports_first() {
    let sendgrid = of_catalog("sendgrid"); // 100,000 in all
    let people = |members| item(&dataset("people").holding("mail", "email").of_members(members));
    let rows = [
        ("alone", 100_000, vec![], false),
        ("too many by itself", 100_001, vec![], true),
        ("with an older one", 50_000, vec![((9, "other"), 50_001)], true),
        ("it fits exactly", 50_000, vec![((9, "other"), 50_000)], false),
        ("with a younger one", 50_000, vec![((11, "other"), 90_000)], false),
        (
            "of one second, an earlier name",
            50_000,
            vec![((10, "a"), 90_000)],
            true,
        ),
        (
            "of one second, a later name",
            50_000,
            vec![((10, "z"), 90_000)],
            false,
        ),
    ];
    for (case, own, others, refused) in rows {
        let others = others
            .into_iter()
            .map(|((created, name), members): ((i64, &str), i64)| ((created, name.to_owned()), members));
        let load = Load {
            others: others.collect(),
            ..load(vec![people(own)])
        };
        let found = said(&sendgrid, &load).map(|found| found.0);
        assert_eq!(found, refused.then_some(Reason::TooManyMembers), "{case}");
    }
    let load = Load {
        others: vec![((9, "other".to_owned()), 60_000)],
        ..load(vec![people(50_000)])
    };
    assert_eq!(
        said(&sendgrid, &load).map(|found| found.1).as_deref(),
        Some(
            "50000 members would go out, older exports on the connection send 60000 already, and the type sendgrid takes \
             at most 100000 in all: send fewer of them."
        )
    );
}

#[test]
fn where_one_dataset_is_allowed_two_are_too_many() {
    let one = of_catalog("adobe-campaign-standard");
    let table = || item(&dataset("segment"));
    assert_eq!(said(&one, &load(vec![table()])), None);
    assert_eq!(
        said(&one, &load(vec![table(), table()])),
        Some((
            Reason::TooManyDatasets,
            "spec.payload has 2 datasets, and the type adobe-campaign-standard takes at most 1 at once: make another export \
             for each of the others."
                .to_owned()
        ))
    );
}

#[test]
fn the_same_rows_go_to_the_same_place_once() {
    let marketo = of_catalog("marketo");
    let sftp = of_catalog("sftp-export");
    let none = Parameters::new;
    let list = |id: &str| parameters([("listId", id)]);
    let rows: Vec<(
        &str,
        &Arc<CompiledType>,
        Parameters,
        Parameters,
        (Age, Parameters),
        bool,
    )> = vec![
        (
            "an older one",
            &marketo,
            none(),
            list("1"),
            ((9, "a".into()), list("1")),
            true,
        ),
        (
            "a younger one",
            &marketo,
            none(),
            list("1"),
            ((11, "a".into()), list("1")),
            false,
        ),
        (
            "of one second, an earlier name",
            &marketo,
            none(),
            list("1"),
            ((10, "a".into()), list("1")),
            true,
        ),
        (
            "of one second, a later name",
            &marketo,
            none(),
            list("1"),
            ((10, "z".into()), list("1")),
            false,
        ),
        (
            "to another list",
            &marketo,
            none(),
            list("1"),
            ((9, "a".into()), list("2")),
            false,
        ),
        (
            "to another folder",
            &sftp,
            none(),
            none(),
            ((9, "a".into()), parameters([("subfolder", "x")])),
            false,
        ),
        (
            "in another form only",
            &sftp,
            none(),
            none(),
            ((9, "a".into()), parameters([("compression", "Gzip")])),
            true,
        ),
        (
            "what the connection fixes decides for both",
            &marketo,
            list("7"),
            list("1"),
            ((9, "a".into()), list("2")),
            true,
        ),
    ];
    for (case, type_, fixed, chosen, other, twice) in rows {
        let mail = dataset("people").holding("mail", "email");
        let twin = Item {
            twins: vec![twin(other.0, other.1)],
            ..item(&mail)
        };
        let settings = Settings {
            connection: &none(),
            fixed: &fixed,
            chosen: &chosen,
        };
        let found = judge(type_, &settings, &load(vec![twin]));
        let reason = found.map(|found| found.reason);
        assert_eq!(reason, twice.then_some(Reason::DatasetSentTwice), "{case}");
    }
}

fn twin(age: Age, chosen: Parameters) -> Twin {
    Twin {
        age,
        chosen,
        same_rows: true,
    }
}

#[test]
fn other_rows_go_to_the_same_list_and_would_overwrite_the_same_file() {
    let none = Parameters::new();
    for (type_, twice) in [
        ("azure-blob-storage", true),
        ("marketo", false),
        ("s3", true),
        ("salesforce-marketing-cloud", true),
        ("sftp-export", true),
    ] {
        let mail = dataset("people").holding("mail", "email");
        let others = Item {
            twins: vec![Twin {
                same_rows: false,
                ..twin((9, "a".into()), Parameters::new())
            }],
            ..item(&mail)
        };
        let settings = Settings {
            connection: &none,
            fixed: &none,
            chosen: &none,
        };
        let found = judge(&of_catalog(type_), &settings, &load(vec![others]));
        let reason = found.as_ref().map(|found| found.reason);
        assert_eq!(reason, twice.then_some(Reason::DatasetSentTwice), "{type_}");
        let text = found.map(|found| found.message).unwrap_or_default();
        assert_eq!(text.contains("writes the same file of it"), twice, "{text}");
    }
}

#[test]
fn the_oldest_of_several_is_named() {
    let twin = Item {
        twins: [(9, "late"), (3, "early"), (12, "later")]
            .map(|(created, name)| twin((created, name.to_owned()), Parameters::new()))
            .into(),
        ..item(&dataset("people"))
    };
    assert_eq!(
        said(&of_catalog("sftp-export"), &load(vec![twin]))
            .map(|found| found.1)
            .as_deref(),
        Some(
            "spec.payload names the dataset people, and the export early, the older of the two, writes the same file of it: \
             choose another place by parameters, or leave it out."
        )
    );
}

fn any_limits() -> impl Strategy<Value = Limits> {
    let number = || proptest::option::of(1i64..2000);
    let scope = proptest::option::of(proptest::sample::select(vec![
        LimitScope::Export,
        LimitScope::Dataset,
        LimitScope::Destination,
    ]));
    (number(), number(), scope, proptest::option::of(1i64..4)).prop_map(
        |(least, most, max_members_per, max_datasets)| Limits {
            // One that contradicts itself is refused as a type.
            min_members: least.min(most.or(least)),
            max_members: most,
            max_members_per: max_members_per.filter(|_| most.is_some()),
            max_datasets,
            ..Limits::default()
        },
    )
}

proptest! {
    /// Of two exports that send the same to the same place, one goes out, and the same one whoever is judged first.
    #[test]
    fn of_two_that_send_the_same_exactly_one_is_refused(a in 0i64..3, b in 0i64..3, names in "[a-c]{2}") {
        let (first, second) = names.split_at(1);
        prop_assume!(first != second);
        let ages = [(a, first.to_owned()), (b, second.to_owned())];
        let refused = |me: usize| {
            let twin = Item { twins: vec![twin(ages[1 - me].clone(), Parameters::new())], ..item(&dataset("people")) };
            let load = Load { age: ages[me].clone(), ..load(vec![twin]) };
            said(&of_catalog("sftp-export"), &load).is_some()
        };
        prop_assert_ne!(refused(0), refused(1));
    }

    /// What is taken never exceeds what the service takes, whatever is sent, and nothing is refused for nothing.
    #[test]
    fn what_goes_out_keeps_within_the_limits(
        limits in any_limits(),
        counts in proptest::collection::vec((0i64..1500, any::<bool>()), 1..4),
        older in proptest::collection::vec(0i64..800, 0..3),
    ) {
        let items = counts.iter().map(|(members, filtered)| Item {
            filtered: *filtered,
            ..item(&dataset("people").of_members(*members))
        });
        let others = older.iter().map(|members| ((1, "older".to_owned()), *members));
        let load = Load { others: others.collect(), ..load(items.collect()) };
        let certain = || counts.iter().filter(|(_, filtered)| !filtered).map(|(members, _)| *members);
        let (sum, before): (i64, i64) = (certain().sum(), older.iter().sum());
        let most = limits.max_members.unwrap_or(i64::MAX);
        let fits = match limits.max_members_per {
            Some(LimitScope::Dataset) => certain().all(|members| members <= most),
            Some(LimitScope::Destination) => sum == 0 || before + sum <= most,
            Some(LimitScope::Export) | None => sum <= most,
        };
        let enough = counts.iter().all(|(members, _)| *members >= limits.min_members.unwrap_or(0));
        let few = limits.max_datasets.is_none_or(|most| i64::try_from(counts.len()).expect("a few") <= most);
        let found = said(&limited(limits), &load);
        prop_assert_eq!(found.is_none(), fits && enough && few, "{:?}", found);
    }
}
