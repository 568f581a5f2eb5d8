//! `make bench`: the figures of the operator, all in one run, each as a ratio to what the same machine can do bare.

mod account;
mod audit;
mod bare;
mod kept;
mod machine;
mod measures;
mod memory;
mod operator;
mod phases;
mod replica;
mod report;
mod world;

use phases::Bench;
use report::Report;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use world::Scale;

/// The parts of a run, each of which can be run alone.
const PARTS: [&str; 5] = ["types", "admission", "plugin", "vaults", "world"];
/// Of the last one, what a changed type brings about.
const CHANGES: &str = "changes";

/// What can go wrong ends the run; nobody handles it further.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(run()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    let scale = match std::env::var("SCALE").as_deref() {
        Ok("small") => Scale::SMALL,
        Ok("full") | Err(_) => Scale::FULL,
        Ok(other) => return Err(format!("SCALE is {other:?}, expected \"small\" or \"full\"").into()),
    };
    let only = std::env::var("ONLY").ok();
    if let Some(only) = only
        .as_deref()
        .filter(|only| !PARTS.contains(only) && *only != CHANGES)
    {
        return Err(format!(
            "ONLY is {only:?}, expected one of {}, {CHANGES}",
            PARTS.join(", ")
        )
        .into());
    }
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    let mut report = Report::new(scale);
    if wanted("types") {
        phases::checking(&mut report)?;
    }
    if wanted("admission") {
        phases::admission(&mut report).await?;
    }
    if wanted("plugin") {
        phases::plugin(&mut report).await?;
    }
    if wanted("vaults") {
        phases::vaults(&mut report).await?;
    }
    if wanted("world") {
        let bench = Box::pin(Bench::start(scale)).await?;
        Box::pin(bench.run(&mut report)).await?;
    }
    if only.as_deref() == Some(CHANGES) {
        let bench = Box::pin(Bench::start(scale)).await?;
        Box::pin(bench.run_changes(&mut report)).await?;
    }
    report.print();
    let file = report.write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("results"))?;
    println!("\nkept as {}", file.display());
    Ok(())
}
