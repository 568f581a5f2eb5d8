//! Decides about one key vault. Pure: everything it knows is in the facts.

use crate::api::key_vault::{KeyVault, KeyVaultSpec, KeyVaultStatus};
use crate::api::names::IN_USE_FINALIZER;
use crate::api::reference::SecretSource;
use crate::api::{ConditionType, Reason};
use crate::governance::Standing;
use crate::governance::conditions;
use crate::governance::consent::{
    self, Commands, Consent, ConsentFacts, NOTICE, NoticeAt, Required, Said, Subject,
};
use crate::governance::credentials::{self, Named, Resolution, Secrets};
use crate::governance::decision::{Decision, announcements};
use crate::governance::dependents::Dependents;
use crate::governance::readiness;
use crate::governance::removal::{self, Hold, Removal};
use crate::governance::run_account::{self, Need, RunAccountFacts};
use crate::governance::vaults::KeyVaults;
use jiff::Timestamp;
use kube::ResourceExt;
use std::collections::BTreeMap;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Everything that a decision about a key vault may know.
#[derive(Clone, Debug)]
pub struct KeyVaultFacts {
    /// The key vault as last seen.
    pub vault: Arc<KeyVault>,
    /// The Secrets that it refers to.
    pub secrets: Secrets,
    /// What is there of the namespace's run account.
    pub run_account: RunAccountFacts,
    /// Who uses it.
    pub dependents: Dependents,
    /// What is known about consent beside the key vault itself.
    pub consent: ConsentFacts,
    /// The time of the visit.
    pub now: Timestamp,
}

/// The wanted state of the key vault.
#[must_use]
pub fn decide(facts: &KeyVaultFacts) -> Decision<KeyVaultStatus> {
    let vault = &*facts.vault;
    let before = vault.status.clone().unwrap_or_default();
    let namespace = vault.namespace().unwrap_or_default();
    let removal = Removal {
        kind: "keyvault",
        namespace: &namespace,
        deleting: vault.metadata.deletion_timestamp.is_some(),
        held: vault.finalizers().iter().any(|name| name == IN_USE_FINALIZER),
        dependents: &facts.dependents,
    };
    let valid = valid(&vault.spec);
    let fits = valid.reason == Reason::AsDeclared;
    let required = required(facts);
    let consent = judged_consent(facts, &required, fits);
    let resolution = credentials::judge(
        &Named {
            place: "spec",
            namespace: &namespace,
            sources: &sources(&vault.spec),
        },
        &facts.secrets,
        &KeyVaults::new(),
        &before.credentials,
        facts.now,
    );
    let need = need(facts, &namespace);
    let judged = judged(&removal, valid, &consent, &resolution, need);
    let asked = fits || consent.given.is_some();
    let status = KeyVaultStatus {
        observed_generation: vault.metadata.generation,
        conditions: conditions::updated(&before.conditions, judged, vault.metadata.generation, facts.now),
        consent: Some(consent::status(
            &consent,
            asked.then_some(required.current),
            before.consent.as_ref(),
            facts.now,
        )),
        credentials: resolution.secrets,
        dependents: Some(facts.dependents.of_vault(removal::next_step(&removal))),
        provider: Some(vault.spec.provider().to_owned()),
        address: Some(vault.spec.address().to_owned()),
        secrets: Vec::new(),
    };
    let hold = removal::hold(&removal);
    let recorded = with_subject(facts, |subject| {
        consent::effects(&consent, subject, &facts.consent)
    });
    let effects = recorded.into_iter().chain(run_account::effects(need));
    Decision {
        hold,
        effects: effects
            .filter(|effect| hold != Hold::Release || !effect.comes_first())
            .collect(),
        announcements: announcements(&before.conditions, &status.conditions),
        recheck: consent.recheck,
        status,
    }
}

fn judged(
    removal: &Removal<'_>,
    valid: Standing,
    consent: &Consent,
    resolution: &Resolution,
    need: Need<'_>,
) -> Vec<(ConditionType, Standing)> {
    let concerns = vec![
        (ConditionType::Valid, valid),
        (ConditionType::ConsentGiven, consent.standing.clone()),
        (ConditionType::SecretsResolved, resolution.standing.clone()),
        (ConditionType::RunAccountReady, run_account::standing(need)),
        (ConditionType::Reachable, reachable(consent)),
    ];
    let ready = if removal.deleting {
        "It is being removed."
    } else {
        "Connections and datasets can name its secrets."
    };
    let mut judged = readiness::judged(concerns, None, ready);
    consent::told_once(&mut judged);
    judged.push((ConditionType::Deleting, removal::deleting(removal)));
    judged
}

/// What it needs of its namespace's run account.
fn need<'a>(facts: &'a KeyVaultFacts, namespace: &'a str) -> Need<'a> {
    Need {
        namespace,
        needed: facts.vault.spec.uses_run_account(),
        deleting: facts.vault.metadata.deletion_timestamp.is_some(),
        facts: &facts.run_account,
    }
}

/// Nobody asks a vault that no administrator has agreed to.
fn reachable(consent: &Consent) -> Standing {
    if consent.given.is_none() {
        return Standing::unknown(Reason::NotChecked, "The vault is asked once consent is given.");
    }
    Standing::unknown(Reason::VaultNotAsked, "The vault hasn't answered yet.")
}

/// What the schema can't tell.
fn valid(spec: &KeyVaultSpec) -> Standing {
    let auth = spec.azure_key_vault.as_ref().map(|azure| &azure.auth);
    if auth.is_some_and(|auth| auth.managed_identity.is_some()) {
        let text = format!(
            "spec.azureKeyVault.auth.managedIdentity is the identity of a node, which this installation allows no namespace \
             to use for {}: choose another way to sign in, or ask the operator's administrator to allow it.",
            spec.address()
        );
        return Standing::unmet(Reason::IdentityNotAllowed, text);
    }
    Standing::met(Reason::AsDeclared, "What it says can be used.")
}

/// Its own references in the form that all have.
fn sources(spec: &KeyVaultSpec) -> BTreeMap<String, SecretSource> {
    let credentials = spec.credentials().into_iter();
    let sources = credentials.map(|(field, reference)| {
        let source = SecretSource {
            secret_key_ref: Some(reference.clone()),
            key_vault_ref: None,
        };
        (field.to_owned(), source)
    });
    sources.collect()
}

/// Whether a new consent is about to be counted, so that somebody must look whether the API server vouches for it.
#[must_use]
pub fn needs_proof(facts: &KeyVaultFacts) -> bool {
    consent::needs_proof(&said(facts), || required(facts), facts.now)
}

fn judged_consent(facts: &KeyVaultFacts, required: &Required, fits: bool) -> Consent {
    with_subject(facts, |subject| {
        let commands = Commands {
            subject,
            notice: NoticeAt::Told(NOTICE),
            stamped: facts.consent.stamped,
            fits,
        };
        consent::judge(commands, required, &said(facts), facts.now)
    })
}

fn required(facts: &KeyVaultFacts) -> Required {
    with_subject(facts, |subject| {
        consent::required_of_vault(subject, &facts.vault.spec)
    })
}

fn said(facts: &KeyVaultFacts) -> Said<'_> {
    let before = facts.vault.status.as_ref();
    let before = before.and_then(|status| status.consent.as_ref());
    consent::said(&facts.vault.metadata, before, &facts.consent)
}

fn with_subject<T>(facts: &KeyVaultFacts, judge: impl FnOnce(Subject<'_>) -> T) -> T {
    let namespace = facts.vault.namespace().unwrap_or_default();
    let name = facts.vault.name_any();
    judge(Subject {
        kind: "KeyVault",
        namespace: &namespace,
        name: &name,
    })
}
