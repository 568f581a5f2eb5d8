use super::Lack::{AzureFirewall, AzureList, AzureMetadata, AzureValue};
use super::*;
use crate::vault::address::NameError;

const VAULT: &str = "https://sales.vault.azure.net";

/// One of every kind that has a single cause, and those of a name that no such vault takes.
fn single() -> Vec<Fault> {
    let vault = || VAULT.to_owned();
    let secret = || "sftp".to_owned();
    vec![
        Fault::AddressNotAllowed { vault: vault() },
        Fault::Throttled { vault: vault() },
        Fault::KeyNotFound {
            vault: vault(),
            secret: secret(),
            key: "password".to_owned(),
            unfit: None,
        },
        Fault::KeyNotFound {
            vault: vault(),
            secret: secret(),
            key: "password".to_owned(),
            unfit: Some(NameError::AzureKey),
        },
        Fault::SecretDisabled {
            vault: vault(),
            secret: secret(),
            version: "3".to_owned(),
        },
        Fault::SecretExpired {
            vault: vault(),
            secret: secret(),
            version: "3".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        },
        Fault::VersionNotFound {
            vault: vault(),
            secret: secret(),
            version: "9".to_owned(),
            unfit: None,
        },
        Fault::VersionNotFound {
            vault: vault(),
            secret: secret(),
            version: "abc".to_owned(),
            unfit: Some(NameError::VaultVersion),
        },
    ]
}

/// One of every kind, with each of its causes.
pub fn every_fault() -> Vec<Fault> {
    let vault = || VAULT.to_owned();
    let secret = || "sftp".to_owned();
    let who = || "the application 7b795fb9-09d3-42f4-a494-38864f99ba3c".to_owned();
    let missing = [
        Missing::Host,
        Missing::Mount("kv".to_owned()),
        Missing::Engine("kv".to_owned()),
    ]
    .map(|what| Fault::VaultNotFound { vault: vault(), what });
    let outages = [
        Outage::NoName,
        Outage::NoConnection,
        Outage::Untrusted,
        Outage::Slow,
        Outage::Broken,
        Outage::Status(502),
        Outage::Sealed,
        Outage::Redirect,
        Outage::TooLarge,
        Outage::Garbage,
        Outage::SignIn,
        Outage::NoRunToken(NoRunToken::NoAccount),
        Outage::NoRunToken(NoRunToken::Forbidden),
        Outage::NoRunToken(NoRunToken::NoAnswer),
        Outage::Resting,
    ]
    .map(|why| Fault::VaultUnavailable { vault: vault(), why });
    let path = Lack::VaultPath {
        capability: "read",
        path: "kv/metadata/sftp".to_owned(),
    };
    let denied =
        [AzureList, AzureMetadata, AzureValue, AzureFirewall, path].map(|lack| Fault::AccessDenied {
            vault: vault(),
            who: who(),
            lack,
        });
    let rejected = [
        Rejection::Wrong,
        Rejection::Expired,
        Rejection::UnknownClient,
        Rejection::UnknownTenant,
        Rejection::NoTrust,
        Rejection::OtherTenant,
        Rejection::Unreadable,
        Rejection::NotManaged,
        Rejection::Method,
        Rejection::Code(50_059),
        Rejection::Unknown,
    ]
    .map(|why| Fault::CredentialRejected {
        vault: vault(),
        who: who(),
        why,
    });
    let absent = [
        Absence::Unknown,
        Absence::Deleted,
        Absence::Empty,
        Absence::Unfit(NameError::AzureSecret),
    ]
    .map(|why| Fault::SecretNotFound {
        vault: vault(),
        secret: secret(),
        why,
    });
    missing
        .into_iter()
        .chain(outages)
        .chain(denied)
        .chain(rejected)
        .chain(absent)
        .chain(single())
        .collect()
}

#[test]
fn every_fault_names_the_vault_in_whole_sentences_and_a_next_step() {
    let mut seen = std::collections::BTreeSet::new();
    for fault in every_fault() {
        let words = fault.to_string();
        assert!(words.contains(VAULT), "{words}");
        assert!(
            words.ends_with('.') && !words.contains("..") && !words.contains('\n'),
            "{words}"
        );
        assert!(
            words.starts_with(char::is_uppercase) || words.starts_with(VAULT),
            "{words}"
        );
        assert!(words.contains(": "), "the next step follows the cause: {words}");
        assert!(words.chars().count() < 500, "{words}");
        assert!(seen.insert(words.clone()), "told apart from the others: {words}");
    }
}

#[test]
fn the_page_for_administrators_has_a_remedy_for_every_reason() {
    let page = include_str!("../../../docs/key-vaults.md");
    for fault in every_fault() {
        let reason = fault.reason();
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{reason}` | ")));
        let cells = row.map(|row| row.matches(" | ").count());
        assert_eq!(cells, Some(3), "{reason}: meaning, causes, remedy");
    }
}

#[test]
fn only_a_vault_that_is_away_or_throttles_keeps_what_was_known() {
    for fault in every_fault() {
        let expected = ["VaultUnavailable", "Throttled"].contains(&fault.reason());
        assert_eq!(fault.keeps_last_good(), expected, "{fault}");
    }
}

#[test]
fn an_expiry_is_told_by_its_day() {
    let fault = Fault::SecretExpired {
        vault: VAULT.to_owned(),
        secret: "sftp".to_owned(),
        version: "3".to_owned(),
        at: Timestamp::from_second(1_800_000_000).expect("a time"),
    };
    assert_eq!(
        fault.to_string(),
        "The secret sftp in https://sales.vault.azure.net has expired (version 3, on 2027-01-15): give it a new version there."
    );
}
