//! Which change of which object wakes which run accounts.

use crate::api::names::RUN_ACCOUNT;
use crate::api::{Reference, Refers};
use crate::cluster::{Change, ObjectKey};
use crate::reconcile::wakes;

/// A key vault that begins or ends to sign in by the account wakes it.
#[must_use]
pub fn woken_by_user<K: Refers>(change: &Change<K>) -> Vec<ObjectKey> {
    accounts_among(wakes::begun_or_ended(change))
}

/// A Role or binding of the account's name wakes it.
#[must_use]
pub fn woken_by_kept<K: Refers>(change: &Change<K>) -> Vec<ObjectKey> {
    let object = change.sides().next();
    accounts_among(object.map(|object| object.references()).unwrap_or_default())
}

fn accounts_among(targets: Vec<Reference>) -> Vec<ObjectKey> {
    let accounts = targets.into_iter().filter_map(|target| match target {
        Reference::RunAccount(namespace) => Some(ObjectKey::new(&namespace, RUN_ACCOUNT)),
        _ => None,
    });
    accounts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{NAMESPACE, company_vault};
    use crate::governance::run_account::meta;
    use k8s_openapi::api::rbac::v1::Role;
    use std::sync::Arc;

    fn change<K: Clone>(before: Option<K>, after: Option<K>) -> Change<K> {
        Change {
            before: before.map(Arc::new),
            after: after.map(Arc::new),
        }
    }

    #[test]
    fn whoever_begins_or_ends_to_sign_in_by_it_wakes_it() {
        let account = vec![ObjectKey::new(NAMESPACE, "connections-run")];
        let [by_role, by_secret] = [company_vault().by_run_account(), company_vault()].map(|vault| vault.0);
        let rows = [
            ("comes", None, Some(&by_role), account.clone()),
            ("goes", Some(&by_role), None, account.clone()),
            ("changes to it", Some(&by_secret), Some(&by_role), account.clone()),
            ("changes from it", Some(&by_role), Some(&by_secret), account),
            ("stays with it", Some(&by_role), Some(&by_role), vec![]),
            ("has its own", None, Some(&by_secret), vec![]),
        ];
        for (case, before, after, expected) in rows {
            let woken = woken_by_user(&change(before.cloned(), after.cloned()));
            assert_eq!(woken, expected, "{case}");
        }
    }

    #[test]
    fn what_has_its_name_wakes_it_and_nothing_else_does() {
        let role = |name: &str| {
            let mut metadata = meta(NAMESPACE);
            metadata.name = Some(name.to_owned());
            Role {
                metadata,
                rules: None,
            }
        };
        let account = vec![ObjectKey::new(NAMESPACE, "connections-run")];
        assert_eq!(
            woken_by_kept(&change(None, Some(role("connections-run")))),
            account
        );
        assert_eq!(
            woken_by_kept(&change(Some(role("connections-run")), None)),
            account
        );
        assert_eq!(woken_by_kept(&change(None, Some(role("connections-use-a")))), []);
        assert_eq!(
            woken_by_kept(&change(None, Some(role("connections-run-of-others")))),
            []
        );
    }
}
