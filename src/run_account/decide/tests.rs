use super::*;
use crate::fixtures::{NAMESPACE, at};
use k8s_openapi::api::core::v1::{LocalObjectReference, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

/// One that was just made.
fn made() -> AccountFacts {
    let mut made = account(NAMESPACE);
    made.metadata.uid = Some("uid-1".to_owned());
    AccountFacts {
        account: Arc::new(made),
        role: Seen::Absent,
        role_binding: Seen::Absent,
        needed: true,
    }
}

/// What is known once all writes have come true.
fn after(mut facts: AccountFacts) -> AccountFacts {
    for effect in decide(&facts) {
        let (Effect::Keep(kept) | Effect::Drop(kept)) = &effect else {
            panic!("{effect:?}");
        };
        let stays = matches!(effect, Effect::Keep(_));
        match (**kept).clone() {
            Kept::Role(role) if stays => facts.role = Seen::Present(Arc::new(role)),
            Kept::RoleBinding(binding) if stays => facts.role_binding = Seen::Present(Arc::new(binding)),
            Kept::ServiceAccount(wanted) if stays => {
                let account = Arc::make_mut(&mut facts.account);
                let metadata = account.metadata.clone();
                *account = wanted;
                account.metadata = metadata;
            }
            Kept::Role(_) => facts.role = Seen::Absent,
            Kept::RoleBinding(_) => facts.role_binding = Seen::Absent,
            other => panic!("{other:?}"),
        }
    }
    facts
}

fn kept_whole() -> AccountFacts {
    after(made())
}

/// The effects, such as `+role`.
fn written(facts: &AccountFacts) -> Vec<String> {
    let effects = decide(facts).into_iter().map(|effect| {
        let (sign, kept) = match effect {
            Effect::Keep(kept) => ('+', kept),
            Effect::Drop(kept) => ('-', kept),
            Effect::Record { .. } | Effect::Run(_) => {
                panic!("nobody consents to an account, and it never runs")
            }
        };
        let kind = match *kept {
            Kept::Role(_) => "role",
            Kept::RoleBinding(_) => "binding",
            Kept::ServiceAccount(_) => "account",
            Kept::SharedConnection(_) => "shared",
        };
        format!("{sign}{kind}")
    });
    effects.collect()
}

fn with_account(mut facts: AccountFacts, edit: impl FnOnce(&mut ServiceAccount)) -> AccountFacts {
    edit(Arc::make_mut(&mut facts.account));
    facts
}

fn with_role(mut facts: AccountFacts, edit: impl FnOnce(&mut Role)) -> AccountFacts {
    let mut role = facts.role.present().expect("a role").clone();
    edit(&mut role);
    facts.role = Seen::Present(Arc::new(role));
    facts
}

fn with_binding(mut facts: AccountFacts, edit: impl FnOnce(&mut RoleBinding)) -> AccountFacts {
    let mut binding = facts.role_binding.present().expect("a binding").clone();
    edit(&mut binding);
    facts.role_binding = Seen::Present(Arc::new(binding));
    facts
}

fn unneeded(facts: AccountFacts) -> AccountFacts {
    AccountFacts {
        needed: false,
        ..facts
    }
}

type Row = (&'static str, AccountFacts, &'static [&'static str]);

fn check(rows: Vec<Row>) {
    for (case, facts, expected) in rows {
        assert_eq!(written(&facts), expected, "{case}");
    }
}

#[test]
fn an_altered_account_is_put_right() {
    check(vec![
        ("just made", made(), &["+role", "+binding"]),
        ("whole", kept_whole(), &[]),
        (
            "whole, with labels and annotations of others",
            with_account(kept_whole(), |account| {
                let labels = account.metadata.labels.get_or_insert_default();
                labels.insert("team".to_owned(), "platform".to_owned());
            }),
            &[],
        ),
        (
            "its token is mounted by itself",
            with_account(kept_whole(), |account| {
                account.automount_service_account_token = None;
            }),
            &["+account"],
        ),
        (
            "a Secret of somebody's",
            with_account(kept_whole(), |account| {
                account.secrets = Some(vec![ObjectReference::default()]);
            }),
            &["+account"],
        ),
        (
            "a pull secret of somebody's",
            with_account(kept_whole(), |account| {
                account.image_pull_secrets = Some(vec![LocalObjectReference::default()]);
            }),
            &["+account"],
        ),
        (
            "made anew: what belonged to the one before belongs to nobody",
            with_account(kept_whole(), |account| {
                account.metadata.uid = Some("uid-2".to_owned());
            }),
            &["+role", "+binding"],
        ),
    ]);
}

#[test]
fn missing_and_altered_grants_are_put_right() {
    check(vec![
        (
            "a Role that grants more",
            with_role(kept_whole(), |role| {
                role.rules.get_or_insert_default()[0]
                    .verbs
                    .push("list".to_owned());
            }),
            &["+role"],
        ),
        (
            "a Role that grants nothing",
            with_role(kept_whole(), |role| role.rules = None),
            &["+role"],
        ),
        (
            "a binding of more than the account",
            with_binding(kept_whole(), |binding| {
                binding.subjects.get_or_insert_default().push(Subject::default());
            }),
            &["+binding"],
        ),
        (
            "a binding to another role, which can't be changed",
            with_binding(kept_whole(), |binding| {
                "admin".clone_into(&mut binding.role_ref.name);
            }),
            &["-binding"],
        ),
        (
            "written a moment ago",
            AccountFacts {
                role: Seen::Pending,
                ..kept_whole()
            },
            &[],
        ),
    ]);
}

#[test]
fn what_nobody_needs_goes_and_what_is_somebody_elses_stays() {
    check(vec![
        (
            "needed no more",
            unneeded(kept_whole()),
            &["-binding", "-role", "-account"],
        ),
        ("needed no more, half made", unneeded(made()), &["-account"]),
        (
            "going already",
            with_account(unneeded(kept_whole()), |account| {
                account.metadata.deletion_timestamp = Some(Time(at(50)));
            }),
            &[],
        ),
        (
            "somebody else's",
            with_account(made(), |account| account.metadata.labels = None),
            &[],
        ),
        (
            "somebody else's, and needed by nobody",
            with_account(unneeded(made()), |account| account.metadata.labels = None),
            &[],
        ),
        (
            "a Role of somebody else's",
            with_role(kept_whole(), |role| {
                role.metadata.labels = None;
                role.rules = None;
            }),
            &[],
        ),
        (
            "a binding of somebody else's stays, also when nobody needs the account",
            unneeded(with_binding(kept_whole(), |binding| {
                binding.metadata.labels = None;
            })),
            &["-role", "-account"],
        ),
    ]);
}

#[test]
fn it_reads_connections_and_nothing_else() {
    let facts = kept_whole();
    let role = facts.role.present().expect("a role");
    assert_eq!(
        json!(role.rules),
        json!([{"apiGroups": ["connections.dev"], "resources": ["connections", "keyvaults"], "verbs": ["get"]}])
    );
    let binding = facts.role_binding.present().expect("a binding");
    assert_eq!(
        json!(binding.role_ref),
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "connections-run"})
    );
    assert_eq!(
        json!(binding.subjects),
        json!([{"kind": "ServiceAccount", "name": "connections-run", "namespace": NAMESPACE}])
    );
    let owner =
        json!([{"apiVersion": "v1", "kind": "ServiceAccount", "name": "connections-run", "uid": "uid-1"}]);
    assert_eq!(json!(role.metadata.owner_references), owner);
    assert_eq!(json!(binding.metadata.owner_references), owner);
}
