//! The table of situations: for each, real objects of every kind that can be in it, as the API server gives them.

use crate::support::manifests::{
    connection_type, dataset, enrichment, export, plain_connection, secret, sftp, sftp_import, with,
};
use crate::support::{PATIENCE, World, given};
use kube::api::{DeleteParams, Patch, PatchParams};
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
            Self::Waiting | Self::Unseen => "InProgress",
            Self::Leaving => "Terminating",
        }
    }

    /// The word of Argo CD.
    pub fn argo_cd(self) -> &'static str {
        match self {
            Self::Well => "Healthy",
            Self::Resting | Self::Consent => "Suspended",
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

/// An object that the operator has judged: what it becomes, kind, manifest, the reason of Ready.
type Judged = (Situation, Value, &'static str);

async fn made() -> Vec<Row> {
    let world = World::furnished().await;
    let bootstrap = json!({"type": "bootstrap.kubernetes.io/token"});
    world
        .apply(with(secret("bootstrap", &[("id", "abc")]), &bootstrap))
        .await;
    let wanted: Vec<Judged> = [
        types(&world),
        connections(&world),
        datasets(),
        exports(),
        enrichments(),
    ]
    .concat();
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
    ] {
        world.consent(agreed).await;
    }
    let mut rows = Vec::new();
    for (situation, manifest, reason) in &wanted {
        let object = settled(&world, manifest, reason).await;
        rows.push(Row {
            situation: *situation,
            case: case(manifest, reason),
            object,
        });
    }
    rows.extend(leaving(&world).await);
    rows.extend(with_runs(&rows));
    rows
}

fn case(manifest: &Value, reason: &str) -> String {
    format!("{} {}, {reason}", manifest["kind"], manifest["metadata"]["name"])
}

fn types(world: &World) -> Vec<Judged> {
    use Situation::{Mistake, Well};
    let unmanned = json!({"spec": {"connector": "carrier-pigeon"}});
    let contradicting = json!({"spec": {"parameters": [
        {"name": "host", "type": "String", "description": "A host.", "pattern": "(", "destination": true},
    ]}});
    vec![
        (
            Well,
            with(connection_type(&world.type_name("pigeons")), &unmanned),
            "Ready",
        ),
        (
            Mistake,
            with(connection_type(&world.type_name("bad")), &contradicting),
            "TypeInvalid",
        ),
    ]
}

fn connections(world: &World) -> Vec<Judged> {
    use Situation::{Consent, Mistake, Resting, Waiting, Well};
    let suspended = json!({"spec": {"suspend": true}});
    let elsewhere = given(&"0".repeat(64));
    let keyless = json!({"spec": {"secrets": {"password": {"secretKeyRef": {"name": "absent"}}}}});
    let unknown = json!({"spec": {"parameters": {"colour": "blue"}}});
    vec![
        (Well, sftp("ready"), "Ready"),
        (Well, sftp_import("provider"), "Ready"),
        (
            Well,
            plain_connection("pigeons", &world.type_name("pigeons")),
            "Ready",
        ),
        (Resting, with(sftp("resting"), &suspended), "Suspended"),
        (
            Resting,
            with(sftp_import("resting-provider"), &suspended),
            "Suspended",
        ),
        (Consent, sftp("asking"), "ConsentRequired"),
        (Consent, sftp_import("asking-provider"), "ConsentRequired"),
        (Consent, with(sftp("elsewhere"), &elsewhere), "ConsentStale"),
        (Mistake, with(sftp("wrong"), &unknown), "ParametersInvalid"),
        (Waiting, with(sftp("keyless"), &keyless), "SecretNotFound"),
        (
            Waiting,
            plain_connection("typeless", &world.type_name("none")),
            "TypeNotFound",
        ),
    ]
}

fn datasets() -> Vec<Judged> {
    use Situation::{Mistake, Waiting, Well};
    let from = |secret: &str| json!({"spec": {"credentials": {"accessKeyId": {"secretKeyRef": {"name": secret, "key": "id"}}}}});
    vec![
        (Well, dataset("orders", "Source"), "Ready"),
        (Well, dataset("companies", "Output"), "Ready"),
        (Well, dataset("off", "Output"), "Ready"),
        (Well, dataset("odd", "Output"), "Ready"),
        (Well, dataset("wrong", "Output"), "Ready"),
        (Well, dataset("crossed", "Output"), "Ready"),
        (
            Mistake,
            with(dataset("robots", "Source"), &from("bootstrap")),
            "SecretNotAllowed",
        ),
        (
            Waiting,
            with(dataset("locked", "Source"), &from("absent")),
            "SecretNotFound",
        ),
    ]
}

fn exports() -> Vec<Judged> {
    use Situation::{Mistake, Resting, Waiting, Well};
    let nightly = json!({"spec": {"schedule": {"cron": "0 2 * * *"}}});
    let never = json!({"spec": {"schedule": {"cron": "0 0 30 2 *"}}});
    let suspended = json!({"spec": {"suspend": true}});
    let detached = json!({"spec": {"connectionRef": null}});
    let unknown = json!({"spec": {"parameters": {"colour": "blue"}}});
    let nothing = json!({"spec": {"payload": [{"dataset": "nothing"}]}});
    vec![
        (Well, with(export("nightly", "ready"), &nightly), "Ready"),
        (Well, export("manual", "ready"), "Ready"),
        (
            Resting,
            with(export("suspended", "ready"), &suspended),
            "Suspended",
        ),
        (Resting, with(export("detached", "ready"), &detached), "Detached"),
        (Resting, export("on-resting", "resting"), "Suspended"),
        (
            Mistake,
            with(export("wrong", "ready"), &unknown),
            "ParametersInvalid",
        ),
        (Mistake, export("mismatched", "provider"), "TypeMismatch"),
        (Mistake, export("unmanned", "pigeons"), "NoConnector"),
        (Mistake, with(export("never", "ready"), &never), "ScheduleInvalid"),
        (Waiting, export("before-consent", "asking"), "ConnectionNotReady"),
        (Waiting, export("lost", "absent"), "ConnectionNotFound"),
        (
            Waiting,
            with(export("empty", "ready"), &nothing),
            "DatasetNotFound",
        ),
    ]
}

fn enrichments() -> Vec<Judged> {
    use Situation::{Mistake, Resting, Waiting, Well};
    let suspended = json!({"spec": {"suspend": true}});
    let detached = json!({"spec": {"connectionRef": null}});
    let unknown = json!({"spec": {"parameters": {"colour": "blue"}}});
    let to_companies = json!({"spec": {"output": {"dataset": "companies"}}});
    vec![
        (Well, enrichment("companies", "provider"), "Ready"),
        (
            Resting,
            with(enrichment("off", "provider"), &detached),
            "Detached",
        ),
        (
            Resting,
            with(enrichment("odd", "provider"), &suspended),
            "Suspended",
        ),
        (
            Mistake,
            with(enrichment("wrong", "provider"), &unknown),
            "ParametersInvalid",
        ),
        (Mistake, enrichment("crossed", "ready"), "TypeMismatch"),
        (
            Mistake,
            with(enrichment("second", "provider"), &to_companies),
            "OutputTaken",
        ),
        (Waiting, enrichment("outless", "provider"), "DatasetNotFound"),
    ]
}

/// One of each kind that somebody has deleted and that somebody still holds.
async fn leaving(world: &World) -> Vec<Row> {
    let held = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    let mut rows = Vec::new();
    for manifest in [
        connection_type(&world.type_name("leaving")),
        sftp("leaving"),
        dataset("leaving", "Source"),
        export("leaving", "ready"),
        enrichment("leaving", "provider"),
    ] {
        let manifest = with(manifest, &held);
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
    status["observedGeneration"].as_i64() == object.metadata.generation
        && conditions.any(|condition| condition["type"] == "Ready" && condition["reason"] == reason)
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
