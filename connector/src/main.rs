//! The connector's process: one run, its result, its exit code.

use clap::{Parser, Subcommand};
use connector::run::{Request, run};
use connector::{outcome, telemetry};
use std::io;
use std::process::ExitCode;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::error;

#[derive(Parser)]
#[command(
    version,
    about = "Carries one run's data to its destination, as long as consent stands"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Carry out the plan of one run.
    Run(Request),
}

fn main() -> ExitCode {
    let Command::Run(request) = Arguments::parse().command;
    telemetry::init();
    match carry_out(&request) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            error!(kind = %error.kind(), "the run can't begin");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(request: &Request) -> io::Result<u8> {
    let runtime = Runtime::new()?;
    let result = runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        let told = async move {
            tokio::select! { _ = terminated.recv() => {}, _ = tokio::signal::ctrl_c() => {} }
        };
        Ok::<_, io::Error>(run(request, told).await)
    })?;
    runtime.shutdown_background(); // a thread may be in the middle of reading a file
    if let Err(error) = outcome::write(&request.places.result_file, &result) {
        error!(kind = %error.kind(), "the result can't be written");
    }
    Ok(outcome::exit_code(&result))
}
