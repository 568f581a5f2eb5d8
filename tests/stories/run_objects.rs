//! What runs are made of, when their export goes, comes back or gets another image.

use super::runs::{PLAN, connected, cron_job, now, only_name, request, status, suspended, yearly};
use crate::support::manifests::sftp;
use crate::support::operator::{Operator, own_cluster};
use crate::support::{Kind, PATIENCE, VALUES, World};
use connection_operator::api::{ConditionType, Export};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams};
use local_cluster::Options;

/// Waits until nothing of this kind is left that runs are made of.
pub async fn until_none_left<K: Kind>(world: &World) {
    let of_runs = ListParams::default().labels("connections.dev/run");
    let started = std::time::Instant::now();
    loop {
        let found = world.api::<K>().list(&of_runs).await.expect("a list");
        let names: Vec<String> = found.iter().map(ResourceExt::name_any).collect();
        if names.is_empty() {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{}: {names:?}", K::kind(&()));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn an_export_that_is_deleted_alone_takes_its_runs_along() {
    let world = connected().await;
    world.apply(yearly("nightly")).await;
    world.until_active::<Export>("nightly").await;
    world.merge::<Export>("nightly", request(&now())).await;
    only_name::<Job>(&world).await;
    let under_way = |export: &Export| status(export).last_run.is_some();
    world
        .until::<Export>("nightly", "a run is under way", under_way)
        .await;

    let api = world.api::<Export>();
    api.delete("nightly", &DeleteParams::orphan())
        .await
        .expect("nothing keeps anybody from it");
    world.until_gone::<Export>("nightly").await;
    until_none_left::<CronJob>(&world).await;
    until_none_left::<Job>(&world).await;
    until_none_left::<ConfigMap>(&world).await;
}

#[tokio::test]
async fn an_export_that_is_made_again_at_once_has_runs_of_its_own() {
    let world = connected().await;
    world.apply(yearly("nightly")).await;
    world.until_active::<Export>("nightly").await;
    let first = cron_job(&world, "it is made", |_| true).await;
    let api = world.api::<Export>();
    api.delete("nightly", &DeleteParams::default())
        .await
        .expect("it is deleted");
    world.apply(yearly("nightly")).await;
    let export = world.until_active::<Export>("nightly").await;
    let of_export = |cron_job: &CronJob| {
        cron_job
            .owner_references()
            .iter()
            .any(|owner| Some(&owner.uid) == export.metadata.uid.as_ref())
    };
    let name = first.name_any();
    let second = world
        .until::<CronJob>(&name, "it is the new one's", of_export)
        .await;
    assert_ne!(first.annotations()[PLAN], second.annotations()[PLAN]);
    world.merge::<Export>("nightly", request(&now())).await;
    world
        .until_says::<Export>("nightly", ConditionType::RequestGranted, "RequestBegun")
        .await;
    let plan = format!("connections-run-plan-{}", second.annotations()[PLAN]);
    let plan = world.api::<ConfigMap>().get(&plan).await.expect("it is there");
    assert_eq!(
        plan.owner_references()[0].uid,
        export.metadata.uid.unwrap_or_default()
    );
}

#[tokio::test]
async fn a_schedule_rests_while_there_is_no_image_and_goes_on_by_another() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let operator = Operator::govern(&control_plane).await;
    let world = World::on(client).await.furnish().await;
    world.connect(sftp("partner")).await;
    world.apply(yearly("nightly")).await;
    world.until_active::<Export>("nightly").await;
    let made = cron_job(&world, "it is made", |_| true).await;
    operator.kill();

    let install = |values: &[&str]| {
        let all: Vec<&str> = VALUES.iter().chain(values).copied().collect();
        control_plane.install_chart(&all).expect("the chart is upgraded");
    };
    install(&["connectors=[]", r#"connector.image="""#]);
    let operator = Operator::start_with(&control_plane, &[("CONNECTORS", ""), ("CONNECTOR_IMAGE", "")]);
    cron_job(&world, "it rests", suspended).await;
    world.until_inactive::<Export>("nightly", "NoConnector").await;
    operator.kill();

    let image = "registry.example/connector:another";
    install(&[&format!("connector.image={image:?}")]);
    let _operator = Operator::start_with(&control_plane, &[("CONNECTOR_IMAGE", image)]);
    let by_another = |cron_job: &CronJob| {
        let text = serde_json::to_string(&cron_job.spec).unwrap_or_default();
        text.contains(image) && !suspended(cron_job)
    };
    let now = cron_job(&world, "it goes on by the other image", by_another).await;
    assert_eq!(now.metadata.uid, made.metadata.uid, "it is the same one");
}
