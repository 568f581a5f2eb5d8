//! `make bench`: the figures of the operator, all in one run, each as a ratio to what the same machine can do bare.

mod account;
mod audit;
mod bare;
mod kept;
mod machine;
mod measures;
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
    let mut report = Report::new(scale);
    phases::checking(&mut report)?;
    phases::admission(&mut report).await?;
    Bench::start(scale).await?.run(&mut report).await?;
    report.print();
    let file = report.write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("results"))?;
    println!("\nkept as {}", file.display());
    Ok(())
}
