//! Takes decisions on consent off the record after their time.

use crate::api::{ConsentRecord, Reference};
use crate::cluster::Objects;
use crate::governance::consent::expired_records;
use crate::reconcile::Stores;
use jiff::{SignedDuration, Timestamp};
use kube::api::DeleteParams;
use kube::{Api, Client, Resource, ResourceExt};
use std::collections::BTreeSet;
use std::time::Duration;

/// How often it's looked. Times are in days.
const LOOK: Duration = Duration::from_hours(1);

/// Looks now and again, for ever.
pub async fn keep(client: &Client, stores: &Stores, days: u32) {
    loop {
        let kept_for = SignedDuration::from_hours(24 * i64::from(days));
        let records = stores.consent_records.store().state();
        for record in expired_records(&records, &present(stores), kept_for, Timestamp::now()) {
            take_off(client, &record).await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What decisions may be about.
fn present(stores: &Stores) -> BTreeSet<Reference> {
    let subjects = subjects(&stores.connections).chain(subjects(&stores.key_vaults));
    subjects.collect()
}

fn subjects<K: Resource<DynamicType = ()> + Clone>(
    objects: &Objects<K>,
) -> impl Iterator<Item = Reference> + use<K> {
    let objects = objects.store().state().into_iter();
    objects.map(|object| {
        Reference::Subject(
            object.namespace().unwrap_or_default(),
            K::kind(&()).into_owned(),
            object.name_any(),
        )
    })
}

async fn take_off(client: &Client, record: &ConsentRecord) {
    let namespace = record.namespace().unwrap_or_default();
    let name = record.name_any();
    let api: Api<ConsentRecord> = Api::namespaced(client.clone(), &namespace);
    match api.delete(&name, &DeleteParams::default()).await {
        Ok(_) => {
            tracing::info!(target: "audit", namespace, name, "a decision on consent is over its time and off the record");
        }
        Err(kube::Error::Api(answer)) if answer.code == 404 => {}
        Err(error) => {
            tracing::warn!(namespace, name, %error, "a decision on consent stays on record beyond its time");
        }
    }
}
