//! How far a long run is, as its pod tells the operator.

use super::runs::{connected, now, only_name, request, status};
use crate::support::kubelet::{Kubelet, result};
use crate::support::manifests::export;
use crate::support::{PATIENCE, World};
use axum::Router;
use axum::routing::get;
use connection_operator::api::Export;
use connection_operator::api::export::Run;
use connection_operator::api::run::{PROGRESS_PATH, PROGRESS_PORT, RunProgress};
use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt;
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Something at the port of a run's pod that says so, at an address of this machine that nothing else has; and what tells
/// that it was asked.
pub(super) async fn pod_that_says(text: &'static str) -> (Ipv4Addr, Arc<Notify>) {
    loop {
        let [a, b, c, _] = fastrand::u32(..).to_be_bytes();
        let address = Ipv4Addr::new(127, a, b, c.max(2));
        let Ok(listener) = TcpListener::bind((address, PROGRESS_PORT)).await else {
            continue;
        };
        let asked = Arc::new(Notify::new());
        let heard = Arc::clone(&asked);
        let says = get(move || {
            heard.notify_one();
            std::future::ready(text)
        });
        let serving = axum::serve(listener, Router::new().route(PROGRESS_PATH, says));
        tokio::spawn(serving.into_future());
        return (address, asked);
    }
}

pub(super) fn newest(export: &Export) -> Option<Run> {
    status(export).last_run
}

/// An export whose run is under way, and the name of its Job.
async fn under_way(world: &World) -> String {
    world.apply(export("now", "partner")).await;
    world.until_active::<Export>("now").await;
    world.merge::<Export>("now", request(&now())).await;
    only_name::<Job>(world).await
}

#[tokio::test]
async fn a_long_run_tells_how_far_it_is_until_it_has_ended() {
    let world = connected().await;
    let job = under_way(&world).await;
    let kubelet = Kubelet::shared().await;
    let (address, _) = pod_that_says(r#"{"rowsRead":3000,"rowsWritten":2400}"#).await;
    kubelet.runs(&world, &job, address.into()).await;
    let told = RunProgress {
        rows_read: 3000,
        rows_written: 2400,
    };
    let is_told = |export: &Export| newest(export).is_some_and(|run| run.progress == Some(told));
    let seen = world
        .until::<Export>("now", "it tells how far it is", is_told)
        .await;
    assert_eq!(
        newest(&seen).and_then(|run| run.ended_at),
        None,
        "{}",
        seen.name_any()
    );

    kubelet.ends(&world, &job, 0, &result("Succeeded", None)).await;
    let ended = |export: &Export| newest(export).is_some_and(|run| run.ended_at.is_some());
    let export = world.until::<Export>("now", "it has ended", ended).await;
    assert_eq!(newest(&export).and_then(|run| run.progress), None);
}

#[tokio::test]
async fn what_a_pod_says_beside_two_numbers_is_not_believed() {
    let world = connected().await;
    let job = under_way(&world).await;
    let kubelet = Kubelet::shared().await;
    let (address, asked) =
        pod_that_says(r#"{"rowsRead":-1,"rowsWritten":7,"host":"canary.example.com"}"#).await;
    kubelet.runs(&world, &job, address.into()).await;
    let heard = tokio::time::timeout(PATIENCE, asked.notified()).await;
    heard.expect("it is asked");
    world
        .merge::<Export>("now", json!({"spec": {"displayName": "Another"}}))
        .await;
    let seen = |export: &Export| status(export).observed_generation == Some(2);
    let export = world.until::<Export>("now", "it was visited since", seen).await;
    assert_eq!(newest(&export).and_then(|run| run.progress), None);
    let told = serde_json::to_string(&export).expect("JSON");
    assert!(!told.contains("canary"), "{told}");
}
