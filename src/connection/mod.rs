//! Connections: their parameters, consent, secrets and users.

pub mod decide;
mod observe;
pub mod watch;

pub use decide::{ConnectionFacts, decide, too_early};

use crate::api::{Connection, Enrichment, Export};
use crate::cluster::writes::{self, WriteError};
use crate::reconcile::{Context, Fault, Governed};
use kube::runtime::controller::Action;
use kube::{Client, ResourceExt};
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

    /// An export that was put on it just before its deletion may not have come yet: the watches don't wait for each other.
    async fn is_still_used(&self, client: &Client) -> Result<bool, WriteError> {
        let namespace = self.namespace().unwrap_or_default();
        let users = format!("spec.connectionRef.name={}", self.name_any());
        Ok(writes::is_any::<Export>(client, &namespace, &users).await?
            || writes::is_any::<Enrichment>(client, &namespace, &users).await?)
    }
}
