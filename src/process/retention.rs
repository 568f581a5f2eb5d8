//! Takes decisions on consent off the record after their time.

use crate::api::{Connection, ConsentRecord, Reference};
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
    let connections = stores.connections.store().state().into_iter();
    let subjects = connections.map(|connection| {
        Reference::Subject(
            connection.namespace().unwrap_or_default(),
            Connection::kind(&()).into_owned(),
            connection.name_any(),
        )
    });
    subjects.collect()
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
