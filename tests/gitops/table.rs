//! The table of situations: for each, real objects of every kind that can be in it, as the API server gives them.

use super::written::{kept, key_vault, shared, vault, written};
use crate::support::manifests::{connection_type, dataset, enrichment, export, secret, sftp, with};
use crate::support::vault::{SECRET_ID, login};
use crate::support::{PATIENCE, World, withdrawn};
use connection_operator::api::{Connection, ConsentRecord, custom_resource_definitions};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::core::{DynamicObject, GroupVersionKind};
use kube::discovery::ApiResource;
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// What an object can be in, as far as GitOps tools care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// All is well.
    Well,
    /// Suspended or detached on purpose, itself or what it uses.
    Resting,
    /// It tells of a connection that is suspended on purpose, and nothing on that can run.
    Closed,
    /// A person must consent.
    Consent,
    /// Its author must correct something.
    Mistake,
    /// It waits for another object.
    Waiting,
    /// The last run failed, the next one is tried.
    RunFailed,
    /// The last run failed for good.
    Held,
    /// It is being removed.
    Leaving,
    /// The operator hasn't seen it yet.
    Unseen,
}

impl Situation {
    /// The word of kstatus.
    pub fn kstatus(self) -> &'static str {
        match self {
            Self::Well | Self::Resting | Self::RunFailed => "Current",
            Self::Consent | Self::Mistake | Self::Held => "Failed",
            Self::Waiting | Self::Closed | Self::Unseen => "InProgress",
            Self::Leaving => "Terminating",
        }
    }

    /// The word of Argo CD.
    pub fn argo_cd(self) -> &'static str {
        match self {
            Self::Well => "Healthy",
            Self::Resting | Self::Closed | Self::Consent => "Suspended",
            Self::Mistake | Self::RunFailed | Self::Held => "Degraded",
            Self::Waiting | Self::Leaving | Self::Unseen => "Progressing",
        }
    }

    /// The word of Flux, which has none for what is being removed.
    pub fn flux(self) -> &'static str {
        match self {
            Self::Leaving => "InProgress",
            _ => self.kstatus(),
        }
    }
}

/// One object in its situation.
pub struct Row {
    pub situation: Situation,
    /// Kind, name and reason.
    pub case: String,
    pub object: Value,
}

/// All rows; made once for all tests.
pub async fn rows() -> &'static [Row] {
    static ROWS: OnceCell<Vec<Row>> = OnceCell::const_new();
    ROWS.get_or_init(|| async { made().await }).await
}

async fn made() -> Vec<Row> {
    let world = World::furnished().await;
    let bootstrap = json!({"type": "bootstrap.kubernetes.io/token"});
    world
        .apply(with(secret("bootstrap", &[("id", "abc")]), &bootstrap))
        .await;
    world.apply(login(vault(), SECRET_ID)).await;
    let wanted = written(&world);
    for (_, manifest, _) in &wanted {
        world.apply(manifest.clone()).await;
    }
    for agreed in [
        "ready",
        "resting",
        "keyless",
        "provider",
        "resting-provider",
        "pigeons",
        "withdrawn",
    ] {
        world.consent(agreed).await;
    }
    for agreed in ["linked-vault", "keyless-vault"] {
        world.consent_to_vault(agreed).await;
    }
    let consented = |connection: &Connection| digest(connection).is_some();
    let connection = world.until("withdrawn", "it names a digest", consented).await;
    let digest = digest(&connection).expect("just seen");
    world.merge::<Connection>("withdrawn", withdrawn(digest)).await;
    let mut rows = Vec::new();
    for (situation, manifest, reason) in wanted.iter().chain(&shared()) {
        let object = settled(&world, manifest, reason).await;
        rows.push(Row {
            situation: *situation,
            case: case(manifest, reason),
            object,
        });
    }
    rows.push(on_record(&world).await);
    rows.push(shared_still().await);
    rows.extend(leaving(&world).await);
    rows.extend(with_runs(&rows));
    rows.extend(unproven(&rows));
    rows
}

/// The digest that is agreed to.
fn digest(connection: &Connection) -> Option<&str> {
    let annotation = connection.annotations().get("connections.dev/consent")?;
    Some(annotation)
}

fn case(manifest: &Value, reason: &str) -> String {
    format!("{} {}, {reason}", manifest["kind"], manifest["metadata"]["name"])
}

/// A decision on record, which has no status.
async fn on_record(world: &World) -> Row {
    let records = world.api::<ConsentRecord>().list(&ListParams::default()).await;
    let record = records.expect("a list").items.pop().expect("a decision");
    let mut object = serde_json::to_value(record).expect("JSON");
    object["apiVersion"] = "connections.dev/v1alpha1".into();
    object["kind"] = "ConsentRecord".into();
    Row {
        situation: Situation::Well,
        case: case(&object, "on record"),
        object,
    }
}

/// What is told of a shared connection that is being removed and still in use: only where no deletion is refused.
async fn shared_still() -> Row {
    let world = World::unrefused().await.furnish().await;
    let shared = json!({"spec": {"access": {"exports": "Contributors"}}});
    world.apply(with(sftp("partner"), &shared)).await;
    world.apply(export("nightly", "partner")).await;
    world.until_used_by::<Connection>("partner", 1).await;
    world.delete::<Connection>("partner").await;
    let manifest = kept("partner");
    Row {
        situation: Situation::Waiting,
        case: case(&manifest, "BeingRemoved"),
        object: settled(&world, &manifest, "BeingRemoved").await,
    }
}

/// One of each kind that people write, which somebody has deleted and somebody still holds.
async fn leaving(world: &World) -> Vec<Row> {
    let held = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    let unrefused = World::unrefused().await; // elsewhere a policy lets nobody hold a type
    let mut rows = Vec::new();
    for manifest in [
        connection_type(&world.type_name("leaving")),
        sftp("leaving"),
        key_vault("leaving"),
        dataset("leaving", "Source"),
        export("leaving", "ready"),
        enrichment("leaving", "provider"),
    ] {
        let manifest = with(manifest, &held);
        let world = if manifest["kind"] == "ConnectionType" {
            &unrefused
        } else {
            world
        };
        world.apply(manifest.clone()).await;
        let (api, name) = found(world, &manifest);
        let deleted = api.delete(&name, &DeleteParams::default()).await;
        let object = deleted
            .expect("the deletion is accepted")
            .left()
            .expect("it is held");
        rows.push(Row {
            situation: Situation::Leaving,
            case: case(&manifest, "deleted"),
            object: serde_json::to_value(object).expect("JSON"),
        });
        let released = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        let _ = api.patch(&name, &PatchParams::default(), &released).await; // may have gone
    }
    rows
}

/// What runs will say once there are runs, in the form that is laid down for it.
fn with_runs(rows: &[Row]) -> Vec<Row> {
    let well = rows.iter().filter(|row| {
        let kind = row.object["kind"].as_str();
        row.situation == Situation::Well && matches!(kind, Some("Export" | "Enrichment"))
    });
    well.flat_map(|row| {
        let failed = |changes: &[(&str, &str, &str)], situation| {
            let mut object = row.object.clone();
            for (type_, status, reason) in changes {
                set(&mut object, type_, status, reason);
            }
            Row {
                situation,
                case: format!("{} after a run", row.case),
                object,
            }
        };
        let again = [("LastRunSucceeded", "False", "RunFailed")];
        let held = [
            ("LastRunSucceeded", "False", "RunFailed"),
            ("Ready", "False", "RunFailed"),
            ("Stalled", "True", "WaitingForPerson"),
        ];
        [
            failed(&again, Situation::RunFailed),
            failed(&held, Situation::Held),
        ]
    })
    .collect()
}

/// What is said of a consent that was given while the API server vouched for nobody.
fn unproven(rows: &[Row]) -> Vec<Row> {
    let asking = rows.iter().filter(|row| row.situation == Situation::Consent);
    let unproven = asking.map(|row| {
        let mut object = row.object.clone();
        set(&mut object, "Ready", "False", "ConsentUnproven");
        set(&mut object, "ConsentGiven", "False", "ConsentUnproven");
        Row {
            situation: row.situation,
            case: format!("{} unproven", row.case),
            object,
        }
    });
    unproven.collect()
}

fn set(object: &mut Value, type_: &str, status: &str, reason: &str) {
    let conditions = object["status"]["conditions"].as_array_mut().expect("conditions");
    let condition = conditions.iter_mut().find(|condition| condition["type"] == type_);
    let condition = condition.unwrap_or_else(|| panic!("there is {type_}"));
    condition["status"] = status.into();
    condition["reason"] = reason.into();
}

/// Waits until the operator has judged the object as it is now, and Ready gives this reason.
async fn settled(world: &World, manifest: &Value, reason: &str) -> Value {
    let (api, name) = found(world, manifest);
    let judged = |object: Option<&DynamicObject>| object.is_some_and(|object| says(object, reason));
    let waiting = await_condition(api.clone(), &name, judged);
    let Ok(object) = tokio::time::timeout(PATIENCE, waiting).await else {
        let now = api.get(&name).await.map(|object| object.data["status"].clone());
        panic!("{name} never said {reason}; it says {now:#?}");
    };
    let object = object.expect("the watch works").expect("it is there");
    serde_json::to_value(object).expect("JSON")
}

fn says(object: &DynamicObject, reason: &str) -> bool {
    let status = &object.data["status"];
    let conditions = status["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let observed = status["observedGeneration"].as_i64(); // absent where spec and status are written at once
    observed.is_none_or(|observed| Some(observed) == object.metadata.generation)
        && conditions.any(|condition| condition["type"] == "Ready" && condition["reason"] == reason)
}

#[tokio::test]
async fn no_kind_is_left_out() {
    let rows = rows().await;
    for definition in custom_resource_definitions() {
        let kind = definition.spec.names.kind;
        let in_situation = |situation| {
            rows.iter()
                .any(|row| row.object["kind"] == kind.as_str() && row.situation == situation)
        };
        assert!(in_situation(Situation::Well), "{kind}");
        let kept = ["SharedConnection", "ConsentRecord"].contains(&kind.as_str()); // and nobody deletes them
        assert!(kept || in_situation(Situation::Leaving), "{kind}");
    }
}

/// Where the object of a manifest stands, and its name.
pub fn found(world: &World, manifest: &Value) -> (Api<DynamicObject>, String) {
    let object: DynamicObject = serde_json::from_value(manifest.clone()).expect("a manifest");
    let types = object.types.clone().expect("a kind");
    let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(&types).expect("a kind"));
    let api = match types.kind.as_str() {
        "ConnectionType" => Api::all_with(world.client.clone(), &resource),
        _ => Api::namespaced_with(world.client.clone(), &world.namespace, &resource),
    };
    (api, object.name_any())
}
