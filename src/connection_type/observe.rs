//! Gathers what a decision about a connection type may know.

use super::ConnectionTypeFacts;
use crate::api::{ConnectionType, Reference};
use crate::reconcile::Context;
use kube::ResourceExt;
use std::sync::Arc;

pub(super) fn observe(type_: Arc<ConnectionType>, context: &Context) -> ConnectionTypeFacts {
    let (count, _) = context
        .stores
        .connections
        .count_referring(&Reference::ConnectionType(type_.name_any()), 0);
    ConnectionTypeFacts {
        seen: context.stores.types.seen(Some(&*type_)),
        connectors: context.connectors.clone(),
        in_use: count > 0,
        now: context.now(),
        replacement: replacement(&type_, context),
        type_,
    }
}

fn replacement(type_: &ConnectionType, context: &Context) -> Option<Arc<ConnectionType>> {
    let name = type_.spec.deprecated.as_ref()?.replacement.as_ref()?;
    context.stores.connection_types.get("", name.as_str())
}
