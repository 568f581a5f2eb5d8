//! Gathers what a decision about a key vault may know.

use super::decide::{KeyVaultFacts, needs_proof};
use crate::api::{KeyVault, Reference};
use crate::reconcile::{Context, Fault};
use kube::{Resource, ResourceExt};
use std::sync::Arc;

pub(super) async fn observe(vault: Arc<KeyVault>, context: &Context) -> Result<KeyVaultFacts, Fault> {
    let (namespace, name) = (vault.namespace().unwrap_or_default(), vault.name_any());
    let subject = Reference::Subject(namespace.clone(), KeyVault::kind(&()).into_owned(), name.clone());
    let mut facts = KeyVaultFacts {
        secrets: context.secrets_of(&*vault).await?,
        run_account: context.run_account_of(&namespace),
        dependents: context.dependents(&Reference::KeyVault(namespace, name)),
        consent: context.consent_facts(&subject),
        now: context.now(),
        vault,
    };
    if needs_proof(&facts) {
        facts.consent.proof = context.proof().await?;
    }
    Ok(facts)
}
