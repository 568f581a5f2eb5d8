//! Takes run accounts away, with what belongs to them: once the policies are gone, whoever may ask for tokens of a
//! namespace's accounts could sign in to vaults by them.

use super::UninstallError;
use crate::api::names::{MANAGED_BY_LABEL, RUN_ACCOUNT, RUN_ACCOUNT_POLICY};
use crate::cluster::writes;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource};
use std::fmt::Debug;

/// Removes those that the operator made, in all namespaces.
///
/// # Errors
/// See [`UninstallError`].
pub(super) async fn remove_all(client: &Client) -> Result<(), UninstallError> {
    remove::<RoleBinding>(client).await?;
    remove::<Role>(client).await?;
    remove::<ServiceAccount>(client).await
}

async fn remove<K>(client: &Client) -> Result<(), UninstallError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + Send + Sync + 'static,
{
    let (label, value) = MANAGED_BY_LABEL;
    let api: Api<PartialObjectMeta<K>> = Api::all(client.clone());
    // By name, which the hook's rights are bound to; by label, as others may have one of the same name.
    let ours = ListParams::default()
        .fields(&format!("metadata.name={RUN_ACCOUNT}"))
        .labels(&format!("{label}={value}"));
    let listed = api.list(&ours).await.map_err(|source| UninstallError::Request {
        what: "listing run accounts",
        source: Box::new(source),
    })?;
    let kind = K::kind(&());
    if !listed.items.is_empty() {
        tracing::info!(kind = %kind, count = listed.items.len(), "taking run accounts away");
    }
    for object in listed.items {
        writes::delete(client, &object)
            .await
            .map_err(|source| UninstallError::not_deleted(&object, RUN_ACCOUNT_POLICY, source))?;
    }
    Ok(())
}
