//! Enrichments: Active or Inactive, from everything that they depend on.

pub mod decide;
mod observe;
pub mod watch;

pub use decide::decide;

use crate::api::Enrichment;
use crate::governance::activity::too_early;
use crate::reconcile::{Context, Fault, Governed};
use kube::runtime::controller::Action;
use std::sync::Arc;

impl Governed for Enrichment {
    async fn reconcile(self: Arc<Self>, context: &Context) -> Result<Action, Fault> {
        let facts = observe::observe(&self, context); // stores only
        if too_early(&facts) {
            return Ok(Action::await_change());
        }
        let decision = decide(&facts); // pure
        context.act(&*self, decision).await // client required
    }
}
