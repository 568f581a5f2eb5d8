//! Where the pod of a run has what the run needs.

use clap::Args;
use connection_operator::api::run::{
    OUTPUT_DIRECTORY, PLAN_DIRECTORY, RESULT_FILE, SECRETS_DIRECTORY, VAULTS_DIRECTORY, VOLUMES_DIRECTORY,
};
use std::path::PathBuf;

/// Folders and files of a run's pod. What the operator mounts is the default.
#[derive(Args, Clone, Debug)]
pub struct Places {
    /// The folder that holds the plan.
    #[arg(long, default_value = PLAN_DIRECTORY)]
    pub plan_directory: PathBuf,
    /// The folder that holds the credentials, a file for each.
    #[arg(long, default_value = SECRETS_DIRECTORY)]
    pub secrets_directory: PathBuf,
    /// The folder that holds what signs in to key vaults, a folder for each.
    #[arg(long, default_value = VAULTS_DIRECTORY)]
    pub vaults_directory: PathBuf,
    /// The folder that holds the volumes, a folder for each claim.
    #[arg(long, default_value = VOLUMES_DIRECTORY)]
    pub volumes_directory: PathBuf,
    /// The folder that is the volume of an enrichment's output.
    #[arg(long, default_value = OUTPUT_DIRECTORY)]
    pub output_directory: PathBuf,
    /// The file that the result is written to.
    #[arg(long, default_value = RESULT_FILE)]
    pub result_file: PathBuf,
}
