//! What contributors and viewers read never tells where data goes, nor by which credentials.

use super::scene::{PAUSE, Scene};
use crate::support::PATIENCE;
use std::time::Instant;

/// Stands in each host, folder, account and Secret name of the scene's connections.
const HIDDEN: &str = "hidden";
/// The name of a connection that nothing names.
const UNTOLD: &str = "untold";
/// A run's pod mounts the Secret, and so names it. Who reads pods and what they are made from reads that; no contributor does.
const MOUNTED: &str = "name: hidden-secret";

#[tokio::test]
async fn nothing_that_contributors_and_viewers_read_tells_a_host_a_folder_an_account_or_a_secret() {
    let scene = Scene::set().await;
    let run = tokio::task::spawn_blocking(move || {
        let kinds = kinds(&scene);
        let mounted = |line: &&str| line.trim() == MOUNTED;
        let rows = [
            ("carol", "left-behind", true),
            ("contributors' pipeline", "left-behind", true),
            ("paul", "left-behind", true),
            ("vera", "left-behind", true),
            // Events are part of Kubernetes' own view: they tell that a connection is there, and nothing of it.
            ("kate", "ConsentRequired", false),
            ("sam", "sftp-export", true),
        ];
        for (who, expected, unknowing) in rows {
            let seen = until_seen(&scene, who, &kinds, expected);
            let excepted = seen.lines().filter(mounted).count();
            assert_eq!(excepted > 0, who == "kate", "{who} reads what runs are made from");
            let others: Vec<&str> = seen.lines().filter(|line| !mounted(line)).collect();
            assert_eq!(found(&others.join("\n"), HIDDEN), None, "{who}");
            if unknowing {
                assert_eq!(found(&seen, UNTOLD), None, "{who}");
            }
        }
        let all = until_seen(&scene, "ana", &kinds, UNTOLD);
        for hidden in ["private.hidden.example", "hidden-folder", "hidden-secret"] {
            assert!(
                found(&all, hidden).is_some(),
                "there is something to find: {hidden}"
            );
        }
    });
    run.await.expect("everything is read");
}

/// All kinds that can be listed, with a comma between them.
fn kinds(scene: &Scene) -> String {
    let answer = scene.kubectl("root", "kubectl api-resources --verbs=list -o name");
    let kinds = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(kinds.contains("sharedconnections.connections.dev"), "{kinds}");
    kinds.lines().collect::<Vec<_>>().join(",")
}

/// Everything that somebody reads, once this can be found in it.
fn until_seen(scene: &Scene, who: &str, kinds: &str, expected: &str) -> String {
    let started = Instant::now();
    loop {
        let answer = scene.kubectl(who, &format!("kubectl get {kinds} -o yaml --show-managed-fields"));
        let seen = String::from_utf8_lossy(&answer.stdout).into_owned();
        if seen.contains(expected) {
            return seen;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "{who} never sees {expected}: {seen}"
        );
        std::thread::sleep(PAUSE);
    }
}

/// The first line that holds it.
fn found<'a>(seen: &'a str, text: &str) -> Option<&'a str> {
    seen.lines().find(|line| line.contains(text))
}
