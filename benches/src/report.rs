//! What was measured, as a table for people and as JSON for those who compare.

use crate::Outcome;
use crate::machine::Machine;
use crate::world::Scale;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One measure.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub measure: &'static str,
    /// The bound, and on which side of it is well.
    pub must: Must,
    pub measured: f64,
    pub ok: bool,
    /// How the number is made.
    pub how: &'static str,
}

/// What a measure must reach.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Must {
    AtLeast(f64),
    AtMost(f64),
}

impl Must {
    fn holds(self, measured: f64) -> bool {
        match self {
            Self::AtLeast(bound) => measured >= bound,
            Self::AtMost(bound) => measured <= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound}"),
            Self::AtMost(bound) => format!("≤ {bound}"),
        }
    }
}

/// The whole run.
#[derive(Debug)]
pub struct Report {
    scale: Scale,
    rows: Vec<Row>,
    /// What stands behind the rows, by phase.
    behind: BTreeMap<&'static str, Value>,
}

impl Report {
    pub fn new(scale: Scale) -> Self {
        Self {
            scale,
            rows: Vec::new(),
            behind: BTreeMap::new(),
        }
    }

    pub fn row(&mut self, measure: &'static str, must: Must, measured: f64, how: &'static str) {
        let measured = (measured * 1000.0).round() / 1000.0;
        let ok = must.holds(measured);
        println!("   {measure}: {measured} ({})", must.text());
        self.rows.push(Row {
            measure,
            must,
            measured,
            ok,
            how,
        });
    }

    /// Keeps what a phase's rows were made of.
    pub fn keep(&mut self, phase: &'static str, facts: Value) {
        println!("   {facts}");
        self.behind.insert(phase, facts);
    }

    /// The table, each row followed by how its number was made.
    pub fn print(&self) {
        println!("\n{:<74} {:>9} {:>10}  ", "MEASURE", "MUST", "MEASURED");
        for row in &self.rows {
            let verdict = if row.ok { "ok" } else { "falls short" };
            let (measure, must) = (row.measure, row.must.text());
            println!("{measure:<74} {must:>9} {:>10}  {verdict}", row.measured);
        }
        println!("\nHow each number is made:");
        for row in &self.rows {
            println!("- {}: {}", row.measure, row.how);
        }
    }

    /// Writes everything into the folder, under the day and the commit.
    pub fn write(&self, folder: &Path) -> Outcome<PathBuf> {
        let commit = commit()?;
        let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let file = folder.join(format!("{day}-{commit}-{}.json", self.scale.name));
        let content = json!({
            "commit": commit, "day": day, "scale": self.scale, "machine": Machine::here()?,
            "rows": self.rows, "behind": self.behind,
        });
        fs::create_dir_all(folder)?;
        fs::write(&file, serde_json::to_string_pretty(&content)? + "\n")?;
        Ok(file)
    }
}

fn commit() -> Outcome<String> {
    let git = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output()?;
    Ok(String::from_utf8(git.stdout)?.trim().to_owned())
}
