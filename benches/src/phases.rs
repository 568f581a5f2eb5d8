//! The phases of the run, in order. Each says how its rows are made.

use crate::Outcome;
use crate::audit::{Audit, Pace, Purpose, Request};
use crate::bare;
use crate::machine::{Memory, Processor};
use crate::measures::{Speed, Writes, count, facts, median, unsettled};
use crate::operator::{Operator, Setup, program};
use crate::replica::{Replica, Sent};
use crate::report::Must::{AtLeast, AtMost};
use crate::report::Report;
use crate::world::{Scale, TYPE, World, make_all};
use connection_operator::api::export::State;
use connection_operator::api::{Connection, ConnectionType, Export};
use futures::TryStreamExt;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::api::{ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt};
use local_cluster::{ControlPlane, Options};
use serde_json::json;
use std::collections::HashMap;
use std::pin::pin;
use std::time::{Duration, Instant};

const OPERATOR: &str = "bench-operator";
const BARE: &str = "bench-bare";
/// Without a write for so long, a phase counts as over; no number contains this pause.
const QUIET: Duration = Duration::from_secs(3);
/// Restarts, of which the median counts.
const RESTARTS: usize = 3;
/// Rounds and visits of each, for the time of one visit.
const ROUNDS: usize = 9;
const VISITS: u32 = 4000;
/// Connections and exports of the world of 200 objects.
const FEW: usize = 100;

const BY_PROCESSOR_TIME: &str = "writes per second of processor time of the API server, etcd, the controller manager and the writer together: what the machine does besides doesn't count";

pub struct Bench {
    scale: Scale,
    control_plane: ControlPlane,
    admin: Client,
    bare: Client,
    setup: Setup,
    world: World,
    /// What the operator will write.
    patches: [Vec<Sent>; 2],
    replica: Replica,
}

impl Bench {
    /// Starts a control plane and makes the world on it.
    pub async fn start(scale: Scale) -> Outcome<Self> {
        println!(
            "== a control plane, and {} connections with an export each",
            scale.connections()
        );
        let options = Options {
            audit: true,
            ..Options::default()
        };
        let control_plane = tokio::task::spawn_blocking(|| ControlPlane::start(options)).await??;
        let admin = client(control_plane.kubeconfig()).await?;
        let bare = client(&control_plane.kubeconfig_for(BARE, None)?).await?;
        allow(&admin).await?;
        let kubeconfig = control_plane.directory().join("operator.kubeconfig");
        std::fs::write(&kubeconfig, control_plane.kubeconfig_for(OPERATOR, None)?)?;
        let setup = Setup {
            program: program()?,
            kubeconfig,
            logs: control_plane.directory().to_path_buf(),
        };
        let started = Instant::now();
        let world = World::make(&admin, &scale).await?;
        println!("   made in {:.0} s", started.elapsed().as_secs_f64());
        let mut replica = Replica::of(&world).await?;
        let patches = replica.settle(&world.connections, &world.exports).await?;
        Ok(Self {
            scale,
            control_plane,
            admin,
            bare,
            setup,
            world,
            patches,
            replica,
        })
    }

    /// All phases.
    pub async fn run(&self, report: &mut Report) -> Outcome<()> {
        self.visit(report).await?;
        let ceiling = self.ceiling(report, "ceiling before converging").await?;
        bare::unwrite(&self.bare, &self.patches).await?;
        let operator = self.converge(report, ceiling).await?;
        self.settled(report, &operator).await?;
        self.later(report).await?;
        self.latency(report).await?;
        drop(operator);
        self.restart(report).await?;
        let ceiling = self.ceiling(report, "ceiling before the notice").await?;
        let storm = self.notice(report, "notice raised", "2", &[]).await?;
        report.row(
            "notice raised: writes per second ÷ ceiling",
            AtLeast(0.8),
            storm.per_second / ceiling.per_second,
            "status writes to every connection and export after the type's notice got a new version, from the first one's arrival to the last one's answer, ÷ the second ceiling",
        );
        report.row(
            "the same by processor time",
            AtLeast(0.8),
            storm.per_processor_second / ceiling.per_processor_second,
            BY_PROCESSOR_TIME,
        );
        let calm = self
            .notice(
                report,
                "notice lowered, one event a second",
                "1",
                &["--events-per-second=1"],
            )
            .await?;
        report.row(
            "writes in a storm of events ÷ with one event a second, by processor time",
            AtLeast(0.95),
            storm.per_processor_second / calm.per_processor_second,
            "every object has news in both; events go out at the default budget in one, at one a second in the other",
        );
        Ok(())
    }

    fn audit(&self, user: &str) -> Outcome<Audit> {
        Audit::of(&self.control_plane.audit_log(), user)
    }

    /// The bare client's pace at writing what the operator would write.
    async fn ceiling(&self, report: &mut Report, phase: &'static str) -> Outcome<Speed> {
        println!("== {phase}");
        let mut audit = self.audit(BARE)?;
        let before = Processor::now()?;
        bare::write(&self.bare, &self.patches).await?;
        let used = Processor::now()?.since(&before);
        let requests = audit.read()?;
        let pace = Pace::of(&requests, Request::governs, Request::governs)?;
        report.keep(phase, facts(pace, &used));
        Ok(Speed::of(pace, &used))
    }

    /// From an operator that starts to the last of its writes.
    async fn converge(&self, report: &mut Report, ceiling: Speed) -> Outcome<Operator> {
        println!("== converging");
        let mut audit = self.audit(OPERATOR)?;
        let before = Processor::now()?;
        let operator = Operator::start(&self.setup, &[]).await?;
        let enough = 3 * self.scale.connections(); // finalizer and status of a connection, status of an export
        let requests = audit.until_quiet(QUIET, Request::governs, enough).await?;
        let used = Processor::now()?.since(&before);
        let pace = Pace::of(&requests, Request::governs, Request::writes)?;
        let speed = Speed::of(pace, &used);
        report.row(
            "converge: all our writes per second ÷ ceiling",
            AtLeast(0.8),
            speed.per_second / ceiling.per_second,
            "finalizers, statuses and events by the audit log, from the arrival of the first finalizer or status to the answer to the last one, ÷ status writes per second of a bare client that sends the operator's own patches, 16 at a time for each of the two kinds",
        );
        report.row(
            "the same by processor time",
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

    /// After the last event: nothing but watches, and how much memory that takes.
    async fn settled(&self, report: &mut Report, operator: &Operator) -> Outcome<()> {
        println!("== settled");
        let mut audit = self.audit(OPERATOR)?;
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
    async fn later(&self, report: &mut Report) -> Outcome<()> {
        println!("== more connections, then exports on them");
        let mut audit = self.audit(OPERATOR)?;
        let scale = &self.scale;
        make_all(&self.admin, self.world.later_connections(scale)).await?;
        let connections = audit.until_quiet(QUIET, Request::writes, 2 * scale.later).await?;
        make_all(&self.admin, World::later_exports(scale)).await?;
        let exports = audit.until_quiet(QUIET, Request::writes, scale.later).await?;
        report.row(
            "writes to bring one connection to Ready",
            AtMost(2.0),
            Writes::of(&connections).most("connections/"),
            "finalizer and status by the audit log; the most of any among the connections that were made in a settled world",
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

    /// From a change of a connection to the status of its export, in an idle world.
    async fn latency(&self, report: &mut Report) -> Outcome<()> {
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
        took.sort_by(f64::total_cmp);
        report.row(
            "change of a connection to its export's status, p99, ms",
            AtMost(50.0),
            took[took.len() * 99 / 100 - 1],
            "100 times spec.suspend of a connection is set or unset; from sending that to the export's new state on another client's watch",
        );
        report.keep(
            "from a connection to its export",
            json!({"millisecondsMedian": took[took.len() / 2], "millisecondsMost": took.last()}),
        );
        Ok(())
    }

    /// Starts anew where nothing is left to do.
    async fn restart(&self, report: &mut Report) -> Outcome<()> {
        println!("== restarting");
        let mut audit = self.audit(OPERATOR)?;
        let (mut lists, mut starts, mut memory) = (Vec::new(), Vec::new(), None);
        let mut requests = Vec::new();
        for _ in 0..RESTARTS {
            lists.push(bare::list(&self.bare).await?.as_secs_f64());
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

    /// A new wording for the notice of the type of all connections.
    async fn notice(
        &self,
        report: &mut Report,
        phase: &'static str,
        version: &str,
        flags: &[&str],
    ) -> Outcome<Speed> {
        println!("== {phase}");
        let mut audit = self.audit(OPERATOR)?;
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

    /// The time of one visit, in a large world and in a small one.
    async fn visit(&self, report: &mut Report) -> Outcome<()> {
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

async fn client(kubeconfig: &str) -> Outcome<Client> {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

/// Both users may do everything, and neither is let past the API server's own order of precedence.
async fn allow(admin: &Client) -> Outcome<()> {
    let subject = |name| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name});
    let binding: ClusterRoleBinding = serde_json::from_value(json!({
        "metadata": {"name": "bench"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [subject(OPERATOR), subject(BARE)],
    }))?;
    Api::all(admin.clone())
        .create(&PostParams::default(), &binding)
        .await?;
    Ok(())
}
