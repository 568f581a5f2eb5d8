//! Kubernetes' own kinds that runs are made of, as far as the operator reads and keeps them.

use super::names::{RUN_LABEL, RUN_OF_ANNOTATION};
use super::reference::{Reference, Refers};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use kube::{Resource, ResourceExt};

/// The export or enrichment that an object of a run belongs to.
#[must_use]
pub fn run_of<K: Resource>(object: &K) -> Option<Reference> {
    let kind = object.labels().get(RUN_LABEL)?;
    let name = object.annotations().get(RUN_OF_ANNOTATION)?;
    Some(Reference::Run(object.namespace()?, kind.clone(), name.clone()))
}

impl Refers for CronJob {
    fn references(&self) -> Vec<Reference> {
        run_of(self).into_iter().collect()
    }
}

impl Refers for Job {
    fn references(&self) -> Vec<Reference> {
        run_of(self).into_iter().collect()
    }
}

impl Refers for Pod {
    fn references(&self) -> Vec<Reference> {
        run_of(self).into_iter().collect()
    }
}
