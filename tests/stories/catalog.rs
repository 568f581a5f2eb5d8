//! Which connection types an installation brings, and what becomes of those that it brings no more.

use crate::support::manifests::{connection_type, sftp};
use crate::support::operator::{Operator, own_cluster};
use crate::support::{Conditioned, World};
use connection_operator::api::{ConditionType, Connection, ConnectionType, Export};
use kube::api::PatchParams;
use local_cluster::Options;
use serde_json::{Value, json};

/// What a type says of its end, once its mark is or isn't there.
async fn mark(world: &World, type_: &str, marked: bool) -> Option<String> {
    let said = |type_: &ConnectionType| type_.spec.deprecated.as_ref().map(|mark| mark.message.clone());
    let found = world
        .until_type(type_, |type_| said(type_).is_some() == marked)
        .await;
    said(&found)
}

async fn names(world: &World) -> Vec<String> {
    let listed = world
        .types()
        .list(&kube::api::ListParams::default())
        .await
        .expect("a list");
    listed
        .into_iter()
        .filter_map(|type_| type_.metadata.name)
        .collect()
}

#[tokio::test]
async fn a_type_that_is_brought_no_more_stays_says_so_and_comes_back_unmarked() {
    let (control_plane, client) = own_cluster(Options::default()).await;
    let world = World::on(client).await.furnish().await;
    let catalog = PatchParams::apply("connection-operator-catalog");
    let dropped = world
        .try_apply_with(&connection_type("of-an-older-release"), &catalog)
        .await;
    dropped.expect("an earlier version brought it");
    world.apply(connection_type("of-the-company")).await;
    let including = Operator::start_with(&control_plane, &[("CATALOG_INCLUDE", "sftp-export,marketo")]);
    for brought in ["marketo", "sftp-export"] {
        world.until_type(brought, |_| true).await;
    }
    mark(&world, "of-an-older-release", true).await;
    including.kill();
    let expected = ["marketo", "of-an-older-release", "of-the-company", "sftp-export"];
    assert_eq!(names(&world).await, expected, "only what is included was brought");

    let excluding = Operator::start_with(&control_plane, &[("CATALOG_EXCLUDE", "sftp-export,no-such-type")]);
    world.connect(sftp("partner")).await;
    let going_on = " Connections of this type go on; make new ones of another.";
    assert_eq!(
        mark(&world, "sftp-export", true).await,
        Some(format!("This installation's values leave it out.{going_on}"))
    );
    assert_eq!(
        mark(&world, "of-an-older-release", true).await,
        Some(format!(
            "This version of the operator no longer brings it.{going_on}"
        ))
    );
    assert_eq!(
        mark(&world, "of-the-company", false).await,
        None,
        "the catalog doesn't own it"
    );
    assert_eq!(mark(&world, "marketo", false).await, None);
    excluding.kill();

    let _complete = Operator::start(&control_plane);
    assert_eq!(mark(&world, "sftp-export", false).await, None);
    let partner = world.until_ready_says::<Connection>("partner", "Ready").await;
    assert_eq!(
        partner.type_,
        ConditionType::Ready.as_str(),
        "consent was never in question"
    );
    let type_ = world.types().get("sftp-export").await.expect("it is there");
    assert!(type_.condition(ConditionType::Ready).is_some());
}

/// The manifests that a page of the documentation shows, in order.
fn manifests(page: &str) -> Vec<Value> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).expect("it can be read");
    let blocks = text.split("```yaml\n").skip(1).map(|rest| {
        let (block, _) = rest.split_once("```").expect("a block ends");
        serde_saphyr::from_multiple(block).expect("YAML")
    });
    blocks.flat_map(|documents: Vec<Value>| documents).collect()
}

#[tokio::test]
async fn the_guide_to_a_new_type_works_as_it_stands() {
    let world = World::new().await;
    let strict = PatchParams::apply("person").validation_strict();
    for manifest in manifests("docs/adding-a-type.md") {
        let applied = world.try_apply_with(&manifest, &strict).await;
        applied.unwrap_or_else(|error| panic!("{manifest}: {error}"));
    }
    world.consent("lark-mail").await;
    world.until_ready_says::<Connection>("lark-mail", "Ready").await;
    world.until_active::<Export>("lark-mail").await;

    let wrong = json!({"spec": {"parameters": {"listId": "news"}}});
    world.merge::<Export>("lark-mail", wrong).await;
    let refused = world
        .until_inactive::<Export>("lark-mail", "ParametersInvalid")
        .await;
    assert_eq!(
        refused.message,
        "Its connection is of type lark-mail. spec.parameters.listId is \"news\", expected another form, such as \"12\". The type says of it: The list's ID, \
         digits only."
    );
}
