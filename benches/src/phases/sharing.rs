//! Connections that are shared with contributors, and no longer.

use super::{Bench, QUIET};
use crate::Outcome;
use crate::audit::{Pace, Request};
use crate::kept::Kept;
use crate::machine::Processor;
use crate::measures::{Speed, facts, median, p99, unsettled};
use crate::operator::Operator;
use crate::report::Must::{AtLeast, AtMost};
use crate::report::Report;
use crate::world::CONTRIBUTOR;
use connection_operator::api::Connection;
use connection_operator::api::connection::Audience;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};
use serde_json::json;
use std::time::{Duration, Instant};

/// Requests of the administrator at the same time; nothing is measured then.
const SHARING: usize = 32;
/// A Role, a RoleBinding and a SharedConnection.
const OBJECTS: usize = 3;
/// Longer than any answer takes to change.
const PATIENCE: Duration = Duration::from_secs(30);

impl Bench {
    /// Connections are shared while no operator runs; then one makes what belongs to that.
    pub(super) async fn sharing(&self, report: &mut Report) -> Outcome<()> {
        println!("== sharing");
        let shared = &self.world.connections[..self.scale.shared.min(self.world.connections.len())];
        stream::iter(shared)
            .map(|connection| self.let_in(connection, Audience::Contributors))
            .buffer_unordered(SHARING)
            .try_collect::<Vec<()>>()
            .await?;
        let mut audit = self.audit(&self.operator)?;
        let operator = Operator::start(&self.setup, &[]).await?;
        let before = Processor::now()?; // reading the world at the start is no sharing
        let enough = OBJECTS * shared.len();
        let requests = audit.until_quiet(QUIET, Request::shares, enough).await?;
        let used = Processor::now()?.since(&before);
        drop(operator);
        let pace = Pace::of(&requests, Request::shares, Request::shares)?;
        report.keep("sharing", facts(pace, &used));
        let speed = Speed::of(pace, &used);
        // It also tells the administrators: a status for each connection, which takes its share of the processors.
        let all = Speed::of(Pace::of(&requests, Request::governs, Request::governs)?, &used);
        let ceiling = self.sharing_ceiling(report, enough).await?;
        report.row(
            "sharing: objects written per second ÷ ceiling",
            AtLeast(0.8),
            speed.per_second / ceiling.per_second,
            "Roles, RoleBindings and SharedConnections of 1,000 connections that were shared before the operator started, by the audit log, from the first one's arrival to the answer to the last one, ÷ those per second of a bare client that writes the same objects by the same account, those of 16 connections at a time",
        );
        report.row(
            "sharing, by processor time",
            AtLeast(0.8),
            all.per_processor_second / ceiling.per_processor_second,
            "these objects and the statuses that are written with them per second of processor time of the API server, etcd, the controller manager and the writer together, ÷ the same of the bare client, which writes the objects only",
        );
        Ok(())
    }

    /// The bare client's pace at writing what the operator has written.
    async fn sharing_ceiling(&self, report: &mut Report, expected: usize) -> Outcome<Speed> {
        let bare = &self.bare.client;
        let kept = Kept::read(bare).await?;
        if kept.objects() != expected {
            let there = kept.objects();
            return Err(
                format!("{there} objects are kept for shared connections, expected {expected}").into(),
            );
        }
        kept.remove(bare).await?;
        let mut audit = self.audit(&self.bare)?;
        let before = Processor::now()?;
        kept.write(bare).await?;
        let used = Processor::now()?.since(&before);
        let requests = audit.until_quiet(QUIET, Request::shares, expected).await?;
        let pace = Pace::of(&requests, Request::shares, Request::shares)?;
        report.keep("ceiling of sharing", facts(pace, &used));
        Ok(Speed::of(pace, &used))
    }

    /// One connection after the other is un-shared in an idle world, until its contributor is told that they may not
    /// use it.
    pub(super) async fn unsharing(&self, report: &mut Report) -> Outcome<()> {
        println!("== un-sharing");
        let mut audit = self.audit(&self.operator)?;
        let operator = Operator::start(&self.setup, &[]).await?;
        audit.until_quiet(QUIET, unsettled, 1).await?;
        let mut took = Vec::new();
        for connection in self.world.connections.iter().take(self.scale.tries) {
            if !self.is_let_in(connection).await? {
                return Err(format!("{} isn't shared", connection.name_any()).into());
            }
            took.push(self.shut_out(connection).await?.as_secs_f64() * 1000.0);
        }
        drop(operator);
        report.row(
            "un-share until can-i says no, p99, ms",
            AtMost(300.0),
            p99(&mut took),
            "100 shared connections in turn, nothing else going on; from sending spec.access.exports: Administrators to the first no among SubjectAccessReviews for a contributor that are sent one right after the other",
        );
        report.keep(
            "un-sharing",
            json!({"millisecondsMedian": median(&mut took), "millisecondsMost": took.last()}),
        );
        Ok(())
    }

    /// Un-shares, and waits until everything is still again.
    async fn shut_out(&self, connection: &Connection) -> Outcome<Duration> {
        let started = Instant::now();
        self.let_in(connection, Audience::Administrators).await?;
        while self.is_let_in(connection).await? {
            if started.elapsed() > PATIENCE {
                return Err(format!("{} stays shared", connection.name_any()).into());
            }
        }
        let took = started.elapsed();
        let name = connection.name_any();
        let settled = await_condition(
            self.connections(connection),
            &name,
            |seen: Option<&Connection>| {
                let status = seen.and_then(|seen| seen.status.as_ref());
                status.and_then(|status| status.access) == Some(Audience::Administrators)
            },
        );
        tokio::time::timeout(PATIENCE, settled).await??;
        Ok(took)
    }

    async fn let_in(&self, connection: &Connection, audience: Audience) -> Outcome<()> {
        let change = Patch::Merge(json!({"spec": {"access": {"exports": audience}}}));
        self.connections(connection)
            .patch(&connection.name_any(), &PatchParams::default(), &change)
            .await?;
        Ok(())
    }

    fn connections(&self, connection: &Connection) -> Api<Connection> {
        Api::namespaced(self.admin.clone(), &connection.namespace().unwrap_or_default())
    }

    /// The answer to `kubectl auth can-i use connections/<name> --as <contributor>`.
    async fn is_let_in(&self, connection: &Connection) -> Outcome<bool> {
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(CONTRIBUTOR.to_owned()),
                resource_attributes: Some(ResourceAttributes {
                    group: Some("connections.dev".to_owned()),
                    resource: Some("connections".to_owned()),
                    name: connection.metadata.name.clone(),
                    namespace: connection.metadata.namespace.clone(),
                    verb: Some("use".to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let reviews: Api<SubjectAccessReview> = Api::all(self.admin.clone());
        let answer = reviews.create(&PostParams::default(), &review).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}
