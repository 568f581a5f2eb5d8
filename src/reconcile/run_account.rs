//! What run accounts ask of the stores.

use super::Context;
use crate::api::names::RUN_ACCOUNT;
use crate::cluster::ObjectKey;
use crate::governance::run_account::RunAccountFacts;

impl Context {
    /// What is there under the name of a namespace's run account.
    #[must_use]
    pub fn run_account_of(&self, namespace: &str) -> RunAccountFacts {
        let key = ObjectKey::new(namespace, RUN_ACCOUNT);
        RunAccountFacts {
            account: self.kept(&self.stores.service_accounts, &key),
            role: self.kept(&self.stores.roles, &key),
            role_binding: self.kept(&self.stores.role_bindings, &key),
        }
    }
}
