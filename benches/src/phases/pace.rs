//! How fast the operator writes, beside a bare client.

use super::{BY_PROCESSOR_TIME, Bench, QUIET};
use crate::audit::{Pace, Purpose, Request};
use crate::machine::{Memory, Processor};
use crate::measures::{Speed, Writes, count, facts, unsettled};
use crate::operator::Operator;
use crate::report::Must::AtLeast;
use crate::report::Report;
use crate::world::TYPE;
use crate::{Outcome, bare};
use connection_operator::api::ConnectionType;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

impl Bench {
    /// The bare client's pace at writing what the operator would write.
    pub(super) async fn ceiling(&self, report: &mut Report, phase: &'static str) -> Outcome<Speed> {
        println!("== {phase}");
        let mut audit = self.audit(&self.bare)?;
        let before = Processor::now()?;
        bare::write(&self.bare.client, &self.patches).await?;
        let used = Processor::now()?.since(&before);
        let requests = audit.read()?;
        let pace = Pace::of(&requests, Request::governs, Request::governs)?;
        report.keep(phase, facts(pace, &used));
        Ok(Speed::of(pace, &used))
    }

    /// From an operator that starts to the last of its writes.
    pub(super) async fn converge(&self, report: &mut Report, ceiling: Speed) -> Outcome<Operator> {
        println!("== converging");
        let mut audit = self.audit(&self.operator)?;
        let before = Processor::now()?;
        let operator = Operator::start(&self.setup, &[]).await?;
        let enough = 3 * self.scale.connections(); // record and status of a connection, status of an export
        let requests = audit.until_quiet(QUIET, Request::governs, enough).await?;
        let used = Processor::now()?.since(&before);
        let pace = Pace::of(&requests, Request::governs, Request::writes)?;
        let speed = Speed::of(pace, &used);
        report.row(
            "converge: all our writes per second ÷ ceiling",
            AtLeast(0.8),
            speed.per_second / ceiling.per_second,
            "statuses, records of consent and events by the audit log, from the arrival of the first status or record to the answer to the last one, ÷ status writes per second of a bare client that sends the operator's own patches, 16 at a time for each of the two kinds",
        );
        report.row(
            "converge, by processor time",
            AtLeast(0.8),
            speed.per_processor_second / ceiling.per_processor_second,
            BY_PROCESSOR_TIME,
        );
        report.keep("converging", facts(pace, &used));
        let writes = Writes::of(&requests);
        report.keep(
            "writes while converging",
            json!({
                "perConnection": writes.mean("connections/"), "perExport": writes.mean("exports/"),
                "refused": count(&requests, |request| request.writes() && !request.accepted),
                "events": count(&requests, |request| request.purpose == Purpose::Event),
                "reads": count(&requests, |request| request.purpose == Purpose::Read),
            }),
        );
        Ok(operator)
    }

    /// A new wording for the notice of the type of all connections.
    pub(super) async fn notice(
        &self,
        report: &mut Report,
        phase: &'static str,
        version: &str,
        flags: &[&str],
    ) -> Outcome<Speed> {
        println!("== {phase}");
        let mut audit = self.audit(&self.operator)?;
        let operator = Operator::start(&self.setup, flags).await?;
        audit.until_quiet(QUIET, unsettled, 1).await?;
        let before = Processor::now()?;
        let types: Api<ConnectionType> = Api::all(self.admin.clone());
        let change = Patch::Merge(json!({"spec": {"notice": {"version": version}}}));
        types.patch(TYPE, &PatchParams::default(), &change).await?;
        let enough = 2 * self.scale.connections();
        let requests = audit.until_quiet(QUIET, Request::governs, enough).await?;
        let used = Processor::now()?.since(&before);
        let pace = Pace::of(&requests, Request::governs, Request::governs)?;
        let mut behind = facts(pace, &used);
        behind["events"] = json!(count(&requests, |request| request.purpose == Purpose::Event));
        behind["eventsDropped"] = json!(operator.events_dropped().await?);
        behind["memory"] = json!(Memory::of(operator.id())?);
        report.keep(phase, behind);
        Ok(Speed::of(pace, &used))
    }
}
