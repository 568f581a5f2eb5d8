//! What the operator counts about itself. Labels never hold the name of an object.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the reconcile histogram, in seconds.
const RECONCILE_BUCKETS: [f64; 9] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 2.0];

/// The kind of object, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    /// The kind.
    pub kind: String,
    /// What became of it, in one word.
    pub outcome: &'static str,
}

/// The kind that ran, what began the run, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Ran {
    /// The kind.
    pub kind: String,
    /// Schedule or Request.
    pub trigger: &'static str,
    /// Succeeded, Failed or Stopped.
    pub outcome: &'static str,
}

/// The kind of object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfKind {
    /// The kind.
    pub kind: String,
}

/// All counters, cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    /// Visits to objects: `settled`, `written`, `released`, `stale`, `conflict`, `failed`.
    pub reconciles: Family<Outcome, Counter>,
    /// How long a visit took, requests included.
    pub reconcile_seconds: Family<OfKind, Histogram>,
    /// Events: `published`, `dropped` over the budget, `failed`.
    pub events: Family<Outcome, Counter>,
    /// Watches that broke and were begun again.
    pub watch_errors: Family<OfKind, Counter>,
    /// Objects that don't fit their schema and were left out.
    pub malformed: Family<OfKind, Counter>,
    /// Runs that have ended.
    pub runs: Family<Ran, Counter>,
    /// Whether this replica leads: 1 or 0.
    pub leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            reconciles: Family::default(),
            reconcile_seconds: Family::new_with_constructor(|| Histogram::new(RECONCILE_BUCKETS)),
            events: Family::default(),
            watch_errors: Family::default(),
            malformed: Family::default(),
            runs: Family::default(),
            leader: Gauge::default(),
        }
    }
}

impl Metrics {
    /// All of them under their names.
    #[must_use]
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("connections");
        registry.register(
            "build",
            "The operator's version; there while it runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "reconciles",
            "Visits to objects, by what became of them",
            self.reconciles.clone(),
        );
        registry.register_with_unit(
            "reconcile",
            "How long a visit took, requests included",
            Unit::Seconds,
            self.reconcile_seconds.clone(),
        );
        registry.register(
            "events",
            "Events told, by what became of them",
            self.events.clone(),
        );
        registry.register(
            "watch_errors",
            "Watches that broke and were begun again",
            self.watch_errors.clone(),
        );
        registry.register(
            "malformed_objects",
            "Objects left out because they don't fit their schema",
            self.malformed.clone(),
        );
        registry.register(
            "runs",
            "Runs that have ended, by what began them and how they ended",
            self.runs.clone(),
        );
        registry.register(
            "leader",
            "Whether this replica leads: only one does, and only that one writes",
            self.leader.clone(),
        );
        registry
    }

    /// Counts one run that has ended.
    pub fn ran(&self, kind: &str, trigger: &'static str, outcome: &'static str) {
        self.runs
            .get_or_create(&Ran {
                kind: kind.to_owned(),
                trigger,
                outcome,
            })
            .inc();
    }

    /// Counts one visit.
    pub fn reconciled(&self, kind: &str, outcome: &'static str) {
        self.reconciles
            .get_or_create(&Outcome {
                kind: kind.to_owned(),
                outcome,
            })
            .inc();
    }

    /// Counts one event.
    pub fn event(&self, kind: &str, outcome: &'static str) {
        self.events
            .get_or_create(&Outcome {
                kind: kind.to_owned(),
                outcome,
            })
            .inc();
    }
}
