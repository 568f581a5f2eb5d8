//! `logs`: what the connector of the newest run, and of that the newest try, wrote, for those who may read logs of pods. No role of ours gives that right,
//! as it holds for every pod of a namespace; why a run failed stands in status, for all who see exports.

use super::attach::Attached;
use crate::api::names::{DRY_RUN_REQUESTED_ANNOTATION, RUN_CONTAINER, RUN_LABEL, RUN_OF_ANNOTATION};
use crate::api::{Enrichment, Export};
use crate::governance::message::bounded;
use crate::plugin::Session;
use crate::plugin::cluster::{Cluster, ClusterError, Selection};
use crate::plugin::exit::{Exit, Failure, Fault};
use crate::plugin::lookup::find;
use crate::plugin::target::{Kind, Target};
use futures::{AsyncBufReadExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::LogParams;
use kube::core::PartialObjectMeta;
use thiserror::Error;

/// Whose logs.
#[derive(Clone, Debug, clap::Args)]
pub struct Logs {
    /// The export, or enrichment/NAME.
    #[arg(value_name = "NAME")]
    target: Target,
    /// Go on as more is written, until this try of the run ends.
    #[arg(short, long)]
    follow: bool,
}

/// Why there are none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LogsError {
    /// They aren't theirs to read.
    #[error(
        "You may not read the logs of pods in the namespace {namespace}: ask whoever runs the cluster. Why a run failed is told \
         without that: kubectl connections runs {called}"
    )]
    NoRights {
        /// Where.
        namespace: String,
        /// Whose they are, as commands take it.
        called: String,
    },
    /// No pod is left.
    #[error(
        "No pod of a run of {called} is left, so there is no log. What is known of its runs: kubectl connections runs {called}"
    )]
    NoPod {
        /// Whose they are, as commands take it.
        called: String,
    },
}

impl Fault for LogsError {
    fn exit(&self) -> Exit {
        Exit::Not
    }
}

/// Shows what was written.
///
/// # Errors
/// If nothing is there, or it isn't theirs to read.
pub async fn run(asked: Logs, session: &Session) -> Result<Exit, Failure> {
    let kind = asked.target.kind(&[Kind::Export, Kind::Enrichment])?;
    let cluster = session.cluster().await?;
    match kind {
        Kind::Enrichment => shown::<Enrichment>(&asked, &cluster, session).await,
        _ => shown::<Export>(&asked, &cluster, session).await,
    }
}

async fn shown<K: Attached>(asked: &Logs, cluster: &Cluster, session: &Session) -> Result<Exit, Failure> {
    let name = &asked.target.name;
    let called = K::KIND.called(name);
    find::<K>(cluster, name).await?;
    let told = |error: ClusterError| match error {
        error if error.is_forbidden() => Failure::from(LogsError::NoRights {
            namespace: cluster.namespace.clone(),
            called: called.clone(),
        }),
        error => error.into(),
    };
    let pods = pods::<K>(cluster).await.map_err(told)?;
    let Some(pod) = newest(&pods, name) else {
        return Err(LogsError::NoPod { called }.into());
    };
    let wanted = LogParams {
        container: Some(RUN_CONTAINER.to_owned()),
        follow: asked.follow,
        ..LogParams::default()
    };
    let api = cluster.api::<Pod>();
    let log = cluster
        .answer(api.log_stream(&pod, &wanted))
        .await
        .map_err(told)?;
    let mut lines = log.lines();
    loop {
        match lines.try_next().await {
            Ok(Some(line)) => session.show(&format!("{}\n", bounded(line))),
            Ok(None) => return Ok(Exit::Done),
            Err(error) => {
                let cause = error.to_string();
                return Err(ClusterError::Unreachable { cause }.into());
            }
        }
    }
}

async fn pods<K: Attached>(cluster: &Cluster) -> Result<Vec<PartialObjectMeta<Pod>>, ClusterError> {
    let selection = Selection {
        namespace: Some(cluster.namespace.clone()),
        labels: Some(format!("{RUN_LABEL}={}", K::kind(&()))),
        fields: None,
    };
    cluster.metadata::<Pod>(&selection).await
}

/// The pod of the runs of what has this name that was made last.
fn newest(pods: &[PartialObjectMeta<Pod>], name: &str) -> Option<String> {
    let own = pods.iter().filter(|pod| {
        let annotations = pod.annotations();
        let of_it = annotations.get(RUN_OF_ANNOTATION).is_some_and(|of| of == name);
        of_it && !annotations.contains_key(DRY_RUN_REQUESTED_ANNOTATION)
    });
    let newest = own.max_by_key(|pod| (pod.creation_timestamp(), pod.name_any()));
    newest.map(ResourceExt::name_any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_pod_that_was_made_last_is_read() {
        let pod = |name: &str, of: &str, minute: u8| -> PartialObjectMeta<Pod> {
            let at = format!("2026-11-29T06:{minute:02}:00Z");
            let metadata =
                json!({"name": name, "creationTimestamp": at, "annotations": {RUN_OF_ANNOTATION: of}});
            serde_json::from_value(json!({"metadata": metadata})).expect("a pod")
        };
        let pods = [
            pod("a", "nightly", 1),
            pod("b", "nightly", 3),
            pod("c", "weekly", 9),
            pod("d", "nightly", 2),
        ];
        assert_eq!(newest(&pods, "nightly").as_deref(), Some("b"));
        assert_eq!(newest(&pods, "daily"), None);
    }
}
