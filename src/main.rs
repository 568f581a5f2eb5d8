//! The operator's process: settings, telemetry, run.

use clap::{Parser, Subcommand};
use connection_operator::api;
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about = "Governs where customer data may go")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the custom resource definitions as YAML.
    Crds,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Crds => print_crds(),
    }
}

/// One YAML document per kind, as committed in `crds/`.
fn print_crds() -> ExitCode {
    for crd in api::custom_resource_definitions() {
        match serde_saphyr::to_string(&crd) {
            Ok(yaml) => println!("---\n{yaml}"),
            Err(error) => {
                eprintln!("the definition can't be written as YAML: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
