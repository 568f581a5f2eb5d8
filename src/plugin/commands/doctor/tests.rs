use super::findings::*;
use serde_json::json;

fn healthy() -> Seen {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let policies = names(&[
        "consent.connections.dev",
        "finalizer.connections.dev",
        "records.connections.dev",
        "run-account.connections.dev",
        "status.connections.dev",
        "somebody.else",
    ]);
    Seen {
        kubernetes: "v1.37.2".to_owned(),
        namespace: "marketing".to_owned(),
        kinds: names(&[
            "connections",
            "connectiontypes",
            "consentrecords",
            "datasets",
            "enrichments",
            "exports",
            "keyvaults",
            "sharedconnections",
        ]),
        bindings: Some(policies.clone()),
        policies: Some(policies),
        operators: Some(vec![Operator {
            place: "ops/connection-operator".to_owned(),
            version: "0.1.0".to_owned(),
            ready: 1,
        }]),
        objects: vec![Rests {
            called: "connection/partner".to_owned(),
            ..Rests::default()
        }],
        rights: vec![("list", "connections", true), ("consent", "connections", false)],
    }
}

/// What isn't well.
fn told(seen: &Seen) -> Vec<(Grade, String)> {
    let found = findings(seen)
        .into_iter()
        .filter(|finding| finding.grade != Grade::Well);
    found.map(|finding| (finding.grade, finding.what)).collect()
}

#[test]
fn where_all_is_well_that_is_said() {
    let found: Vec<String> = findings(&healthy())
        .into_iter()
        .map(|finding| finding.what)
        .collect();
    let expected = [
        "The cluster (v1.37.2) knows all kinds of connections.dev.",
        "5 admission policies are there, each with its binding.",
        "The operator runs: ops/connection-operator (version 0.1.0).",
        "The one object of the namespace marketing isn't stuck.",
        "You may list connections here.",
    ];
    assert_eq!(found, expected);
}

/// What makes it worse.
type Change = Box<dyn Fn(&mut Seen)>;

#[test]
fn each_trouble_is_told_alone() {
    use Grade::{Unknown, Wrong};
    let object = |called: &str, change: fn(&mut Rests)| {
        let mut one = Rests {
            called: called.to_owned(),
            ..Rests::default()
        };
        change(&mut one);
        one
    };
    let held = |one: &mut Rests| one.held = Some("DependentsRemain".to_owned());
    let denied = |one: &mut Rests| one.reason = Some("AccessDenied".to_owned());
    let stale = |one: &mut Rests| one.reason = Some("ConsentStale".to_owned());
    let with = move |called: &'static str, change: fn(&mut Rests)| -> Change {
        Box::new(move |seen| seen.objects.push(object(called, change)))
    };
    let unbound: Change = Box::new(|seen| {
        if let Some(bindings) = &mut seen.bindings {
            bindings.retain(|one| one != "status.connections.dev");
        }
    });
    let podless: Change = Box::new(|seen| {
        for operator in seen.operators.iter_mut().flatten() {
            operator.ready = 0;
        }
    });
    let rows: [(&str, Change, Grade, &str); 9] = [
        (
            "not installed",
            Box::new(|seen| seen.kinds.clear()),
            Wrong,
            "The cluster (v1.37.2) knows no kind of connections.dev: the operator isn't installed.",
        ),
        (
            "older",
            Box::new(|seen| seen.kinds.retain(|kind| kind != "keyvaults")),
            Wrong,
            "The cluster lacks keyvaults of connections.dev: the operator is older than this program.",
        ),
        (
            "a binding",
            unbound,
            Wrong,
            "Admission policies are missing, or their bindings: status.connections.dev.",
        ),
        (
            "policies unseen",
            Box::new(|seen| seen.policies = None),
            Unknown,
            "Whether the admission policies are there isn't yours to see.",
        ),
        (
            "no pod",
            podless,
            Wrong,
            "The operator ops/connection-operator has no pod that is ready.",
        ),
        (
            "unseen change",
            with("export/a", |one| one.unseen = true),
            Wrong,
            "The operator hasn't looked at the newest change of export/a.",
        ),
        (
            "held",
            with("connection/a", held),
            Wrong,
            "connection/a is being removed, and waits (DependentsRemain).",
        ),
        (
            "a vault",
            with("keyvault/a", denied),
            Wrong,
            "keyvault/a isn't ready (AccessDenied).",
        ),
        (
            "consent",
            with("connection/a", stale),
            Wrong,
            "Somebody has to consent: connection/a.",
        ),
    ];
    for (case, change, grade, expected) in rows {
        let mut seen = healthy();
        change(&mut seen);
        assert_eq!(told(&seen), [(grade, expected.to_owned())], "{case}");
    }
}

#[test]
fn an_object_says_how_it_stands() {
    let meta = serde_json::from_value(json!({"name": "a", "generation": 2})).expect("metadata");
    let seen = Rests::of("KeyVault", &meta, Some((Some(2), &[])));
    assert_eq!((seen.called.as_str(), seen.unseen), ("keyvault/a", false));
    assert!(Rests::of("KeyVault", &meta, Some((Some(1), &[]))).unseen);
    assert!(Rests::of("KeyVault", &meta, None).unseen);
}
