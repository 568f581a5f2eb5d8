//! Connections: their parameters, consent, secrets and users.

pub mod decide;
mod observe;
pub mod watch;

pub use decide::{ConnectionFacts, decide, too_early};

use crate::api::Connection;
use crate::reconcile::{Context, Fault, Governed};
use kube::runtime::controller::Action;
use std::sync::Arc;

impl Governed for Connection {
    async fn reconcile(self: Arc<Self>, context: &Context) -> Result<Action, Fault> {
        let facts = observe::observe(Arc::clone(&self), context).await?; // client required for key names
        if let Some(rest) = too_early(&facts) {
            return Ok(Action::requeue(rest));
        }
        let decision = decide(&facts); // pure
        context.act(&*self, decision).await // client required
    }
}
