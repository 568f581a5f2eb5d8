//! The operator's process: settings, telemetry, run.

use clap::{Parser, Subcommand};
use connection_operator::cli::catalog;
use connection_operator::cli::consent::{self, Outcome};
use connection_operator::cli::with_causes;
use connection_operator::connection_type::catalog::connection_types;
use connection_operator::process::settings::LogFormat;
use connection_operator::process::uninstall::{Installation, uninstall};
use connection_operator::process::{Settings, run, telemetry};
use connection_operator::{api, docs};
use jiff::Timestamp;
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
        /// Go on if there is no such Deployment, as it is gone already.
        #[arg(long)]
        missing_ok: bool,
    },
    /// Print the custom resource definitions as YAML, or write them as one file a kind.
    Crds {
        /// The folder to write into.
        #[arg(long)]
        directory: Option<PathBuf>,
    },
    /// Tell what somebody agrees to who consents to connections and key vaults in manifests, and the annotation that says
    /// so; without a cluster.
    Consent(consent::Request),
    /// Print the reference page of conditions and reasons.
    Conditions,
    /// Print the page of the connection types that come with the operator, or check new ones.
    Catalog {
        #[command(subcommand)]
        command: Option<CatalogCommand>,
    },
}

#[derive(Subcommand)]
enum CatalogCommand {
    /// Tell what connection types in files would break once applied. The exit code is 0 if nothing, 1 if something
    /// would, and 2 if that can't be told.
    Check(catalog::Request),
}

fn main() -> ExitCode {
    match execute(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Crds { directory: None } => print_crds()?,
        Command::Crds {
            directory: Some(directory),
        } => write_crds(&directory)?,
        Command::Consent(request) if !request.check.is_empty() => return Ok(check(&request)),
        Command::Consent(request) => print!("{}", consent::explain(&request)?),
        Command::Conditions => print!("{}", docs::conditions()),
        Command::Catalog { command: None } => print!("{}", docs::catalog(&connection_types()?)),
        Command::Catalog {
            command: Some(CatalogCommand::Check(request)),
        } => return Ok(check_types(&request)),
        Command::Run(settings) => {
            telemetry::init(&settings.log, settings.log_format)?;
            runtime()?.block_on(async {
                let client = client().await?;
                let mut terminated = signal(SignalKind::terminate())?;
                let stop = async move {
                    tokio::select! { _ = terminated.recv() => {}, _ = tokio::signal::ctrl_c() => {} }
                    tracing::info!("ending");
                };
                Ok::<_, Box<dyn Error>>(Box::pin(run(client, *settings, stop)).await?)
            })?;
        }
        Command::Uninstall {
            namespace,
            deployment,
            release,
            missing_ok,
        } => {
            telemetry::init("info", LogFormat::Text)?;
            let ours = Installation {
                release: release.as_deref(),
                namespace: &namespace,
                deployment: &deployment,
                missing_ok,
            };
            let uninstalled = async { Ok::<_, Box<dyn Error>>(uninstall(&client().await?, ours).await?) };
            runtime()?.block_on(uninstalled)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A pipeline goes by the exit code.
fn check(request: &consent::Request) -> ExitCode {
    let checked = consent::check(&request.check, request.namespace.as_deref(), Timestamp::now());
    print!("{}", checked.told);
    match checked.outcome {
        Outcome::Agreed => ExitCode::SUCCESS,
        Outcome::Differs => ExitCode::from(1),
        Outcome::Unclear => ExitCode::from(2),
    }
}

/// What can't be told is no error of this program: a pipeline goes by the exit code.
fn check_types(request: &catalog::Request) -> ExitCode {
    let checked = runtime()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(checked_types(request)));
    let (outcome, told) = checked.unwrap_or_else(|error: Box<dyn Error>| {
        (catalog::Outcome::Unclear, format!("{}\n", with_causes(&*error)))
    });
    print!("{told}");
    match outcome {
        catalog::Outcome::Fits => ExitCode::SUCCESS,
        catalog::Outcome::Breaks => ExitCode::from(1),
        catalog::Outcome::Unclear => ExitCode::from(2),
    }
}

async fn checked_types(request: &catalog::Request) -> Result<(catalog::Outcome, String), Box<dyn Error>> {
    let mut types = catalog::types(request)?;
    let present = if request.offline {
        None
    } else {
        let client = client().await?;
        for type_ in &mut types {
            type_.try_on(&client).await?;
        }
        Some(catalog::Present::read(&client, request.namespace.as_deref()).await?)
    };
    Ok(catalog::check(&types, present.as_ref(), Timestamp::now()))
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
