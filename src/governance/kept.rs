//! What the operator keeps beside what people wrote: accounts, grants, and what contributors see of connections.

use crate::api::SharedConnection;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::{Resource, ResourceExt};
use std::sync::Arc;

/// The API group of roles and bindings, and of users and groups.
pub const RBAC: &str = "rbac.authorization.k8s.io";

/// An object that the operator keeps beside what people wrote.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    /// Grants `use` on a shared connection, or what the run account may do.
    Role(Role),
    /// Grants that to the contributors, or to the account.
    RoleBinding(RoleBinding),
    /// What contributors see of a shared connection.
    SharedConnection(SharedConnection),
    /// By which a namespace signs in to vaults.
    ServiceAccount(ServiceAccount),
}

/// What is known of an object that the operator keeps.
#[derive(Clone, Debug, Default)]
pub enum Seen<K> {
    /// There is none.
    #[default]
    Absent,
    /// It was written or removed a moment ago, and the watch hasn't brought that yet.
    Pending,
    /// It's there.
    Present(Arc<K>),
}

impl<K> Seen<K> {
    /// The object, if it is there.
    #[must_use]
    pub fn present(&self) -> Option<&K> {
        match self {
            Self::Present(object) => Some(object),
            Self::Absent | Self::Pending => None,
        }
    }

    /// Whether the watch must bring our write first.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Pending)
    }
}

/// Whether the object must be written.
#[must_use]
pub fn due<K: Resource>(seen: &Seen<K>, wanted: &K, anew: bool, same: impl FnOnce(&K) -> bool) -> bool {
    match seen {
        Seen::Absent => anew,
        Seen::Pending => false,
        Seen::Present(seen) => !(marked(&**seen, wanted) && same(seen)),
    }
}

/// Whether it has the labels and the owner that it should have; more do no harm.
fn marked<K: Resource>(seen: &K, wanted: &K) -> bool {
    let mut labels = wanted.labels().iter();
    let mut owners = wanted.owner_references().iter();
    labels.all(|(name, value)| seen.labels().get(name) == Some(value))
        && owners.all(|owner| seen.owner_references().contains(owner))
}
