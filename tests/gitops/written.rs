//! What the table is made from: objects, and what the operator makes of each.

use super::table::Situation;
use crate::support::manifests::{
    connection_type, dataset, enrichment, export, plain_connection, sftp, sftp_export, sftp_import, with,
};
use crate::support::vault::{link, start};
use crate::support::{World, given};
use serde_json::{Value, json};
use std::sync::OnceLock;
use vault_stand_in::hashicorp::Vault;

/// An object that the operator will judge: what it becomes, its manifest, the reason of Ready.
pub type Judged = (Situation, Value, &'static str);

/// All that people write.
pub fn written(world: &World) -> Vec<Judged> {
    [
        types(world),
        connections(world),
        key_vaults(),
        datasets(),
        exports(),
        enrichments(),
    ]
    .concat()
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
        (Consent, sftp("withdrawn"), "ConsentWithdrawn"),
        (Mistake, with(sftp("wrong"), &unknown), "ParametersInvalid"),
        (Waiting, with(sftp("keyless"), &keyless), "SecretNotFound"),
        (
            Waiting,
            plain_connection("typeless", &world.type_name("none")),
            "TypeNotFound",
        ),
    ]
}

fn key_vaults() -> Vec<Judged> {
    use Situation::{Consent, Mistake, Waiting, Well};
    let by_token = json!({"spec": {"vault": {"auth": {"kubernetes": null, "token": {"secretRef": {"name": "absent", "key": "token"}}}}}});
    let elsewhere = json!({"spec": {"vault": {"address": "https://10.9.9.9:8200"}}});
    vec![
        (Well, link("linked-vault", vault()), "Ready"),
        (Consent, key_vault("asking-vault"), "ConsentRequired"),
        (
            Waiting,
            with(key_vault("keyless-vault"), &by_token),
            "SecretNotFound",
        ),
        (
            Mistake,
            with(key_vault("misled-vault"), &elsewhere),
            "AddressNotAllowed",
        ),
    ]
}

/// The one vault that answers.
pub fn vault() -> &'static Vault {
    static VAULT: OnceLock<Vault> = OnceLock::new();
    VAULT.get_or_init(start)
}

/// One that is asked as the namespace's own account, so that it refers to no Secret.
pub fn key_vault(name: &str) -> Value {
    json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "KeyVault", "metadata": {"name": name},
        "spec": {"vault": {
            "address": "https://vault.example.com", "mount": "secret", "auth": {"kubernetes": {"role": "marketing"}},
        }},
    })
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
        (Well, with(sftp_export("nightly", "ready"), &nightly), "Ready"),
        (Well, sftp_export("manual", "ready"), "Ready"),
        (
            Resting,
            with(sftp_export("suspended", "ready"), &suspended),
            "Suspended",
        ),
        (Resting, with(export("detached", "ready"), &detached), "Detached"),
        (Resting, export("on-resting", "resting"), "Suspended"),
        (
            Mistake,
            with(sftp_export("wrong", "ready"), &unknown),
            "ParametersInvalid",
        ),
        (Mistake, export("mismatched", "provider"), "TypeMismatch"),
        (Mistake, export("unmanned", "pigeons"), "NoConnector"),
        (
            Mistake,
            with(sftp_export("never", "ready"), &never),
            "ScheduleInvalid",
        ),
        (Waiting, export("before-consent", "asking"), "ConnectionNotReady"),
        (Waiting, export("lost", "absent"), "ConnectionNotFound"),
        (
            Waiting,
            with(sftp_export("empty", "ready"), &nothing),
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

/// What the operator keeps for connections that contributors may use, as they may all those for enrichments.
pub fn shared() -> Vec<Judged> {
    use Situation::{Closed, Waiting, Well};
    vec![
        (Well, kept("provider"), "Ready"),
        (Closed, kept("resting-provider"), "Suspended"),
        (Waiting, kept("asking-provider"), "WaitsForAdministrator"),
    ]
}

/// What is looked for under the name of a connection; nobody applies it.
pub fn kept(connection: &str) -> Value {
    json!({"apiVersion": "connections.dev/v1alpha1", "kind": "SharedConnection", "metadata": {"name": connection}})
}
