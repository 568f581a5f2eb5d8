use super::*;
use crate::api::ConditionStatus;
use crate::fixtures::{at, secret, secret_key, vault_secret};

fn judged(
    sources: &[(&str, SecretSource)],
    seen: &[(&str, Arc<SecretKeys>)],
    before: &[SecretStatus],
) -> Resolution {
    let sources = sources
        .iter()
        .map(|(slot, source)| ((*slot).to_owned(), source.clone()))
        .collect();
    let seen = seen
        .iter()
        .map(|(name, keys)| ((*name).to_owned(), Arc::clone(keys)))
        .collect();
    let named = Named {
        place: "spec.secrets",
        namespace: "marketing",
        sources: &sources,
    };
    judge(&named, &seen, &KeyVaults::new(), before, at(100))
}

fn of_type(type_: &str) -> Arc<SecretKeys> {
    Arc::new(SecretKeys {
        type_: type_.to_owned(),
        ..SecretKeys::clone(&secret("7", [("token", true)]))
    })
}

type Row = (
    &'static str,
    SecretSource,
    Option<Arc<SecretKeys>>,
    Reason,
    &'static str,
);

#[test]
fn a_reference_leads_to_a_key_that_holds_something() {
    let good = secret("7", [("user", true), ("empty", false)]);
    let rows: Vec<Row> = vec![
        (
            "there",
            secret_key("partner", "user"),
            Some(Arc::clone(&good)),
            Reason::AllResolved,
            "Every referenced key holds a value.",
        ),
        (
            "no Secret",
            secret_key("partner", "user"),
            None,
            Reason::SecretNotFound,
            "spec.secrets.username names the Secret partner, which doesn't exist in namespace marketing: create it with \
             the key user.",
        ),
        (
            "no such key",
            secret_key("partner", "User"),
            Some(Arc::clone(&good)),
            Reason::KeyNotFound,
            "spec.secrets.username names the key User, which Secret partner doesn't have: add it, or name another.",
        ),
        (
            "an empty key",
            secret_key("partner", "empty"),
            Some(good),
            Reason::KeyEmpty,
            "spec.secrets.username names the key empty of Secret partner, which is empty: put the value there.",
        ),
        (
            "the token of a service account",
            secret_key("partner", "token"),
            Some(of_type("kubernetes.io/service-account-token")),
            Reason::SecretNotAllowed,
            "spec.secrets.username names the Secret partner of type kubernetes.io/service-account-token, which holds a \
             credential of the cluster itself: name another.",
        ),
        (
            "a bootstrap token, even where the key is missing",
            secret_key("partner", "user"),
            Some(of_type("bootstrap.kubernetes.io/token")),
            Reason::SecretNotAllowed,
            "spec.secrets.username names the Secret partner of type bootstrap.kubernetes.io/token, which holds a \
             credential of the cluster itself: name another.",
        ),
        (
            "a Secret of another kind of type",
            secret_key("partner", "token"),
            Some(of_type("kubernetes.io/basic-auth")),
            Reason::AllResolved,
            "Every referenced key holds a value.",
        ),
        (
            "a key vault",
            vault_secret("company-vault", "user"),
            None,
            Reason::VaultNotFound,
            "spec.secrets.username names the key vault company-vault, which doesn't exist in namespace marketing: link \
             it, or name another. To see those there are: kubectl get keyvaults -n marketing",
        ),
        (
            "no source, written before the schema refused that",
            SecretSource::default(),
            None,
            Reason::SecretsInvalid,
            "spec.secrets.username has no source or more than one: name exactly one, secretKeyRef or keyVaultRef.",
        ),
        (
            "two sources, likewise",
            SecretSource {
                key_vault_ref: vault_secret("company-vault", "user").key_vault_ref,
                ..secret_key("partner", "user")
            },
            Some(secret("7", [("user", true)])),
            Reason::SecretsInvalid,
            "spec.secrets.username has no source or more than one: name exactly one, secretKeyRef or keyVaultRef.",
        ),
    ];
    for (case, source, seen, reason, message) in rows {
        let seen: Vec<(&str, Arc<SecretKeys>)> = seen.into_iter().map(|keys| ("partner", keys)).collect();
        let standing = judged(&[("username", source)], &seen, &[]).standing;
        assert_eq!(
            (standing.reason, standing.message.as_str()),
            (reason, message),
            "{case}"
        );
        assert_eq!(
            standing.status == ConditionStatus::True,
            reason == Reason::AllResolved,
            "{case}"
        );
    }
    assert_eq!(judged(&[], &[], &[]).standing.reason, Reason::NoSecrets);
}

#[test]
fn all_problems_are_told_under_the_one_that_a_person_must_act_on_first() {
    let standing = judged(
        &[
            ("password", secret_key("absent", "p")),
            ("username", secret_key("robot", "token")),
        ],
        &[("robot", of_type("kubernetes.io/service-account-token"))],
        &[],
    )
    .standing;
    assert_eq!(standing.reason, Reason::SecretNotAllowed);
    assert!(
        standing.message.contains("spec.secrets.password")
            && standing.message.contains("spec.secrets.username")
    );
}

#[test]
fn a_status_dates_the_version_and_not_the_visit() {
    let entry = |source: &str, version: Option<&str>, since: Option<i64>| SecretStatus {
        name: "username".to_owned(),
        source: source.to_owned(),
        version: version.map(str::to_owned),
        since: since.map(|second| Time(at(second))),
    };
    let partner = "Secret partner, key user";
    let vault = "KeyVault company-vault, secret user";
    let there = || Some(secret("7", [("user", true)]));
    let key = || secret_key("partner", "user");
    let rows = [
        (
            "first seen",
            key(),
            there(),
            None,
            entry(partner, Some("7"), Some(100)),
        ),
        (
            "seen again",
            key(),
            there(),
            Some(entry(partner, Some("7"), Some(1))),
            entry(partner, Some("7"), Some(1)),
        ),
        (
            "rotated",
            key(),
            there(),
            Some(entry(partner, Some("6"), Some(1))),
            entry(partner, Some("7"), Some(100)),
        ),
        (
            "pointed elsewhere",
            key(),
            there(),
            Some(entry("Secret old, key user", Some("7"), Some(1))),
            entry(partner, Some("7"), Some(100)),
        ),
        (
            "gone",
            key(),
            None,
            Some(entry(partner, Some("7"), Some(1))),
            entry(partner, None, None),
        ),
        (
            "still gone",
            key(),
            None,
            Some(entry(partner, None, None)),
            entry(partner, None, None),
        ),
        (
            "a key vault",
            vault_secret("company-vault", "user"),
            None,
            None,
            entry(vault, None, None),
        ),
    ];
    for (case, source, seen, before, after) in rows {
        let seen: Vec<(&str, Arc<SecretKeys>)> = seen.into_iter().map(|keys| ("partner", keys)).collect();
        let before: Vec<SecretStatus> = before.into_iter().collect();
        assert_eq!(
            judged(&[("username", source)], &seen, &before).secrets,
            [after],
            "{case}"
        );
    }
}
