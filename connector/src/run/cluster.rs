//! The way to the API server.

use crate::fault::Fault;
use connection_operator::api::run::{FailureClass, Persistence};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::path::Path;
use thiserror::Error;

/// There is no way to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "The connector finds no way to the API server, so nothing was sent: its pod lacks the run account's token or certificate. \
     It's tried again; if that lasts, whoever runs the cluster can look at the pod's volumes."
)]
pub struct NoCluster;

impl Fault for NoCluster {
    fn class(&self) -> FailureClass {
        FailureClass::System
    }

    fn persistence(&self) -> Persistence {
        Persistence::Transient
    }
}

/// A client of it, as the account of the pod that this runs in, or else by a kubeconfig.
pub async fn client(kubeconfig: Option<&Path>) -> Result<Client, NoCluster> {
    let config = match kubeconfig {
        None => Config::incluster().map_err(|_| NoCluster)?,
        Some(file) => {
            let read = Kubeconfig::read_from(file).map_err(|_| NoCluster)?;
            let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
            config.map_err(|_| NoCluster)?
        }
    };
    Client::try_from(config).map_err(|_| NoCluster)
}
