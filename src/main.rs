//! The operator's process: settings, telemetry, run.

use clap::{Parser, Subcommand};
use connection_operator::cli::consent;
use connection_operator::process::settings::LogFormat;
use connection_operator::process::uninstall::{Installation, uninstall};
use connection_operator::process::{Settings, run, telemetry};
use connection_operator::{api, docs};
use kube::Client;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(version, about = "Governs where customer data may go")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the controllers.
    Run(Box<Settings>),
    /// Stop the operator and take its finalizers off, so that everything can be deleted.
    Uninstall {
        /// The namespace of the operator's Deployment.
        #[arg(long)]
        namespace: String,
        /// The operator's Deployment.
        #[arg(long)]
        deployment: String,
        /// The release of the chart: if another one has taken its policies over, finalizers are left to that.
        #[arg(long)]
        release: Option<String>,
    },
    /// Print the custom resource definitions as YAML, or write them as one file a kind.
    Crds {
        /// The folder to write into.
        #[arg(long)]
        directory: Option<PathBuf>,
    },
    /// Tell what somebody agrees to who consents to connections in manifests, and the annotation that says so; without
    /// a cluster.
    Consent(consent::Request),
    /// Print the reference page of conditions and reasons.
    Conditions,
}

fn main() -> ExitCode {
    match execute(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Crds { directory: None } => print_crds(),
        Command::Crds {
            directory: Some(directory),
        } => write_crds(&directory),
        Command::Consent(request) => {
            print!("{}", consent::explain(&request)?);
            Ok(())
        }
        Command::Conditions => {
            print!("{}", docs::conditions());
            Ok(())
        }
        Command::Run(settings) => {
            telemetry::init(&settings.log, settings.log_format)?;
            runtime()?.block_on(async {
                let client = client().await?;
                let mut terminated = signal(SignalKind::terminate())?;
                let stop = async move {
                    tokio::select! { _ = terminated.recv() => {}, _ = tokio::signal::ctrl_c() => {} }
                    tracing::info!("ending");
                };
                Ok(run(client, *settings, stop).await?)
            })
        }
        Command::Uninstall {
            namespace,
            deployment,
            release,
        } => {
            telemetry::init("info", LogFormat::Text)?;
            let ours = Installation {
                release: release.as_deref(),
                namespace: &namespace,
                deployment: &deployment,
            };
            runtime()?.block_on(async { Ok(uninstall(&client().await?, ours).await?) })
        }
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// The cluster of the pod that this is, or of the kubeconfig.
async fn client() -> Result<Client, Box<dyn Error>> {
    let client = Client::try_default().await;
    client.map_err(|error| {
        format!(
            "no cluster to speak to: set KUBECONFIG, or run in a pod ({})",
            with_causes(&error)
        )
        .into()
    })
}

/// One YAML document per kind.
fn print_crds() -> Result<(), Box<dyn Error>> {
    for crd in api::custom_resource_definitions() {
        println!("---\n{}", serde_saphyr::to_string(&crd)?);
    }
    Ok(())
}

/// One file per kind, named by its plural, as committed in `crds/`.
fn write_crds(directory: &Path) -> Result<(), Box<dyn Error>> {
    for crd in api::custom_resource_definitions() {
        let file = directory.join(format!("{}.yaml", crd.spec.names.plural));
        std::fs::write(file, serde_saphyr::to_string(&crd)?)?;
    }
    Ok(())
}

/// The error and what caused it, on one line. Some errors repeat their cause themselves.
fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes
        .map(ToString::to_string)
        .fold(error.to_string(), |text, cause| {
            if text.contains(&cause) {
                text
            } else {
                format!("{text}: {cause}")
            }
        })
}
