//! What sharing asks of the stores, and the writes of what the operator keeps.

use super::Context;
use crate::api::connection::{Audience, Connection};
use crate::api::connection_type::UsedFor;
use crate::api::grants::Binding;
use crate::api::names::USE_ROLE_PREFIX;
use crate::api::{Reference, Refers};
use crate::cluster::writes::{self, WriteError};
use crate::cluster::{ObjectKey, Objects};
use crate::governance::connection_types::TypeSeen;
use crate::governance::kept::{Kept, Seen};
use crate::governance::runs::lacks;
use crate::governance::sharing::{self, SharingFacts};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::rbac::v1::Subject;
use kube::{Resource, ResourceExt};
use serde::Serialize;

impl Context {
    /// What sharing may know of a connection.
    #[must_use]
    pub fn sharing_of(&self, connection: &Connection, type_: &TypeSeen) -> SharingFacts {
        let (namespace, name) = (connection.namespace().unwrap_or_default(), connection.name_any());
        let grant = ObjectKey::new(&namespace, &format!("{USE_ROLE_PREFIX}{name}"));
        let type_ = type_.usable();
        // Nobody asks who would be let in where nobody is.
        let private = type_.is_some_and(|type_| {
            sharing::audience(&connection.spec, type_.spec.used_for) == Audience::Administrators
        });
        SharingFacts {
            contributors: if private {
                Vec::new()
            } else {
                self.contributors(&namespace)
            },
            role: self.kept(&self.stores.roles, &grant),
            role_binding: self.kept(&self.stores.role_bindings, &grant),
            shared: self.kept(
                &self.stores.shared_connections,
                &ObjectKey::new(&namespace, &name),
            ),
            namesakes: if private {
                Vec::new()
            } else {
                self.namesakes(connection)
            },
            connected: type_.is_some_and(|type_| {
                let lacks = || lacks::of_connection(connection, &self.vaults_of(connection));
                let able = type_.spec.used_for == UsedFor::Enrichment || lacks().is_none();
                type_.runs(&self.connectors) && able
            }),
        }
    }

    fn contributors(&self, namespace: &str) -> Vec<Subject> {
        let here = Reference::Contributors(namespace.to_owned());
        let everywhere = Reference::Contributors(String::new());
        let mut all = bound(&self.stores.role_bindings, &here);
        all.extend(bound(&self.stores.cluster_role_bindings, &everywhere));
        all
    }

    /// An object that we keep: what the watch has brought, unless we know better.
    pub(super) fn kept<K>(&self, store: &Objects<K>, key: &ObjectKey) -> Seen<K>
    where
        K: Resource<DynamicType = ()> + Clone,
    {
        let seen = store.get(&key.namespace, &key.name);
        if self.written.is_pending(key, seen.as_deref()) {
            return Seen::Pending;
        }
        seen.map_or(Seen::Absent, Seen::Present)
    }

    /// The other connections of the namespace that contributors see under the same display name.
    fn namesakes(&self, connection: &Connection) -> Vec<String> {
        let connections = &self.stores.connections;
        let namespace = connection.namespace().unwrap_or_default();
        let target = Reference::DisplayName(namespace, connection.spec.display_name.clone());
        let others = connections.referring(&target).into_iter();
        let others = others.filter(|other| *other != ObjectKey::of(connection));
        let shared = others.filter(|other| {
            let other = connections.get(&other.namespace, &other.name);
            other.is_some_and(|other| is_seen(&other))
        });
        shared.map(|other| other.name).collect()
    }

    pub(super) async fn keep(&self, kept: &Kept) -> Result<(), WriteError> {
        match kept {
            Kept::Role(role) => self.write_whole(role, &self.stores.roles).await,
            Kept::RoleBinding(binding) => self.write_whole(binding, &self.stores.role_bindings).await,
            Kept::SharedConnection(shared) => self.write_whole(shared, &self.stores.shared_connections).await,
            Kept::ServiceAccount(account) => self.write_whole(account, &self.stores.service_accounts).await,
        }
    }

    pub(super) async fn drop_kept(&self, kept: &Kept) -> Result<(), WriteError> {
        match kept {
            Kept::Role(role) => self.remove(role).await,
            Kept::RoleBinding(binding) => self.remove(binding).await,
            Kept::SharedConnection(shared) => self.remove(shared).await,
            Kept::ServiceAccount(account) => self.remove(account).await,
        }
    }

    async fn write_whole<K>(&self, object: &K, present: &Objects<K>) -> Result<(), WriteError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Serialize,
    {
        let key = ObjectKey::of(object);
        let version = match present.get(&key.namespace, &key.name) {
            Some(seen) => writes::change(&self.client, &*seen, object).await?,
            None => writes::make(&self.client, object).await?,
        };
        self.written.note(object, &version);
        Ok(())
    }

    async fn remove<K>(&self, object: &K) -> Result<(), WriteError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        writes::delete(&self.client, object).await?;
        self.written.note_removed(object);
        Ok(())
    }
}

/// Whether contributors see it: as its own visit found, so that its next change brings it here again.
#[must_use]
pub fn is_seen(connection: &Connection) -> bool {
    let access = connection.status.as_ref().and_then(|status| status.access);
    access == Some(Audience::Contributors) && connection.metadata.deletion_timestamp.is_none()
}

fn bound<B>(bindings: &Objects<B>, target: &Reference) -> Vec<Subject>
where
    B: Binding + Refers + Clone,
{
    let referring = bindings.referring(target).into_iter();
    let bindings = referring.filter_map(|key| bindings.get(&key.namespace, &key.name));
    bindings.flat_map(|binding| binding.subjects().to_vec()).collect()
}
