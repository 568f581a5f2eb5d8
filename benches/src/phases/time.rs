//! How long one change and one visit take.

use super::Bench;
use crate::measures::{median, p99};
use crate::replica::Replica;
use crate::report::Must::AtMost;
use crate::report::Report;
use crate::{Outcome, bare};
use connection_operator::api::export::State;
use connection_operator::api::{Connection, Export};
use futures::TryStreamExt;
use kube::api::{ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;
use std::pin::pin;
use std::time::Instant;

/// Rounds and visits of each, for the time of one visit.
const ROUNDS: usize = 9;
const VISITS: u32 = 4000;
/// Connections and exports of the world of 200 objects.
const FEW: usize = 100;

impl Bench {
    /// From a change of a connection to the status of its export, in an idle world.
    pub(super) async fn latency(&self, report: &mut Report) -> Outcome<()> {
        println!("== from a connection to its export");
        let exports: Vec<&Export> = self.world.exports.iter().take(self.scale.each).collect();
        let namespace = exports[0].namespace().unwrap_or_default();
        let api: Api<Export> = Api::namespaced(self.admin.clone(), &namespace);
        let version = api
            .list_metadata(&ListParams::default())
            .await?
            .metadata
            .resource_version;
        let watch = WatchParams::default();
        let mut events = pin!(api.watch(&watch, &version.unwrap_or_default()).await?);
        let connections: Api<Connection> = Api::namespaced(self.admin.clone(), &namespace);
        let mut took = Vec::new();
        for number in 0..self.scale.tries {
            let export = exports[number / 2 % exports.len()];
            let suspend = number % 2 == 0;
            let connection = export
                .spec
                .connection_ref
                .as_ref()
                .map(|connection| connection.name.as_str());
            let change = Patch::Merge(json!({"spec": {"suspend": suspend}}));
            let started = Instant::now();
            connections
                .patch(connection.unwrap_or_default(), &PatchParams::default(), &change)
                .await?;
            let wanted = if suspend { State::Inactive } else { State::Active };
            while let Some(event) = events.try_next().await? {
                if let WatchEvent::Modified(seen) = event
                    && seen.name_any() == export.name_any()
                    && seen.status.and_then(|status| status.state) == Some(wanted)
                {
                    break;
                }
            }
            took.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        report.row(
            "change of a connection to its export's status, p99, ms",
            AtMost(50.0),
            p99(&mut took),
            "100 times spec.suspend of a connection is set or unset; from sending that to the export's new state on another client's watch",
        );
        report.keep(
            "from a connection to its export",
            json!({"millisecondsMedian": took[took.len() / 2], "millisecondsMost": took.last()}),
        );
        Ok(())
    }

    /// What of that way would take as long without the operator.
    pub(super) async fn relay(&self, report: &mut Report) -> Outcome<()> {
        let took = bare::relay(&self.admin, &self.bare.client, &self.patches, self.scale.tries).await?;
        let mut took: Vec<f64> = took.iter().map(|took| took.as_secs_f64() * 1000.0).collect();
        report.keep(
            "the same three writes one after the other by a bare client",
            json!({"millisecondsMedian": median(&mut took), "millisecondsP99": p99(&mut took)}),
        );
        Ok(())
    }

    /// The time of one visit, in a large world and in a small one.
    pub(super) async fn visit(&self, report: &mut Report) -> Outcome<()> {
        println!("== the time of one visit");
        let step = self.scale.connections() / FEW;
        let connections: Vec<Connection> = self.world.connections.iter().step_by(step).cloned().collect();
        let exports: Vec<Export> = self.world.exports.iter().step_by(step).cloned().collect();
        let mut few = Replica::of(&self.world).await?;
        few.settle(&connections, &exports).await?;
        let [mut small, mut large, mut spread] = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            small.push(few.visit(VISITS, FEW).await?.as_secs_f64() * 1e6);
            large.push(self.replica.visit(VISITS, FEW).await?.as_secs_f64() * 1e6);
            spread.push(self.replica.visit(VISITS, usize::MAX).await?.as_secs_f64() * 1e6);
        }
        let [small, large, spread] = [&mut small, &mut large, &mut spread].map(|times| median(times));
        report.row(
            "one visit's own time at all objects ÷ at 200",
            AtMost(1.2),
            large / small,
            "observe, decide and finding that nothing has to be written, in this process by the operator's own code; 200 objects in random order, in a world of these alone and in the whole world; medians of nine rounds of 8,000 visits in turn",
        );
        report.row(
            "the same, with visits to all objects",
            AtMost(1.2),
            spread / small,
            "as before, but the visits in the whole world go to all its objects in random order, so that few of them are in the processor's caches",
        );
        report.keep(
            "the time of one visit",
            json!({"microsecondsAt200": small, "microsecondsAtAll": large, "microsecondsToAll": spread}),
        );
        Ok(())
    }
}
