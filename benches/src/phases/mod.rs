//! The phases of the run, in order. Each says how its rows are made.

mod pace;
mod rest;
mod time;

use crate::Outcome;
use crate::audit::Audit;
use crate::bare;
use crate::operator::{Setup, program};
use crate::replica::{Replica, Sent};
use crate::report::Must::AtLeast;
use crate::report::Report;
use crate::world::{Scale, World};
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use local_cluster::{ControlPlane, Options};
use serde_json::json;
use std::time::{Duration, Instant};

const OPERATOR: &str = "bench-operator";
const BARE: &str = "bench-bare";
/// Without a write for so long, a phase counts as over; no number contains this pause.
const QUIET: Duration = Duration::from_secs(3);
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
            "notice raised, by processor time",
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
        self.relay(report).await?;
        Ok(())
    }

    fn audit(&self, user: &str) -> Outcome<Audit> {
        Audit::of(&self.control_plane.audit_log(), user)
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
