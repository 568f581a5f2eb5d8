//! Updates that race the end of sharing: none comes through once `use` is gone.

use crate::support::manifests::{export, sftp, with};
use crate::support::{PATIENCE, World, client, shared};
use connection_operator::api::{Connection, Export, SharedConnection};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// So many changes come through before the sharing ends, and so many are tried after it has.
const BEFORE: usize = 10;
const AFTER: usize = 25;

/// Where the race stands.
#[derive(Default)]
struct Race {
    accepted: AtomicUsize,
    /// The API server has said that `use` is gone.
    gone: AtomicBool,
}

/// Makes one change after another until enough were refused; what was accepted last, before and after the end.
async fn keep_trying<F>(race: &Race, mut change: F)
where
    F: AsyncFnMut(usize) -> Result<(), kube::Error>,
{
    let started = Instant::now();
    let mut refused = 0;
    for number in 0.. {
        assert!(started.elapsed() < PATIENCE, "the race never ends");
        let gone = race.gone.load(Ordering::SeqCst);
        match change(number).await {
            Ok(()) => {
                assert!(!gone, "change {number} came through after the end");
                race.accepted.fetch_add(1, Ordering::SeqCst);
            }
            Err(kube::Error::Api(status)) if status.message.contains("not shared with you") => {
                refused += usize::from(gone);
            }
            Err(error) => panic!("another refusal: {error}"),
        }
        if refused >= AFTER {
            return;
        }
    }
}

async fn world_with_a_shared_connection() -> World {
    let world = World::furnished().await;
    let carol = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "contributors"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "connections-contributor"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "carol"}],
    });
    world.apply(carol).await;
    let everyone = json!({"spec": {"access": {"exports": "Contributors"}}});
    world.apply(with(sftp("partner"), &everyone)).await;
    world
        .until::<SharedConnection>("partner", "it's shared", |_| true)
        .await;
    world.apply(export("nightly", "partner")).await;
    world
}

async fn carols_exports(world: &World) -> Api<Export> {
    let kubeconfig = shared().kubeconfig_for("carol", None).expect("a certificate");
    Api::namespaced(client(&kubeconfig).await, &world.namespace)
}

#[tokio::test]
async fn no_change_comes_through_once_use_is_gone_however_they_race() {
    let world = world_with_a_shared_connection().await;
    let exports = carols_exports(&world).await;
    let race = Race::default();
    let rename = async |who: &str, number: usize| {
        let name = json!({"spec": {"displayName": format!("{who} {number}")}});
        let params = PatchParams::default();
        let answer = exports.patch("nightly", &params, &Patch::Merge(name)).await;
        answer.map(|_| ())
    };
    let create = async |number: usize| {
        let made = manifest(export(&format!("new-{number}"), "partner"));
        let answer = exports.create(&PostParams::default(), &made).await;
        answer.map(|_| ())
    };
    let end = async {
        while race.accepted.load(Ordering::SeqCst) < BEFORE {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let private = json!({"spec": {"access": {"exports": "Administrators"}}});
        world.merge::<Connection>("partner", private).await;
        world.until_gone::<RoleBinding>("connections-use-partner").await;
        let probe = manifest(export("probe", "partner"));
        while exports.create(&dry_run(), &probe).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        race.gone.store(true, Ordering::SeqCst);
    };
    tokio::join!(
        keep_trying(&race, async |number| rename("first", number).await),
        keep_trying(&race, async |number| rename("second", number).await),
        keep_trying(&race, create),
        end,
    );
    assert!(race.accepted.load(Ordering::SeqCst) >= BEFORE);
}

fn dry_run() -> PostParams {
    PostParams {
        dry_run: true,
        ..PostParams::default()
    }
}

fn manifest(manifest: Value) -> Export {
    serde_json::from_value(manifest).expect("an export")
}
