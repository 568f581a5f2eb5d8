//! Whether an export or enrichment may use the connection that it names.
//!
//! What is said here is read by contributors: it never holds a host, folder or account of the connection.

use super::Standing;
use super::conditions::find;
use super::connection_types::TypeSeen;
use super::message::sentences;
use super::parameters::CompiledType;
use crate::api::connection::{Connection, Parameters};
use crate::api::connection_type::UsedFor;
use crate::api::{ConditionStatus, ConditionType, Reason};
use std::collections::BTreeSet;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// What is known of the connection that an export or enrichment names.
#[derive(Clone, Debug)]
pub enum ConnectionSeen {
    /// It names none.
    Detached,
    /// It names one that doesn't exist.
    Absent(String),
    /// It's there.
    Present {
        /// The connection.
        connection: Arc<Connection>,
        /// Its type.
        type_: TypeSeen,
    },
}

/// Judges the connection itself: the condition Attached.
#[must_use]
pub fn attached(seen: &ConnectionSeen, wanted: UsedFor, connectors: &BTreeSet<String>) -> Standing {
    let (connection, type_) = match seen {
        ConnectionSeen::Detached => return Standing::unmet(Reason::Detached, detached(wanted)),
        ConnectionSeen::Absent(name) => {
            let text = format!(
                "There is no connection {name} in this namespace that this {} can use: name another, or ask an administrator for one.",
                noun(wanted)
            );
            return Standing::unmet(Reason::ConnectionNotFound, text);
        }
        ConnectionSeen::Present { connection, type_ } => (connection, type_),
    };
    let name = connection.metadata.name.as_deref().unwrap_or_default();
    misfit(name, connection, type_, wanted, connectors)
        .or_else(|| resting(name, connection))
        .unwrap_or_else(|| {
            let usable = format!("The connection {name} can be used.");
            match deprecated(seen) {
                Some(deprecated) => Standing::met(Reason::TypeDeprecated, format!("{usable} {deprecated}")),
                None => Standing::met(Reason::ConnectionUsable, usable),
            }
        })
}

/// That the connection's type should no longer be chosen, and what to choose instead.
#[must_use]
pub fn deprecated(seen: &ConnectionSeen) -> Option<String> {
    match seen {
        ConnectionSeen::Present { type_, .. } => type_.usable().and_then(|type_| type_.deprecated()),
        ConnectionSeen::Detached | ConnectionSeen::Absent(_) => None,
    }
}

/// What keeps anything from beginning on the connection while that goes on by what its type said before.
#[must_use]
pub fn awaited(seen: &ConnectionSeen) -> Option<Standing> {
    let ConnectionSeen::Present { connection, type_ } = seen else {
        return None;
    };
    let awaited = type_
        .awaited(connection.spec.type_.as_str())
        .filter(|_| type_.is_kept())?;
    let text = format!(
        "What is Active on its connection goes on, and nothing begins there meanwhile. {}",
        awaited.message
    );
    Some(Standing::unmet(awaited.reason, text))
}

/// The connection and its type, as far as they are there and of the right kind.
#[must_use]
pub fn fitting(seen: &ConnectionSeen, wanted: UsedFor) -> Option<(&Connection, &CompiledType)> {
    match seen {
        ConnectionSeen::Present { connection, type_ } => {
            let type_ = type_.usable().filter(|type_| type_.spec.used_for == wanted)?;
            Some((connection, type_))
        }
        ConnectionSeen::Detached | ConnectionSeen::Absent(_) => None,
    }
}

/// Judges the parameters against what the connection's type declares: part of the condition Valid.
#[must_use]
pub fn parameters(seen: &ConnectionSeen, wanted: UsedFor, chosen: &Parameters) -> Standing {
    let Some((connection, type_)) = fitting(seen, wanted) else {
        let there = matches!(seen, ConnectionSeen::Present { type_, .. } if type_.usable().is_some());
        let text = if there {
            "Its parameters are checked once its connection is of the right kind."
        } else {
            "Its parameters are checked once its connection and the connection's type are there."
        };
        return Standing::unknown(Reason::NotChecked, text);
    };
    let problems = type_.choice_problems(chosen, &connection.spec.fixed_export_parameters);
    if problems.is_empty() {
        return Standing::met(
            Reason::AsDeclared,
            "What it says fits the type of its connection.",
        );
    }
    Standing::unmet(
        Reason::ParametersInvalid,
        format!(
            "Its connection is of type {}. {}",
            type_.name,
            sentences(&problems)
        ),
    )
}

fn misfit(
    name: &str,
    connection: &Connection,
    type_: &TypeSeen,
    wanted: UsedFor,
    connectors: &BTreeSet<String>,
) -> Option<Standing> {
    if let Some(unusable) = type_.unusable(connection.spec.type_.as_str()) {
        return Some(unusable);
    }
    let type_ = type_.usable()?;
    if type_.spec.used_for != wanted {
        let text = format!(
            "The connection {name} is of type {}, which is for {}s: name one whose type is for {}s.",
            type_.name,
            type_.spec.used_for.to_string().to_lowercase(),
            noun(wanted)
        );
        return Some(Standing::unmet(Reason::TypeMismatch, text));
    }
    (!type_.runs(connectors)).then(|| Standing::unmet(Reason::NoConnector, unrun(type_)))
}

/// An installation can be given the connector that a type names; a type that names none is only listed.
fn unrun(type_: &CompiledType) -> String {
    let name = &type_.name;
    let unrun = match &type_.spec.connector {
        Some(connector) => format!(
            "The type {name} needs the connector {connector}, which this installation doesn't run: ask whoever installed \
             the operator to add it to the chart's value connectors, or name a connection of another type."
        ),
        None => format!(
            "The type {name} names no connector, so there is nothing yet that could run it: name a connection of another \
             type."
        ),
    };
    match type_.deprecated() {
        Some(deprecated) => format!("{unrun} {deprecated}"),
        None => unrun,
    }
}

/// Whether the connection itself keeps everything on it from running.
fn resting(name: &str, connection: &Connection) -> Option<Standing> {
    if connection.metadata.deletion_timestamp.is_some() {
        let text =
            format!("The connection {name} is being removed: name another, or remove the connectionRef.");
        return Some(Standing::unmet(Reason::ConnectionBeingRemoved, text));
    }
    let ready = connection
        .status
        .as_ref()
        .and_then(|status| find(&status.conditions, ConditionType::Ready));
    let works = ready.is_some_and(|ready| ready.status == ConditionStatus::True);
    if !works {
        let text = format!(
            "The connection {name} isn't ready: its administrator can see why and what to do. Everything goes on by itself once it is."
        );
        return Some(Standing::unmet(Reason::ConnectionNotReady, text));
    }
    let suspended =
        connection.spec.suspend || ready.is_some_and(|ready| ready.reason == Reason::Suspended.as_str());
    suspended.then(|| {
        Standing::unmet(
            Reason::Suspended,
            format!("The connection {name} is suspended: nothing on it runs until it is resumed."),
        )
    })
}

const fn noun(wanted: UsedFor) -> &'static str {
    match wanted {
        UsedFor::Export => "export",
        UsedFor::Enrichment => "enrichment",
    }
}

fn detached(wanted: UsedFor) -> String {
    let state = match wanted {
        UsedFor::Export => "detached",
        UsedFor::Enrichment => "deactivated",
    };
    format!(
        "The {} is {state}: it names no connection, keeps its whole configuration and does nothing. To use it again, set spec.connectionRef.name.",
        noun(wanted)
    )
}
