//! The phases of the run, in order. Each says how its rows are made.

mod admission;
mod pace;
mod plugin;
mod rest;
mod sharing;
mod time;
mod types;
mod vaults;

pub use admission::admission;
pub use plugin::plugin;
pub use types::checking;
pub use vaults::vaults;

use crate::account::{Token, client};
use crate::audit::Audit;
use crate::measures::Speed;
use crate::operator::{Setup, program};
use crate::replica::{Replica, Sent};
use crate::report::Must::AtLeast;
use crate::report::Report;
use crate::world::{Scale, World};
use crate::{Outcome, bare};
use kube::Client;
use local_cluster::{ControlPlane, Options};
use std::time::{Duration, Instant};

/// Without a write for so long, a phase counts as over; no number contains this pause.
const QUIET: Duration = Duration::from_secs(3);
const BY_PROCESSOR_TIME: &str = "writes per second of processor time of the API server, etcd, the controller manager and the writer together: what the machine does besides doesn't count";

pub struct Bench {
    scale: Scale,
    control_plane: ControlPlane,
    admin: Client,
    bare: Token,
    operator: Token,
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
        let control_plane = tokio::task::spawn_blocking(|| governed(options)).await??;
        let admin = client(control_plane.kubeconfig()).await?;
        let bare = Token::new(&control_plane).await?;
        let operator = Token::new(&control_plane).await?;
        let kubeconfig = control_plane.directory().join("operator.kubeconfig");
        std::fs::write(&kubeconfig, &operator.kubeconfig)?;
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
            operator,
            setup,
            world,
            patches,
            replica,
        })
    }

    /// All phases.
    pub async fn run(&self, report: &mut Report) -> Outcome<()> {
        Box::pin(self.visit(report)).await?;
        let ceiling = self.ceiling(report, "ceiling before converging").await?;
        bare::unwrite(&self.bare.client, &self.patches).await?;
        let operator = self.converge(report, ceiling).await?;
        self.settled(report, &operator).await?;
        self.later(report).await?;
        self.latency(report).await?;
        drop(operator);
        self.restart(report).await?;
        self.reworded(report).await?;
        let storm = self.raised(report).await?;
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
        self.sharing(report).await?;
        self.unsharing(report).await?;
        self.relay(report).await?;
        Ok(())
    }

    /// What a changed type brings about, in a world that is settled by bare writes.
    pub async fn run_changes(&self, report: &mut Report) -> Outcome<()> {
        self.ceiling(report, "ceiling before the changes").await?;
        self.reworded(report).await?;
        self.raised(report).await?;
        Ok(())
    }

    /// The type of all connections gets a notice that makes every consent stale.
    async fn raised(&self, report: &mut Report) -> Outcome<Speed> {
        let ceiling = self.ceiling(report, "ceiling before the notice").await?;
        let storm = self.notice(report, "notice raised", "2", &[]).await?;
        report.row(
            "notice raised: writes per second ÷ ceiling",
            AtLeast(0.8),
            storm.per_second / ceiling.per_second,
            "status writes to every connection and export, and a record of each consent that went stale, after the type's notice got a new version, from the first one's arrival to the last one's answer, ÷ the second ceiling",
        );
        report.row(
            "notice raised, by processor time",
            AtLeast(0.8),
            storm.per_processor_second / ceiling.per_processor_second,
            BY_PROCESSOR_TIME,
        );
        Ok(storm)
    }

    /// What is asked with this token from now on.
    fn audit(&self, token: &Token) -> Outcome<Audit> {
        Audit::of(&self.control_plane.audit_log(), &token.id)
    }
}

/// A control plane with the chart installed.
fn governed(options: Options) -> Result<ControlPlane, local_cluster::Error> {
    let control_plane = ControlPlane::start(options)?;
    control_plane.install_chart(&[
        r#"keyVaults.hosts=["localhost","127.0.0.1"]"#,
        r#"connector.image="registry.example/connector:bench""#,
    ])?;
    Ok(control_plane)
}
