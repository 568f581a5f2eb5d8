use super::*;
use crate::api::ConditionStatus;
use crate::fixtures::{at, company_vault, condition, found, secret, secret_key, vault_secret};
use crate::vault::fault::Fault;
use crate::vault::sight::Sight;

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
    let before = Before {
        secrets: before,
        conditions: &[],
    };
    judge(&named, &seen, &VaultsSeen::default(), before, at(100))
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
        unconfirmed_since: None,
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

/// Two references to one key vault, and what the status said of them.
fn in_company_vault(sights: [Option<Sight>; 2], before: &[SecretStatus], told: &[Condition]) -> Resolution {
    let names = ["password", "username"];
    let sources = names.map(|name| (name.to_owned(), vault_secret("company-vault", name)));
    let references = Named {
        place: "spec.secrets",
        namespace: "marketing",
        sources: &sources.into(),
    };
    let sights = names.into_iter().zip(sights);
    let vaults = VaultsSeen {
        linked: [("company-vault".to_owned(), Arc::new(company_vault().ready().0))].into(),
        sights: sights
            .filter_map(|(name, sight)| Some((name.to_owned(), sight?)))
            .collect(),
    };
    let before = Before {
        secrets: before,
        conditions: told,
    };
    judge(&references, &Secrets::new(), &vaults, before, at(100))
}

fn away_after(version: &str) -> Sight {
    let mut sight = found(version, None);
    sight.take_in(
        Err(Fault::Throttled {
            vault: "https://vault.example.com:8200".to_owned(),
        }),
        at(20),
    );
    sight
}

fn refused() -> Sight {
    let mut sight = Sight::default();
    sight.take_in(
        Err(Fault::SecretDisabled {
            vault: "https://vault.example.com:8200".to_owned(),
            secret: "username".to_owned(),
            version: "1".to_owned(),
        }),
        at(20),
    );
    sight
}

#[test]
fn what_vaults_say_of_several_references_is_told_together() {
    use ConditionStatus::{False, True, Unknown};
    let good = |version: &str| Some(found(version, None));
    let ending = || Some(found("1", Some(at(1000))));
    let rows = [
        (
            "both there",
            [good("1"), good("1")],
            True,
            Reason::AllResolved,
            "Every referenced key",
        ),
        (
            "one never answered",
            [good("1"), None],
            Unknown,
            Reason::VaultNotAsked,
            "The key vault company-vault hasn't told yet whether its secrets can be used.",
        ),
        (
            "one refused, one never answered",
            [None, Some(refused())],
            False,
            Reason::SecretDisabled,
            "spec.secrets.username can't be used by the key vault company-vault. The secret username in ",
        ),
        (
            "one refused, one kept in an outage",
            [Some(away_after("1")), Some(refused())],
            False,
            Reason::SecretDisabled,
            "spec.secrets.username can't be used by the key vault company-vault. The secret username in ",
        ),
        (
            "both kept in an outage, which comes before an end",
            [Some(away_after("1")), ending()],
            True,
            Reason::Throttled,
            "The vault https://vault.example.com:8200 takes no more requests for now: ",
        ),
        (
            "one ends soon",
            [ending(), good("1")],
            True,
            Reason::SecretExpiresSoon,
            "spec.secrets.password can be used until 2023-11-14: ",
        ),
    ];
    for (case, sights, status, reason, message) in rows {
        let resolution = in_company_vault(sights, &[], &[]);
        let told = &resolution.standing;
        assert_eq!((told.status, told.reason), (status, reason), "{case}");
        assert!(told.message.starts_with(message), "{case}: {}", told.message);
        let forewarned = status == True && reason != Reason::AllResolved;
        assert_eq!(resolution.forewarning().is_some(), forewarned, "{case}");
    }
    let twice = in_company_vault([Some(away_after("1")), Some(away_after("1"))], &[], &[]);
    let told = twice.standing.message.matches("takes no more requests").count();
    assert_eq!(told, 1, "one outage is told once");
}

#[test]
fn until_somebody_has_looked_all_stands_as_it_was_told() {
    let first = in_company_vault([Some(away_after("1")), Some(found("", None))], &[], &[]);
    let told = Condition {
        message: first.standing.message.clone(),
        ..condition(
            ConditionType::SecretsResolved,
            first.standing.status,
            first.standing.reason,
        )
    };
    let unlooked = in_company_vault(
        [None, Some(Sight::default())],
        &first.secrets,
        std::slice::from_ref(&told),
    );
    assert_eq!(
        (&unlooked.standing, &unlooked.secrets),
        (&first.standing, &first.secrets)
    );
    assert!(!unlooked.rotated);
    let half = in_company_vault([None, Some(refused())], &first.secrets, &[told]);
    assert_eq!(
        half.standing.reason,
        Reason::SecretDisabled,
        "an answer counts at once"
    );
    assert_eq!(
        half.secrets[1].since, None,
        "and what it took away isn't known any more"
    );
}

#[test]
fn another_version_in_a_vault_is_news_and_nothing_else_is() {
    let first = in_company_vault([Some(found("1", None)), Some(found("", None))], &[], &[]);
    assert!(!first.rotated, "the first version is no news");
    let rows = [
        (
            "the same",
            [Some(found("1", None)), Some(found("", None))],
            false,
            Some(100),
        ),
        (
            "another",
            [Some(found("2", None)), Some(found("", None))],
            true,
            Some(100),
        ),
        (
            "the same, kept",
            [Some(away_after("1")), Some(found("", None))],
            false,
            Some(100),
        ),
        (
            "taken away",
            [Some(refused()), Some(found("", None))],
            false,
            None,
        ),
    ];
    for (case, sights, rotated, since) in rows {
        let next = in_company_vault(sights, &first.secrets, &[]);
        assert_eq!(next.rotated, rotated, "{case}");
        assert_eq!(next.announcement().is_some(), rotated, "{case}");
        assert_eq!(
            next.secrets[0].since,
            since.map(|second| Time(at(second))),
            "{case}"
        );
        assert_eq!(
            next.secrets[1].version, None,
            "{case}: the vault keeps none there"
        );
        assert_eq!(next.secrets[1].since, Some(Time(at(100))), "{case}");
    }
}
