use super::*;
use crate::connection::{self, ConnectionFacts};
use crate::fixtures::{
    ConnectionBuilder, NAMESPACE, after_visit as visited, at, firmographics, marketo, sftp_partner, used_by,
};
use crate::governance::connection_types::TypeSeen;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

fn subject(kind: &str, name: &str) -> Subject {
    Subject {
        kind: kind.to_owned(),
        name: name.to_owned(),
        ..Subject::default()
    }
}

/// What the operator knows of a connection that carol may use if it's shared.
fn known(mut connection: ConnectionBuilder) -> ConnectionFacts {
    connection.0.metadata.uid = Some("uid-1".to_owned());
    let mut facts = connection.held().facts();
    facts.sharing.contributors = vec![subject("User", "carol")];
    facts.sharing.connected = true;
    facts
}

fn good() -> ConnectionBuilder {
    sftp_partner().consented()
}

/// The effects on kept objects, such as `+role`.
fn written(facts: &ConnectionFacts) -> Vec<String> {
    let effects = connection::decide(facts).effects;
    let words = effects.iter().filter_map(|effect| {
        let (sign, kept) = match effect {
            Effect::Keep(kept) => ('+', kept),
            Effect::Drop(kept) => ('-', kept),
            Effect::Record { .. } | Effect::Run(_) => return None,
        };
        let kind = match **kept {
            Kept::Role(_) => "role",
            Kept::RoleBinding(_) => "binding",
            Kept::SharedConnection(_) => "shared",
            Kept::ServiceAccount(_) => "account",
        };
        Some(format!("{sign}{kind}"))
    });
    words.collect()
}

fn with(mut facts: ConnectionFacts, edit: impl FnOnce(&mut Connection)) -> ConnectionFacts {
    edit(Arc::make_mut(&mut facts.connection));
    facts
}

fn unshared(facts: ConnectionFacts) -> ConnectionFacts {
    with(facts, |connection| connection.spec.access = None)
}

fn without_type(mut facts: ConnectionFacts) -> ConnectionFacts {
    facts.type_ = TypeSeen::Absent;
    facts
}

fn being_removed(mut facts: ConnectionFacts, users: &[&str]) -> ConnectionFacts {
    facts.dependents = used_by(users, &[]);
    with(facts, |connection| {
        *connection = ConnectionBuilder(connection.clone()).being_removed().0;
    })
}

#[test]
fn what_is_kept_follows_access() {
    let shared = || known(good().shared());
    let there = || visited(shared());
    let all = ["+role", "+binding", "+shared"].as_slice();
    let none = ["-binding", "-role", "-shared"].as_slice();
    let rows: [(&str, ConnectionFacts, &[&str]); 12] = [
        ("private", known(good()), &[]),
        ("shared", shared(), all),
        ("shared already", there(), &[]),
        ("un-shared", unshared(there()), none),
        ("for enrichments", known(firmographics().consented()), all),
        ("its type isn't there yet", without_type(shared()), &[]),
        ("its type is gone", without_type(there()), &["+shared"]),
        (
            "un-shared without its type",
            unshared(without_type(there())),
            none,
        ),
        (
            "being removed, in use",
            being_removed(there(), &["nightly"]),
            &["+shared"],
        ),
        (
            "un-shared on its way",
            unshared(being_removed(there(), &["nightly"])),
            none,
        ),
        (
            "on its way before it was shared",
            being_removed(shared(), &["nightly"]),
            &[],
        ),
        ("going for good", being_removed(there(), &[]), none),
    ];
    for (case, facts, expected) in rows {
        assert_eq!(written(&facts), expected, "{case}");
    }
}

#[test]
fn nothing_is_written_twice_before_the_watch_has_brought_it() {
    let mut facts = known(good().shared());
    (facts.sharing.role, facts.sharing.role_binding) = (Seen::Pending, Seen::Pending);
    facts.sharing.shared = Seen::Pending;
    assert_eq!(written(&facts), [""; 0]);
    let recheck = connection::decide(&facts).recheck;
    assert_eq!(recheck, Some(BROUGHT_BACK), "in case that it never comes");
    assert_eq!(
        written(&unshared(facts)),
        [""; 0],
        "it goes once it's known to be there"
    );
}

#[test]
fn rights_come_before_the_view_and_a_strange_binding_goes_first() {
    let mut facts = visited(known(good().shared()));
    let Seen::Present(binding) = &mut facts.sharing.role_binding else {
        panic!("it's there")
    };
    Arc::make_mut(binding).role_ref.name = "somebody-elses".to_owned();
    assert_eq!(
        written(&facts),
        ["-binding"],
        "the role of a binding can't be changed"
    );
    assert_eq!(written(&visited(facts)), ["+binding"]);
}

#[test]
fn the_kept_objects_are_as_the_policies_allow() {
    let facts = visited(known(good().shared()));
    let meta = |name: &str| {
        json!({
            "name": name, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/managed-by": "connection-operator"},
            "ownerReferences": [{
                "apiVersion": "connections.dev/v1alpha1", "kind": "Connection", "name": "sftp-partner", "uid": "uid-1",
                "controller": true,
            }],
        })
    };
    let rbac = "rbac.authorization.k8s.io";
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta("connections-use-sftp-partner"),
        "rules": [{
            "apiGroups": ["connections.dev"], "resources": ["connections"], "resourceNames": ["sftp-partner"],
            "verbs": ["use"],
        }],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": meta("connections-use-sftp-partner"),
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "connections-use-sftp-partner"},
        "subjects": [{"apiGroup": rbac, "kind": "User", "name": "carol"}],
    });
    let shared = json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "SharedConnection", "metadata": meta("sftp-partner"),
        "spec": {"displayName": "The connection sftp-partner", "type": "sftp-export", "usedFor": "Export"},
        "status": {"conditions": [{
            "type": "Ready", "status": "True", "reason": "Ready", "message": "It can be used.",
            "lastTransitionTime": at(100),
        }]},
    });
    assert_eq!(written_as(facts.sharing.role.present()), role);
    assert_eq!(written_as(facts.sharing.role_binding.present()), binding);
    assert_eq!(written_as(facts.sharing.shared.present()), shared);
}

fn written_as<K: serde::Serialize>(object: Option<&K>) -> Value {
    serde_json::to_value(object).expect("it can be written")
}

#[test]
fn subjects_are_bound_once_in_order_and_those_that_kubernetes_fills_not_at_all() {
    let account = |namespace: Option<&str>| Subject {
        namespace: namespace.map(str::to_owned),
        ..subject("ServiceAccount", "pipeline")
    };
    let mut facts = known(good().shared());
    facts.sharing.contributors = vec![
        subject("User", "dave"),
        subject("Group", "system:authenticated"),
        account(None),
        subject("User", "carol"),
        subject("Group", "crm"),
        subject("User", "system:anonymous"),
        subject("Group", "system:serviceaccounts:marketing"),
        account(Some(NAMESPACE)),
        account(Some("other")),
        subject("User", "dave"),
        subject("User", "system:serviceaccount:marketing:deployer"),
    ];
    let facts = visited(facts);
    let bound = facts.sharing.role_binding.present().expect("it's there");
    let bound = bound.subjects.iter().flatten();
    let bound: Vec<(&str, Option<&str>, &str)> = bound
        .map(|subject| (&*subject.kind, subject.namespace.as_deref(), &*subject.name))
        .collect();
    assert_eq!(
        bound,
        [
            ("Group", None, "crm"),
            ("ServiceAccount", Some(NAMESPACE), "pipeline"),
            ("ServiceAccount", Some("other"), "pipeline"),
            ("User", None, "carol"),
            ("User", None, "dave"),
            ("User", None, "system:serviceaccount:marketing:deployer"),
        ]
    );
}

#[test]
fn whoever_lets_everyone_in_is_told_what_to_name_instead() {
    let everyone = [
        subject("Group", "system:unauthenticated"),
        subject("User", "carol"),
        subject("Group", "system:authenticated"),
    ];
    assert_eq!(
        refusal(&everyone).as_deref(),
        Some(
            "No connection is shared with \"system:authenticated\", \"system:unauthenticated\": Kubernetes itself decides \
             who that is, so everyone would be let in. Name a group of people in this binding instead."
        )
    );
    assert_eq!(
        refusal(&[subject("User", "carol"), subject("Group", "crm")]),
        None
    );
}

#[test]
fn readiness_is_told_without_its_cause() {
    use ConditionStatus::{False, True};
    let mut unconnected = known(good().shared());
    unconnected.sharing.connected = false;
    let mut no_secret = known(good().shared());
    no_secret.secrets.clear();
    let waits = (False, Reason::WaitsForAdministrator);
    let there = || visited(known(good().shared()));
    let rows = [
        ("all is well", known(good().shared()), (True, Reason::Ready)),
        ("no consent", known(sftp_partner().shared()), waits),
        ("no secret", no_secret, waits),
        (
            "wrong parameters",
            known(good().shared().with("port", "x")),
            waits,
        ),
        ("no connector", unconnected, waits),
        ("its type is gone", without_type(there()), waits),
        (
            "suspended",
            known(good().shared().suspended()),
            (False, Reason::Suspended),
        ),
        (
            "suspended without consent",
            known(sftp_partner().shared().suspended()),
            waits,
        ),
        (
            "being removed",
            being_removed(there(), &["nightly"]),
            (False, Reason::BeingRemoved),
        ),
    ];
    for (case, facts, (status, reason)) in rows {
        let facts = visited(facts);
        let shared = facts
            .sharing
            .shared
            .present()
            .and_then(|shared| shared.status.as_ref());
        let conditions = &shared.expect("it's there").conditions;
        let told: Vec<_> = conditions
            .iter()
            .map(|told| (told.status, &*told.reason))
            .collect();
        assert_eq!(told, [(status, reason.as_str())], "{case}");
    }
}

#[test]
fn all_namesakes_are_named() {
    let rows = [
        (
            1,
            "another connection of the same display name: c0. Change spec.displayName of one, so",
        ),
        (
            2,
            "other connections of the same display name: c0, c1. Change spec.displayName of all but one, so",
        ),
        (
            7,
            "other connections of the same display name: c0, c1, c2, c3, c4 and 2 more. Change",
        ),
    ];
    for (count, expected) in rows {
        let namesakes: Vec<String> = (0..count).map(|i| format!("c{i}")).collect();
        let told = name_taken(&namesakes).expect("a sentence");
        assert!(
            told.starts_with(&format!("Contributors see {expected}")),
            "{told}"
        );
    }
    assert_eq!(name_taken(&[]), None);
}

#[test]
fn two_shared_connections_of_one_name_are_told_of_and_used() {
    let mut facts = known(good().shared());
    facts.sharing.namesakes = vec!["partner-2".to_owned()];
    let decision = connection::decide(&facts);
    let condition = |type_| conditions::find(&decision.status.conditions, type_).expect("it's there");
    let valid = condition(ConditionType::Valid);
    assert_eq!(
        (valid.status, &*valid.reason, &*valid.message),
        (
            ConditionStatus::True,
            "DisplayNameTaken",
            "What it says fits the type sftp-export. Contributors see another connection of the same display name: \
             partner-2. Change spec.displayName of one, so that nobody takes one for the other."
        )
    );
    assert_eq!(condition(ConditionType::Ready).status, ConditionStatus::True);
    let told = decision.announcements.iter();
    let told: Vec<_> = told.map(|news| (news.warning, news.reason)).collect();
    assert!(told.contains(&(true, Reason::DisplayNameTaken)), "{told:?}");
    assert!(
        connection::decide(&visited(facts.clone()))
            .announcements
            .is_empty(),
        "once"
    );

    let private = connection::decide(&unshared(facts)).status;
    let valid = conditions::find(&private.conditions, ConditionType::Valid);
    assert_eq!(
        valid.map(|valid| &*valid.reason),
        Some("AsDeclared"),
        "nobody sees a private one"
    );
}

fn any_subject() -> impl Strategy<Value = Subject> {
    let kind = proptest::sample::select(vec!["User", "Group", "ServiceAccount"]);
    let name = proptest::sample::select(vec![
        "carol",
        "crm",
        "system:authenticated",
        "system:anonymous",
        "system:masters",
    ]);
    let namespace = proptest::option::of(proptest::sample::select(vec!["", NAMESPACE, "other"]));
    (kind, name, namespace).prop_map(|(kind, name, namespace)| Subject {
        namespace: namespace.map(str::to_owned),
        ..subject(kind, name)
    })
}

fn any_known() -> impl Strategy<Value = ConnectionFacts> {
    let subjects = proptest::collection::vec(any_subject(), 0..6);
    let flags = proptest::array::uniform8(any::<bool>());
    let base = proptest::sample::select(vec![0, 1, 2]);
    (base, subjects, flags).prop_map(|(base, subjects, flags)| {
        let [
            shared,
            consented,
            suspended,
            typeless,
            going,
            used,
            connected,
            earlier,
        ] = flags;
        let mut connection = [sftp_partner(), firmographics(), marketo()][base].clone();
        if consented {
            connection = connection.consented();
        }
        let mut facts = known(connection.clone());
        if earlier {
            facts = visited(known(connection.shared()));
        }
        facts = with(facts, |connection| {
            connection.spec.suspend = suspended;
            connection.spec.access = None;
            if shared {
                *connection = ConnectionBuilder(connection.clone()).shared().0;
            }
        });
        facts.sharing.contributors = subjects;
        facts.sharing.connected = connected;
        if typeless {
            facts = without_type(facts);
        }
        if going {
            facts = being_removed(facts, if used { &["nightly"] } else { &[] });
        }
        facts
    })
}

proptest! {
    #[test]
    fn sharing_settles_after_one_visit(facts in any_known(), later in 0i64..100_000) {
        let mut facts = visited(facts);
        facts.now = at(100 + later);
        prop_assert!(written(&facts).is_empty(), "{:?}", written(&facts));
        prop_assert_eq!(connection::decide(&facts).recheck, None);
    }

    #[test]
    fn nobody_is_let_in_by_a_name_that_kubernetes_fills(facts in any_known()) {
        let facts = visited(facts);
        let bound = facts.sharing.role_binding.present();
        for subject in bound.iter().flat_map(|bound| bound.subjects.iter().flatten()) {
            prop_assert!(!(subject.kind == "Group" && subject.name.starts_with("system:")));
            prop_assert!(subject.name != "system:anonymous");
        }
    }

    #[test]
    fn contributors_see_nothing_but_name_type_and_use(facts in any_known()) {
        let mut facts = with(facts, |connection| {
            for value in connection.spec.parameters.values_mut() {
                value.insert_str(0, "Q7Q");
            }
            for (name, source) in std::mem::take(&mut connection.spec.secrets) {
                let mut renamed = source.clone();
                renamed.secret_key_ref.iter_mut().for_each(|key| key.name = "Q7Q".into());
                connection.spec.secrets.insert(name, renamed);
            }
            connection.spec.fixed_export_parameters.insert("Q7Q".to_owned(), "Q7Q".to_owned());
            let annotations = connection.metadata.annotations.get_or_insert_default();
            annotations.insert("note".to_owned(), "Q7Q".to_owned());
            connection.metadata.labels = Some([("note".to_owned(), "Q7Q".to_owned())].into());
        });
        facts.sharing.namesakes = vec!["Q7Q".to_owned()];
        let facts = visited(facts);
        let told = [
            written_as(facts.sharing.shared.present()),
            written_as(facts.sharing.role.present()),
            written_as(facts.sharing.role_binding.present()),
        ];
        prop_assert!(!format!("{told:?}").contains("Q7Q"), "{told:?}");
    }
}
