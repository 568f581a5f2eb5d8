//! What is in use stays: the finalizer, and what the wait for the last user says.

use super::Standing;
use super::dependents::Dependents;
use crate::api::Reason;

/// What becomes of the finalizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It stays as it is: set, or of no use to this kind.
    Keep,
    /// It must be set before anything else.
    Set,
    /// It goes, and the object with it.
    Release,
}

/// What removal needs to know of one object.
#[derive(Clone, Copy, Debug)]
pub struct Removal<'a> {
    /// The kind in lower case, as in commands.
    pub kind: &'static str,
    /// The object's namespace.
    pub namespace: &'a str,
    /// Whether its deletion was asked for.
    pub deleting: bool,
    /// Whether our finalizer is on it.
    pub held: bool,
    /// Who uses it.
    pub dependents: &'a Dependents,
}

/// Whether the object may go.
#[must_use]
pub fn hold(removal: &Removal<'_>) -> Hold {
    match (removal.deleting, removal.held) {
        (false, false) => Hold::Set,
        (true, true) if removal.dependents.is_empty() => Hold::Release,
        _ => Hold::Keep,
    }
}

/// The condition Deleting: names who is waited for, and how to let them go.
#[must_use]
pub fn deleting(removal: &Removal<'_>) -> Standing {
    if !removal.deleting {
        return Standing::unmet(Reason::NotDeleting, "It isn't being removed.");
    }
    if removal.dependents.is_empty() || !removal.held {
        return Standing::met(
            Reason::HeldByOthers,
            "It is being removed, and goes once those who set the other finalizers in metadata.finalizers take them off.",
        );
    }
    Standing::met(
        Reason::DependentsRemain,
        format!(
            "It is removed once nothing uses it any more: {}. {}",
            removal.dependents.summary(),
            next_step(removal)
        ),
    )
}

/// How to let the first user go, or nothing while there is none. The refusal of a deletion ends with it too.
#[must_use]
pub fn next_step(removal: &Removal<'_>) -> String {
    let first = removal.dependents.first();
    first.map_or_else(String::new, |(kind, name)| {
        how_to_loosen(removal.kind, kind, name, removal.namespace)
    })
}

/// The next step for one user. A connection can be taken off; a dataset is part of what it is used for.
fn how_to_loosen(held: &str, kind: &str, name: &str, namespace: &str) -> String {
    let remove = format!("kubectl delete {kind} {name} -n {namespace}");
    if held == "keyvault" {
        return format!(
            "Name a Secret or another key vault in {kind} {name} instead, or remove it: {remove}"
        );
    }
    if held != "connection" {
        return format!("Name another dataset in {kind} {name}, or remove it: {remove}");
    }
    let verb = if kind == "export" { "detach" } else { "deactivate" };
    format!(
        "To {verb} the first and keep its configuration: kubectl patch {kind} {name} -n {namespace} --type merge \
         -p '{{\"spec\":{{\"connectionRef\":null}}}}'. To remove it: {remove}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ConditionStatus;
    use crate::governance::dependents::Users;

    fn used_by(count: usize) -> Dependents {
        let exports = Users {
            count,
            first: (0..count.min(5)).map(|i| format!("x{i}")).collect(),
        };
        Dependents {
            exports,
            ..Dependents::default()
        }
    }

    #[test]
    fn the_finalizer_follows_use() {
        let rows = [
            ("first visit", false, false, 0, Hold::Set),
            ("first visit, used already", false, false, 2, Hold::Set),
            ("nothing to do", false, true, 2, Hold::Keep),
            ("in use", true, true, 1, Hold::Keep),
            ("last user gone", true, true, 0, Hold::Release),
            ("on its way without us", true, false, 0, Hold::Keep),
        ];
        for (case, deleting, held, users, expected) in rows {
            let dependents = used_by(users);
            let removal = Removal {
                kind: "connection",
                namespace: "n",
                deleting,
                held,
                dependents: &dependents,
            };
            assert_eq!(hold(&removal), expected, "{case}");
        }
    }

    #[test]
    fn the_wait_names_users_and_the_next_command() {
        let dependents = used_by(6);
        let removal = Removal {
            kind: "connection",
            namespace: "marketing",
            deleting: true,
            held: true,
            dependents: &dependents,
        };
        let standing = deleting(&removal);
        assert_eq!(
            (standing.status, standing.reason),
            (ConditionStatus::True, Reason::DependentsRemain)
        );
        assert_eq!(
            standing.message,
            "It is removed once nothing uses it any more: 6 exports (x0, x1, x2, x3, x4 and 1 more). To detach the \
             first and keep its configuration: kubectl patch export x0 -n marketing --type merge -p \
             '{\"spec\":{\"connectionRef\":null}}'. To remove it: kubectl delete export x0 -n marketing"
        );
    }

    #[test]
    fn what_only_others_hold_is_not_said_to_wait_for_its_users() {
        let rows = [
            ("released by us already", false, 0),
            ("never ours, and used", false, 2),
        ];
        for (case, held, users) in rows {
            let dependents = used_by(users);
            let removal = Removal {
                kind: "connection",
                namespace: "n",
                deleting: true,
                held,
                dependents: &dependents,
            };
            let standing = deleting(&removal);
            assert_eq!(
                (standing.status, standing.reason),
                (ConditionStatus::True, Reason::HeldByOthers),
                "{case}"
            );
        }
    }

    #[test]
    fn an_enrichment_is_deactivated_and_a_dataset_replaced() {
        let dependents = Dependents {
            enrichments: Users {
                count: 1,
                first: vec!["firmographics".to_owned()],
            },
            ..Dependents::default()
        };
        let rows = [
            (
                "connection",
                "It is removed once nothing uses it any more: 1 enrichment (firmographics). To deactivate the first \
                 and keep its configuration: kubectl patch enrichment firmographics -n n --type merge -p \
                 '{\"spec\":{\"connectionRef\":null}}'. To remove it: kubectl delete enrichment firmographics -n n",
            ),
            (
                "dataset",
                "It is removed once nothing uses it any more: 1 enrichment (firmographics). Name another dataset in \
                 enrichment firmographics, or remove it: kubectl delete enrichment firmographics -n n",
            ),
        ];
        for (kind, expected) in rows {
            let removal = Removal {
                kind,
                namespace: "n",
                deleting: true,
                held: true,
                dependents: &dependents,
            };
            assert_eq!(deleting(&removal).message, expected, "{kind}");
        }
    }

    #[test]
    fn nothing_is_said_while_it_is_not_being_removed() {
        let dependents = used_by(1);
        let removal = Removal {
            kind: "dataset",
            namespace: "n",
            deleting: false,
            held: true,
            dependents: &dependents,
        };
        assert_eq!(deleting(&removal).status, ConditionStatus::False);
    }
}
