//! Sentences that several commands say.

use crate::api::ConditionType;
use crate::api::export::{ExportStatus, State};
use crate::governance::conditions;
use crate::plugin::target::Kind;

/// The command that shows how something stands.
#[must_use]
pub fn look(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Connection => format!("kubectl connections describe {name}"),
        Kind::KeyVault => format!("kubectl connections vault list {name}"),
        Kind::Export | Kind::Enrichment => format!("kubectl describe {} {name}", kind.word()),
    }
}

/// How an export or enrichment stands.
#[must_use]
pub fn activity(kind: Kind, name: &str, status: Option<&ExportStatus>) -> String {
    let noun = kind.noun();
    let Some(status) = status else {
        return format!(
            "The operator hasn't looked at the {noun} {name} yet. To see: {}",
            look(kind, name)
        );
    };
    let ready = conditions::find(&status.conditions, ConditionType::Ready);
    let message = ready.map_or("", |ready| ready.message.as_str());
    match status.state {
        Some(State::Active) => format!("The {noun} {name} is Active."),
        Some(State::Inactive) => format!("The {noun} {name} is Inactive: {message}"),
        None => format!(
            "The operator hasn't looked at the {noun} {name} yet. To see: {}",
            look(kind, name)
        ),
    }
}
