#![expect(clippy::too_many_lines, reason = "a table is long, not deep")]

use super::*;
use crate::api::ConditionStatus::{False, True, Unknown};
use crate::api::consent_record::ConsentDecision;
use crate::api::key_vault::VaultDependentsStatus;
use crate::api::{Condition, ConditionStatus};
use crate::fixtures::{KeyVaultBuilder, company_vault};
use crate::governance::conditions::find;
use crate::governance::decision::Effect;
use crate::governance::dependents::Users;
use crate::governance::kept::Kept;
use crate::governance::removal::Hold;
use crate::vault::fault::{Fault, Outage};
use crate::vault::sight::Listed;

fn told(facts: &KeyVaultFacts, type_: ConditionType) -> Condition {
    let status = decide(facts).status;
    find(&status.conditions, type_)
        .cloned()
        .expect("every condition is there")
}

fn used_by(facts: KeyVaultFacts, connections: &[&str], datasets: &[&str]) -> KeyVaultFacts {
    let users = |names: &[&str]| Users {
        count: names.len(),
        first: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    KeyVaultFacts {
        dependents: Dependents {
            connections: users(connections),
            datasets: users(datasets),
            ..Dependents::default()
        },
        ..facts
    }
}

#[test]
fn a_new_one_asks_for_consent_with_the_whole_notice() {
    let vault = company_vault();
    let facts = vault.facts();
    let ready = told(&facts, ConditionType::Ready);
    assert_eq!(
        ready.message,
        format!(
            "Nobody has consented to the notice for this destination (address \"https://vault.example.com:8200\", mount \
             \"secret\"). The notice: {NOTICE} To agree: kubectl annotate keyvault company-vault -n marketing --overwrite \
             connections.dev/consent={}",
            vault.digest()
        )
    );
    let decision = decide(&facts);
    assert_eq!(decision.hold, Hold::Set);
    assert_eq!(decision.status.consent, Some(vault.consent_status(false)));
    assert_eq!(decision.status.provider.as_deref(), Some("vault"));
    assert_eq!(
        decision.status.address.as_deref(),
        Some("https://vault.example.com:8200")
    );
    let credentials: Vec<&str> = decision
        .status
        .credentials
        .iter()
        .map(|secret| secret.name.as_str())
        .collect();
    assert_eq!(
        credentials,
        ["vault.auth.appRole.secretIdRef", "vault.caBundleRef"]
    );
}

type Row = (
    &'static str,
    KeyVaultFacts,
    ConditionType,
    ConditionStatus,
    Reason,
    &'static str,
);

#[test]
fn each_concern_is_judged_for_itself() {
    let consented = || company_vault().held().consented();
    let secretless = |vault: KeyVaultBuilder| KeyVaultFacts {
        secrets: Secrets::new(),
        ..vault.facts()
    };
    let moved = |mut vault: KeyVaultBuilder| {
        let place = vault.0.spec.vault.as_mut().expect("a Vault");
        place.address = "https://vault.elsewhere.example".to_owned();
        vault.facts()
    };
    let rows: Vec<Row> = vec![
        (
            "nobody asks before consent",
            company_vault().facts(),
            ConditionType::Reachable,
            Unknown,
            Reason::NotChecked,
            "The vault is asked once consent is given.",
        ),
        (
            "agreed to",
            consented().facts(),
            ConditionType::ConsentGiven,
            True,
            Reason::ConsentCurrent,
            "Consent stands for this destination and the current notice.",
        ),
        (
            "agreed to, and not asked yet",
            consented().facts(),
            ConditionType::Ready,
            False,
            Reason::VaultNotAsked,
            "The vault hasn't answered yet.",
        ),
        (
            "moved",
            moved(consented()),
            ConditionType::Ready,
            False,
            Reason::ConsentStale,
            "The consent that was given isn't for this key vault as it is now (address \"https://vault.elsewhere.example\", ",
        ),
        (
            "without its credential",
            secretless(consented()),
            ConditionType::SecretsResolved,
            False,
            Reason::SecretNotFound,
            "spec.vault.auth.appRole.secretIdRef names the Secret vault-login, which doesn't exist in namespace marketing: ",
        ),
        (
            "by the identity of a node",
            company_vault().by_the_node().facts(),
            ConditionType::Ready,
            False,
            Reason::IdentityNotAllowed,
            "spec.azureKeyVault.auth.managedIdentity is the identity of a node, which this installation doesn't allow this \
             namespace to use for https://sales.vault.azure.net: ",
        ),
        (
            "elsewhere than the installation allows",
            at_address("https://vault.example.net").facts(),
            ConditionType::Ready,
            False,
            Reason::AddressNotAllowed,
            "spec.vault.address must be one of the vaults that this installation allows (",
        ),
        (
            "with authorities that aren't any",
            KeyVaultFacts {
                seen: Seen::Unusable(
                    Reason::CaBundleInvalid,
                    "spec.vault.caBundleRef names the key".to_owned(),
                ),
                ..agreed().facts()
            },
            ConditionType::Ready,
            False,
            Reason::CaBundleInvalid,
            "spec.vault.caBundleRef names the key",
        ),
        (
            "asked, and no answer yet",
            asked(&agreed(), vec![]),
            ConditionType::Ready,
            False,
            Reason::VaultNotAsked,
            "The vault hasn't answered yet.",
        ),
        (
            "answered",
            asked(&agreed(), vec![listing()]),
            ConditionType::Ready,
            True,
            Reason::Ready,
            "Connections and datasets can name its secrets.",
        ),
        (
            "away since it answered",
            asked(&agreed(), vec![listing(), away()]),
            ConditionType::Ready,
            True,
            Reason::Ready,
            "Connections and datasets can name its secrets. The vault https://vault.example.com:8200 can't be used at the \
             moment: it is sealed, or not initialised. Unseal it. What was known of its secrets before still counts. It has \
             been so since 2023-11-14T22:13:31Z.",
        ),
        (
            "away since it answered, in one word",
            asked(&agreed(), vec![listing(), away()]),
            ConditionType::Reachable,
            True,
            Reason::VaultUnavailable,
            "The vault https://vault.example.com:8200 can't be used at the moment: ",
        ),
        (
            "away from the beginning",
            asked(&agreed(), vec![away()]),
            ConditionType::Ready,
            False,
            Reason::VaultUnavailable,
            "The vault https://vault.example.com:8200 can't be used at the moment: ",
        ),
        (
            "by a credential of its own",
            consented().facts(),
            ConditionType::RunAccountReady,
            True,
            Reason::RunAccountNotNeeded,
            "It doesn't sign in by the namespace's run account.",
        ),
        (
            "by the run account, which isn't there yet",
            company_vault().by_run_account().consented().facts(),
            ConditionType::Ready,
            False,
            Reason::RunAccountMissing,
            "It signs in by the ServiceAccount connections-run of namespace marketing, which isn't there yet: ",
        ),
        (
            "in use while it's deleted",
            used_by(consented().deleting().facts(), &["partner"], &[]),
            ConditionType::Deleting,
            True,
            Reason::DependentsRemain,
            "It is removed once nothing uses it any more: 1 connection (partner). Name a Secret or another key vault in \
             connection partner instead, or remove it: kubectl delete connection partner -n marketing",
        ),
    ];
    for (case, facts, type_, status, reason, message) in rows {
        let told = told(&facts, type_);
        assert_eq!(
            (told.status, told.reason.as_str()),
            (status, reason.as_str()),
            "{case}"
        );
        assert!(told.message.starts_with(message), "{case}: {}", told.message);
    }
}

/// Agreed to, as its status says.
fn agreed() -> KeyVaultBuilder {
    let mut vault = company_vault().held().consented();
    vault.0.status = Some(decide(&vault.facts()).status);
    vault
}

fn at_address(address: &str) -> KeyVaultBuilder {
    let mut vault = company_vault().held().consented();
    vault.0.spec.vault.as_mut().expect("a Vault").address = address.to_owned();
    vault
}

#[expect(clippy::unnecessary_wraps, reason = "one answer of two, as the other is")]
fn listing() -> Result<Listing, Fault> {
    let secret = Listed {
        name: "partner".to_owned(),
        enabled: true,
        expires: None,
    };
    Ok(Listing {
        secrets: vec![secret],
        ..Listing::default()
    })
}

fn away() -> Result<Listing, Fault> {
    Err(Fault::VaultUnavailable {
        vault: "https://vault.example.com:8200".to_owned(),
        why: Outage::Sealed,
    })
}

/// The vault was asked, and answered so one time after the other.
fn asked(vault: &KeyVaultBuilder, answers: Vec<Result<Listing, Fault>>) -> KeyVaultFacts {
    let mut sight = Sight::default();
    for (second, answer) in (10..).zip(answers) {
        sight.take_in(answer, crate::fixtures::at(second));
    }
    KeyVaultFacts {
        seen: Seen::Asked(sight),
        ..vault.facts()
    }
}

#[test]
fn a_vault_is_asked_only_with_consent_that_its_status_shows() {
    let secretless = KeyVaultFacts {
        secrets: Secrets::new(),
        ..agreed().facts()
    };
    let moved = {
        let mut vault = agreed();
        vault.0.spec.vault.as_mut().expect("a Vault").address = "https://vault.elsewhere.example".to_owned();
        vault.consented()
    };
    let withdrawn = {
        let mut vault = agreed();
        vault.0.metadata.annotations = None;
        vault
    };
    let rows = [
        ("never agreed to", company_vault().facts(), false),
        (
            "agreed to, which isn't in the status yet",
            company_vault().consented().facts(),
            false,
        ),
        ("agreed to", agreed().facts(), true),
        (
            "moved, and agreed to once more, which isn't in the status yet",
            moved.facts(),
            false,
        ),
        (
            "withdrawn, which isn't in the status yet",
            withdrawn.facts(),
            false,
        ),
        ("without its credential", secretless, false),
        ("on its way", agreed().deleting().facts(), false),
        (
            "not allowed",
            at_address("https://vault.example.net").facts(),
            false,
        ),
    ];
    for (case, facts, expected) in rows {
        assert_eq!(may_ask(&facts), expected, "{case}");
    }
}

#[test]
fn what_another_place_answered_is_not_kept() {
    let mut vault = agreed();
    vault.0.status = Some(decide(&asked(&vault, vec![listing()])).status);
    let kept = decide(&vault.facts()).status;
    assert_eq!(kept.secrets.len(), 1, "a new process begins with what was known");
    vault.0.spec.vault.as_mut().expect("a Vault").address = "https://vault.elsewhere.example".to_owned();
    let elsewhere = decide(&vault.clone().consented().facts()).status;
    assert_eq!(elsewhere.secrets, []);
    let told = find(&elsewhere.conditions, ConditionType::Reachable).expect("it is told");
    assert_eq!(told.reason, "VaultNotAsked");
    let withdrawn = decide(&vault.facts()).status;
    assert_eq!(withdrawn.secrets, [], "without consent nothing is shown either");
}

#[test]
fn an_outage_is_news_although_all_goes_on() {
    let mut vault = agreed();
    vault.0.status = Some(decide(&asked(&vault, vec![listing()])).status);
    let decision = decide(&asked(&vault, vec![listing(), away()]));
    let told: Vec<_> = decision
        .announcements
        .iter()
        .map(|news| (news.warning, news.reason))
        .collect();
    assert_eq!(told, [(true, Reason::VaultUnavailable)]);
    vault.0.status = Some(decision.status);
    let decision = decide(&asked(&vault, vec![listing(), away()]));
    assert_eq!(decision.announcements, [], "once");
    let decision = decide(&asked(&vault, vec![listing()]));
    let told: Vec<_> = decision
        .announcements
        .iter()
        .map(|news| (news.warning, news.reason))
        .collect();
    assert_eq!(told, [(false, Reason::VaultAnswers)], "and that it is over");
}

#[test]
fn nobody_is_asked_to_agree_to_what_cannot_stay() {
    let decision = decide(&company_vault().by_the_node().facts());
    assert_eq!(decision.status.consent.expect("it is told").required, None);
    let consent = find(&decision.status.conditions, ConditionType::ConsentGiven).expect("it is told");
    assert!(
        consent
            .message
            .ends_with("Consent is asked for once what the key vault says can stay: the condition Valid tells what can't."),
        "{}",
        consent.message
    );
}

#[test]
fn consent_is_put_on_record_before_the_status_says_it() {
    let vault = company_vault().held().consented();
    let decision = decide(&vault.facts());
    assert_eq!(decision.status.consent, Some(vault.consent_status(true)));
    let [Effect::Record { record, .. }] = decision.effects.as_slice() else {
        panic!("one record: {:?}", decision.effects);
    };
    assert_eq!(record.decision, ConsentDecision::Given);
    assert_eq!(
        (record.subject.kind.as_str(), record.by.as_str()),
        ("KeyVault", "ada")
    );
    assert_eq!(record.notice_version, consent::NOTICE_VERSION);
    assert_eq!(
        record.destination,
        "address \"https://vault.example.com:8200\", mount \"secret\""
    );
}

#[test]
fn without_proof_a_new_consent_counts_for_nothing() {
    let mut facts = company_vault().held().consented().facts();
    assert!(needs_proof(&facts));
    facts.consent.proof = consent::Proof::Missing("consent.connections.dev".to_owned());
    assert_eq!(told(&facts, ConditionType::Ready).reason, "ConsentUnproven");
    assert!(!needs_proof(&company_vault().facts()), "nobody has said anything");
}

#[test]
fn its_users_are_counted_and_hold_it() {
    let facts = used_by(
        company_vault().held().deleting().facts(),
        &["partner", "provider"],
        &["lake"],
    );
    let decision = decide(&facts);
    assert_eq!(decision.hold, Hold::Keep);
    let expected = VaultDependentsStatus {
        connections: 2,
        datasets: 1,
        total: 3,
        summary: "2 connections (partner, provider) and 1 dataset (lake)".to_owned(),
        next_step:
            "Name a Secret or another key vault in connection partner instead, or remove it: kubectl delete \
                    connection partner -n marketing"
                .to_owned(),
    };
    assert_eq!(decision.status.dependents, Some(expected));
    let alone = company_vault().held().deleting().facts();
    assert_eq!(decide(&alone).hold, Hold::Release);
}

#[test]
fn what_was_decided_once_is_decided_again() {
    let vault = company_vault().held();
    let mut facts = vault.facts();
    let first = decide(&facts).status;
    let mut seen = vault.0;
    seen.status = Some(first.clone());
    facts.vault = Arc::new(seen);
    facts.now = crate::fixtures::at(500);
    let again = decide(&facts);
    assert_eq!(again.status, first);
    assert_eq!(again.announcements, []);
}

#[test]
fn the_run_account_is_made_by_a_key_vault_that_signs_in_by_it() {
    let accounts = |facts: &KeyVaultFacts| {
        let effects = decide(facts).effects.into_iter();
        let accounts = effects.filter(|effect| match effect {
            Effect::Keep(kept) => matches!(**kept, Kept::ServiceAccount(_)),
            _ => false,
        });
        accounts.count()
    };
    assert_eq!(accounts(&company_vault().by_run_account().facts()), 1);
    assert_eq!(accounts(&company_vault().facts()), 0);
    let going = company_vault().by_run_account().held().deleting();
    assert_eq!(accounts(&going.facts()), 0);
}
