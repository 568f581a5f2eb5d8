//! How vaults answer, in numbers: counted as it happens, and told when somebody asks for metrics. No vault and no secret
//! is named there.

use crate::governance::vaults::answer::ANNOUNCED;
use crate::reconcile::Links;
use crate::vault::vaults::Tally;
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::collections::BTreeMap;
use std::fmt::{Debug, Error, Formatter};

/// Tells of all vaults that are asked.
pub(super) struct VaultNumbers(pub Links);

impl Debug for VaultNumbers {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result<(), Error> {
        f.write_str("VaultNumbers") // credentials are nobody's business
    }
}

impl Collector for VaultNumbers {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let tally = self.0.tally(Timestamp::now(), ANNOUNCED);
        numbers(&tally, &mut encoder)
    }
}

fn numbers(tally: &Tally, encoder: &mut DescriptorEncoder) -> Result<(), Error> {
    let help = "Requests to vaults, and to where one signs in to them";
    let requests = encoder.encode_descriptor("vault_requests", help, None, MetricType::Counter)?;
    ConstCounter::new(tally.requests).encode(requests)?;
    let help = "Looks at vaults by what came of them: Good, or the reason why not";
    let mut answers = encoder.encode_descriptor("vault_answers", help, None, MetricType::Counter)?;
    for (answer, count) in &tally.answers {
        ConstCounter::new(*count).encode(answers.encode_family(&[("answer", *answer)])?)?;
    }
    let help = "Secrets in vaults, and lists of vaults, that are followed now, by what is known of them";
    let mut followed = encoder.encode_descriptor("vault_followed", help, None, MetricType::Gauge)?;
    for (state, count) in gauges(&tally.followed) {
        ConstGauge::new(count).encode(followed.encode_family(&[("answer", state)])?)?;
    }
    let help = "Secrets in vaults that end within 14 days";
    let ending = encoder.encode_descriptor("vault_secrets_ending", help, None, MetricType::Gauge)?;
    ConstGauge::new(gauge(tally.ending)).encode(ending)?;
    let help = "The age of the oldest good answer of a vault that still counts";
    let unit = Some(&Unit::Seconds);
    let oldest = encoder.encode_descriptor("vault_answer_age", help, unit, MetricType::Gauge)?;
    ConstGauge::new(tally.oldest.as_secs_f64()).encode(oldest)
}

fn gauges<'a>(counts: &'a BTreeMap<&'static str, u64>) -> impl Iterator<Item = (&'static str, i64)> + 'a {
    counts.iter().map(|(state, count)| (*state, gauge(*count)))
}

fn gauge(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
