//! What `kubectl connections` takes, beside kubectl itself.

use super::governed;
use crate::Outcome;
use crate::account::client;
use crate::measures::median;
use crate::operator::beside;
use crate::report::Must::AtMost;
use crate::report::Report;
use crate::world::{connections, sftp_export};
use kube::Api;
use kube::api::PostParams;
use local_cluster::{ControlPlane, Options};
use serde_json::json;
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How many connections are listed.
const MANY: usize = 5000;
const FEW: usize = 10;
/// How often each side lists them.
const TRIES: usize = 15;
const STARTS: usize = 40;
const MIB: f64 = 1024.0 * 1024.0;

/// The same list by kubectl and by the plugin, one by one, by turns.
pub async fn plugin(report: &mut Report) -> Outcome<()> {
    println!("== kubectl connections, beside kubectl");
    let control_plane = tokio::task::spawn_blocking(|| governed(Options::default())).await??;
    let admin = client(control_plane.kubeconfig()).await?;
    let type_ = Api::all(admin.clone())
        .create(&PostParams::default(), &sftp_export()?)
        .await?;
    for (namespace, count) in [("many", MANY), ("few", FEW)] {
        connections(&admin, namespace, count, &type_).await?;
    }
    let measured = tokio::task::spawn_blocking(move || Measured::of(&control_plane)).await??;
    let Measured {
        mut ours,
        mut theirs,
        peak,
        mut first,
        size,
    } = measured;
    report.row(
        "kubectl connections list, 5,000 ÷ kubectl get connections",
        AtMost(0.5),
        median(&mut ours) / median(&mut theirs),
        "medians of 15 each, by turns, from start to exit, the output read to its end",
    );
    report.row(
        "kubectl connections list, 5,000: peak memory, MiB",
        AtMost(100.0),
        peak,
        "the kernel's VmHWM while the list is being written",
    );
    report.row(
        "kubectl connections list, ten: start to first output, ms",
        AtMost(60.0),
        median(&mut first),
        "the median of 40 starts, to the first byte",
    );
    report.row(
        "kubectl-connections, stripped, MiB",
        AtMost(15.0),
        size,
        "the binary as `make release` packs it, but for its target's flags",
    );
    report.keep(
        "listing",
        json!({"millisecondsMedianOurs": median(&mut ours), "millisecondsMedianTheirs": median(&mut theirs)}),
    );
    Ok(())
}

struct Measured {
    /// Milliseconds of each list of ours.
    ours: Vec<f64>,
    /// And of kubectl's.
    theirs: Vec<f64>,
    /// In MiB.
    peak: f64,
    /// Milliseconds to each first byte.
    first: Vec<f64>,
    /// In MiB.
    size: f64,
}

impl Measured {
    #[expect(
        clippy::cast_precision_loss,
        reason = "the size of a program is far below 2^52"
    )]
    fn of(control_plane: &ControlPlane) -> Outcome<Self> {
        let program = beside("../compact/kubectl-connections")?;
        let plugin = |namespace: &str| {
            let mut command = Command::new(&program);
            command.env("KUBECONFIG", control_plane.kubeconfig_path());
            command.args(["list", "-n", namespace]);
            command
        };
        let kubectl = || {
            let mut command = control_plane.kubectl();
            command.args(["get", "connections", "-n", "many"]);
            command
        };
        let [mut ours, mut theirs] = [const { Vec::new() }; 2];
        let mut peak = 0.0;
        for turn in 0..=TRIES {
            let listed = Listed::of(&mut plugin("many"), MANY)?;
            let beside = Listed::of(&mut kubectl(), MANY)?;
            let told = listed
                .peak
                .ok_or("the kernel doesn't tell the list's peak memory")?;
            peak = f64::max(peak, told);
            if turn > 0 {
                ours.push(listed.all); // the first of each only warms the caches
                theirs.push(beside.all);
            }
        }
        let first: Outcome<Vec<f64>> = (0..STARTS)
            .map(|_| Ok(Listed::of(&mut plugin("few"), FEW)?.first))
            .collect();
        Ok(Self {
            ours,
            theirs,
            peak,
            first: first?,
            size: fs::metadata(&program)?.len() as f64 / MIB,
        })
    }
}

/// What one list took, in milliseconds and MiB.
struct Listed {
    first: f64,
    all: f64,
    /// Unknown of one that had ended before it was looked at, as a short list may.
    peak: Option<f64>,
}

impl Listed {
    /// Runs it to its end; what it puts out must be so many rows and a head.
    #[expect(clippy::cast_precision_loss, reason = "kibibytes are far below 2^52")]
    fn of(command: &mut Command, rows: usize) -> Outcome<Self> {
        let started = Instant::now();
        let mut running = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut output = running.stdout.take().ok_or("it has no output")?;
        let mut text = vec![0];
        output.read_exact(&mut text)?;
        let first = started.elapsed();
        // A long list doesn't fit into the pipe: by now it's all in memory, and waits to be read.
        let status = fs::read_to_string(format!("/proc/{}/status", running.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.split_whitespace().next()?.parse::<u64>().ok());
        let peak = peak.map(|kibibytes| kibibytes as f64 / 1024.0);
        output.read_to_end(&mut text)?;
        let ended = running.wait()?;
        let all = started.elapsed();
        let lines = text.split(|byte| *byte == b'\n').count().saturating_sub(2);
        if !ended.success() || lines != rows {
            return Err(format!("{command:?} ended with {ended} after {lines} rows, expected {rows}").into());
        }
        Ok(Self {
            first: first.as_secs_f64() * 1000.0,
            all: all.as_secs_f64() * 1000.0,
            peak,
        })
    }
}
