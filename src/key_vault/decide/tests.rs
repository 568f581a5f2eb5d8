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
            "spec.azureKeyVault.auth.managedIdentity is the identity of a node, which this installation allows no namespace \
             to use for https://sales.vault.azure.net: ",
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
