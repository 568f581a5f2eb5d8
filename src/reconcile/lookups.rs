//! What more than one kind asks of the stores.

use super::{Context, Fault, Stores};
use crate::api::dataset::Role;
use crate::api::reference::ConnectionRef;
use crate::api::{ConsentRecord, Dataset, Enrichment, Export, Reference, Refers};
use crate::governance::attachment::ConnectionSeen;
use crate::governance::connection_types::TypeSeen;
use crate::governance::consent::{self, ConsentFacts, Proof};
use crate::governance::credentials::Secrets;
use crate::governance::datasets::place::{self, PlaceTaken};
use crate::governance::datasets::{Purpose, Use, Writer, owner};
use crate::governance::dependents::{Dependents, Users};
use crate::governance::message::NAMES_MAX;
use crate::governance::vaults::KeyVaults;
use kube::{Resource, ResourceExt};
use std::sync::Arc;

#[cfg(test)]
mod tests;

impl Stores {
    /// What became of a connection type's name.
    #[must_use]
    pub fn type_seen(&self, name: &str) -> TypeSeen {
        self.types
            .named(name, self.connection_types.get("", name).as_deref())
    }

    /// Who refers to the target.
    #[must_use]
    pub fn dependents(&self, target: &Reference) -> Dependents {
        let users = |(count, first)| Users { count, first };
        Dependents {
            connections: users(self.connections.count_referring(target, NAMES_MAX)),
            datasets: users(self.datasets.count_referring(target, NAMES_MAX)),
            exports: users(self.exports.count_referring(target, NAMES_MAX)),
            enrichments: users(self.enrichments.count_referring(target, NAMES_MAX)),
        }
    }

    /// The connection that an export or enrichment names.
    #[must_use]
    pub fn connection_seen(&self, namespace: &str, named: Option<&ConnectionRef>) -> ConnectionSeen {
        let Some(ConnectionRef { name }) = named else {
            return ConnectionSeen::Detached;
        };
        match self.connections.get(namespace, name.as_str()) {
            None => ConnectionSeen::Absent(name.to_string()),
            Some(connection) => ConnectionSeen::Present {
                type_: self.type_seen(connection.spec.type_.as_str()),
                connection,
            },
        }
    }

    /// One use of a dataset by `user`.
    #[must_use]
    pub fn dataset_use(&self, user: &impl Writes, field: &'static str, name: &str, purpose: Purpose) -> Use {
        let namespace = user.namespace().unwrap_or_default();
        let taken_by = match purpose {
            Purpose::Read => None,
            Purpose::Write(role) => self.taken_by(user, &namespace, name, role),
        };
        let dataset = self.datasets.get(&namespace, name);
        let written = dataset.as_deref().filter(|_| purpose != Purpose::Read);
        Use {
            field,
            name: name.to_owned(),
            purpose,
            place_taken: written.and_then(|written| self.place_taken(written)),
            dataset,
            namespace,
            taken_by,
        }
    }

    /// Who has the place of a dataset that is to be written.
    fn place_taken(&self, written: &Dataset) -> Option<PlaceTaken> {
        let claim = written.claim()?;
        let there = self.datasets.referring(&claim).into_iter();
        let there = there.filter_map(|key| self.datasets.get(&key.namespace, &key.name));
        place::taken(written, there)
    }

    /// Who else the dataset belongs to: one that would write it in the same role. One that names it in a role which
    /// it doesn't have takes it from nobody.
    fn taken_by(&self, user: &impl Writes, namespace: &str, dataset: &str, role: Role) -> Option<String> {
        let target = Reference::Dataset(namespace.to_owned(), dataset.to_owned());
        let exports = self.exports.referring(&target).into_iter();
        let exports = exports.filter_map(|key| self.exports.get(&key.namespace, &key.name));
        let enrichments = self.enrichments.referring(&target).into_iter();
        let enrichments = enrichments.filter_map(|key| self.enrichments.get(&key.namespace, &key.name));
        let writers: Vec<Writer> = exports
            .filter(|export| writes_to(&**export, dataset, role))
            .map(|export| writer(&*export))
            .chain(
                enrichments
                    .filter(|enrichment| writes_to(&**enrichment, dataset, role))
                    .map(|enrichment| writer(&*enrichment)),
            )
            .collect();
        owner(&writers)
            .map(|owner| owner.who.clone())
            .filter(|who| *who != writer(user).who)
    }
}

impl Context {
    /// What became of a connection type's name.
    #[must_use]
    pub fn type_seen(&self, name: &str) -> TypeSeen {
        self.stores.type_seen(name)
    }

    /// The Secrets that an object refers to, as far as they exist. What is being removed waits for none: with its
    /// namespace, the right to read them may be gone already.
    ///
    /// # Errors
    /// When one can't be read.
    pub async fn secrets_of(&self, object: &(impl Refers + Resource)) -> Result<Secrets, Fault> {
        let leaves = object.meta().deletion_timestamp.is_some();
        let mut secrets = Secrets::new();
        for reference in object.references() {
            let Reference::Secret(namespace, name) = reference else {
                continue;
            };
            match self.secrets.keys(&namespace, &name).await {
                Ok(Some(keys)) => drop(secrets.insert(name, keys)),
                Err(error) if !(leaves && error.is_forbidden()) => return Err(error.into()),
                Ok(None) | Err(_) => {}
            }
        }
        Ok(secrets)
    }

    /// The decisions on record about an object of this name, the oldest first.
    #[must_use]
    pub fn records_of(&self, subject: &Reference) -> Vec<Arc<ConsentRecord>> {
        let store = &self.stores.consent_records;
        let seen = store.referring(subject).into_iter();
        let seen = seen
            .filter_map(|key| store.get(&key.namespace, &key.name))
            .collect();
        let mut records = self.recorded.with_ours(subject, seen);
        records.sort_by_key(|record| consent::record_number(&record.name_any()));
        records
    }

    /// What is known about consent beside the object that it's about.
    #[must_use]
    pub fn consent_facts(&self, subject: &Reference) -> ConsentFacts {
        ConsentFacts {
            records: self.records_of(subject),
            pipelines: Arc::clone(&self.pipelines),
            stamped: self.stamped,
            proof: Proof::NotAsked,
        }
    }

    /// The key vaults that an object refers to, as far as they exist.
    #[must_use]
    pub fn vaults_of(&self, object: &impl Refers) -> KeyVaults {
        let references = object.references().into_iter();
        let vaults = references.filter_map(|reference| match reference {
            Reference::KeyVault(namespace, name) => {
                Some((name.clone(), self.stores.key_vaults.get(&namespace, &name)?))
            }
            _ => None,
        });
        vaults.collect()
    }

    /// Whether the API server vouches for stamps just now.
    ///
    /// # Errors
    /// When it doesn't tell.
    pub async fn proof(&self) -> Result<Proof, Fault> {
        let missing = self.policies.missing().await?;
        if let Some(policy) = &missing {
            tracing::warn!(
                policy,
                "a consent doesn't count, as this policy isn't in place as the chart installs it"
            );
        }
        Ok(missing.map_or(Proof::InPlace, Proof::Missing))
    }
}

/// A kind that writes to datasets.
pub trait Writes: Resource<DynamicType = ()> {
    /// The field, the dataset's name and the role of each that it writes.
    fn written(&self) -> Vec<(&'static str, &str, Role)>;
}

impl Writes for Export {
    fn written(&self) -> Vec<(&'static str, &str, Role)> {
        let rejects = self
            .spec
            .rejects
            .iter()
            .map(|rejects| ("spec.rejects", rejects.dataset.as_str(), Role::Rejects));
        let state = self
            .spec
            .state
            .iter()
            .map(|state| ("spec.state", state.dataset.as_str(), Role::State));
        rejects.chain(state).collect()
    }
}

impl Writes for Enrichment {
    fn written(&self) -> Vec<(&'static str, &str, Role)> {
        vec![("spec.output", self.spec.output.dataset.as_str(), Role::Output)]
    }
}

fn writes_to(user: &impl Writes, dataset: &str, role: Role) -> bool {
    user.written()
        .iter()
        .any(|(_, name, as_role)| *name == dataset && *as_role == role)
}

fn writer<K: Writes>(user: &K) -> Writer {
    let created = user
        .creation_timestamp()
        .map_or(i64::MAX, |time| time.0.as_second());
    Writer {
        created,
        who: format!("{} {}", K::kind(&()).to_lowercase(), user.name_any()),
    }
}
