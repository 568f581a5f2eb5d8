//! The run account of a namespace: kept while a key vault signs in by it.

pub mod decide;
mod observe;
pub mod watch;

pub use decide::{AccountFacts, decide};

use crate::reconcile::{Context, Fault, Governed};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::runtime::controller::Action;
use std::sync::Arc;

impl Governed for ServiceAccount {
    async fn reconcile(self: Arc<Self>, context: &Context) -> Result<Action, Fault> {
        let facts = observe::observe(Arc::clone(&self), context); // stores only
        let effects = decide(&facts); // pure
        context.act_beside(&*self, effects).await // client required
    }
}
