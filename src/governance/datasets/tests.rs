use super::*;
use crate::fixtures::{DatasetBuilder, absent, dataset};
use Purpose::{Read, Write};

fn ready(role: Role) -> DatasetBuilder {
    dataset("table").of_role(role).visited()
}

#[test]
fn a_dataset_is_used_as_its_role_allows() {
    let rows = [
        ("a source is read", Role::Source, Read, true),
        ("an output is read", Role::Output, Read, true),
        ("refused rows are nobody's payload", Role::Rejects, Read, false),
        ("nor is what was sent", Role::State, Read, false),
        (
            "an output is written as one",
            Role::Output,
            Write(Role::Output),
            true,
        ),
        (
            "a source is never written",
            Role::Source,
            Write(Role::Output),
            false,
        ),
        (
            "refused rows go where they belong",
            Role::Rejects,
            Write(Role::Rejects),
            true,
        ),
        ("not into an output", Role::Output, Write(Role::Rejects), false),
        ("nor into a source", Role::Source, Write(Role::Rejects), false),
        (
            "what was sent is kept as such",
            Role::State,
            Write(Role::State),
            true,
        ),
        ("not among refused rows", Role::Rejects, Write(Role::State), false),
    ];
    for (case, role, purpose, allowed) in rows {
        let reason = judge(&[ready(role).used("spec.payload", purpose)]).map(|standing| standing.reason);
        assert_eq!(reason, (!allowed).then_some(Reason::DatasetIneligible), "{case}");
    }
}

#[test]
fn a_dataset_without_a_role_is_a_source() {
    let table = dataset("table").visited();
    assert_eq!(judge(&[table.used("spec.payload", Read)]), None);
    assert!(judge(&[table.used("spec.output", Write(Role::Output))]).is_some());
}

#[test]
fn each_problem_says_where_and_what_to_do() {
    let taken = Use {
        taken_by: Some("enrichment weekly".to_owned()),
        ..ready(Role::Output).used("spec.output", Write(Role::Output))
    };
    let rows = [
        (
            absent("spec.payload", "orders", Read),
            Reason::DatasetNotFound,
            "spec.payload names the dataset orders, which doesn't exist: correct the name, or ask an administrator to create \
             it. To see those there are: kubectl get datasets -n marketing",
        ),
        (
            ready(Role::State).used("spec.rejects", Write(Role::Rejects)),
            Reason::DatasetIneligible,
            "spec.rejects names the dataset table of role State, expected Rejects: name another.",
        ),
        (
            ready(Role::State).used("spec.payload", Read),
            Reason::DatasetIneligible,
            "spec.payload names the dataset table of role State, expected Source or Output: name another.",
        ),
        (
            taken,
            Reason::OutputTaken,
            "spec.output names the dataset table, which belongs to enrichment weekly, the older of the two: name \
             another.",
        ),
        (
            ready(Role::Source).being_removed().used("spec.payload", Read),
            Reason::DatasetBeingRemoved,
            "spec.payload names the dataset table, which is being removed: name another.",
        ),
        (
            dataset("table").used("spec.payload", Read),
            Reason::DatasetNotReady,
            "spec.payload names the dataset table, which isn't ready. To see why: kubectl describe dataset table -n marketing",
        ),
    ];
    for (use_, reason, message) in rows {
        assert_eq!(judge(&[use_]), Some(Standing::unmet(reason, message)));
    }
}

#[test]
fn an_input_is_never_written_to() {
    let table = ready(Role::Output);
    let uses = [
        table.used("spec.input", Read),
        table.used("spec.output", Write(Role::Output)),
    ];
    let message = "spec.input and spec.output name the same dataset table: what is read is never changed, so name \
                   another in spec.output.";
    assert_eq!(
        judge(&uses),
        Some(Standing::unmet(Reason::DatasetIneligible, message))
    );
}

#[test]
fn all_problems_are_told_under_the_one_that_a_person_must_act_on_first() {
    let uses = [
        absent("spec.payload", "orders", Read),
        ready(Role::State).used("spec.payload", Read),
    ];
    let standing = judge(&uses).expect("there are problems");
    assert_eq!(standing.reason, Reason::DatasetIneligible);
    assert!(standing.message.contains("orders") && standing.message.contains("table"));
}

#[test]
fn a_dataset_belongs_to_the_oldest_that_writes_it() {
    let writer = |created, who: &str| Writer {
        created,
        who: who.to_owned(),
    };
    let rows = [
        ("nobody", vec![], None),
        ("one", vec![writer(5, "export a")], Some("export a")),
        (
            "the older",
            vec![writer(5, "export a"), writer(4, "export z")],
            Some("export z"),
        ),
        (
            "of one second: by name",
            vec![writer(5, "export b"), writer(5, "export a")],
            Some("export a"),
        ),
        (
            "an age that isn't known is the least",
            vec![writer(i64::MAX, "export a"), writer(5, "export z")],
            Some("export z"),
        ),
    ];
    for (case, mut writers, expected) in rows {
        assert_eq!(
            owner(&writers).map(|owner| owner.who.as_str()),
            expected,
            "{case}"
        );
        writers.reverse();
        assert_eq!(
            owner(&writers).map(|owner| owner.who.as_str()),
            expected,
            "{case}, in another order"
        );
    }
}
