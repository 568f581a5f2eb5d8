use super::*;
use crate::api::ConditionStatus::{self, False, True};
use crate::fixtures::NAMESPACE;
use std::sync::Arc;

/// Somebody else's, of the same name.
fn theirs() -> ObjectMeta {
    ObjectMeta {
        labels: Some(BTreeMap::from([(
            "app.kubernetes.io/managed-by".to_owned(),
            "Helm".to_owned(),
        )])),
        ..meta(NAMESPACE)
    }
}

fn account_of(metadata: ObjectMeta) -> Seen<ServiceAccount> {
    Seen::Present(Arc::new(ServiceAccount {
        metadata,
        ..ServiceAccount::default()
    }))
}

fn role_of(metadata: ObjectMeta) -> Seen<Role> {
    Seen::Present(Arc::new(Role {
        metadata,
        rules: None,
    }))
}

fn binding_of(metadata: ObjectMeta) -> Seen<RoleBinding> {
    Seen::Present(Arc::new(RoleBinding {
        metadata,
        ..RoleBinding::default()
    }))
}

fn need(facts: &RunAccountFacts) -> Need<'_> {
    Need {
        namespace: NAMESPACE,
        needed: true,
        deleting: false,
        facts,
    }
}

fn there() -> RunAccountFacts {
    RunAccountFacts {
        account: account_of(meta(NAMESPACE)),
        role: role_of(meta(NAMESPACE)),
        role_binding: binding_of(meta(NAMESPACE)),
    }
}

type Row = (&'static str, RunAccountFacts, ConditionStatus, Reason, bool);

#[test]
fn a_key_vault_that_needs_it_has_it_made_unless_something_is_in_the_way() {
    let rows: Vec<Row> = vec![
        (
            "nothing there",
            RunAccountFacts::default(),
            False,
            Reason::RunAccountMissing,
            true,
        ),
        ("all there", there(), True, Reason::RunAccountKept, false),
        (
            "made a moment ago",
            RunAccountFacts {
                account: Seen::Pending,
                ..RunAccountFacts::default()
            },
            True,
            Reason::RunAccountKept,
            false,
        ),
        (
            "without its Role: the account's own visit makes that",
            RunAccountFacts {
                role: Seen::Absent,
                ..there()
            },
            True,
            Reason::RunAccountKept,
            false,
        ),
        (
            "somebody else's account",
            RunAccountFacts {
                account: account_of(theirs()),
                ..RunAccountFacts::default()
            },
            False,
            Reason::RunAccountTaken,
            false,
        ),
        (
            "somebody else's Role, and no account yet",
            RunAccountFacts {
                role: role_of(theirs()),
                ..RunAccountFacts::default()
            },
            False,
            Reason::RunAccountTaken,
            false,
        ),
        (
            "somebody else's binding beside ours",
            RunAccountFacts {
                role_binding: binding_of(theirs()),
                ..there()
            },
            False,
            Reason::RunAccountTaken,
            false,
        ),
    ];
    for (case, facts, status, reason, made) in rows {
        let told = standing(need(&facts));
        assert_eq!((told.status, told.reason), (status, reason), "{case}");
        let expected = made.then(|| Effect::Keep(Box::new(Kept::ServiceAccount(account(NAMESPACE)))));
        assert_eq!(effects(need(&facts)), Vec::from_iter(expected), "{case}");
    }
}

#[test]
fn one_that_needs_none_or_is_going_has_none_made() {
    let facts = RunAccountFacts::default();
    let unneeded = Need {
        needed: false,
        ..need(&facts)
    };
    assert_eq!(effects(unneeded), []);
    assert_eq!(standing(unneeded).reason, Reason::RunAccountNotNeeded);
    let going = Need {
        deleting: true,
        ..need(&facts)
    };
    assert_eq!(effects(going), []);
    let taken = RunAccountFacts {
        account: account_of(theirs()),
        ..RunAccountFacts::default()
    };
    let unneeded = Need {
        needed: false,
        ..need(&taken)
    };
    assert_eq!(standing(unneeded).status, True, "it's none of its business");
}

#[test]
fn what_is_in_the_way_is_named_with_the_next_step() {
    let facts = RunAccountFacts {
        account: account_of(theirs()),
        role: role_of(theirs()),
        ..there()
    };
    assert_eq!(
        standing(need(&facts)).message,
        "It signs in by the ServiceAccount connections-run that the operator keeps, and namespace marketing has a \
         ServiceAccount and a Role of that name that somebody else made; the operator takes over nothing of others. Give what \
         uses it another name, end the pods that run as it, and then: kubectl delete serviceaccount/connections-run \
         role/connections-run -n marketing. The operator then makes its own."
    );
}

#[test]
fn nothing_mounts_its_token_unless_it_asks_to() {
    assert_eq!(account(NAMESPACE).automount_service_account_token, Some(false));
    assert!(is_ours(&account(NAMESPACE)));
}
