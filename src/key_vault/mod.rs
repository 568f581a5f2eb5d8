//! Key vaults: consent to link them, their own credentials, and who uses them.

pub mod decide;
mod observe;
pub mod watch;

pub use decide::{KeyVaultFacts, decide};

use crate::api::KeyVault;
use crate::reconcile::{Context, Fault, Governed};
use kube::runtime::controller::Action;
use std::sync::Arc;

impl Governed for KeyVault {
    async fn reconcile(self: Arc<Self>, context: &Context) -> Result<Action, Fault> {
        let facts = observe::observe(Arc::clone(&self), context).await?; // client required for key names
        let decision = decide(&facts); // pure
        context.act(&*self, decision).await // client required
    }
}
