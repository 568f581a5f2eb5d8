//! One wiring for all kinds: a queue of names, visits side by side, and backoff for what failed.

use super::memory::BROUGHT_BACK_WITHIN;
use super::{Context, Fault};
use crate::cluster::Objects;
use crate::cluster::writes::WriteError;
use crate::metrics::OfKind;
use futures::{Stream, StreamExt, stream};
use kube::runtime::Controller;
use kube::runtime::controller::{Action, Config};
use kube::runtime::reflector::ObjectRef;
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// First pause after a fault; it doubles with each fault in a row.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// Longest pause after a fault.
const BACKOFF_MAX: Duration = Duration::from_mins(1);

/// A kind that has a controller.
pub trait Governed:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
    /// One visit to one object: observe, decide, act.
    fn reconcile(self: Arc<Self>, context: &Context) -> impl Future<Output = Result<Action, Fault>> + Send;

    /// Whether the API server knows of a user of it that the watch may not have brought yet. Asked before the finalizer is
    /// taken off.
    fn is_still_used(&self, _: &Client) -> impl Future<Output = Result<bool, WriteError>> + Send {
        async { Ok(false) }
    }
}

/// Visits the objects that the queue names until `stop` is done, then ends the visits that are under way.
pub async fn controller<K: Governed>(
    objects: Objects<K>,
    queue: impl Stream<Item = ObjectRef<K>> + Send + 'static,
    context: Arc<Context>,
    concurrency: u16,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) {
    // The objects come by the queue alone, after the index knows them.
    Controller::for_shared_stream(stream::pending(), objects.store())
        .reconcile_on(queue)
        .with_config(Config::default().concurrency(concurrency))
        .graceful_shutdown_on(stop)
        .run(visit, retry, context)
        .for_each(|_| async {}) // each visit has counted itself; an object that is gone needs none
        .await;
}

async fn visit<K: Governed>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Fault> {
    let kind = K::kind(&());
    if context.written.is_ahead_of(&*object) {
        context.metrics.reconciled(&kind, "stale");
        return Ok(Action::requeue(BROUGHT_BACK_WITHIN));
    }
    let started = Instant::now();
    let result = Arc::clone(&object).reconcile(&context).await;
    context
        .metrics
        .reconcile_seconds
        .get_or_create(&OfKind {
            kind: kind.to_string(),
        })
        .observe(started.elapsed().as_secs_f64());
    if result.is_ok() {
        context.failures.forget(&*object);
    }
    result
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is kube's")]
fn retry<K: Governed>(object: Arc<K>, fault: &Fault, context: Arc<Context>) -> Action {
    let kind = K::kind(&());
    context.metrics.reconciled(&kind, "failed");
    let pause = pause(context.failures.count(&*object), fastrand::f64());
    tracing::warn!(
        kind = %kind, namespace = object.namespace(), name = object.name_any(),
        error = fault as &dyn std::error::Error, retry_in = ?pause, "a visit failed"
    );
    Action::requeue(pause)
}

/// Doubles from the first pause to the longest, each between half and the whole of it so that many don't come at once.
fn pause(failed_before: u32, random: f64) -> Duration {
    let doubled = BACKOFF_FIRST.saturating_mul(2u32.saturating_pow(failed_before));
    doubled.min(BACKOFF_MAX).mul_f64(0.5 + random / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pauses_grow_to_the_longest_and_no_further(failed in any::<u32>(), random in 0.0f64..1.0) {
            let pause = pause(failed, random);
            prop_assert!(pause >= BACKOFF_FIRST / 2);
            prop_assert!(pause <= BACKOFF_MAX);
        }
    }
}
