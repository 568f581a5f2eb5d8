//! Gathers what a decision about a key vault may know.

use super::decide::{KeyVaultFacts, Seen, may_ask, needs_proof};
use crate::api::{KeyVault, Reference};
use crate::reconcile::{Asked, Context, Fault};
use kube::{Resource, ResourceExt};
use std::sync::Arc;

pub(super) async fn observe(vault: Arc<KeyVault>, context: &Context) -> Result<KeyVaultFacts, Fault> {
    let (namespace, name) = (vault.namespace().unwrap_or_default(), vault.name_any());
    let subject = Reference::Subject(namespace.clone(), KeyVault::kind(&()).into_owned(), name.clone());
    let mut facts = KeyVaultFacts {
        secrets: context.secrets_of(&*vault).await?,
        run_account: context.run_account_of(&namespace),
        dependents: context.stores.dependents(&Reference::KeyVault(namespace, name)),
        consent: context.consent_facts(&subject),
        allowed: context.links.allowed(),
        seen: Seen::NotAsked,
        now: context.now(),
        vault,
    };
    if needs_proof(&facts) {
        facts.consent.proof = context.proof().await?;
    }
    if may_ask(&facts) {
        facts.seen = match context.surveyed(&facts.vault).await? {
            Asked::Sight(sight) => Seen::Asked(sight),
            Asked::Unusable(reason, text) => Seen::Unusable(reason, text),
            Asked::Nothing => Seen::NotAsked,
        };
    } else {
        context.links.forget(&facts.vault);
    }
    Ok(facts)
}
