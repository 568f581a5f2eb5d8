//! Gathers what a decision about a connection may know.

use super::decide::{ConnectionFacts, ConsentFacts, needs_proof};
use crate::api::Reference;
use crate::api::connection::Connection;
use crate::governance::consent::Proof;
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
        dependents: context.dependents(&Reference::Connection(namespace, name)),
        sharing: context.sharing_of(&connection, &type_),
        consent: ConsentFacts {
            records: context.records_of(&subject),
            pipelines: Arc::clone(&context.pipelines),
            stamped: context.stamped,
            proof: Proof::NotAsked,
        },
        now: context.now(),
        type_,
        connection,
    };
    if needs_proof(&facts) {
        facts.consent.proof = context.proof().await?;
        if let Proof::Missing(policy) = &facts.consent.proof {
            tracing::warn!(
                policy,
                "a consent doesn't count, as this policy isn't in place as the chart installs it"
            );
        }
    }
    Ok(facts)
}
