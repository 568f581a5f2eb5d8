//! Gathers what a decision about a run account may know.

use super::decide::AccountFacts;
use crate::api::Reference;
use crate::reconcile::Context;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::ResourceExt;
use std::sync::Arc;

pub(super) fn observe(account: Arc<ServiceAccount>, context: &Context) -> AccountFacts {
    let namespace = account.namespace().unwrap_or_default();
    let there = context.run_account_of(&namespace);
    let account_of = Reference::RunAccount(namespace);
    let stores = &context.stores;
    let (vaults, _) = stores.key_vaults.count_referring(&account_of, 0);
    let (exports, _) = stores.exports.count_referring(&account_of, 0);
    let (enrichments, _) = stores.enrichments.count_referring(&account_of, 0);
    AccountFacts {
        account,
        role: there.role,
        role_binding: there.role_binding,
        needed: vaults > 0 || exports > 0 || enrichments > 0,
    }
}
