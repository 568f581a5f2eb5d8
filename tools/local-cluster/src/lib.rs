//! A real Kubernetes on this machine, from nothing but source code and Debian packages.
//!
//! - [`control_plane`]: etcd, kube-apiserver and kube-controller-manager for tests; gone when the test is.
//! - [`chart`]: the operator's chart on such a control plane.
//! - [`node`]: these and all else that runs pods, enclosed in namespaces; for people to try things on.
//! - [`programs`]: the pinned programs, built once and kept in the user's cache.
//! - [`products`]: the programs of this project, as images.
//! - [`values`]: the page of the chart's values.
//! - [`mod@up`], [`existing`]: the commands, for a cluster of this machine and for one that is there already.
//!
//! ```no_run
//! # fn main() -> Result<(), local_cluster::Error> {
//! use local_cluster::{ControlPlane, Options};
//!
//! let control_plane = ControlPlane::start(Options::default())?;
//! println!("{}", control_plane.kubeconfig()); // for `kube::config::Kubeconfig::from_yaml`
//! # Ok(())
//! # }
//! ```

pub mod cache;
pub mod certificates;
pub mod chart;
pub mod components;
pub mod control_plane;
mod error;
pub mod existing;
pub mod kubeconfig;
pub mod node;
pub mod operator;
pub mod places;
pub mod processes;
pub mod products;
pub mod programs;
mod progress;
mod readiness;
pub mod requirements;
mod run_directory;
pub mod up;
pub mod values;

pub use control_plane::{ControlPlane, Options};
pub use error::Error;
