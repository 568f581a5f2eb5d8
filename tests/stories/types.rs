//! Platform engineers and the connection types that they own.

use crate::support::manifests::{connection_type, export, notice, plain_connection, sftp, with};
use crate::support::{Conditioned, World};
use connection_operator::api::{Condition, ConditionType, Connection, ConnectionType, Export};
use jiff::{SignedDuration, Timestamp};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

/// A world with a type of its own, a connection of it that is ready, and an active export.
async fn with_own_type() -> (World, String) {
    let world = World::furnished().await;
    let type_ = world.type_name("own");
    world.apply(connection_type(&type_)).await;
    world.connect(plain_connection("own", &type_)).await;
    world.apply(export("nightly", "own")).await;
    world.until_active::<Export>("nightly").await;
    (world, type_)
}

impl World {
    async fn change_type(&self, name: &str, change: Value) {
        let changed = self
            .types()
            .patch(name, &PatchParams::default(), &Patch::Merge(change))
            .await;
        changed.expect("the change is accepted");
    }

    pub async fn until_type(
        &self,
        name: &str,
        holds: impl Fn(&ConnectionType) -> bool + Send,
    ) -> ConnectionType {
        let condition = |type_: Option<&ConnectionType>| type_.is_some_and(&holds);
        let waiting = kube::runtime::wait::await_condition(self.types(), name, condition);
        let found = tokio::time::timeout(crate::support::PATIENCE, waiting).await;
        let found = found.expect("in time").expect("the watch works");
        found.expect("the type is there")
    }
}

fn ready(type_: &ConnectionType) -> Option<&Condition> {
    type_.condition(ConditionType::Ready)
}

#[tokio::test]
async fn a_connection_may_come_before_its_type_and_stops_when_the_type_is_taken_away() {
    let world = World::unrefused().await.furnish().await;
    let type_ = world.type_name("own");
    world.apply(plain_connection("own", &type_)).await;
    world.apply(export("nightly", "own")).await;
    let told = world.until_ready_says::<Connection>("own", "TypeNotFound").await;
    assert_eq!(
        told.message,
        format!(
            "There is no connection type {type_}. To see those there are: kubectl get connectiontypes. A connection's type \
             can't be edited: make another connection, or ask who owns the catalog to apply that type."
        )
    );
    world.until_inactive::<Export>("nightly", "TypeNotFound").await;

    world.apply(connection_type(&type_)).await;
    world.consent("own").await;
    world.until_active::<Export>("nightly").await;

    let gone = world.types().delete(&type_, &DeleteParams::default()).await;
    gone.expect("the deletion is accepted");
    world.until_ready_says::<Connection>("own", "TypeNotFound").await;
    world.until_inactive::<Export>("nightly", "TypeNotFound").await;
    world.apply(connection_type(&type_)).await;
    world.until_active::<Export>("nightly").await;
}

#[tokio::test]
async fn a_type_that_asks_for_more_is_noticed_by_its_connections_and_their_exports() {
    let (world, type_) = with_own_type().await;
    let asks = json!({"name": "account", "type": "String", "description": "An account.", "required": true, "example": "a1"});
    let host = connection_type(&type_)["spec"]["parameters"][0].clone();
    world
        .change_type(&type_, json!({"spec": {"parameters": [host, asks]}}))
        .await;
    let told = world
        .until_ready_says::<Connection>("own", "ParametersInvalid")
        .await;
    assert_eq!(
        told.message,
        "spec.parameters.account is missing: add it, such as \"a1\"."
    );
    world
        .until_inactive::<Export>("nightly", "ConnectionNotReady")
        .await;
    world
        .merge::<Connection>("own", json!({"spec": {"parameters": {"account": "a2"}}}))
        .await;
    world.until_active::<Export>("nightly").await;

    let list = json!([{"name": "listId", "type": "Integer", "description": "A list.", "required": true, "default": null}]);
    world
        .change_type(&type_, json!({"spec": {"exportParameters": list}}))
        .await;
    let told = world
        .until_inactive::<Export>("nightly", "ParametersInvalid")
        .await;
    assert_eq!(
        told.message,
        format!("Its connection is of type {type_}. spec.parameters.listId is missing: add it.")
    );
}

#[tokio::test]
async fn a_raised_notice_makes_consent_stale_at_once_and_everything_on_it_inactive() {
    let (world, type_) = with_own_type().await;
    world
        .change_type(&type_, json!({"spec": {"notice": notice("2")}}))
        .await;
    let told = world.until_ready_says::<Connection>("own", "ConsentStale").await;
    let start = "The consent that was given isn't for this connection as it is now";
    assert!(told.message.starts_with(start), "{}", told.message);
    let difference = " It was to version 1 of the notice, which is of version 2 now. To read";
    assert!(told.message.contains(difference), "{}", told.message);
    world
        .until_inactive::<Export>("nightly", "ConnectionNotReady")
        .await;
    world.consent("own").await;
    world.until_active::<Export>("nightly").await;
}

#[tokio::test]
async fn consent_to_the_previous_notice_counts_until_its_time_and_ends_by_itself() {
    let (world, type_) = with_own_type().await;
    let until = Timestamp::now() + SignedDuration::from_secs(3);
    let mut raised = notice("2");
    raised["previous"] = with(notice("1"), &json!({"until": until}));
    world
        .change_type(&type_, json!({"spec": {"notice": raised}}))
        .await;
    let consent_says = |reason: &'static str| {
        move |connection: &Connection| {
            connection
                .condition(ConditionType::ConsentGiven)
                .is_some_and(|consent| consent.reason == reason)
        }
    };
    let warned = world
        .until::<Connection>(
            "own",
            "the one before counts",
            consent_says("ConsentToPreviousNotice"),
        )
        .await;
    assert_eq!(
        warned
            .condition(ConditionType::Ready)
            .map(|ready| ready.reason.as_str()),
        Some("Ready")
    );
    world.until_active::<Export>("nightly").await;
    world.until_ready_says::<Connection>("own", "ConsentStale").await;
    world
        .until_inactive::<Export>("nightly", "ConnectionNotReady")
        .await;
}

#[tokio::test]
async fn a_type_says_whether_it_is_in_use_and_never_by_whom() {
    let (world, type_) = with_own_type().await;
    let used = world
        .until_type(&type_, |type_| {
            type_.status.as_ref().and_then(|status| status.in_use) == Some(true)
        })
        .await;
    let status = serde_json::to_string(&used.status).expect("JSON");
    assert!(
        !status.contains("nightly") && !status.contains("\"own\""),
        "everyone reads types: {status}"
    );

    world.delete::<Export>("nightly").await;
    world.until_unused::<Connection>("own").await;
    world.delete::<Connection>("own").await;
    world
        .until_type(&type_, |type_| {
            type_.status.as_ref().and_then(|status| status.in_use) == Some(false)
        })
        .await;
}

#[tokio::test]
async fn a_type_that_is_edited_to_contradict_itself_says_where_and_only_what_has_consent_goes_on() {
    let (world, type_) = with_own_type().await;
    let host = with(
        connection_type(&type_)["spec"]["parameters"][0].clone(),
        &json!({"pattern": "[a-z"}),
    );
    world
        .change_type(
            &type_,
            json!({"spec": {"parameters": [host], "endpoints": ["elsewhere.example"]}}),
        )
        .await;
    let invalid = world
        .until_type(&type_, |type_| {
            ready(type_).is_some_and(|ready| ready.reason == "TypeInvalid")
        })
        .await;
    assert_eq!(
        ready(&invalid).map(|ready| ready.message.as_str()),
        Some(
            "spec.parameters[host] has a pattern that is no regular expression of the Rust crate regex: correct it. Until \
             then, connections that have consent go on by what the type said before, and all others wait."
        )
    );
    let kept = |connection: &Connection| {
        let valid = connection.condition(ConditionType::Valid);
        valid.is_some_and(|valid| valid.reason == "LastGoodType")
    };
    let own = world.until::<Connection>("own", "it goes on", kept).await;
    let told = own.condition(ConditionType::Ready).expect("it is always there");
    assert_eq!(told.reason, "Ready", "{}", told.message);
    world.until_active::<Export>("nightly").await;

    world.apply(plain_connection("new", &type_)).await;
    let told = world.until_ready_says::<Connection>("new", "TypeNotReady").await;
    assert_eq!(
        told.message,
        format!(
            "The connection type {type_} contradicts itself: whoever owns it must correct it. To see where: kubectl \
             describe connectiontype {type_}"
        )
    );
    let consent = own.status.as_ref().and_then(|status| status.consent.as_ref());
    let digest = consent
        .and_then(|consent| consent.required.clone())
        .expect("consent stands");
    world
        .merge::<Connection>("own", crate::support::withdrawn(&digest))
        .await;
    world.until_ready_says::<Connection>("own", "TypeNotReady").await;
    world
        .until_inactive::<Export>("nightly", "ConnectionNotReady")
        .await;

    let right = json!({"spec": connection_type(&type_)["spec"]});
    world
        .change_type(&type_, with(right, &json!({"spec": {"endpoints": []}})))
        .await;
    world
        .until_ready_says::<Connection>("own", "ConsentWithdrawn")
        .await;
    world
        .until_ready_says::<Connection>("new", "ConsentRequired")
        .await;
}

#[tokio::test]
async fn a_host_that_moves_makes_consent_stale_at_once() {
    let (world, type_) = with_own_type().await;
    world
        .change_type(&type_, json!({"spec": {"endpoints": ["api.example"]}}))
        .await;
    world.until_ready_says::<Connection>("own", "ConsentStale").await;
    world
        .until_inactive::<Export>("nightly", "ConnectionNotReady")
        .await;
    world.consent("own").await;
    world.until_active::<Export>("nightly").await;
    world
        .change_type(&type_, json!({"spec": {"endpoints": ["api.elsewhere.example"]}}))
        .await;
    world.until_ready_says::<Connection>("own", "ConsentStale").await;
}

#[tokio::test]
async fn a_type_says_whether_a_connector_runs_it_and_what_to_use_instead() {
    let (world, type_) = with_own_type().await;
    let runs = |wanted: bool| {
        move |type_: &ConnectionType| type_.status.as_ref().and_then(|status| status.runs) == Some(wanted)
    };
    world.until_type(&type_, runs(true)).await;
    let deprecated = json!({"message": "It is old", "replacement": "sftp-export"});
    world
        .change_type(&type_, json!({"spec": {"deprecated": deprecated}}))
        .await;
    let said = |valid: &Condition| valid.reason == "TypeDeprecated";
    let warned = |connection: &Connection| connection.condition(ConditionType::Valid).is_some_and(said);
    world.until::<Connection>("own", "it is warned", warned).await;
    let warned = |export: &Export| export.condition(ConditionType::Attached).is_some_and(said);
    let export = world.until::<Export>("nightly", "it is warned", warned).await;
    let attached = export
        .condition(ConditionType::Attached)
        .expect("it is always there");
    assert_eq!(
        attached.message,
        format!(
            "The connection own can be used. Its type {type_} is deprecated: It is old. Use the type sftp-export instead."
        )
    );
    world.until_active::<Export>("nightly").await;

    world
        .change_type(&type_, json!({"spec": {"connector": "pigeon"}}))
        .await;
    world.until_type(&type_, runs(false)).await;
    world.until_inactive::<Export>("nightly", "NoConnector").await;
}

#[tokio::test]
async fn a_type_that_leads_to_another_says_whether_that_can_be_used() {
    let world = World::furnished().await;
    let (old, new) = (world.type_name("old"), world.type_name("new"));
    let deprecated =
        |instead: &str| json!({"spec": {"deprecated": {"message": "It is old", "replacement": instead}}});
    world.apply(with(connection_type(&old), &deprecated(&new))).await;
    let says = |problem: Option<&str>| {
        let instead = format!("It is deprecated: It is old. Use the type {new} instead.");
        let problem = problem.map(|problem| {
            format!(" Its replacement {new} {problem}: whoever owns it should name another in spec.deprecated, or none.")
        });
        let told = format!(
            "Connections can be made of it. {instead}{}",
            problem.unwrap_or_default()
        );
        move |type_: &ConnectionType| ready(type_).is_some_and(|ready| ready.message == told)
    };
    world
        .until_type(&old, says(Some("isn't there, or can't be read")))
        .await;
    world.apply(connection_type(&new)).await;
    world.until_type(&old, says(None)).await;
    world.change_type(&new, deprecated(&old)).await;
    world.until_type(&old, says(Some("is deprecated as well"))).await;
    let gone = world.types().delete(&new, &DeleteParams::default()).await;
    gone.expect("nothing is of it");
    world
        .until_type(&old, says(Some("isn't there, or can't be read")))
        .await;
}

#[tokio::test]
async fn consent_copied_from_another_connection_is_for_another_destination() {
    let world = World::furnished().await;
    world.connect(sftp("first")).await;
    world.apply(sftp("second")).await;
    let first = world.api::<Connection>().get("first").await.expect("it is there");
    let copied = json!({"metadata": {"annotations": first.metadata.annotations}});
    world.merge::<Connection>("second", copied).await;
    let told = world
        .until_ready_says::<Connection>("second", "ConsentStale")
        .await;
    let start = "The consent that was given isn't for this connection as it is now";
    assert!(told.message.starts_with(start), "{}", told.message);
    world.until_ready_says::<Connection>("first", "Ready").await;
}

#[tokio::test]
async fn a_type_that_is_held_on_its_way_counts_as_not_there_for_all_that_is_new() {
    let world = World::unrefused().await.furnish().await;
    let type_ = world.type_name("held");
    let held = json!({"metadata": {"finalizers": ["example.com/held"]}});
    world.apply(with(connection_type(&type_), &held)).await;
    world.connect(plain_connection("own", &type_)).await;
    world.apply(export("nightly", "own")).await;
    world.until_active::<Export>("nightly").await;
    let deleted = world.types().delete(&type_, &DeleteParams::default()).await;
    deleted.expect("nothing refuses it here");

    let told = world
        .until_says::<Connection>("own", ConditionType::Valid, "LastGoodType")
        .await;
    assert_eq!(
        told.message,
        format!(
            "What it says fits the type {type_} as it was before somebody deleted it: once it is gone, nothing of this type \
             goes on until whoever owns the catalog applies it again."
        )
    );
    world.until_active::<Export>("nightly").await;
    world.apply(plain_connection("late", &type_)).await;
    let told = world.until_ready_says::<Connection>("late", "TypeNotReady").await;
    let start = format!("The connection type {type_} is being removed, so nothing new begins with it");
    assert!(told.message.starts_with(&start), "{}", told.message);
    let removed = |type_: &ConnectionType| ready(type_).is_some_and(|ready| ready.reason == "BeingRemoved");
    world.until_type(&type_, removed).await;

    let freed = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let freed = world.types().patch(&type_, &PatchParams::default(), &freed).await;
    freed.expect("whoever set it takes it off");
    world.until_inactive::<Export>("nightly", "TypeNotFound").await;
}
