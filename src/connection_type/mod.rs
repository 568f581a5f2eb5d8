//! Connection types: whether they fit together, and whether they're in use. And those that come with the operator.

pub mod catalog;
pub mod decide;
mod observe;
pub mod watch;

pub use decide::{ConnectionTypeFacts, decide};

use crate::api::ConnectionType;
use crate::reconcile::{Context, Fault, Governed};
use kube::runtime::controller::Action;
use std::sync::Arc;

impl Governed for ConnectionType {
    async fn reconcile(self: Arc<Self>, context: &Context) -> Result<Action, Fault> {
        let facts = observe::observe(Arc::clone(&self), context); // stores only
        let decision = decide(&facts); // pure
        context.act(&*self, decision).await // client required
    }
}
