//! Waits until the operator has nothing left to do in a world, and looks at what it made of it.

use super::steps::{PLACES, is_going};
use crate::support::manifests::{
    connection_type, dataset, enrichment, export, plain_connection, secret, with,
};
use crate::support::{Kind, PATIENCE, World};
use connection_operator::api::{Connection, ConnectionType, Dataset, Enrichment, Export};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ApiResource, Patch, PatchParams};
use kube::core::{DynamicObject, GroupVersionKind};
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};
use regex::Regex;
use serde_json::{Map, Value, json};

/// Whoever isn't settled after so many rounds never will be.
const ROUNDS: usize = 60;

/// So many rounds in a row without a write: at least one of them shares the canary.
const CALM: usize = 3;

/// The canary's name: one of each kind, depending on each other as the small world does.
const CANARY: &str = "canary";

impl World {
    /// The objects of the kind that stands at a place.
    pub fn place(&self, place: usize) -> Api<DynamicObject> {
        let (kind, _) = PLACES[place];
        let (group, version) = match kind {
            "Secret" => ("", "v1"),
            _ => ("connections.dev", "v1alpha1"),
        };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        if kind == "ConnectionType" {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
        }
    }

    /// What stands at each place now.
    pub async fn look(&self) -> Vec<Option<DynamicObject>> {
        let looks = (0..PLACES.len()).map(|place| async move {
            let found = self.place(place).get_opt(&self.name_at(place)).await;
            found.expect("an answer")
        });
        futures::future::join_all(looks).await
    }

    /// Makes the canary.
    pub async fn keep_canary(&self) {
        let type_ = self.type_name(CANARY);
        let token = json!([{"name": "token", "kind": "Token", "description": "A token."}]);
        self.apply(with(
            connection_type(&type_),
            &json!({"spec": {"secrets": token}}),
        ))
        .await;
        self.apply(secret(CANARY, &[("token", "0")])).await;
        self.apply(dataset(CANARY, "Source")).await;
        let source = json!({"secretKeyRef": {"name": CANARY, "key": "token"}});
        let connection = json!({"spec": {"secrets": {"token": source}}});
        self.apply(with(plain_connection(CANARY, &type_), &connection))
            .await;
        let payload = json!({"spec": {"payload": [{"dataset": CANARY}]}});
        self.apply(with(export(CANARY, CANARY), &payload)).await;
        let input = json!({"spec": {"input": {"dataset": CANARY}, "output": {"dataset": "none"}}});
        self.apply(with(enrichment(CANARY, CANARY), &input)).await;
    }

    /// Changes the canary of every kind and waits until the operator has seen each. What was changed before has been
    /// seen by then too; what that led to may need another round. Every other round shares the canary, so that it takes
    /// as long as the longest visit: the API server lets a Role and its binding wait (for what others wrote meanwhile).
    pub async fn round(&self, number: usize) {
        let text = number.to_string();
        let audience = ["Administrators", "Contributors"][number % 2];
        let described = Patch::Merge(json!({"spec": {"description": format!("Round {text}.")}}));
        let types = self.types();
        let name = self.type_name(CANARY);
        let params = PatchParams::default();
        let described = async {
            types.patch(&name, &params, &described).await.expect("taken");
        };
        let named = json!({"spec": {"displayName": text}});
        let shared = json!({"spec": {"displayName": text, "access": {"exports": audience}}});
        let column = json!({"column": format!("c{text}"), "holds": "email"});
        tokio::join!(
            described,
            self.merge::<Secret>(CANARY, json!({"stringData": {"token": text}})),
            self.merge::<Dataset>(CANARY, json!({"spec": {"identity": [column]}})),
            self.merge::<Connection>(CANARY, shared),
            self.merge::<Export>(CANARY, named.clone()),
            self.merge::<Enrichment>(CANARY, named),
        );
        tokio::join!(
            self.until_type_seen(),
            self.until_secret_seen(),
            self.until_seen::<Dataset>(),
            self.until_seen::<Connection>(),
            self.until_seen::<Export>(),
            self.until_seen::<Enrichment>(),
        );
    }

    async fn until_type_seen(&self) {
        let seen = |type_: &ConnectionType| {
            let status = type_.status.as_ref();
            status.and_then(|status| status.observed_generation) == type_.metadata.generation
        };
        let name = self.type_name(CANARY);
        let waiting = await_condition(self.types(), &name, |type_: Option<&ConnectionType>| {
            type_.is_some_and(seen)
        });
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.expect("the type is seen").expect("the watch works");
    }

    async fn until_secret_seen(&self) {
        let secret = self.api::<Secret>().get(CANARY).await.expect("it is there");
        let version = secret.resource_version();
        self.until::<Connection>(CANARY, "the secret is seen", |connection| {
            let mut secrets = connection.status.iter().flat_map(|status| &status.secrets);
            secrets.all(|secret| secret.version == version)
        })
        .await;
    }

    async fn until_seen<K: Kind>(&self) {
        let seen = |object: &K| {
            let status = serde_json::to_value(object).expect("JSON")["status"]["observedGeneration"].as_i64();
            status.is_some() && status == object.meta().generation
        };
        self.until::<K>(CANARY, "it is seen", seen).await;
    }

    /// Waits until some rounds of the canary pass without a write to anything else, and gives what is there then.
    pub async fn settle(&self) -> Vec<Option<DynamicObject>> {
        let mut before = self.look().await;
        let mut calm = 0;
        for number in 0..ROUNDS {
            Box::pin(self.round(number)).await;
            let after = self.look().await;
            calm = if versions(&before) == versions(&after) {
                calm + 1
            } else {
                0
            };
            if calm == CALM {
                return after;
            }
            before = after;
        }
        panic!("{} never settles: {:#?}", self.namespace, self.seen(&before));
    }

    /// What the operator made of each object, apart from times, versions and this world's own name.
    pub fn seen(&self, objects: &[Option<DynamicObject>]) -> Map<String, Value> {
        let digests = Regex::new("[0-9a-f]{64}").expect("a pattern");
        // What a stale consent was for is told by what is on record, and that is history.
        let was_for = r"(as it is now(?: \(.*?\))?)[.:] .*?(To read the notice|Consent is asked for)";
        let was_for = Regex::new(was_for).expect("a pattern");
        let places = PLACES.iter().zip(objects);
        let seen = places.filter_map(|((kind, name), object)| {
            let object = object.as_ref()?;
            let mut status = object.data["status"].clone();
            timeless(&mut status, object.metadata.generation);
            let text =
                json!({"going": is_going(object), "held": object.finalizers(), "status": status}).to_string();
            let text = text.replace(&self.namespace, "here");
            let text = digests.replace_all(&text, "digest");
            let text = was_for.replace_all(&text, "$1. $2");
            Some((
                format!("{kind} {name}"),
                serde_json::from_str(&text).expect("JSON"),
            ))
        });
        seen.collect()
    }
}

/// The versions of all objects: equal only if nobody wrote.
pub fn versions(objects: &[Option<DynamicObject>]) -> Vec<Option<String>> {
    let versions = objects
        .iter()
        .map(|object| object.as_ref().and_then(ResourceExt::resource_version));
    versions.collect()
}

/// Takes times and versions out. Of a generation only stays whether it is the newest.
fn timeless(value: &mut Value, generation: Option<i64>) {
    match value {
        Value::Object(fields) => {
            for name in ["lastTransitionTime", "since", "version"] {
                fields.remove(name);
            }
            if let Some(observed) = fields.get_mut("observedGeneration") {
                *observed = json!(observed.as_i64() == generation);
            }
            fields.values_mut().for_each(|field| timeless(field, generation));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| timeless(item, generation)),
        _ => {}
    }
}
