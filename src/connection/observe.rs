//! Gathers what a decision about a connection may know.

use super::decide::{ConnectionFacts, needs_proof};
use crate::api::Reference;
use crate::api::connection::Connection;
use crate::reconcile::{Context, Fault};
use kube::{Resource, ResourceExt};
use std::sync::Arc;

pub(super) async fn observe(
    connection: Arc<Connection>,
    context: &Context,
) -> Result<ConnectionFacts, Fault> {
    let (namespace, name) = (connection.namespace().unwrap_or_default(), connection.name_any());
    let subject = Reference::Subject(
        namespace.clone(),
        Connection::kind(&()).into_owned(),
        name.clone(),
    );
    let type_ = context.type_seen(connection.spec.type_.as_str());
    let mut facts = ConnectionFacts {
        secrets: context.secrets_of(&*connection).await?,
        vaults: context
            .vaults_seen(
                &*connection,
                &connection.spec.secrets,
                &context.stores.connections,
            )
            .await?,
        dependents: context.stores.dependents(&Reference::Connection(namespace, name)),
        sharing: context.sharing_of(&connection, &type_),
        consent: context.consent_facts(&subject),
        now: context.now(),
        type_,
        connection,
    };
    if needs_proof(&facts) {
        facts.consent.proof = context.proof().await?;
    }
    Ok(facts)
}
