use super::*;
use crate::fixtures::{at, catalog_type};

fn version(uid: &str, generation: i64) -> ConnectionType {
    let mut type_ = catalog_type("sftp-export");
    type_.metadata.uid = Some(uid.to_owned());
    type_.metadata.generation = Some(generation);
    type_
}

/// One that contradicts itself.
fn broken(uid: &str, generation: i64) -> ConnectionType {
    let mut type_ = version(uid, generation);
    type_.spec.parameters[0].pattern = Some("[".to_owned());
    type_
}

fn compiled(seen: &TypeSeen) -> &Arc<CompiledType> {
    seen.usable().expect("it can be used")
}

#[test]
fn a_type_is_made_ready_once_a_version_however_often_it_is_asked_for() {
    let types = CompiledTypes::default();
    let first = types.seen(Some(&version("a", 1)));
    let again = types.seen(Some(&version("a", 1)));
    assert!(Arc::ptr_eq(compiled(&first), compiled(&again)), "the very same");
    let mut touched = version("a", 1);
    touched.metadata.resource_version = Some("9".to_owned());
    touched.status = Some(crate::api::connection_type::ConnectionTypeStatus::default());
    let touched = types.seen(Some(&touched));
    assert!(
        Arc::ptr_eq(compiled(&first), compiled(&touched)),
        "a status is no version"
    );
    let next = types.seen(Some(&version("a", 2)));
    assert!(!Arc::ptr_eq(compiled(&first), compiled(&next)), "another spec");
    let other = types.seen(Some(&version("b", 2)));
    assert!(!Arc::ptr_eq(compiled(&next), compiled(&other)), "another object");
}

#[test]
fn what_a_type_said_before_an_edit_made_it_contradict_itself_is_kept() {
    let types = CompiledTypes::default();
    let good = types.seen(Some(&version("a", 1)));
    for generation in [2, 3] {
        let edited = types.seen(Some(&broken("a", generation)));
        assert!(edited.is_kept(), "{generation}");
        assert!(Arc::ptr_eq(compiled(&good), compiled(&edited)), "{generation}");
        assert!(edited.unusable("sftp-export").is_none(), "{generation}");
    }
    let corrected = types.seen(Some(&version("a", 4)));
    assert!(!corrected.is_kept() && !Arc::ptr_eq(compiled(&good), compiled(&corrected)));
}

#[test]
fn there_is_nothing_to_keep_of_a_type_that_was_never_right_or_was_another() {
    let types = CompiledTypes::default();
    let never = types.seen(Some(&broken("a", 1)));
    assert!(matches!(never, TypeSeen::Invalid(_)));
    let _ = types.seen(Some(&version("a", 2)));
    let anew = types.seen(Some(&broken("b", 1)));
    assert!(
        matches!(anew, TypeSeen::Invalid(_)),
        "made anew under the same name"
    );
}

#[test]
fn a_type_tells_where_it_contradicts_itself_and_who_goes_on() {
    let types = CompiledTypes::default();
    let place = "spec.parameters[hostname] has a pattern that is no regular expression of the Rust crate regex: correct it.";
    let never = judge(&types.seen(Some(&broken("a", 1))));
    assert_eq!(
        (never.reason, never.message.as_str()),
        (Reason::TypeInvalid, place)
    );
    let _ = types.seen(Some(&version("a", 2)));
    let since = judge(&types.seen(Some(&broken("a", 3))));
    let told = format!(
        "{place} Until then, connections that have consent go on by what the type said before, and all others wait."
    );
    assert_eq!((since.reason, since.message), (Reason::TypeInvalid, told));
}

#[test]
fn nothing_is_kept_of_a_type_that_is_gone() {
    let types = CompiledTypes::default();
    let kept = Arc::downgrade(compiled(&types.seen(Some(&version("a", 1)))));
    assert!(kept.upgrade().is_some(), "it is there");
    types.forget("sftp-export");
    assert!(kept.upgrade().is_none(), "it is gone");
}

#[test]
fn a_type_that_cannot_be_read_goes_on_by_what_it_said_before() {
    let types = CompiledTypes::default();
    let name = "sftp-export";
    let good = types.seen(Some(&version("a", 1)));
    for place in ["spec.notice", "spec.usedFor"] {
        types.cannot_read(name, Some("a"), place);
        types.forget(name); // as it isn't seen any more
        let unreadable = types.named(name, None);
        assert!(
            unreadable.is_kept() && unreadable.unusable(name).is_none(),
            "{place}"
        );
        assert!(Arc::ptr_eq(compiled(&good), compiled(&unreadable)), "{place}");
    }
    types.arrived(&broken("a", 3));
    let contradictory = types.named(name, Some(&broken("a", 3)));
    assert!(matches!(contradictory, TypeSeen::Kept(..)));
    assert!(Arc::ptr_eq(compiled(&good), compiled(&contradictory)));
    types.cannot_read(name, Some("a"), "spec.notice");
    types.gone(name);
    assert!(matches!(types.named(name, None), TypeSeen::Absent));
}

#[test]
fn of_a_type_that_never_could_be_read_the_place_is_told() {
    let types = CompiledTypes::default();
    let _ = types.seen(Some(&version("a", 1)));
    types.cannot_read("sftp-export", Some("b"), "spec.notice.previous.until");
    let seen = types.named("sftp-export", None);
    assert!(!seen.is_kept() && seen.usable().is_none(), "another of that name");
    let told = seen.unusable("sftp-export").expect("it can't be used");
    assert_eq!(
        (told.reason, told.message.as_str()),
        (
            Reason::TypeNotReady,
            "This version of the operator can't read the connection type sftp-export, at spec.notice.previous.until: \
             whoever owns it must correct that, or whoever installed the operator upgrade it."
        )
    );
}

#[test]
fn one_that_is_being_removed_counts_for_what_has_consent_and_for_nothing_new() {
    let leaving = |mut type_: ConnectionType| {
        type_.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(50)));
        type_
    };
    let types = CompiledTypes::default();
    let good = types.seen(Some(&version("a", 1)));
    for (case, type_) in [
        ("as it was", version("a", 1)),
        ("of the next generation", version("a", 2)),
        ("edited meanwhile", broken("a", 3)),
    ] {
        let seen = types.seen(Some(&leaving(type_)));
        assert!(
            matches!(seen, TypeSeen::Leaving(Some(_))) && seen.is_kept(),
            "{case}"
        );
        assert!(seen.unusable("sftp-export").is_none(), "{case}");
        assert_eq!(compiled(&seen).spec, compiled(&good).spec, "{case}");
        let told = seen.awaited("sftp-export").expect("nothing begins with it");
        assert_eq!(told.reason, Reason::TypeNotReady, "{case}");
    }
    let never = types.seen(Some(&leaving(broken("b", 1))));
    let told = never.unusable("sftp-export").expect("it never could be used");
    assert_eq!(
        (told.reason, told.message.as_str()),
        (
            Reason::TypeNotReady,
            "The connection type sftp-export is being removed, so nothing new begins with it: make a connection of another \
             type, or ask who owns the catalog to apply it again once it is gone."
        )
    );
}
