//! Datasets: their credentials and users.

pub mod decide;
mod observe;
pub mod watch;

pub use decide::{DatasetFacts, decide};

use crate::api::Dataset;
use crate::reconcile::{Context, Fault, Governed};
use kube::runtime::controller::Action;
use std::sync::Arc;

impl Governed for Dataset {
    async fn reconcile(self: Arc<Self>, context: &Context) -> Result<Action, Fault> {
        let facts = observe::observe(Arc::clone(&self), context).await?; // client required for key names
        let decision = decide(&facts); // pure
        context.act(&*self, decision).await // client required
    }
}
