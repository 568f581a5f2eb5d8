//! What little happens in a settled world.

use super::{Bench, QUIET};
use crate::audit::{Purpose, Request};
use crate::machine::Memory;
use crate::measures::{Writes, count, median, unsettled};
use crate::operator::Operator;
use crate::report::Must::AtMost;
use crate::report::Report;
use crate::world::{World, make_all};
use crate::{Outcome, bare};
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::json;
use std::collections::HashMap;

/// Restarts, of which the median counts.
const RESTARTS: usize = 3;

impl Bench {
    /// After the last event: nothing but watches, and how much memory that takes.
    pub(super) async fn settled(&self, report: &mut Report, operator: &Operator) -> Outcome<()> {
        println!("== settled");
        let mut audit = self.audit(&self.operator)?;
        audit.until_quiet(QUIET, unsettled, 0).await?;
        tokio::time::sleep(self.scale.settled()).await; // the measure itself: nothing for so long
        let requests = audit.read()?;
        report.row(
            "settled: requests other than watches",
            AtMost(0.0),
            count(&requests, unsettled),
            "by the audit log, leases excepted, for 60 s (10 s on the small scale) after the last event was out",
        );
        self.memory(report, operator, "memory, settled")
    }

    fn memory(&self, report: &mut Report, operator: &Operator, phase: &'static str) -> Outcome<()> {
        let memory = Memory::of(operator.id())?;
        report.row(
            "resident memory with all of it, MiB",
            AtMost(200.0),
            memory.resident_mib,
            "VmRSS of the operator's process after converging and settling",
        );
        report.row(
            "the most memory that was resident until then, MiB",
            AtMost(200.0),
            memory.peak_mib,
            "VmHWM of the same process at the same moment",
        );
        report.keep(
            phase,
            json!({"memory": memory, "objects": 2 * self.scale.connections()}),
        );
        Ok(())
    }

    /// Connections that come into a settled world, then exports on them.
    pub(super) async fn later(&self, report: &mut Report) -> Outcome<()> {
        println!("== more connections, then exports on them");
        let mut audit = self.audit(&self.operator)?;
        let scale = &self.scale;
        make_all(&self.admin, self.world.later_connections(scale)).await?;
        let connections = audit.until_quiet(QUIET, Request::writes, 2 * scale.later).await?;
        make_all(&self.admin, World::later_exports(scale)).await?;
        let exports = audit.until_quiet(QUIET, Request::writes, scale.later).await?;
        report.row(
            "writes to bring one consented connection to Ready",
            AtMost(1.0),
            Writes::of(&connections).most("connections/"),
            "finalizer and status by the audit log, from its creation with consent; the most of any among the connections that were made in a settled world",
        );
        report.row(
            "records of its consent besides, per connection",
            AtMost(1.0),
            count(&connections, Request::records)
                / count(&connections, |request| request.purpose == Purpose::Status),
            "records that were written for those connections, by the audit log, ÷ their status writes",
        );
        report.row(
            "writes to bring one export to Active",
            AtMost(1.0),
            Writes::of(&exports).most("exports/"),
            "status by the audit log; the most of any among exports on those connections, made once these were Ready",
        );
        report.row(
            "events about one of them",
            AtMost(1.0),
            self.most_events().await?,
            "the most events that the API server holds about any one of these connections and exports, repeats counted",
        );
        Ok(())
    }

    /// The most events about any object that came later.
    async fn most_events(&self) -> Outcome<f64> {
        let events: Api<Event> = Api::all(self.admin.clone());
        let later: Vec<String> = self
            .world
            .later_connections(&self.scale)
            .map(|connection| Ok(connection?.name_any()))
            .chain(World::later_exports(&self.scale).map(|export| Ok(export?.name_any())))
            .collect::<Outcome<_>>()?;
        let mut by_object: HashMap<String, i32> = HashMap::new();
        for event in events.list(&ListParams::default()).await? {
            let about = event
                .regarding
                .and_then(|regarding| regarding.name)
                .unwrap_or_default();
            if later.contains(&about) {
                *by_object.entry(about).or_default() += event.series.map_or(1, |series| series.count);
            }
        }
        Ok(by_object.into_values().max().unwrap_or_default().into())
    }

    /// Starts anew where nothing is left to do.
    pub(super) async fn restart(&self, report: &mut Report) -> Outcome<()> {
        println!("== restarting");
        let mut audit = self.audit(&self.operator)?;
        let (mut lists, mut starts, mut memory) = (Vec::new(), Vec::new(), None);
        let mut requests = Vec::new();
        for _ in 0..RESTARTS {
            lists.push(bare::list(&self.bare.client).await?.as_secs_f64());
            let operator = Operator::start(&self.setup, &[]).await?;
            starts.push(operator.ready_after.as_secs_f64());
            requests.extend(audit.until_quiet(QUIET, unsettled, 1).await?);
            memory = Some(Memory::of(operator.id())?);
        }
        report.row(
            "restart with all settled: writes",
            AtMost(0.0),
            count(&requests, Request::writes),
            "by the audit log, over three restarts",
        );
        report.row(
            "restart: time to ready ÷ time of a bare list",
            AtMost(2.0),
            median(&mut starts) / median(&mut lists),
            "from the start of the process to its first answer that it is ready ÷ reading the same lists to the last byte, all kinds at once and each in one answer, nothing parsed; medians of three in turn",
        );
        report.keep(
            "restarting",
            json!({"readyAfterSeconds": starts, "bareListSeconds": lists, "memory": memory}),
        );
        Ok(())
    }
}
