//! What the unit tests begin with: a connection that consent is given to, and a plan of an export on it.

use connection_operator::api::connection_type::{ConnectionTypeSpec, UsedFor};
use connection_operator::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION};
use connection_operator::api::run::{PLAN_VERSION, Plan, PlannedDataset};
use connection_operator::api::{Connection, ConnectionType, KeyVault};
use connection_operator::connection_type::catalog::connection_types;
use connection_operator::governance::consent::{Subject, required, required_of_vault};
use kube::ResourceExt;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// The type of SFTP exports that comes with the operator.
pub fn sftp_type() -> ConnectionTypeSpec {
    in_catalog("sftp-export")
}

/// The type of this name that comes with the operator.
pub fn in_catalog(name: &str) -> ConnectionTypeSpec {
    static TYPES: OnceLock<Vec<ConnectionType>> = OnceLock::new();
    let types = TYPES.get_or_init(|| connection_types().expect("the catalog"));
    let found = types.iter().find(|type_| type_.name_any() == name);
    found.expect("it is in the catalog").spec.clone()
}

/// A connection of that type, to which `ada` consents.
pub fn connection() -> Connection {
    let object = json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "Connection",
        "metadata": {"name": "partner", "namespace": "marketing", "uid": "1"},
        "spec": {
            "displayName": "Nightly drop", "type": "sftp-export",
            "parameters": {"hostname": "sftp.partner.example", "folder": "/in"},
            "secrets": {
                "username": {"secretKeyRef": {"name": "partner", "key": "username"}},
                "password": {"secretKeyRef": {"name": "partner", "key": "password"}},
            },
        },
    });
    consented(serde_json::from_value(object).expect("a connection"))
}

/// The digest that the connection needs now.
pub fn digest(connection: &Connection) -> String {
    let (namespace, name) = (connection.namespace().unwrap_or_default(), connection.name_any());
    let subject = Subject {
        kind: "Connection",
        namespace: &namespace,
        name: &name,
    };
    required(subject, &connection.spec, &sftp_type()).current
}

/// The connection with consent to what it says.
pub fn consented(mut connection: Connection) -> Connection {
    let digest = digest(&connection);
    let annotations = connection.annotations_mut();
    annotations.insert(CONSENTED_BY_ANNOTATION.to_owned(), format!("given {digest} ada"));
    annotations.insert(CONSENT_ANNOTATION.to_owned(), digest);
    connection
}

/// A plan of the export `nightly` on that connection, by its consent.
pub fn plan() -> Plan {
    let connection = connection();
    Plan {
        version: PLAN_VERSION,
        used_for: UsedFor::Export,
        namespace: "marketing".into(),
        name: "nightly".into(),
        uid: "4fd0b1c2-6d1f-4b43-9a63-0c3f4a0a2c11".into(),
        connection: "partner".into(),
        consent: digest(&connection),
        type_: "sftp-export".into(),
        type_spec: sftp_type(),
        payload: vec![dataset(json!({}))],
        enrichment: None,
        parameters: [].into(),
    }
}

/// A dataset of a plan: CSV on a volume, but for what is given here.
pub fn dataset(differences: Value) -> PlannedDataset {
    let mut dataset = json!({
        "dataset": "customers",
        "location": {"volume": {"claimName": "lake", "path": "customers.csv"}},
        "format": {"type": "CSV"},
    });
    if let (Value::Object(dataset), Value::Object(differences)) = (&mut dataset, differences) {
        dataset.extend(differences);
    }
    serde_json::from_value(dataset).expect("a dataset of a plan")
}

/// A link to a vault, to which `ada` consents.
pub fn key_vault() -> KeyVault {
    let object = json!({
        "apiVersion": "connections.dev/v1alpha1", "kind": "KeyVault",
        "metadata": {"name": "company-vault", "namespace": "marketing"},
        "spec": {"vault": {"address": "https://vault.example.com", "mount": "kv", "auth": {"kubernetes": {"role": "marketing"}}}},
    });
    let mut link: KeyVault = serde_json::from_value(object).expect("a key vault");
    let subject = Subject {
        kind: "KeyVault",
        namespace: "marketing",
        name: "company-vault",
    };
    let digest = required_of_vault(subject, &link.spec).current;
    link.annotations_mut().extend([
        (CONSENTED_BY_ANNOTATION.to_owned(), format!("given {digest} ada")),
        (CONSENT_ANNOTATION.to_owned(), digest),
    ]);
    link
}
