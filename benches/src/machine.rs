//! What the kernel says about the machine and its processes.

use crate::Outcome;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;

/// Ticks of a second in `/proc`; Linux has told programs this one number for as long as it runs on common hardware.
const TICKS: f64 = 100.0;

/// Facts that others need to judge the figures. No names.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub cores: usize,
    pub processor: String,
    pub memory_mib: u64,
    pub kernel: String,
    /// Processes that wanted a core, on average over the last 1, 5 and 15 minutes.
    pub load: Vec<f64>,
}

impl Machine {
    pub fn here() -> Outcome<Self> {
        let processor = fs::read_to_string("/proc/cpuinfo")?;
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name"));
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            processor: processor
                .map_or("unknown", |text| text.trim_start_matches(['\t', ' ', ':']))
                .to_owned(),
            memory_mib: kibibytes(&fs::read_to_string("/proc/meminfo")?, "MemTotal:") / 1024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?
                .trim()
                .split('-') // what follows the number names whoever built it
                .next()
                .unwrap_or_default()
                .to_owned(),
            load: fs::read_to_string("/proc/loadavg")?
                .split(' ')
                .take(3)
                .filter_map(|number| number.parse().ok())
                .collect(),
        })
    }
}

/// Memory of a process.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// Resident now.
    pub resident_mib: f64,
    /// The most that was ever resident.
    pub peak_mib: f64,
}

impl Memory {
    #[expect(clippy::cast_precision_loss, reason = "kibibytes are far below 2^52")]
    pub fn of(process: u32) -> Outcome<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let mib = |field| kibibytes(&status, field) as f64 / 1024.0;
        Ok(Self {
            resident_mib: mib("VmRSS:"),
            peak_mib: mib("VmHWM:"),
        })
    }
}

fn kibibytes(text: &str, field: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default()
}

/// Seconds of processor time by who used it, since each began.
#[derive(Clone, Debug, Default)]
pub struct Processor(BTreeMap<String, f64>);

impl Processor {
    /// This process, all that it has started by their names, and the machine as a whole.
    pub fn now() -> Outcome<Self> {
        let own = std::process::id();
        let mut used = BTreeMap::new();
        for entry in fs::read_dir("/proc")? {
            let Some(process) = entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u32>().ok())
            else {
                continue;
            };
            let Some(stat) = Stat::of(process) else { continue };
            if process == own {
                used.insert("bench".to_owned(), stat.seconds);
            } else if stat.parent == own {
                *used.entry(stat.name).or_default() += stat.seconds;
            }
        }
        let (busy, idle) = whole()?;
        used.insert("machine busy".to_owned(), busy);
        used.insert("machine idle".to_owned(), idle);
        Ok(Self(used))
    }

    /// What was used since `before`, in seconds; `others` is what none of ours used.
    pub fn since(&self, before: &Self) -> BTreeMap<String, f64> {
        let mut used: BTreeMap<String, f64> = self
            .0
            .iter()
            .map(|(who, seconds)| (who.clone(), seconds - before.0.get(who).unwrap_or(&0.0)))
            .collect();
        let ours: f64 = used
            .iter()
            .filter(|(who, _)| !who.starts_with("machine"))
            .map(|(_, seconds)| seconds)
            .sum();
        let busy = used.remove("machine busy").unwrap_or_default();
        used.insert("others".to_owned(), (busy - ours).max(0.0));
        if let Some(idle) = used.remove("machine idle") {
            used.insert("idle".to_owned(), idle);
        }
        used.retain(|_, seconds| *seconds >= 0.05);
        used
    }
}

struct Stat {
    name: String,
    parent: u32,
    seconds: f64,
}

impl Stat {
    /// Nothing if the process has ended meanwhile.
    fn of(process: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (head, tail) = text.rsplit_once(')')?;
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
        Some(Self {
            name: head.split_once('(')?.1.to_owned(),
            parent: fields.get(1)?.parse().ok()?,
            seconds: (ticks(11)? + ticks(12)?) / TICKS,
        })
    }
}

/// Seconds that all cores together were busy and idle.
fn whole() -> Outcome<(f64, f64)> {
    let text = fs::read_to_string("/proc/stat")?;
    let numbers: Vec<f64> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|field| field.parse().ok())
        .collect();
    let idle: f64 = numbers.iter().skip(3).take(2).sum();
    let all: f64 = numbers.iter().take(8).sum();
    Ok(((all - idle) / TICKS, idle / TICKS))
}
