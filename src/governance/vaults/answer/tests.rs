use super::*;
use crate::fixtures::{at, company_vault, vault_secret};
use crate::governance::vaults::VaultsSeen;
use crate::vault::fault::{Absence, Outage};
use std::sync::Arc;

const VAULT: &str = "https://vault.example.com:8200";

fn away() -> Fault {
    Fault::VaultUnavailable {
        vault: VAULT.to_owned(),
        why: Outage::NoConnection,
    }
}

fn throttled() -> Fault {
    Fault::Throttled {
        vault: VAULT.to_owned(),
    }
}

fn gone() -> Fault {
    Fault::SecretNotFound {
        vault: VAULT.to_owned(),
        secret: "sftp".to_owned(),
        why: Absence::Deleted,
    }
}

fn version(version: &str) -> Found {
    Found {
        version: version.to_owned(),
        expires: None,
    }
}

/// What looks one after the other have shown, from second 10 on.
fn sight(answers: Vec<Result<Found, Fault>>) -> Sight {
    let mut sight = Sight::default();
    for (second, answer) in (10..).zip(answers) {
        sight.take_in(answer, at(second));
    }
    sight
}

fn status(version: Option<&str>, since: Option<i64>, unconfirmed: Option<i64>) -> SecretStatus {
    SecretStatus {
        name: "password".to_owned(),
        source: "KeyVault company-vault, secret sftp".to_owned(),
        version: version.map(str::to_owned),
        since: since.map(|second| Time(at(second))),
        unconfirmed_since: unconfirmed.map(|second| Time(at(second))),
    }
}

fn judged(sight: Option<Sight>, before: Option<&SecretStatus>) -> Answer {
    let source = vault_secret("company-vault", "sftp");
    let seen = VaultsSeen {
        linked: [("company-vault".to_owned(), Arc::new(company_vault().ready().0))].into(),
        sights: sight
            .into_iter()
            .map(|sight| ("password".to_owned(), sight))
            .collect(),
    };
    let asked = Asked {
        field: "spec.secrets.password",
        name: "password",
        namespace: "marketing",
        named: source.key_vault_ref.as_ref().expect("a reference"),
        before,
    };
    judge(asked, &seen, at(100))
}

fn known(version: &str) -> Good {
    Good {
        version: Some(version.to_owned()).filter(|version| !version.is_empty()),
        ends: None,
        recheck: None,
    }
}

fn kept(version: &str, fault: &Fault, since: i64) -> Answer {
    Answer::Kept {
        known: known(version),
        reason: reason(fault),
        told: format!(
            "{fault} What was known of its secrets before still counts. It has been so since {}.",
            at(since)
        ),
        since: Time(at(since)),
    }
}

fn unusable(fault: &Fault) -> Answer {
    let text = format!("spec.secrets.password can't be used by the key vault company-vault. {fault}");
    Answer::Unusable(reason(fault), text)
}

#[test]
fn an_outage_keeps_what_was_good_also_over_a_restart_and_nothing_else_does() {
    let good = status(Some("1"), Some(1), None);
    let old_outage = status(Some("1"), Some(1), Some(5));
    let nothing = status(None, None, None);
    let unversioned = status(None, Some(1), None);
    let rows: Vec<(&str, Option<Sight>, Option<&SecretStatus>, Answer)> = vec![
        ("never looked at", None, None, Answer::Awaited),
        (
            "no answer yet",
            Some(sight(vec![])),
            Some(&nothing),
            Answer::Awaited,
        ),
        (
            "no answer yet from a new process",
            Some(sight(vec![])),
            Some(&good),
            Answer::Carried(good.clone()),
        ),
        (
            "not looked at by it",
            None,
            Some(&old_outage),
            Answer::Carried(old_outage.clone()),
        ),
        (
            "found",
            Some(sight(vec![Ok(version("2"))])),
            Some(&good),
            Answer::Good(known("2")),
        ),
        (
            "found where no versions are kept",
            Some(sight(vec![Ok(version(""))])),
            None,
            Answer::Good(known("")),
        ),
        (
            "away since",
            Some(sight(vec![Ok(version("2")), Err(away()), Err(away())])),
            Some(&good),
            kept("2", &away(), 11),
        ),
        (
            "throttled since",
            Some(sight(vec![Ok(version("2")), Err(throttled())])),
            None,
            kept("2", &throttled(), 11),
        ),
        (
            "away when a new process begins",
            Some(sight(vec![Err(away())])),
            Some(&good),
            kept("1", &away(), 10),
        ),
        (
            "away before and after a new process begins",
            Some(sight(vec![Err(away())])),
            Some(&old_outage),
            kept("1", &away(), 5),
        ),
        (
            "the same where no versions are kept",
            Some(sight(vec![Err(away())])),
            Some(&unversioned),
            kept("", &away(), 10),
        ),
        (
            "away, and nothing was ever known",
            Some(sight(vec![Err(away())])),
            Some(&nothing),
            unusable(&away()),
        ),
        (
            "taken away by the vault before it went away, and the status hasn't heard of it",
            Some(sight(vec![Ok(version("1")), Err(gone()), Err(away())])),
            Some(&good),
            unusable(&away()),
        ),
        (
            "taken away",
            Some(sight(vec![Ok(version("1")), Err(gone())])),
            Some(&good),
            unusable(&gone()),
        ),
        (
            "back",
            Some(sight(vec![Err(gone()), Ok(version("3"))])),
            Some(&nothing),
            Answer::Good(known("3")),
        ),
    ];
    for (case, sight, before, expected) in rows {
        assert_eq!(judged(sight, before), expected, "{case}");
    }
}

#[test]
fn an_end_is_announced_fourteen_days_ahead() {
    let day = 24 * 3600;
    let rows = [
        ("far", 30 * day, false, Some(24 * 3600)),
        (
            "in fifteen days less an hour",
            15 * day - 3600,
            false,
            Some(23 * 3600),
        ),
        ("in fourteen days", 14 * day, true, None),
        ("tomorrow", day, true, None),
    ];
    for (case, rest, told, recheck) in rows {
        let found = Found {
            version: "1".to_owned(),
            expires: Some(at(100 + rest)),
        };
        let Answer::Good(good) = judged(Some(sight(vec![Ok(found)])), None) else {
            panic!("{case}: it can be used")
        };
        assert_eq!(good.ends.is_some(), told, "{case}");
        assert_eq!(good.recheck, recheck.map(SignedDuration::from_secs), "{case}");
    }
    let found = Found {
        version: "1".to_owned(),
        expires: Some(at(100)),
    };
    let Answer::Good(good) = judged(Some(sight(vec![Ok(found)])), None) else {
        panic!("it can be used")
    };
    assert_eq!(
        good.ends.as_deref(),
        Some(
            "spec.secrets.password can be used until 2023-11-14: give the secret sftp a new version in the key vault \
             company-vault before."
        )
    );
}

#[test]
fn what_the_key_vault_forbids_is_told_before_any_answer() {
    let source = vault_secret("company-vault", "sftp");
    let named = source.key_vault_ref.as_ref().expect("a reference");
    let rows = [
        ("ready", Some(company_vault().ready()), true),
        ("not ready", Some(company_vault()), false),
        ("not linked", None, false),
        (
            "not allowed",
            Some(company_vault().ready().allowing(&["other"])),
            false,
        ),
        ("on its way", Some(company_vault().ready().deleting()), false),
    ];
    for (case, vault, expected) in rows {
        let linked: KeyVaults = vault
            .map(|vault| ("company-vault".to_owned(), Arc::new(vault.0)))
            .into_iter()
            .collect();
        assert_eq!(may_ask("marketing", named, &linked), expected, "{case}");
        let seen = VaultsSeen {
            linked,
            sights: [("password".to_owned(), sight(vec![Ok(version("1"))]))].into(),
        };
        let asked = Asked {
            field: "spec.secrets.password",
            name: "password",
            namespace: "marketing",
            named,
            before: None,
        };
        let answer = judge(asked, &seen, at(100));
        assert_eq!(matches!(answer, Answer::Good(_)), expected, "{case}");
    }
}
