//! Pages of the documentation that are generated from the code, so that they can't say something else.

mod catalog;

pub use catalog::catalog;

use crate::api::{ConditionType, Reason};
use crate::governance::readiness::{Situation, situation};

/// `docs/conditions.md`: every condition type and every reason, each with its one sentence.
#[must_use]
pub fn conditions() -> String {
    let types: Vec<(&str, &str)> = ConditionType::ALL
        .iter()
        .map(|type_| (type_.as_str(), type_.meaning()))
        .collect();
    let sections = SORTS.iter().map(|(sort, title, what_it_means)| {
        let reasons: Vec<(&str, &str)> = Reason::ALL
            .iter()
            .filter(|reason| situation(**reason) == *sort)
            .map(|reason| (reason.as_str(), reason.meaning()))
            .collect();
        format!("\n## {title}\n\n{what_it_means}\n\n{}", table("Reason", &reasons))
    });
    format!(
        "# Conditions and reasons\n\nGenerated from the code: `make generate` writes this page.\n\nEach object tells \
         by `status.conditions` how it stands. `kubectl describe` shows them, with messages that say what is wrong, \
         where, and the next step. `Ready`, `Reconciling` and `Stalled` are what kubectl, Argo CD and Flux read; the \
         others judge one concern each. A reason is one word that never changes its meaning, fit for alerts and \
         scripts.\n\n## Condition types\n\n{}{}",
        table("Type", &types),
        sections.collect::<String>()
    )
}

/// The sorts of reasons, in the order in which they decide about Ready.
const SORTS: [(Situation, &str, &str); 7] = [
    (
        Situation::Mistake,
        "Reasons: its author must correct something",
        "`Ready` is False and `Stalled` True. These come first: where several reasons hold, `Ready` gives the first \
         sort of this page.",
    ),
    (
        Situation::Unrun,
        "Reasons: the installation has nothing that runs it",
        "`Ready` is False and `Stalled` True.",
    ),
    (
        Situation::Consent,
        "Reasons: an administrator must consent",
        "`Ready` is False and `Stalled` True.",
    ),
    (
        Situation::Purpose,
        "Reasons: it rests on purpose",
        "`Ready` is True, but nothing runs.",
    ),
    (
        Situation::Held,
        "Reasons: a run failed for good",
        "`Ready` is False and `Stalled` True. Scheduled runs are held; a run on request is begun all the same.",
    ),
    (
        Situation::Waiting,
        "Reasons: it waits for another object",
        "`Ready` is False and `Reconciling` True. It goes on by itself once the cause is gone.",
    ),
    (
        Situation::Good,
        "Reasons: nothing is in the way",
        "These say more about a single concern, and never keep `Ready` from being True.",
    ),
];

fn table(head: &str, rows: &[(&str, &str)]) -> String {
    let lines = rows
        .iter()
        .map(|(word, meaning)| format!("| `{word}` | {meaning} |\n"));
    format!("| {head} | Meaning |\n|---|---|\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_of_conditions_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/conditions.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == conditions(),
            "docs/conditions.md is stale: run make generate"
        );
    }

    #[test]
    fn every_type_and_reason_stands_on_the_page_once() {
        let page = conditions();
        let types = ConditionType::ALL
            .iter()
            .map(|type_| (type_.as_str(), type_.meaning()));
        let reasons = Reason::ALL
            .iter()
            .map(|reason| (reason.as_str(), reason.meaning()));
        for (word, meaning) in types.chain(reasons) {
            assert_eq!(
                page.matches(&format!("| `{word}` | {meaning} |\n")).count(),
                1,
                "{word}"
            );
            assert!(
                meaning.ends_with('.') && !meaning.contains('|'),
                "{word}: {meaning}"
            );
        }
    }

    #[test]
    fn sorts_stand_in_the_order_in_which_they_decide() {
        assert!(SORTS.is_sorted_by_key(|(sort, ..)| *sort));
    }
}
