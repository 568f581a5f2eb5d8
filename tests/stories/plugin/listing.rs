//! What is there: the catalog, and the connections that somebody may see.

use super::Person;
use super::person::{ADMINISTRATOR, named, words};
use crate::stories::sharing::{shared_sftp, until_can_use};
use crate::support::World;
use crate::support::manifests::{export, sftp, sftp_import, with};
use connection_operator::api::{Connection, Export, SharedConnection};
use local_cluster::{ControlPlane, Options};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;
use tokio::task::spawn_blocking;

const CONTRIBUTOR: &[&str] = &["connections-contributor"];

#[tokio::test]
async fn everyone_finds_a_service_in_the_catalog() {
    let world = World::new().await;
    world
        .types()
        .get("sftp-export")
        .await
        .expect("the catalog is there");
    let nobody = Person::with_roles(&world, "nobody-in-particular", &[]).await;

    let tile = nobody.does(&["discover", "SFTP-export", "--exports"]);
    assert!(tile.starts_with("File transfer\n\n  sftp-export  "), "{tile}");
    assert!(
        tile.contains("\n    Key vault     secrets may come from a key vault\n"),
        "{tile}"
    );
    let names = nobody.does(&["discover", "google", "-o", "name"]);
    assert_eq!(names, named("connectiontype", "google-ads"));
    let vendor = nobody.does(&[
        "discover",
        "google",
        "-o",
        "jsonpath={.items[*].spec.service.category}",
    ]);
    assert_eq!(vendor, "Advertising");
    let told = nobody.fails(1, &["discover", "gogle-ads"]);
    assert_eq!(
        told,
        "The catalog has no service like that. Did you mean google-ads? All of them: kubectl connections discover\n"
    );
    let told = nobody.fails(2, &["discover", "-o", "xml"]);
    assert!(
        told.contains("there are wide, json, yaml, name and jsonpath=TEMPLATE"),
        "{told}"
    );
}

#[tokio::test]
async fn administrators_list_connections_and_contributors_what_is_shared_with_them() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    let carol = Person::with_roles(&world, "carol", CONTRIBUTOR).await;
    world.connect(shared_sftp("partner")).await;
    world
        .apply(with(
            sftp("private"),
            &json!({"metadata": {"labels": {"team": "crm"}}}),
        ))
        .await;
    world
        .until_ready_says::<Connection>("private", "ConsentRequired")
        .await;
    world.apply(sftp_import("provider")).await;
    world
        .until::<SharedConnection>("provider", "it's open to all", |_| true)
        .await;
    world
        .until_ready_says::<SharedConnection>("partner", "Ready")
        .await;
    world.apply(export("nightly", "partner")).await;
    world.until_active::<Export>("nightly").await;
    world.until_used_by::<Connection>("partner", 1).await;
    until_can_use(&world, "carol", "partner", true).await;

    let all = ada.does(&["list"]);
    let rows = words(&all);
    assert_eq!(
        rows[0].join(" "),
        "NAME DISPLAY NAME TYPE USED FOR ACCESS READY REASON IN USE AGE"
    );
    let row = |at: usize| rows[at][..rows[at].len() - 1].join(" ");
    assert_eq!(
        row(1),
        "partner partner sftp-export Export Contributors True Ready 1"
    );
    assert_eq!(
        row(2),
        "private private sftp-export Export Administrators False ConsentRequired 0"
    );
    assert_eq!(rows.len(), 4, "{all}");

    let everywhere = Person::almighty(&world).does(&["list", "-A", "-n", "nowhere", "-o", "name"]);
    assert!(everywhere.contains("/partner\n"), "-A wins: {everywhere}");
    let names = |person: &Person, arguments: &[&str]| {
        person.does(&[&["list", "-o", "jsonpath={.items[*].metadata.name}"], arguments].concat())
    };
    assert_eq!(names(&ada, &["--sort-by", "in-use"]), "private provider partner");
    assert_eq!(names(&ada, &["--exports", "--reverse"]), "private partner");
    assert_eq!(names(&ada, &["-l", "team=crm"]), "private");
    assert_eq!(
        ada.does(&["list", "--enrichments", "-o", "name"]),
        named("connection", "provider")
    );

    let told = carol.runs(&["list"]);
    assert!(
        told.err
            .starts_with("These are shared with you. To have another one"),
        "{told:?}"
    );
    let rows = words(&told.out);
    assert_eq!(
        rows[0].join(" "),
        "NAME DISPLAY NAME TYPE USED FOR READY REASON AGE"
    );
    assert_eq!(
        (rows.len(), rows[1][0], rows[2][0]),
        (3, "partner", "provider"),
        "{told:?}"
    );
    assert!(!told.out.contains("private"), "{told:?}");
    assert_eq!(names(&carol, &["--exports"]), "partner");
    let told = carol.fails(2, &["list", "--sort-by", "in-use"]);
    assert!(
        told.starts_with("There is no column \"in-use\" to sort by here."),
        "{told}"
    );
}

#[tokio::test]
async fn whoever_may_list_nothing_is_told_whom_to_ask() {
    let world = World::new().await;
    let stranger = Person::with_roles(&world, "stranger", &[]).await;
    let told = stranger.fails(1, &["list"]);
    let expected = format!(
        "You may not list connections in the namespace {}. Ask whoever administers it to bind you to one of the roles \
         connections-contributor, connections-auditor and connections-admin there; another namespace is named by -n.\n",
        world.namespace
    );
    assert_eq!(told, expected);
    let told = stranger.fails(1, &["list", "-A"]);
    assert_eq!(
        told,
        "You may not list connections in all namespaces. Name one where you may by -n.\n"
    );
    let almighty = Person::almighty(&world);
    let told = almighty.runs(&["list"]);
    assert_eq!((told.code, &*told.out), (Some(0), ""), "{told:?}");
    assert!(told.err.starts_with("There is no connection in"), "{told:?}");
    let told = almighty.fails(1, &["list", "--as", "stranger"]);
    assert_eq!(told, expected, "the rights are those of whom one speaks for");
}

#[tokio::test]
async fn a_list_shows_what_changes_until_it_is_interrupted() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.apply(sftp("partner")).await;
    world
        .until_ready_says::<Connection>("partner", "ConsentRequired")
        .await;
    let mut program = ada.program(&["list", "--watch"]);
    let mut running = program.stdout(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(running.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("a line").expect("UTF-8");
    assert!(next().starts_with("NAME "), "headings come first");
    assert!(next().contains(" ConsentRequired "), "then what there is");

    world.consent("partner").await;
    world.until_ready_says::<Connection>("partner", "Ready").await;
    while !next().contains(" True    Ready ") {}
    world.delete::<Connection>("partner").await;
    while !next().contains(" Removed ") {}
    let process = Pid::from_child(&running);
    kill_process(process, Signal::INT).expect("it is there");
    assert_eq!(running.wait().expect("it ends").code(), Some(130));
}

/// A kubeconfig that leads somewhere else.
fn leading_to(server: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "away",
        "clusters": [{"name": "away", "cluster": {"server": server}}],
        "users": [{"name": "away", "user": {}}],
        "contexts": [{"name": "away", "context": {"cluster": "away", "user": "away"}}],
    })
    .to_string()
}

#[tokio::test]
async fn a_cluster_that_is_gone_or_silent_is_told_of() {
    let world = World::new().await;
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let away = Person::by(&world, &leading_to(&format!("http://{address}")));
    let told = away.fails(2, &["list", "--request-timeout", "200ms"]);
    assert_eq!(
        told,
        "The cluster didn't answer within 200ms: give it more time by --request-timeout.\n"
    );
    drop(silent);
    let told = away.fails(2, &["list"]);
    assert!(told.starts_with("The cluster doesn't answer: "), "{told}");
    assert!(
        told.ends_with(" To see whether it's there: kubectl cluster-info\n"),
        "{told}"
    );

    let told = away.fails(2, &["list", "--context", "elsewhere"]);
    assert!(told.starts_with("There is no cluster to speak to: "), "{told}");
    let told = away.fails(2, &["list", "--kubeconfig", "/nowhere"]);
    assert!(told.contains("/nowhere"), "{told}");
    let told = away.runs(&["remove", "partner", "--yes", "--detach-all"]);
    assert_eq!(told.code, Some(2), "{told:?}");
}

#[tokio::test]
async fn a_cluster_without_the_operator_is_told_of() {
    let world = World::new().await;
    let bare = spawn_blocking(|| ControlPlane::start(Options::default())).await;
    let bare = bare.expect("it ends").expect("it starts");
    let away = Person::by(&world, bare.kubeconfig());
    for arguments in [
        &["list"][..],
        &["discover"],
        &["describe", "partner"],
        &["runs"],
        &["add", "sftp-export", "partner"],
        &["remove", "partner", "--yes"],
        &["vault", "list"],
    ] {
        let told = away.fails(2, arguments);
        assert!(
            told.starts_with("This cluster knows no "),
            "{arguments:?}: {told}"
        );
        assert!(
            told.ends_with("kubectl api-resources --api-group=connections.dev shows what is there.\n"),
            "{told}"
        );
    }
    let told = away.runs(&["doctor"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.out.contains("the operator isn't installed"), "{told:?}");
}

#[tokio::test]
async fn what_programs_read_is_what_the_api_has() {
    let world = World::furnished().await;
    let ada = Person::with_roles(&world, "ada", ADMINISTRATOR).await;
    world.connect(sftp("partner")).await;
    let json: Value = serde_json::from_str(&ada.does(&["list", "-o", "json"])).expect("JSON");
    assert_eq!(
        (&json["kind"], &json["items"][0]["kind"]),
        (&json!("List"), &json!("Connection"))
    );
    assert_eq!(json["items"][0]["metadata"]["managedFields"], Value::Null);
    let yaml = ada.does(&["list", "-o", "yaml"]);
    let yaml: Value = serde_saphyr::from_str(&yaml).expect("YAML");
    assert_eq!(
        yaml["items"][0]["spec"], json["items"][0]["spec"],
        "either form says the same"
    );
}
