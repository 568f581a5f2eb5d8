//! How many objects there are, and how they stand: counted when somebody asks for metrics, from what is in memory.

use crate::api::{Condition, ConditionStatus, ConditionType};
use crate::cluster::Objects;
use crate::governance::conditions::find;
use crate::reconcile::Stores;
use kube::Resource;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use std::collections::BTreeMap;
use std::fmt::{Debug, Error, Formatter};

/// Kind, and the status and reason of Ready.
type Standing = (String, &'static str, String);

/// Counts the objects of all kinds.
pub(super) struct Census(pub Stores);

impl Debug for Census {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result<(), Error> {
        f.write_str("Census") // the objects themselves are nobody's business
    }
}

impl Collector for Census {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let help = "Objects by kind, and by the status and reason of their condition Ready";
        let mut family = encoder.encode_descriptor("objects", help, None, MetricType::Gauge)?;
        for ((kind, ready, reason), count) in self.counted() {
            let labels = [("kind", kind), ("ready", ready.to_owned()), ("reason", reason)];
            ConstGauge::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl Census {
    fn counted(&self) -> BTreeMap<Standing, i64> {
        let mut counts = BTreeMap::new();
        let Stores {
            connection_types,
            key_vaults,
            connections,
            exports,
            enrichments,
            datasets,
            .. // what the operator itself keeps isn't judged
        } = &self.0;
        count(&mut counts, connection_types, |object| {
            Some(&object.status.as_ref()?.conditions)
        });
        count(&mut counts, key_vaults, |object| {
            Some(&object.status.as_ref()?.conditions)
        });
        count(&mut counts, connections, |object| {
            Some(&object.status.as_ref()?.conditions)
        });
        count(&mut counts, exports, |object| {
            Some(&object.status.as_ref()?.conditions)
        });
        count(&mut counts, enrichments, |object| {
            Some(&object.status.as_ref()?.conditions)
        });
        count(&mut counts, datasets, |object| {
            Some(&object.status.as_ref()?.conditions)
        });
        counts
    }
}

fn count<K: Resource<DynamicType = ()> + Clone>(
    counts: &mut BTreeMap<Standing, i64>,
    objects: &Objects<K>,
    conditions: impl Fn(&K) -> Option<&Vec<Condition>>,
) {
    for object in objects.store().state() {
        let ready = conditions(&object).and_then(|all| find(all, ConditionType::Ready));
        let (ready, reason) = ready.map_or_else(
            || ("Unknown", String::new()),
            |ready| (word(ready.status), ready.reason.clone()),
        );
        *counts
            .entry((K::kind(&()).into_owned(), ready, reason))
            .or_default() += 1;
    }
}

fn word(status: ConditionStatus) -> &'static str {
    match status {
        ConditionStatus::True => "True",
        ConditionStatus::False => "False",
        ConditionStatus::Unknown => "Unknown",
    }
}
