//! Decides about one key vault. Pure: everything it knows is in the facts.

use crate::api::key_vault::{KeyVault, KeyVaultSpec, KeyVaultStatus};
use crate::api::names::IN_USE_FINALIZER;
use crate::api::reference::SecretSource;
use crate::api::{ConditionStatus, ConditionType, Reason};
use crate::governance::Standing;
use crate::governance::conditions;
use crate::governance::consent::{
    self, Commands, Consent, ConsentFacts, NOTICE, NoticeAt, Required, Said, Subject,
};
use crate::governance::credentials::{self, Before, Named, Resolution, Secrets};
use crate::governance::decision::{Decision, announcements};
use crate::governance::dependents::Dependents;
use crate::governance::readiness;
use crate::governance::removal::{self, Removal};
use crate::governance::run_account::{self, Need, RunAccountFacts};
use crate::governance::vaults::VaultsSeen;
use crate::governance::vaults::address::{Allowed, Link};
use crate::governance::vaults::survey::{self, Known, Survey};
use crate::vault::sight::{Listing, Sight};
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
    /// What the installation lets key vaults be.
    pub allowed: Arc<Allowed>,
    /// What was seen of the vault.
    pub seen: Seen,
    /// The time of the visit.
    pub now: Timestamp,
}

/// What was seen of the vault on this visit.
#[derive(Clone, Debug)]
pub enum Seen {
    /// It isn't asked.
    NotAsked,
    /// A credential can't be used as it stands.
    Unusable(Reason, String),
    /// It is asked; this is what is known.
    Asked(Sight<Listing>),
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
    let valid = valid(&vault.spec, &namespace, &facts.allowed);
    let fits = valid.reason == Reason::AsDeclared;
    let required = required(facts);
    let consent = judged_consent(facts, &required, fits);
    let resolution = resolution(facts, &before);
    let survey = surveyed(facts, &before, &consent, &required);
    let need = need(facts, &namespace);
    let judged = judged(&removal, valid, &consent, &resolution, need, survey.as_ref());
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
        unconfirmed_since: survey
            .as_ref()
            .and_then(|survey| survey.unconfirmed_since.clone()),
        secrets: survey.map(|survey| survey.secrets).unwrap_or_default(),
    };
    let hold = removal::hold(&removal);
    let recorded = with_subject(facts, |subject| {
        consent::effects(&consent, subject, &facts.consent, hold)
    });
    Decision {
        hold,
        effects: recorded.into_iter().chain(run_account::effects(need)).collect(),
        announcements: announcements(&before.conditions, &status.conditions),
        recheck: consent.recheck,
        status,
    }
}

/// Whether the vault may be asked: the key vault says what is allowed, its credentials or its run account are there, and
/// consent stands, on record and in the status that people see.
#[must_use]
pub fn may_ask(facts: &KeyVaultFacts) -> bool {
    let vault = &*facts.vault;
    let namespace = vault.namespace().unwrap_or_default();
    let before = vault.status.clone().unwrap_or_default();
    let required = required(facts);
    vault.metadata.deletion_timestamp.is_none()
        && valid(&vault.spec, &namespace, &facts.allowed).reason == Reason::AsDeclared
        && is_agreed(&before, &required)
        && judged_consent(facts, &required, true).given.is_some()
        && resolution(facts, &before).standing.status == ConditionStatus::True
        && run_account::standing(need(facts, &namespace)).status == ConditionStatus::True
}

/// Whether the status says that consent stands for the very place that the key vault names now.
fn is_agreed(before: &KeyVaultStatus, required: &Required) -> bool {
    let consent = before.consent.as_ref();
    consent.is_some_and(|consent| consent.given && consent.required.as_ref() == Some(&required.current))
}

/// How its own credentials stand.
fn resolution(facts: &KeyVaultFacts, before: &KeyVaultStatus) -> Resolution {
    let namespace = facts.vault.namespace().unwrap_or_default();
    let mut resolution = credentials::judge(
        &Named {
            place: "spec",
            namespace: &namespace,
            sources: &sources(&facts.vault.spec),
        },
        &facts.secrets,
        &VaultsSeen::default(),
        Before {
            secrets: &before.credentials,
            conditions: &before.conditions,
        },
        facts.now,
    );
    if let Seen::Unusable(reason, text) = &facts.seen {
        resolution.standing = Standing::unmet(*reason, text.clone());
    }
    resolution
}

/// What the vault said. Nobody asks a vault that no administrator has agreed to, and nothing is kept of another place.
fn surveyed(
    facts: &KeyVaultFacts,
    before: &KeyVaultStatus,
    consent: &Consent,
    required: &Required,
) -> Option<Survey> {
    consent.given.as_ref()?;
    let nothing = Sight::default();
    let sight = match &facts.seen {
        Seen::Asked(sight) => sight,
        Seen::NotAsked | Seen::Unusable(..) => &nothing,
    };
    let known = Known {
        before: Some(before).filter(|before| is_agreed(before, required)),
        generation: facts.vault.metadata.generation,
        patterns: facts.vault.spec.allowed_secrets.as_deref(),
        now: facts.now,
    };
    Some(survey::judge(sight, known))
}

fn judged(
    removal: &Removal<'_>,
    valid: Standing,
    consent: &Consent,
    resolution: &Resolution,
    need: Need<'_>,
    survey: Option<&Survey>,
) -> Vec<(ConditionType, Standing)> {
    let reachable = survey.map_or_else(
        || Standing::unknown(Reason::NotChecked, "The vault is asked once consent is given."),
        |survey| survey.standing.clone(),
    );
    let away = survey.filter(|survey| survey.unconfirmed_since.is_some());
    let ready = match away {
        _ if removal.deleting => "It is being removed.".to_owned(),
        Some(away) => format!(
            "Connections and datasets can name its secrets. {}",
            away.standing.message
        ),
        None => "Connections and datasets can name its secrets.".to_owned(),
    };
    let concerns = vec![
        (ConditionType::Valid, valid),
        (ConditionType::ConsentGiven, consent.standing.clone()),
        (ConditionType::SecretsResolved, resolution.standing.clone()),
        (ConditionType::RunAccountReady, run_account::standing(need)),
        (ConditionType::Reachable, reachable),
    ];
    let mut judged = readiness::judged(concerns, None, &ready);
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

/// What the schema can't tell.
fn valid(spec: &KeyVaultSpec, namespace: &str, allowed: &Allowed) -> Standing {
    match Link::read(spec, namespace, allowed) {
        Ok(_) => Standing::met(Reason::AsDeclared, "What it says can be used."),
        Err((reason, text)) => Standing::unmet(reason, text),
    }
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
            deprecated: None,
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
