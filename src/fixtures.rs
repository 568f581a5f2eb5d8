//! Objects for tests, built in the words of the domain.
//!
//! What a test doesn't say is as it should be: the type comes from the catalog, a Secret that is referred to exists
//! and holds something, nobody uses the object, and a connector runs every type of the catalog.

use crate::api::connection::{Access, Audience, Parameters};
use crate::api::dataset::{Format, FormatType, IdentityColumn, Location, Role, Volume};
use crate::api::names::{CONSENT_ANNOTATION, CONSENTED_BY_ANNOTATION, IN_USE_FINALIZER};
use crate::api::reference::{KeyVaultRef, SecretKeyRef, SecretSource};
use crate::api::secret::SecretKeys;
use crate::api::{
    Condition, ConditionStatus, ConditionType, Connection, ConnectionSpec, ConnectionType, Dataset,
    DatasetSpec, Reason,
};
use crate::connection::{self, ConnectionFacts};
use crate::connection_type::catalog;
use crate::dataset::{self, DatasetFacts};
use crate::governance::attachment::ConnectionSeen;
use crate::governance::connection_types::{CompiledTypes, TypeSeen};
use crate::governance::consent::{self, ConsentFacts, Proof, Subject};
use crate::governance::credentials::Secrets;
use crate::governance::datasets::{Purpose, Use};
use crate::governance::dependents::{Dependents, Users};
use crate::governance::message::NAMES_MAX;
use crate::governance::sharing::SharingFacts;
use crate::governance::vaults::VaultsSeen;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::ResourceExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

mod effects;
mod runs;
mod users;
mod vault;

pub(crate) use effects::after_visit;
pub(crate) use runs::{Runs, ran, requested_run};
pub(crate) use users::{EnrichmentBuilder, ExportBuilder, Visit, enrichment, export, visit};
pub(crate) use vault::{KeyVaultBuilder, allowed_vaults, company_vault, every_fault, found};

/// A strategy for texts of any characters, control characters and line breaks included.
pub(crate) const ANY_TEXT: &str = "(?s).{0,40}";

/// The namespace of everything here.
pub(crate) const NAMESPACE: &str = "marketing";

/// The time of a visit, in seconds of the tests' own clock.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("in range")
}

fn meta(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(NAMESPACE.to_owned()),
        generation: Some(1),
        creation_timestamp: Some(Time(at(0))),
        ..ObjectMeta::default()
    }
}

/// Read once for all tests.
static CATALOG: LazyLock<Vec<ConnectionType>> =
    LazyLock::new(|| catalog::connection_types().expect("the catalog can be read"));

/// A type of the catalog.
pub(crate) fn catalog_type(name: &str) -> ConnectionType {
    CATALOG
        .iter()
        .find(|type_| type_.name_any() == name)
        .cloned()
        .unwrap_or_else(|| panic!("the catalog has no {name}"))
}

/// What those who name a type see of it.
pub(crate) fn seen(type_: &ConnectionType) -> TypeSeen {
    CompiledTypes::default().seen(Some(type_))
}

/// A type of the catalog as those see it who name it; made ready once for all tests.
pub(crate) fn catalog_seen(name: &str) -> TypeSeen {
    static SEEN: LazyLock<BTreeMap<String, TypeSeen>> = LazyLock::new(|| {
        let types = catalog::connection_types().expect("the catalog can be read");
        types
            .iter()
            .map(|type_| (type_.name_any(), seen(type_)))
            .collect()
    });
    SEEN.get(name).cloned().unwrap_or(TypeSeen::Absent)
}

/// The connectors of a complete installation.
pub(crate) fn connectors() -> BTreeSet<String> {
    ["sftp", "s3", "azure-blob", "object-storage", "audience-api"]
        .map(str::to_owned)
        .into()
}

/// Parameters by name.
pub(crate) fn parameters<const N: usize>(pairs: [(&str, &str); N]) -> Parameters {
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// A reference to a key of a Secret.
pub(crate) fn secret_key(name: &str, key: &str) -> SecretSource {
    SecretSource {
        secret_key_ref: Some(SecretKeyRef {
            name: name.into(),
            key: key.into(),
        }),
        key_vault_ref: None,
    }
}

/// A reference to a secret of a key vault.
pub(crate) fn vault_secret(name: &str, secret: &str) -> SecretSource {
    SecretSource {
        secret_key_ref: None,
        key_vault_ref: Some(KeyVaultRef {
            name: name.into(),
            secret: secret.to_owned(),
            version: None,
            key: None,
        }),
    }
}

/// A Secret with keys, and whether each holds anything.
pub(crate) fn secret<const N: usize>(version: &str, keys: [(&str, bool); N]) -> Arc<SecretKeys> {
    Arc::new(SecretKeys {
        version: version.to_owned(),
        type_: "Opaque".to_owned(),
        keys: keys.map(|(key, filled)| (key.to_owned(), filled)).into(),
    })
}

/// Every Secret that these sources name, each with all keys that it needs.
pub(crate) fn all_there(sources: &BTreeMap<String, SecretSource>) -> Secrets {
    let mut secrets: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
    for reference in sources
        .values()
        .filter_map(|source| source.secret_key_ref.as_ref())
    {
        let keys = secrets.entry(reference.name.to_string()).or_default();
        keys.insert(reference.key.as_str().to_owned(), true);
    }
    let there = secrets.into_iter().map(|(name, keys)| {
        let secret = SecretKeys {
            version: "7".to_owned(),
            type_: "Opaque".to_owned(),
            keys,
        };
        (name, Arc::new(secret))
    });
    there.collect()
}

/// Exports and enrichments that use something, by name.
pub(crate) fn used_by(exports: &[&str], enrichments: &[&str]) -> Dependents {
    let users = |names: &[&str]| Users {
        count: names.len(),
        first: names
            .iter()
            .take(NAMES_MAX)
            .map(|name| (*name).to_owned())
            .collect(),
    };
    Dependents {
        exports: users(exports),
        enrichments: users(enrichments),
        ..Dependents::default()
    }
}

/// A condition, true since the tests' clock began.
pub(crate) fn condition(type_: ConditionType, status: ConditionStatus, reason: Reason) -> Condition {
    Condition {
        type_: type_.to_string(),
        status,
        observed_generation: Some(1),
        last_transition_time: Time(at(0)),
        reason: reason.to_string(),
        message: reason.meaning().to_owned(),
    }
}

/// A connection of the type `sftp-export` without anything, consent included.
pub(crate) fn connection(name: &str) -> ConnectionBuilder {
    ConnectionBuilder(Connection {
        metadata: meta(name),
        spec: ConnectionSpec {
            display_name: format!("The connection {name}"),
            type_: "sftp-export".into(),
            parameters: Parameters::new(),
            secrets: BTreeMap::new(),
            access: None,
            fixed_export_parameters: Parameters::new(),
            suspend: false,
        },
        status: None,
    })
}

/// The connection of the examples, complete but without consent.
pub(crate) fn sftp_partner() -> ConnectionBuilder {
    connection("sftp-partner")
        .with("hostname", "sftp.partner.example")
        .with("folder", "/in")
        .secret("username", "partner", "username")
        .secret("password", "partner", "password")
}

/// The enrichment connection of the examples, complete but without consent.
pub(crate) fn firmographics() -> ConnectionBuilder {
    connection("firmographics")
        .of_type("sftp-import")
        .with("hostname", "sftp.provider.example")
        .with("folder", "/out")
        .secret("username", "provider", "username")
        .secret("password", "provider", "password")
}

/// A marketing connection, complete but without consent.
pub(crate) fn marketo() -> ConnectionBuilder {
    connection("marketo")
        .of_type("marketo")
        .with("restHost", "123-ABC-456.mktorest.com")
        .secret("clientId", "marketo", "id")
        .secret("clientSecret", "marketo", "secret")
}

#[derive(Clone, Debug)]
pub(crate) struct ConnectionBuilder(pub(crate) Connection);

impl ConnectionBuilder {
    pub(crate) fn of_type(mut self, type_: &str) -> Self {
        self.0.spec.type_ = type_.into();
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.spec.parameters.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn fixing(mut self, name: &str, value: &str) -> Self {
        let fixed = &mut self.0.spec.fixed_export_parameters;
        fixed.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn secret(self, slot: &str, name: &str, key: &str) -> Self {
        self.source(slot, secret_key(name, key))
    }

    pub(crate) fn source(mut self, slot: &str, source: SecretSource) -> Self {
        self.0.spec.secrets.insert(slot.to_owned(), source);
        self
    }

    pub(crate) fn shared(mut self) -> Self {
        self.0.spec.access = Some(Access {
            exports: Some(Audience::Contributors),
        });
        self
    }

    pub(crate) fn suspended(mut self) -> Self {
        self.0.spec.suspend = true;
        self
    }

    /// The operator has visited it once.
    pub(crate) fn held(mut self) -> Self {
        self.0.metadata.finalizers = Some(vec![IN_USE_FINALIZER.to_owned()]);
        self
    }

    pub(crate) fn being_removed(mut self) -> Self {
        self.0.metadata.deletion_timestamp = Some(Time(at(50)));
        self
    }

    pub(crate) fn annotated(mut self, consent: &str) -> Self {
        let annotations = self.0.metadata.annotations.get_or_insert_default();
        annotations.insert(CONSENT_ANNOTATION.to_owned(), consent.to_owned());
        self
    }

    /// Consent to what it says now, by its type in the catalog.
    pub(crate) fn consented(self) -> Self {
        let digest = self.digest();
        self.annotated(&digest).stamped(&format!("given {digest} ada"))
    }

    /// What the API server says of who gave or withdrew consent.
    pub(crate) fn stamped(mut self, stamp: &str) -> Self {
        let annotations = self.0.metadata.annotations.get_or_insert_default();
        annotations.insert(CONSENTED_BY_ANNOTATION.to_owned(), stamp.to_owned());
        self
    }

    /// The digest that it needs now, by its type in the catalog.
    pub(crate) fn digest(&self) -> String {
        let type_ = catalog_type(self.0.spec.type_.as_str());
        consent::required(self.subject(), &self.0.spec, &type_.spec).current
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            kind: "Connection",
            namespace: NAMESPACE,
            name: self.0.metadata.name.as_deref().unwrap_or_default(),
        }
    }

    /// All that a decision may know about it.
    pub(crate) fn facts(&self) -> ConnectionFacts {
        ConnectionFacts {
            connection: Arc::new(self.0.clone()),
            type_: catalog_seen(self.0.spec.type_.as_str()),
            secrets: all_there(&self.0.spec.secrets),
            vaults: VaultsSeen::default(),
            dependents: Dependents::default(),
            consent: ConsentFacts {
                stamped: true,
                proof: Proof::InPlace,
                ..ConsentFacts::default()
            },
            sharing: SharingFacts {
                connected: true,
                ..SharingFacts::default()
            },
            now: at(100),
        }
    }

    /// With the status that a visit gives it.
    pub(crate) fn visited(mut self) -> Self {
        self.0.status = Some(connection::decide(&self.facts()).status);
        self
    }

    /// As an export or enrichment sees it.
    pub(crate) fn seen(&self) -> ConnectionSeen {
        ConnectionSeen::Present {
            connection: Arc::new(self.0.clone()),
            type_: catalog_seen(self.0.spec.type_.as_str()),
        }
    }
}

/// A dataset of role Source on a volume.
pub(crate) fn dataset(name: &str) -> DatasetBuilder {
    DatasetBuilder(Dataset {
        metadata: meta(name),
        spec: DatasetSpec {
            location: Location {
                volume: Some(Volume {
                    claim_name: "marketing-data".into(),
                    path: format!("{name}/current.csv"),
                }),
                ..Location::default()
            },
            format: Some(Format {
                type_: FormatType::Csv,
                csv: None,
                compression: None,
            }),
            credentials: BTreeMap::new(),
            identity: Vec::new(),
            members: None,
            role: None,
        },
        status: None,
    })
}

#[derive(Clone, Debug)]
pub(crate) struct DatasetBuilder(pub(crate) Dataset);

impl DatasetBuilder {
    pub(crate) fn of_role(mut self, role: Role) -> Self {
        self.0.spec.role = Some(role);
        self
    }

    pub(crate) fn at(mut self, path: &str) -> Self {
        if let Some(volume) = &mut self.0.spec.location.volume {
            path.clone_into(&mut volume.path);
        }
        self
    }

    pub(crate) fn created(mut self, second: i64) -> Self {
        self.0.metadata.creation_timestamp = Some(Time(at(second)));
        self
    }

    pub(crate) fn holding(mut self, column: &str, holds: &str) -> Self {
        let (column, holds) = (column.into(), holds.into());
        self.0.spec.identity.push(IdentityColumn { column, holds });
        self
    }

    pub(crate) fn of_members(mut self, members: i64) -> Self {
        self.0.spec.members = Some(members);
        self
    }

    pub(crate) fn credential(self, slot: &str, name: &str, key: &str) -> Self {
        self.sourced(slot, secret_key(name, key))
    }

    pub(crate) fn sourced(mut self, slot: &str, source: SecretSource) -> Self {
        self.0.spec.credentials.insert(slot.to_owned(), source);
        self
    }

    pub(crate) fn held(mut self) -> Self {
        self.0.metadata.finalizers = Some(vec![IN_USE_FINALIZER.to_owned()]);
        self
    }

    pub(crate) fn being_removed(mut self) -> Self {
        self.0.metadata.deletion_timestamp = Some(Time(at(50)));
        self
    }

    pub(crate) fn facts(&self) -> DatasetFacts {
        DatasetFacts {
            dataset: Arc::new(self.0.clone()),
            secrets: all_there(&self.0.spec.credentials),
            vaults: VaultsSeen::default(),
            dependents: Dependents::default(),
            now: at(100),
        }
    }

    pub(crate) fn visited(mut self) -> Self {
        self.0.status = Some(dataset::decide(&self.facts()).status);
        self
    }

    /// As one use of it, by a field.
    pub(crate) fn used(&self, field: &'static str, purpose: Purpose) -> Use {
        Use {
            field,
            namespace: NAMESPACE.to_owned(),
            name: self.0.name_any(),
            purpose,
            dataset: Some(Arc::new(self.0.clone())),
            taken_by: None,
            place_taken: None,
        }
    }
}

/// A use of a dataset that doesn't exist.
pub(crate) fn absent(field: &'static str, name: &str, purpose: Purpose) -> Use {
    Use {
        field,
        namespace: NAMESPACE.to_owned(),
        name: name.to_owned(),
        purpose,
        dataset: None,
        taken_by: None,
        place_taken: None,
    }
}
