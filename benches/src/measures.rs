//! From requests and processor time to numbers.

use crate::audit::{Pace, Purpose, Request};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// How fast something was written.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    pub per_second: f64,
    /// Per second of processor time of everything that takes part: comparable also while the machine does something
    /// else as well.
    pub per_processor_second: f64,
}

impl Speed {
    #[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^52")]
    pub fn of(pace: Pace, used: &BTreeMap<String, f64>) -> Self {
        let ours = used
            .iter()
            .filter(|(who, _)| !["others", "idle"].contains(&who.as_str()));
        Self {
            per_second: pace.per_second(),
            per_processor_second: pace.requests as f64 / ours.map(|(_, seconds)| seconds).sum::<f64>(),
        }
    }
}

/// What stands behind a speed.
pub fn facts(pace: Pace, used: &BTreeMap<String, f64>) -> Value {
    let speed = Speed::of(pace, used);
    json!({
        "writes": pace.requests, "seconds": pace.seconds, "processorSeconds": used,
        "perSecond": speed.per_second, "perProcessorSecond": speed.per_processor_second,
    })
}

/// Whether a request may not be there in a settled world.
pub fn unsettled(request: &Request) -> bool {
    !matches!(request.purpose, Purpose::Watch | Purpose::Lease)
}

#[expect(clippy::cast_precision_loss, reason = "a count of requests is far below 2^52")]
pub fn count(requests: &[Request], counts: impl Fn(&Request) -> bool) -> f64 {
    requests.iter().filter(|request| counts(request)).count() as f64
}

/// Writes by object, events excepted.
pub struct Writes(HashMap<String, u32>);

impl Writes {
    pub fn of(requests: &[Request]) -> Self {
        let mut writes = HashMap::new();
        for request in requests.iter().filter(|request| request.governs()) {
            *writes.entry(request.object.clone()).or_default() += 1;
        }
        Self(writes)
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = f64> + 'a {
        let chosen = self.0.iter().filter(move |(object, _)| object.starts_with(kind));
        chosen.map(|(_, writes)| f64::from(*writes))
    }

    pub fn most(&self, kind: &str) -> f64 {
        self.of_kind(kind).fold(0.0, f64::max)
    }

    pub fn mean(&self, kind: &str) -> f64 {
        let (sum, count) = self
            .of_kind(kind)
            .fold((0.0, 0.0), |(sum, count), writes| (sum + writes, count + 1.0));
        sum / f64::max(count, 1.0)
    }
}

/// The 99th of a hundred.
pub fn p99(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[(numbers.len() * 99 / 100).saturating_sub(1)]
}

pub fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
