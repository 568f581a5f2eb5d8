#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::*;
use crate::fixtures::{at, condition};
use crate::vault::fault::{Lack, Outage};

fn away() -> Fault {
    Fault::VaultUnavailable {
        vault: "https://vault.example.com:8200".to_owned(),
        why: Outage::Sealed,
    }
}

fn denied() -> Fault {
    Fault::AccessDenied {
        vault: "https://vault.example.com:8200".to_owned(),
        who: "the Vault token".to_owned(),
        lack: Lack::VaultPath {
            capability: "list",
            path: "secret/metadata".to_owned(),
        },
    }
}

fn listing(names: &[&str]) -> Listing {
    let secrets = names.iter().map(|name| Listed {
        name: (*name).to_owned(),
        enabled: true,
        expires: None,
    });
    Listing {
        secrets: secrets.collect(),
        ..Listing::default()
    }
}

/// The answer to who may read single secrets only.
fn unlisted() -> Listing {
    Listing {
        denied: Some(denied().into()),
        ..Listing::default()
    }
}

fn sight(answers: Vec<Result<Listing, Fault>>) -> Sight<Listing> {
    let mut sight = Sight::default();
    for (second, answer) in (10..).zip(answers) {
        sight.take_in(answer, at(second));
    }
    sight
}

/// A status that says so of the vault.
fn status(told: ConditionStatus, why: Reason, unconfirmed: Option<i64>) -> KeyVaultStatus {
    KeyVaultStatus {
        conditions: vec![condition(ConditionType::Reachable, told, why)],
        unconfirmed_since: unconfirmed.map(|second| Time(at(second))),
        secrets: vec![VaultSecretStatus {
            name: "old".to_owned(),
            enabled: Some(true),
            expires: None,
        }],
        ..KeyVaultStatus::default()
    }
}

fn known(before: Option<&KeyVaultStatus>) -> Known<'_> {
    Known {
        before,
        generation: Some(1),
        patterns: None,
        now: at(100),
    }
}

fn names(survey: &Survey) -> Vec<&str> {
    survey.secrets.iter().map(|secret| secret.name.as_str()).collect()
}

type Row<'a> = (
    &'static str,
    Sight<Listing>,
    Option<&'a KeyVaultStatus>,
    ConditionStatus,
    Reason,
    &'a [&'a str],
    Option<i64>,
);

#[test]
fn an_outage_keeps_what_was_listed_also_over_a_restart_and_nothing_else_does() {
    use ConditionStatus::{False, True, Unknown};
    let good = status(True, Reason::VaultAnswers, None);
    let no_names = KeyVaultStatus {
        secrets: Vec::new(),
        ..status(True, Reason::SecretsNotListed, None)
    };
    let old_outage = status(True, Reason::VaultUnavailable, Some(5));
    let refused_before = status(False, Reason::AccessDenied, None);
    let unasked = status(Unknown, Reason::VaultNotAsked, None);
    let listed = || Ok(listing(&["a", "b"]));
    let rows: Vec<Row<'_>> = vec![
        (
            "never asked",
            sight(vec![]),
            None,
            Unknown,
            Reason::VaultNotAsked,
            &[],
            None,
        ),
        (
            "asked, and no answer yet",
            sight(vec![]),
            Some(&unasked),
            Unknown,
            Reason::VaultNotAsked,
            &[],
            None,
        ),
        (
            "a new process",
            sight(vec![]),
            Some(&good),
            True,
            Reason::VaultAnswers,
            &["old"],
            None,
        ),
        (
            "a new process in an outage",
            sight(vec![]),
            Some(&old_outage),
            True,
            Reason::VaultUnavailable,
            &["old"],
            Some(5),
        ),
        (
            "it answers",
            sight(vec![listed()]),
            Some(&good),
            True,
            Reason::VaultAnswers,
            &["a", "b"],
            None,
        ),
        (
            "away since",
            sight(vec![listed(), Err(away())]),
            Some(&good),
            True,
            Reason::VaultUnavailable,
            &["a", "b"],
            Some(11),
        ),
        (
            "away when a new process begins",
            sight(vec![Err(away())]),
            Some(&good),
            True,
            Reason::VaultUnavailable,
            &["old"],
            Some(10),
        ),
        (
            "away before and after",
            sight(vec![Err(away())]),
            Some(&old_outage),
            True,
            Reason::VaultUnavailable,
            &["old"],
            Some(5),
        ),
        (
            "away, and never there",
            sight(vec![Err(away())]),
            Some(&unasked),
            False,
            Reason::VaultUnavailable,
            &[],
            None,
        ),
        (
            "away after the right was taken",
            sight(vec![Err(denied()), Err(away())]),
            Some(&good),
            False,
            Reason::VaultUnavailable,
            &[],
            None,
        ),
        (
            "refused",
            sight(vec![Err(denied())]),
            Some(&good),
            False,
            Reason::AccessDenied,
            &[],
            None,
        ),
        (
            "no names are told",
            sight(vec![listed(), Ok(unlisted())]),
            Some(&good),
            True,
            Reason::SecretsNotListed,
            &[],
            None,
        ),
        (
            "away while no names are told",
            sight(vec![Ok(unlisted()), Err(away())]),
            Some(&good),
            True,
            Reason::VaultUnavailable,
            &[],
            Some(11),
        ),
        (
            "a new process where no names were told",
            sight(vec![]),
            Some(&no_names),
            True,
            Reason::SecretsNotListed,
            &[],
            None,
        ),
        (
            "back",
            sight(vec![Err(denied()), listed()]),
            Some(&refused_before),
            True,
            Reason::VaultAnswers,
            &["a", "b"],
            None,
        ),
    ];
    for (case, sight, before, status, reason, secrets, since) in rows {
        let survey = judge(&sight, known(before));
        assert_eq!(
            (survey.standing.status, survey.standing.reason),
            (status, reason),
            "{case}"
        );
        assert_eq!(names(&survey), secrets, "{case}");
        assert_eq!(
            survey.unconfirmed_since,
            since.map(|second| Time(at(second))),
            "{case}"
        );
    }
}

#[test]
fn what_was_refused_stands_until_the_key_vault_says_something_else() {
    let mut before = status(ConditionStatus::False, Reason::AccessDenied, None);
    before.conditions[0].observed_generation = Some(1);
    let same = judge(&sight(vec![]), known(Some(&before)));
    assert_eq!(same.standing.reason, Reason::AccessDenied);
    let other = Known {
        generation: Some(2),
        ..known(Some(&before))
    };
    assert_eq!(
        judge(&sight(vec![]), other).standing.reason,
        Reason::VaultNotAsked
    );
}

#[test]
fn what_was_answered_before_a_change_is_not_said_of_what_came_after() {
    let mut before = status(ConditionStatus::True, Reason::VaultAnswers, None);
    before.conditions[0].observed_generation = Some(1);
    before.conditions[0].message =
        "The vault answers, and status.secrets lists what may be named.".to_owned();
    let told = |generation| {
        let known = Known {
            generation: Some(generation),
            ..known(Some(&before))
        };
        judge(&sight(vec![]), known).standing.message
    };
    assert_eq!(told(1), before.conditions[0].message);
    assert_eq!(
        told(2),
        "The vault answered before this key vault was changed, and is asked again."
    );
}

#[test]
fn which_right_would_list_the_names_is_told() {
    let told = judge(&sight(vec![Ok(unlisted())]), known(None));
    assert_eq!(
        told.standing.message,
        "The vault answers. Its secrets can be named, but status.secrets can't list them. In the vault \
         https://vault.example.com:8200, the Vault token lacks the capability list on secret/metadata: give it in a policy \
         of that identity."
    );
}

#[test]
fn only_what_may_be_named_is_listed_and_the_rest_is_told() {
    let patterns = [SecretPattern("team/*".to_owned())];
    let allowing = Known {
        patterns: Some(&patterns),
        ..known(None)
    };
    let mixed = listing(&[
        "team/b",
        "other",
        "team/a",
        "team/a",
        "team/ü",
        "-team",
        "team/../x",
    ]);
    let survey = judge(&sight(vec![Ok(mixed.clone())]), allowing);
    assert_eq!(names(&survey), ["team/a", "team/b"]);
    assert_eq!(
        survey.standing.message,
        "The vault answers, and status.secrets lists what may be named."
    );
    let truncated = Listing {
        truncated: true,
        ..mixed
    };
    let told = judge(&sight(vec![Ok(truncated)]), allowing).standing.message;
    assert!(
        told.starts_with("The vault answers. It holds more than status.secrets lists;")
            && told.ends_with("can be named all the same if spec.allowedSecrets permits it."),
        "{told}"
    );
    let many: Vec<String> = (0..=LISTED_MAX).map(|each| format!("secret-{each:04}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let survey = judge(&sight(vec![Ok(listing(&many))]), known(None));
    assert_eq!(survey.secrets.len(), LISTED_MAX as usize);
    assert!(
        survey.standing.message.contains("holds more"),
        "{}",
        survey.standing.message
    );
    let survey = judge(&sight(vec![Ok(listing(&["other"]))]), allowing);
    assert_eq!(
        survey.standing.message,
        "The vault answers, and lists no secret that may be named here."
    );
}
