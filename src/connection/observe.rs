//! Gathers what a decision about a connection may know.

use super::ConnectionFacts;
use crate::api::Reference;
use crate::api::connection::Connection;
use crate::reconcile::{Context, Fault};
use kube::ResourceExt;
use std::sync::Arc;

pub(super) async fn observe(
    connection: Arc<Connection>,
    context: &Context,
) -> Result<ConnectionFacts, Fault> {
    let namespace = connection.namespace().unwrap_or_default();
    Ok(ConnectionFacts {
        type_: context.type_seen(connection.spec.type_.as_str()),
        secrets: context.secrets_of(&*connection).await?,
        dependents: context.dependents(&Reference::Connection(namespace, connection.name_any())),
        now: context.now(),
        connection,
    })
}
