//! Where the files go and how they are written, by the connection and what the export chose.

use crate::encode::Form;
use crate::fault::Fault;
use connection_operator::api::connection::{ConnectionSpec, Parameters};
use connection_operator::api::connection_type::{ConnectionTypeSpec, Parameter, UsedFor};
use connection_operator::api::run::{FailureClass, Persistence, Plan};
use connection_operator::governance::parameters::{CompiledType, effective};
use thiserror::Error;

/// What the catalog calls this connector.
const CONNECTOR: &str = "sftp";

/// Where files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The fingerprint that its host key must have.
    pub host_key: Option<String>,
    /// The connection's folder.
    pub folder: String,
    /// The folders below it, one in the other.
    pub subfolders: Vec<String>,
    /// How files are written.
    pub form: Form,
    /// How many files one dataset may become.
    pub files_max: usize,
}

/// The connection's settings can't be gone by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SettingsFault {
    /// Another connector runs the type.
    #[error(
        "The connection's type is run by a connector that isn't part of this version, so nothing was sent. Whoever installed the operator can look at its value connectors."
    )]
    NotOurs,
    /// The type contradicts itself.
    #[error(
        "The connection's type contradicts itself, so nothing was sent. A platform engineer can correct it."
    )]
    Type,
    /// What the connection says doesn't fit its type.
    #[error(
        "What the connection says doesn't fit its type, so nothing was sent. Its administrator can see more in its condition Valid."
    )]
    Connection,
    /// What the export chose doesn't fit the type.
    #[error(
        "The export's parameters don't fit the connection's type, or one of them is the connection's to choose, so nothing was sent. Correct spec.parameters."
    )]
    Choice,
}

impl Fault for SettingsFault {
    fn class(&self) -> FailureClass {
        match self {
            Self::NotOurs | Self::Type => FailureClass::System,
            Self::Connection => FailureClass::Destination,
            Self::Choice => FailureClass::User,
        }
    }

    fn persistence(&self) -> Persistence {
        Persistence::Permanent
    }
}

impl Settings {
    /// The settings of a run, from the connection as it was read.
    ///
    /// # Errors
    /// When something in them doesn't fit the type.
    pub fn of(plan: &Plan, connection: &ConnectionSpec) -> Result<Self, SettingsFault> {
        let type_ = &plan.type_spec;
        let ours = type_
            .connector
            .as_ref()
            .is_some_and(|connector| connector.as_str() == CONNECTOR);
        if !ours || plan.used_for != UsedFor::Export || type_.used_for != UsedFor::Export {
            return Err(SettingsFault::NotOurs);
        }
        let compiled = CompiledType::compile(plan.type_.as_str(), type_).map_err(|_| SettingsFault::Type)?;
        let fixed = &connection.fixed_export_parameters;
        if !compiled
            .connection_problems(&connection.parameters, fixed)
            .is_empty()
        {
            return Err(SettingsFault::Connection);
        }
        if !compiled.choice_problems(&plan.parameters, fixed).is_empty() {
            return Err(SettingsFault::Choice);
        }
        // The connection has the last word.
        let mut chosen = plan.parameters.clone();
        chosen.extend(fixed.clone());
        read(type_, &connection.parameters, &chosen)
    }
}

fn read(
    type_: &ConnectionTypeSpec,
    own: &Parameters,
    chosen: &Parameters,
) -> Result<Settings, SettingsFault> {
    let own = |name: &str| value(&type_.parameters, own, name);
    let chosen = |name: &str| value(&type_.export_parameters, chosen, name);
    let port = own("port").unwrap_or("22").parse();
    let files_max = type_
        .limits
        .as_ref()
        .and_then(|limits| limits.max_files_per_dataset);
    let folder = own("folder").ok_or(SettingsFault::Connection)?;
    Ok(Settings {
        host: own("hostname").ok_or(SettingsFault::Connection)?.to_owned(),
        port: port.map_err(|_| SettingsFault::Connection)?,
        host_key: own("hostKey").map(str::to_owned),
        folder: if folder == "/" {
            folder
        } else {
            folder.trim_end_matches('/')
        }
        .to_owned(),
        subfolders: subfolders(chosen("subfolder"))?,
        form: Form {
            delimiter: delimiter(chosen("delimiter"))?,
            gzip: match chosen("compression") {
                None | Some("None") => false,
                Some("Gzip") => true,
                Some(_) => return Err(SettingsFault::Type),
            },
        },
        files_max: files_max
            .and_then(|max| usize::try_from(max).ok())
            .unwrap_or(1)
            .max(1),
    })
}

fn value<'a>(declared: &'a [Parameter], given: &'a Parameters, name: &str) -> Option<&'a str> {
    let parameter = declared
        .iter()
        .find(|parameter| parameter.name.as_str() == name)?;
    effective(parameter, given).filter(|value| !value.is_empty())
}

/// The type's pattern lets nothing through that steps up; a type of somebody else's making may have another.
fn subfolders(given: Option<&str>) -> Result<Vec<String>, SettingsFault> {
    let parts = given.into_iter().flat_map(|folders| folders.split('/'));
    let parts: Vec<String> = parts.map(str::to_owned).collect();
    let steps_out = |part: &String| part.is_empty() || part.starts_with('.') || part.contains(['\\', '\0']);
    if parts.iter().any(steps_out) {
        return Err(SettingsFault::Choice);
    }
    Ok(parts)
}

fn delimiter(given: Option<&str>) -> Result<u8, SettingsFault> {
    match given {
        None | Some("Comma") => Ok(b','),
        Some("Semicolon") => Ok(b';'),
        Some("Tab") => Ok(b'\t'),
        Some("Pipe") => Ok(b'|'),
        Some(_) => Err(SettingsFault::Type),
    }
}

#[cfg(test)]
mod tests;
