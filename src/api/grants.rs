//! Kubernetes' own accounts and grants, as far as the operator reads and keeps them.

use super::names::{CONTRIBUTOR_ROLE, RUN_ACCOUNT, USE_ROLE_PREFIX};
use super::reference::{Reference, Refers};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, Role, RoleBinding, RoleRef, Subject};
use kube::{Resource, ResourceExt};

/// A binding of either scope.
pub trait Binding: Resource<DynamicType = ()> {
    /// The role that it binds.
    fn role(&self) -> &RoleRef;
    /// Whom it binds to it.
    fn subjects(&self) -> &[Subject];

    /// Whether it makes contributors of its subjects.
    fn makes_contributors(&self) -> bool {
        self.role().kind == "ClusterRole" && self.role().name == CONTRIBUTOR_ROLE
    }
}

impl Binding for RoleBinding {
    fn role(&self) -> &RoleRef {
        &self.role_ref
    }

    fn subjects(&self) -> &[Subject] {
        self.subjects.as_deref().unwrap_or_default()
    }
}

impl Binding for ClusterRoleBinding {
    fn role(&self) -> &RoleRef {
        &self.role_ref
    }

    fn subjects(&self) -> &[Subject] {
        self.subjects.as_deref().unwrap_or_default()
    }
}

/// The connection that a Role or RoleBinding of this name grants the use of.
fn granted<K: Resource>(object: &K) -> Option<Reference> {
    let name = object.name_any();
    let connection = name.strip_prefix(USE_ROLE_PREFIX)?;
    Some(Reference::Connection(
        object.namespace().unwrap_or_default(),
        connection.to_owned(),
    ))
}

fn contributors<B: Binding>(binding: &B) -> Option<Reference> {
    let namespace = binding.namespace().unwrap_or_default();
    binding
        .makes_contributors()
        .then_some(Reference::Contributors(namespace))
}

/// The run account that an object of this name is, or belongs to.
fn run_account<K: Resource>(object: &K) -> Option<Reference> {
    let namespace = object.namespace().unwrap_or_default();
    (object.meta().name.as_deref() == Some(RUN_ACCOUNT)).then_some(Reference::RunAccount(namespace))
}

impl Refers for ServiceAccount {
    fn references(&self) -> Vec<Reference> {
        run_account(self).into_iter().collect()
    }
}

impl Refers for Role {
    fn references(&self) -> Vec<Reference> {
        granted(self).into_iter().chain(run_account(self)).collect()
    }
}

impl Refers for RoleBinding {
    fn references(&self) -> Vec<Reference> {
        let kept = granted(self).or_else(|| run_account(self));
        kept.into_iter().chain(contributors(self)).collect()
    }
}

impl Refers for ClusterRoleBinding {
    fn references(&self) -> Vec<Reference> {
        contributors(self).into_iter().collect()
    }
}
