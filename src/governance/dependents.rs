//! Who uses an object: counted and named.

use super::message;
use crate::api::connection::DependentsStatus;
use crate::api::key_vault::VaultDependentsStatus;

/// Who uses an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependents {
    /// The exports that do.
    pub exports: Users,
    /// The enrichments that do.
    pub enrichments: Users,
    /// The connections that do, of a key vault.
    pub connections: Users,
    /// The datasets that do, of a key vault.
    pub datasets: Users,
}

/// The users of one kind: all counted, the first few named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// How many there are.
    pub count: usize,
    /// The names of the first in order, [`message::NAMES_MAX`] at most.
    pub first: Vec<String>,
}

impl Dependents {
    /// Whether nobody uses it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.each().iter().all(|(users, _)| users.count == 0)
    }

    /// Such as `2 exports (nightly, weekly) and 1 enrichment (firmographics)`, at most five names in all.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut room = message::NAMES_MAX;
        let parts = self.each().map(|(users, noun)| {
            let part = described(users, noun, room);
            room = room.saturating_sub(users.count);
            part
        });
        parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }

    /// The users of each kind, and the kind in commands.
    fn each(&self) -> [(&Users, &'static str); 4] {
        [
            (&self.exports, "export"),
            (&self.enrichments, "enrichment"),
            (&self.connections, "connection"),
            (&self.datasets, "dataset"),
        ]
    }

    /// As it stands in a status.
    #[must_use]
    pub fn status(&self, next_step: String) -> DependentsStatus {
        let [exports, enrichments] =
            [&self.exports, &self.enrichments].map(|users| i64::try_from(users.count).unwrap_or(i64::MAX));
        DependentsStatus {
            exports,
            enrichments,
            total: exports + enrichments,
            summary: self.summary(),
            next_step,
        }
    }

    /// As it stands in the status of a key vault.
    #[must_use]
    pub fn of_vault(&self, next_step: String) -> VaultDependentsStatus {
        let [connections, datasets] =
            [&self.connections, &self.datasets].map(|users| i64::try_from(users.count).unwrap_or(i64::MAX));
        VaultDependentsStatus {
            connections,
            datasets,
            total: connections + datasets,
            summary: self.summary(),
            next_step,
        }
    }

    /// The kind and name of the first, to show a command with.
    #[must_use]
    pub fn first(&self) -> Option<(&'static str, &str)> {
        let mut each = self.each().into_iter();
        each.find_map(|(users, noun)| Some((noun, users.first.first()?.as_str())))
    }
}

fn described(users: &Users, noun: &str, most: usize) -> Option<String> {
    let Users { count, first } = users;
    let noun = if *count == 1 {
        noun.to_owned()
    } else {
        format!("{noun}s")
    };
    let shown = first.iter().take(most).map(String::as_str).collect::<Vec<_>>();
    match (count, count - shown.len()) {
        (0, _) => None,
        (_, _) if shown.is_empty() => Some(format!("{count} {noun}")),
        (_, 0) => Some(format!("{count} {noun} ({})", shown.join(", "))),
        (_, more) => Some(format!("{count} {noun} ({} and {more} more)", shown.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(prefix: &str, count: usize) -> Users {
        Users {
            count,
            first: (0..count.min(5)).map(|i| format!("{prefix}{i}")).collect(),
        }
    }

    fn dependents(exports: usize, enrichments: usize) -> Dependents {
        Dependents {
            exports: named("x", exports),
            enrichments: named("n", enrichments),
            ..Dependents::default()
        }
    }

    #[test]
    fn users_are_named_up_to_five_in_all() {
        let rows = [
            ("nobody", 0, 0, ""),
            ("one", 1, 0, "1 export (x0)"),
            ("both kinds", 2, 1, "2 exports (x0, x1) and 1 enrichment (n0)"),
            (
                "too many exports leave no room",
                7,
                1,
                "7 exports (x0, x1, x2, x3, x4 and 2 more) and 1 enrichment",
            ),
            (
                "room for some",
                4,
                3,
                "4 exports (x0, x1, x2, x3) and 3 enrichments (n0 and 2 more)",
            ),
        ];
        for (case, exports, enrichments, expected) in rows {
            assert_eq!(dependents(exports, enrichments).summary(), expected, "{case}");
        }
    }

    proptest! {
        #[test]
        fn the_summary_fits_the_schema(exports in 0usize..20, enrichments in 0usize..20) {
            let long = "n".repeat(252);
            let dependents = Dependents {
                exports: named(&long, exports),
                enrichments: named(&long, enrichments),
                ..Dependents::default()
            };
            prop_assert!(dependents.summary().chars().count() <= 2048);
        }
    }
}
