//! Asks long runs how far they are, for as long as this process leads.

use super::queues::Wakers;
use crate::api::run_objects::run_of;
use crate::cluster::progress::Asker;
use crate::governance::runs::progress::due;
use crate::reconcile::Context;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How often it's looked who is to be asked.
const PAUSE: Duration = Duration::from_secs(5);
/// How many are asked at once.
const AT_ONCE: usize = 64;

/// Asks, and wakes those whose runs tell news. It never ends.
pub(super) async fn keep_asking(context: &Context, wakers: &Wakers) {
    let asker = Asker::default();
    loop {
        tokio::time::sleep(PAUSE).await;
        let pods = context.stores.pods.store().state();
        let there: BTreeSet<&str> = pods.iter().filter_map(|pod| uid(pod)).collect();
        context.progress.keep(&there);
        stream::iter(who_is_asked(&pods, context))
            .for_each_concurrent(AT_ONCE, |(pod, address)| {
                ask(pod, address, (&asker, context, wakers))
            })
            .await;
    }
}

async fn ask(pod: &Pod, address: IpAddr, (asker, context, wakers): (&Asker, &Context, &Wakers)) {
    let answer = asker.ask(address).await;
    let Some(uid) = uid(pod) else { return };
    if context.progress.note(uid, Timestamp::now(), answer)
        && let Some(run) = run_of(pod)
    {
        wakers.wake_run(&run);
    }
}

fn who_is_asked<'a>(pods: &'a [Arc<Pod>], context: &Context) -> Vec<(&'a Pod, IpAddr)> {
    let now = Timestamp::now();
    let asked = pods.iter().filter_map(|pod| {
        let address = due(pod, context.progress.asked(uid(pod)?), now)?;
        Some((&**pod, address))
    });
    asked.collect()
}

fn uid(pod: &Pod) -> Option<&str> {
    pod.metadata.uid.as_deref()
}
